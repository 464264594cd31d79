import Foundation
import Testing

@testable import PostgreSQL

private func decoded<T: PostgresDecodable>(_ text: String, as type: T.Type = T.self) -> T? {
    Array(text.utf8).withUnsafeBytes { T(postgresText: $0) }
}

private enum Colour: String, PostgresDecodable { case red, green }

struct DecodingTests {
    @Test func wholeNumbersAreReadWithinTheirRange() {
        #expect(decoded("0", as: Int64.self) == 0)
        #expect(decoded("-9223372036854775808", as: Int64.self) == .min)
        #expect(decoded("9223372036854775807", as: Int64.self) == .max)
        #expect(decoded("-42", as: Int.self) == -42)
        #expect(decoded("2147483647", as: Int32.self) == .max)
        let tooLarge = ["9223372036854775808", "-9223372036854775809", "99999999999999999999"]
        for text in ["", "-", "1.0", " 1", "1a"] + tooLarge {
            #expect(decoded(text, as: Int64.self) == nil, "\(text)")
        }
        #expect(decoded("2147483648", as: Int32.self) == nil)
    }

    @Test func otherKindsAreRead() {
        #expect(decoded("t", as: Bool.self) == true)
        #expect(decoded("true", as: Bool.self) == nil)
        #expect(decoded("NaN", as: Double.self)?.isNaN == true)
        #expect(decoded("-Infinity", as: Double.self) == -.infinity)
        #expect(decoded("12.50", as: Decimal.self) == Decimal(string: "12.5"))
        #expect(decoded("NaN", as: Decimal.self) == nil)
        #expect(decoded("green", as: Colour.self) == .green)
        #expect(decoded("blue", as: Colour.self) == nil)
        #expect(decoded("7", as: Int?.self) == 7)
        #expect(Int?.postgresNull == .some(nil))
        #expect(Int.postgresNull == nil)
        #expect(decoded(#"\x00fF"#, as: [UInt8].self) == [0, 255])
        for text in [#"\x0"#, "00", #"\xzz"#, ""] { #expect(decoded(text, as: [UInt8].self) == nil) }
        let identifier = UUID()
        #expect(decoded(identifier.uuidString, as: UUID.self) == identifier)
        #expect(decoded("00000000-0000-0000-0000-00000000000g", as: UUID.self) == nil)
        #expect(decoded("00000000x0000-0000-0000-000000000000", as: UUID.self) == nil)
    }

    private static let arrays: [(String, [String?])] = [
        ("{}", []), ("{a,b}", ["a", "b"]),
        (#"{"a,b","c\"d","e\\f","{g}",""}"#, ["a,b", #"c"d"#, #"e\f"#, "{g}", ""]),
        (#"{"NULL",NULL,null}"#, ["NULL", nil, "null"]), ("{Dầu gội}", ["Dầu gội"]),
    ]

    @Test(arguments: arrays)
    func anArrayLiteralIsTakenApart(_ text: String, _ expected: [String?]) {
        #expect(decoded(text, as: [String?].self) == expected)
    }

    @Test(arguments: [
        "", "a", "{", "{a", "{a,", "{a,}", "{,a}", "{{a},{b}}", #"{"a}"#, #"{"a"b}"#, "{a}b", #"{a\"#, "{NULL}",
    ])
    func whatIsNoFlatArrayOfTextIsRefused(_ text: String) {
        #expect(decoded(text, as: [String].self) == nil)
    }

    @Test func arraysOfOtherKindsAreRead() {
        #expect(decoded("{1,-2}", as: [Int64].self) == [1, -2])
        #expect(decoded("{1,x}", as: [Int64].self) == nil)
        #expect(decoded("{t,f}", as: [Bool].self) == [true, false])
        #expect(
            decoded(#"{"2026-11-21 06:00:00+00",NULL}"#, as: [Date?].self)
                == [Date(timeIntervalSince1970: 1_795_240_800), nil])
    }
}
