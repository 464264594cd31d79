/// The encodings that stock files come in.
public enum TextEncoding: String, Sendable, CaseIterable {
    /// UTF-8, with or without byte order mark.
    case utf8 = "utf-8"
    /// UTF-16, low byte first.
    case utf16LittleEndian = "utf-16le"
    /// UTF-16, high byte first.
    case utf16BigEndian = "utf-16be"
    /// Vietnamese, with combining tone marks; read into composed characters.
    case windows1258 = "windows-1258"
    /// Cyrillic.
    case windows1251 = "windows-1251"

    /// Reads a configured name, whatever its case: `UTF-8`, `utf8`, `utf-16`, `cp1258`, `Windows-1251` and the like.
    ///
    /// Plain `utf-16` is little-endian, as everything that writes it today is; a byte order mark overrules it.
    public init?(name: String) {
        let letters = name.lowercased().filter { $0.isLetter || $0.isNumber }
        switch letters {
        case "utf8", "utf8bom", "utf8sig", "ascii", "usascii": self = .utf8
        case "utf16", "utf16le", "unicode": self = .utf16LittleEndian
        case "utf16be": self = .utf16BigEndian
        case "windows1258", "cp1258", "1258": self = .windows1258
        case "windows1251", "cp1251", "1251": self = .windows1251
        default: return nil
        }
    }

    /// What the first bytes of a file tell.
    ///
    /// - Returns: The encoding and the length of its byte order mark, or nil where they tell nothing: then it is UTF-8
    ///   or one of the single-byte encodings, which only a declaration can tell apart.
    public static func detect(_ head: UnsafeRawBufferPointer) -> (encoding: TextEncoding, markLength: Int)? {
        if head.starts(with: [0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
        if head.starts(with: [0xFF, 0xFE]) { return (.utf16LittleEndian, 2) }
        if head.starts(with: [0xFE, 0xFF]) { return (.utf16BigEndian, 2) }
        return detectUTF16WithoutMark(head)
    }

    /// Separators, digits and line ends are ASCII in every file, so about half the bytes of UTF-16 are zero, all of
    /// them on the same side. A stray NUL in other text is far from that.
    private static func detectUTF16WithoutMark(_ head: UnsafeRawBufferPointer) -> (TextEncoding, Int)? {
        let pairs = min(head.count, 4096) / 2
        guard pairs > 0 else { return nil }
        var zeros = (even: 0, odd: 0)
        for pair in 0..<pairs {
            if head[2 * pair] == 0 { zeros.even += 1 }
            if head[2 * pair + 1] == 0 { zeros.odd += 1 }
        }
        if zeros.odd * 5 > pairs * 2, zeros.even * 20 < pairs { return (.utf16LittleEndian, 0) }
        if zeros.even * 5 > pairs * 2, zeros.odd * 20 < pairs { return (.utf16BigEndian, 0) }
        return nil
    }
}
