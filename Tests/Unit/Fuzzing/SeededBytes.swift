/// Spoils bytes as files, wires and people do. The same seed spoils the same bytes in the same way.
struct SeededBytes: RandomNumberGenerator {
    /// What is done to the bytes.
    enum Mutation: CaseIterable {
        case flip, insert, delete, duplicate, splice, repeatToken, nest, number, cut, poison, longField, line, value
    }

    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    /// Nothing grows beyond this.
    static let longest = 300_000

    /// A number below `limit`; 0 where there is none.
    mutating func below(_ limit: Int) -> Int { limit < 1 ? 0 : Int.random(in: 0..<limit, using: &self) }

    /// Whether one of so many comes up.
    mutating func once(in count: Int) -> Bool { below(count) == 0 }

    mutating func pick<Element>(_ elements: [Element], or other: Element) -> Element {
        elements.randomElement(using: &self) ?? other
    }

    /// The bytes, spoilt once to six times, or as they are once in twenty.
    ///
    /// - Parameter corpus: What a part of another text may be taken from.
    mutating func spoilt(_ bytes: [UInt8], corpus: [[UInt8]]) -> [UInt8] {
        if once(in: 20) { return bytes }
        var result = bytes
        // Half of all JSON stays JSON, so that what reads its values meets odd ones, too.
        let staysJSON = [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(bytes.first) && once(in: 2)
        for _ in 0..<(1 + below(6)) {
            apply(staysJSON ? .value : pick(Mutation.allCases, or: .flip), to: &result, corpus)
            if result.count > Self.longest { result.removeSubrange(Self.longest...) }
        }
        return result
    }

    mutating func apply(_ mutation: Mutation, to bytes: inout [UInt8], _ corpus: [[UInt8]]) {
        let place = below(bytes.count + 1)
        switch mutation {
        case .flip where place < bytes.count:
            bytes[place] = once(in: 2) ? bytes[place] ^ (1 << UInt8(below(8))) : UInt8(below(256))
        case .flip, .insert:
            bytes.insert(contentsOf: (0...below(4)).map { _ in UInt8(below(256)) }, at: place)
        case .delete: bytes.removeSubrange(span(bytes, from: place))
        case .duplicate:
            bytes.insert(contentsOf: Array(bytes[span(bytes, from: place)]), at: below(bytes.count + 1))
        case .splice:
            let other = pick(corpus, or: [])
            bytes = Array(bytes.prefix(place)) + other.suffix(below(other.count + 1))
        case .repeatToken:
            let part = Array(bytes[place..<min(bytes.count, place + 1 + below(12))])
            let times = once(in: 10) ? 5_000 : 2 + below(40)
            bytes.insert(contentsOf: Array(repeating: part, count: times).flatMap { $0 }, at: place)
        case .nest: nest(&bytes, at: place)
        case .number: replaceNumber(&bytes, from: place)
        case .cut: cut(&bytes, from: place)
        case .poison: bytes.insert(contentsOf: pick(Self.poisons, or: []), at: place)
        case .longField:
            let length = pick([300, 2_000, 33_000, 66_000], or: 300)
            bytes.insert(contentsOf: [UInt8](repeating: pick(Array("x9 \"".utf8), or: 0x78), count: length), at: place)
        case .line: line(&bytes, at: place)
        case .value: replaceValue(&bytes, from: place)
        }
    }

    private mutating func span(_ bytes: [UInt8], from place: Int) -> Range<Int> {
        place..<min(bytes.count, place + (once(in: 4) ? below(bytes.count + 1) : 1 + below(20)))
    }

    // MARK: - Kinds

    /// Zero byte, byte order marks, line ends, quotes, separators, and bytes that are no UTF-8.
    static let poisons: [[UInt8]] =
        [
            "\u{0}", "\u{FEFF}", "\r", "\r\n", "\n", "\"", "\"\"", "'", ",", ";", "\t", "\\", "\\u0000", "\\ud83d", "{",
            "}", "[", "]", ":", "null", "true", "{}", "[]", "\u{2028}", "e\u{301}", "<a>", "</si>", "<si>", "]]>",
            "&amp;", "&x;", "<!DOCTYPE a>", "=", "#", "- ", "*a", "&a ", "${env:A}",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xFF, 0xFE], [0xE1, 0xBA], [0xED, 0xA0, 0x80], [0xF4, 0x90]]

