/// JSON as it was written. A number keeps its text, so that money and quantities never pass through binary floating
/// point, and one value of an unexpected type does not make its neighbours unreadable.
enum JSONTree: Sendable, Equatable {
    case null
    case boolean(Bool)
    /// The literal as it stands, such as `63333.333333333336`.
    case number(String)
    case string(String)
    case array([JSONTree])
    /// Of a key that comes twice the last value counts.
    case object([String: JSONTree])

    /// The bytes are not JSON, or nested more than 100 levels deep.
    struct Malformed: Error, Equatable {}

    /// Reads a whole text, with nothing but white space around the value.
    init(_ bytes: some Sequence<UInt8>) throws(Malformed) {
        var parser = JSONTreeParser(bytes: Array(bytes))
        let tree = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.isAtEnd else { throw Malformed() }
        self = tree
    }
}

/// RFC 8259, read from the bytes.
private struct JSONTreeParser {
    let bytes: [UInt8]
    private var place = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { place >= bytes.count }
    private var current: UInt8 { place < bytes.count ? bytes[place] : 0 }

    mutating func skipBlanks() {
        while place < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[place]) { place += 1 }
    }

    mutating func value(depth: Int) throws(JSONTree.Malformed) -> JSONTree {
        guard depth < 100 else { throw JSONTree.Malformed() }
        skipBlanks()
        switch current {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(_ depth: Int) throws(JSONTree.Malformed) -> JSONTree {
        var members: [String: JSONTree] = [:]
        place += 1
        skipBlanks()
        if take("}") { return .object(members) }
        while true {
            skipBlanks()
            guard current == UInt8(ascii: "\"") else { throw JSONTree.Malformed() }
            let key = try string()
            skipBlanks()
            guard take(":") else { throw JSONTree.Malformed() }
            members[key] = try value(depth: depth + 1)
            skipBlanks()
            if take(",") { continue }
            guard take("}") else { throw JSONTree.Malformed() }
            return .object(members)
        }
    }

    private mutating func array(_ depth: Int) throws(JSONTree.Malformed) -> JSONTree {
        var elements: [JSONTree] = []
        place += 1
        skipBlanks()
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
            if take(",") { continue }
            guard take("]") else { throw JSONTree.Malformed() }
            return .array(elements)
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character), !isAtEnd else { return false }
        place += 1
        return true
    }

    private mutating func word(_ text: StaticString, _ tree: JSONTree) throws(JSONTree.Malformed) -> JSONTree {
        let length = text.utf8CodeUnitCount
        let matches = text.withUTF8Buffer { bytes[place...].prefix(length).elementsEqual($0) }
        guard matches else { throw JSONTree.Malformed() }
        place += length
        return tree
    }

    private mutating func number() throws(JSONTree.Malformed) -> JSONTree {
        let start = place
        _ = take("-")
        guard digits() else { throw JSONTree.Malformed() }
        if take("."), !digits() { throw JSONTree.Malformed() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() else { throw JSONTree.Malformed() }
        }
        return .number(String(decoding: bytes[start..<place], as: UTF8.self))
    }

    private mutating func digits() -> Bool {
        let start = place
        while (0x30...0x39).contains(current) { place += 1 }
        return place > start
    }

    /// A zero byte becomes the replacement character: no table can keep it, and one such text must not hold up others.
    private mutating func string() throws(JSONTree.Malformed) -> String {
        place += 1
        let start = place
        while place < bytes.count, bytes[place] != UInt8(ascii: "\""), bytes[place] != UInt8(ascii: "\\"),
            bytes[place] != 0
        {
            place += 1
        }
        var text = Array(bytes[start..<place])
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { try escape(into: &text) } else { text.append(byte) }
            if text.last == 0 { text.replaceSubrange(text.count - 1..<text.count, with: "\u{FFFD}".utf8) }
        }
        throw JSONTree.Malformed()
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONTree.Malformed) {
        let byte = current
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += Array(String(try escapedScalar()).utf8)
        default: throw JSONTree.Malformed()
        }
    }

    /// Four hexadecimal digits, or eight in two surrogates; half a pair becomes the replacement character.
    private mutating func escapedScalar() throws(JSONTree.Malformed) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let first = try hexadecimal()
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) ?? replacement }
        guard current == UInt8(ascii: "\\"), place + 1 < bytes.count, bytes[place + 1] == UInt8(ascii: "u") else {
            return replacement
        }
        let next = place
        place += 2
        let second = try hexadecimal()
        guard (0xDC00..<0xE000).contains(second) else {
            place = next
            return replacement
        }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? replacement
    }

    private mutating func hexadecimal() throws(JSONTree.Malformed) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(current)).hexDigitValue else { throw JSONTree.Malformed() }
            value = value << 4 | UInt32(digit)
            place += 1
        }
        return value
    }
}
