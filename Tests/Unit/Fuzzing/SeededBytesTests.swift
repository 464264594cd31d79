import Testing

extension FuzzTests {
    @Suite("Bytes are spoilt in the same way for the same seed")
    struct SeededBytesTests {
        private let text = Array("{\"sku\":\"Sữa 12\",\"n\":[1,2.5]}\nsecond;line\n".utf8)

        @Test func `the same seed gives the same bytes and another seed others`() {
            func bytes(_ seed: UInt64) -> [[UInt8]] {
                var random = SeededBytes(seed: seed)
                return (0..<50).map { _ in random.spoilt(text, corpus: [text]) }
            }
            #expect(bytes(7) == bytes(7) && bytes(7) != bytes(8))
        }

        @Test func `every kind of spoiling changes something and copes with no bytes at all`() {
            for mutation in SeededBytes.Mutation.allCases {
                var random = SeededBytes(seed: 1)
                var changed = 0
                for _ in 0..<50 {
                    var bytes = text
                    random.apply(mutation, to: &bytes, [Array("other,12\n".utf8)])
                    if bytes != text { changed += 1 }
                    var none: [UInt8] = []
                    random.apply(mutation, to: &none, [])
                }
                #expect(changed > 15, "\(mutation)")
            }
        }
    }
}
