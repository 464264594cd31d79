import DelimitedText
import Testing

private func utf16(_ text: String, bigEndian: Bool) -> [UInt8] {
    text.utf16.flatMap { unit in
        bigEndian ? [UInt8(unit >> 8), UInt8(unit & 0xFF)] : [UInt8(unit & 0xFF), UInt8(unit >> 8)]
    }
}

private func read(_ bytes: [UInt8], encoding: TextEncoding? = nil, stride: Int = .max) throws -> String {
    let stream = TextStream(MemoryByteSource(bytes, stride: stride), encoding: encoding)
    var text: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: TextStream.smallestBuffer, alignment: 1)
    defer { buffer.deallocate() }
    while true {
        let count = try stream.read(into: buffer)
        if count == 0 { return String(decoding: text, as: UTF8.self) }
        text.append(contentsOf: buffer[..<count])
    }
}

@Suite struct TextStreamTests {
    static let sample = "SKU,Tên\r\n007,Dầu gội ấẫậợ 😀\r\n"

    @Test(arguments: [1, 2, 3, 5, 4096, Int.max])
    func `every encoding gives the same text, however it is cut`(stride: Int) throws {
        let long = String(repeating: Self.sample, count: 150)
        #expect(try read(Array(long.utf8), stride: stride) == long)
        #expect(try read([0xEF, 0xBB, 0xBF] + Array(long.utf8), stride: stride) == long)
        for bigEndian in [false, true] {
            let mark: [UInt8] = bigEndian ? [0xFE, 0xFF] : [0xFF, 0xFE]
            #expect(try read(utf16(long, bigEndian: bigEndian), stride: stride) == long)
            #expect(try read(mark + utf16(long, bigEndian: bigEndian), stride: stride) == long)
        }
    }

    @Test(arguments: [1, 2, 3, Int.max])
    func `Windows-1258 letters and their tone marks become one character`(stride: Int) throws {
        // D, a-circumflex + grave, u, blank, g, o-circumflex + dot below, i; a-breve + tilde; o-horn + dot below;
        // d-stroke.
        let bytes: [UInt8] = [
            0x44, 0xE2, 0xCC, 0x75, 0x20, 0x67, 0xF4, 0xF2, 0x69, 0x20, 0xE3, 0xDE, 0x20, 0xF5, 0xF2, 0x20, 0xF0, 0x61,
            0xEC,
        ]
        let text = try read(bytes, encoding: .windows1258, stride: stride)
        #expect(Array(text.unicodeScalars) == Array("Dầu gội ẵ ợ đá".unicodeScalars))
    }

    @Test func `a NUL and a mark without letter survive Windows-1258`() throws {
        #expect(try read([0x61, 0x00, 0xEC, 0x62], encoding: .windows1258) == "a\u{0}\u{301}b")
    }

    @Test func `Windows-1251 is Cyrillic`() throws {
        #expect(try read([0xD1, 0xEA, 0xEB, 0xE0, 0xE4, 0x20, 0xB9, 0x31], encoding: .windows1251) == "Склад №1")
    }

    @Test func `invalid bytes are named with their line, and the advice fits`() throws {
        let bytes = Array("a,b\nc,d\ne,".utf8) + [0xF0, 0x61, 0x0A]
        #expect {
            try scan(bytes)
        } throws: { error in
            guard case .invalidBytes(.utf8, 11, 3, false) = error as? DelimitedTextError else { return false }
            return "\(error)".contains("The encoding is unknown: line 3")
        }
        #expect {
            try scan([0x61, 0x81], encoding: .windows1258)
        } throws: { "\($0)".contains("not valid windows-1258, the encoding declared") }
    }

    @Test(
        arguments: [
            [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE0, 0x80, 0x80], [0xFF], [0x80],
            [0xE1, 0xBA],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xC1, 0x81], [0xF5, 0x80, 0x80, 0x80],
        ] as [[UInt8]])
    func `ill-formed UTF-8 is refused`(bytes: [UInt8]) {
        #expect(throws: DelimitedTextError.self) { try read([0x61, 0x2C] + bytes) }
    }

    @Test func `a lone surrogate and half a unit are refused`() {
        #expect(throws: DelimitedTextError.self) { try read([0xFF, 0xFE, 0x00, 0xD8, 0x61, 0x00]) }
        #expect(throws: DelimitedTextError.self) { try read([0xFF, 0xFE, 0x61, 0x00, 0x61]) }
        #expect(throws: DelimitedTextError.self) { try read([0xFF, 0xFE, 0x00, 0xDC]) }
    }

    @Test func `a byte order mark overrules the declaration`() throws {
        #expect(try read([0xFF, 0xFE] + utf16("abc", bigEndian: false), encoding: .windows1258) == "abc")
    }

    @Test func `configured names are understood`() {
        #expect(TextEncoding(name: "UTF-8") == .utf8)
        #expect(TextEncoding(name: "Windows-1258") == .windows1258)
        #expect(TextEncoding(name: "cp1251") == .windows1251)
        #expect(TextEncoding(name: "utf-16be") == .utf16BigEndian)
        #expect(TextEncoding(name: "klingon") == nil)
    }
}
