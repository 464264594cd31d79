import Domain
import Testing

@Suite("Contacts are brought into one form")
struct ContactNormalizerTests {
    @Test(
        arguments: [
            ("  Lan@Example.COM ", "lan@example.com"), ("\n", nil), ("", nil), (nil, nil), ("a b@c", "a b@c"),
        ] as [(String?, String?)])
    func `an e-mail address is trimmed and in small letters`(text: String?, expected: String?) {
        #expect(ContactNormalizer.email(text) == expected)
    }

    @Test(
        arguments: [
            ("0900 000 000", "VN", "+84900000000"), ("+84 900-000-000", "VN", "+84900000000"),
            ("+84 (0) 900 000 000", "US", "+84900000000"), ("84900000000", "VN", "+84900000000"),
            ("840900000000", "VN", "+84900000000"), ("0084900000000", nil, "+84900000000"),
            ("(028) 3822 0000", "vn", "+842838220000"), ("900000000", "VN", "900000000"),
            ("020 7946 0000", "GB", "02079460000"), ("0900000000", nil, "0900000000"),
            ("0900000000 ext 12", "VN", "+84900000000"), ("none", "VN", nil), ("", "VN", nil), (nil, "VN", nil),
            ("+", "VN", nil), ("00", "VN", nil),
        ] as [(String?, String?, String?)])
    func `a phone number becomes digits with its country where that is known`(
        text: String?, country: String?, expected: String?
    ) {
        #expect(ContactNormalizer.phone(text, country: country) == expected)
    }
}