    private mutating func nest(_ bytes: inout [UInt8], at place: Int) {
        let depth = pick([5, 99, 101, 511, 513, 20_000], or: 5)
        let (open, close) = pick([("[", "]"), ("{\"a\":", "}"), ("<si>", "</si>"), ("(", ")")], or: ("[", "]"))
        let before = Array(repeating: Array(open.utf8), count: depth).flatMap { $0 }
        let after = once(in: 3) ? [] : Array(repeating: Array(close.utf8), count: depth).flatMap { $0 }
        let inner = once(in: 2) ? Array("1".utf8) : []
        bytes.insert(contentsOf: before + inner + after, at: place)
    }

    static let extremes: [String] = [
        "1e400", "-1e400", "1e-400", "-0", "0", "-1", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "18446744073709551616", "9223372036854.775807", "-9223372036854.775808", "007", "NaN",
        "Infinity", "1.", ".5", "0.0000001", "1E+5", "99999999999999999999999999", "2147483648", "1,234", "1.234,5",
        "+1",
        "9999", "00", "13", "32", "60",
    ]

    private mutating func replaceNumber(_ bytes: inout [UInt8], from place: Int) {
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        let start = bytes[place...].firstIndex(where: isDigit) ?? bytes.firstIndex(where: isDigit) ?? bytes.count
        let end = bytes[start...].firstIndex { !isDigit($0) && $0 != 0x2E } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: Array(pick(Self.extremes, or: "0").utf8))
    }

    /// Values of JSON that are seldom where they are put.
    static let values: [String] =
        [
            "null", "true", "{}", "[]", "\"\"", "\" \"", "[null]", "{\"0\":1}", "\"\\u0000\"", "\"\\ud83d\"", "1e400",
            "-9223372036854775808", "9223372036854775807", "0.0000001", "\"0000-01-01T00:00:00Z\"",
            "\"9999-12-31T23:59:59Z\"", "\"2099-01-01T00:00:00\"", "\"gid://shopify/Order/1\"", "\"CANCEL\"",
            "\"" + String(repeating: "9", count: 400) + "\"",
        ] + extremes.map { "\"\($0)\"" }

    /// Replaces the value of one member of an object by another value.
    private mutating func replaceValue(_ bytes: inout [UInt8], from place: Int) {
        let colon = UInt8(ascii: ":")
        guard let start = bytes[place...].firstIndex(of: colon) ?? bytes.firstIndex(of: colon) else { return }
        var (end, isQuoted) = (start + 1, false)
        while end < bytes.count, isQuoted || !",}]".utf8.contains(bytes[end]) {
            if bytes[end] == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted, "[{:".utf8.contains(bytes[end]) { return }
            end += 1
        }
        bytes.replaceSubrange(start + 1..<end, with: Array(pick(Self.values, or: "null").utf8))
    }

    /// Ends the text, in the middle of a character where there is one of several bytes.
    private func cut(_ bytes: inout [UInt8], from place: Int) {
        let middle = bytes[place...].firstIndex { $0 >= 0xC0 }.map { $0 + 1 } ?? place
        bytes.removeSubrange(min(middle, bytes.count)...)
    }

    /// A whole line twice, gone, or in another place.
    private mutating func line(_ bytes: inout [UInt8], at place: Int) {
        let end = bytes[place...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
        let start = bytes[..<place].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let whole = Array(bytes[start..<end])
        switch below(3) {
        case 0: bytes.insert(contentsOf: whole, at: start)
        case 1: bytes.removeSubrange(start..<end)
        default:
            bytes.removeSubrange(start..<end)
            bytes.insert(contentsOf: whole, at: below(bytes.count + 1))
        }
    }
}
