/// A function, initialiser, subscript or computed property with a body.
struct SwiftFunction: Equatable, Sendable {
    /// The keyword and the name, such as `func price`.
    let name: String
    /// The line of its keyword, from 1.
    let firstLine: Int
    let lineCount: Int
}

extension SwiftCode {
    /// Everything with a body, found by matching braces.
    var functions: [SwiftFunction] {
        var found: [SwiftFunction] = []
        var line = 1
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\n") { line += 1 }
            if let keyword = keyword(at: index), let body = body(after: index + keyword.utf8.count, of: keyword) {
                let lines = bytes[index...body.upperBound].count { $0 == UInt8(ascii: "\n") } + 1
                let name = String(decoding: bytes[index..<body.lowerBound].prefix(40), as: UTF8.self)
                let words = name.split { " (<:\n".contains($0) }.prefix(keyword == "init" ? 1 : 2)
                found.append(SwiftFunction(name: words.joined(separator: " "), firstLine: line, lineCount: lines))
                index += keyword.utf8.count
            } else {
                index += 1
            }
        }
        return found
    }

    private static let keywords = ["func", "init", "deinit", "subscript", "var"]

    private func keyword(at index: Int) -> String? {
        if index > 0, isWordByte(bytes[index - 1]) || "`.".utf8.contains(bytes[index - 1]) { return nil }
        return Self.keywords.first { word in
            let end = index + word.utf8.count
            return end < bytes.count && !isWordByte(bytes[end]) && bytes[end] != UInt8(ascii: "`")
                && bytes[index..<end].elementsEqual(word.utf8)
        }
    }

    /// The braces of a body, if the declaration goes on to one before it ends.
    private func body(after start: Int, of keyword: String) -> ClosedRange<Int>? {
        var depth = 0
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "{") where depth == 0: return closingBrace(from: index).map { index...$0 }
            case UInt8(ascii: "}") where depth == 0: return nil
            case UInt8(ascii: ";") where depth == 0: return nil
            case UInt8(ascii: "=") where depth == 0 && keyword == "var": return nil
            case UInt8(ascii: "\n") where depth == 0 && !continues(after: index): return nil
            default: break
            }
            if depth < 0 { return nil }
            index += 1
        }
        return nil
    }

    /// Whether the next line still belongs to the signature.
    private func continues(after newline: Int) -> Bool {
        let rest = bytes[(newline + 1)...].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        return ["{", "->", "where ", "async", "throws", "rethrows"].contains { rest.starts(with: $0.utf8) }
    }

    private func closingBrace(from start: Int) -> Int? {
        var depth = 0
        for index in start..<bytes.count {
            if bytes[index] == UInt8(ascii: "{") { depth += 1 }
            if bytes[index] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }
}

/// Whether a byte may be part of a Swift word; every byte of a letter beyond ASCII may.
func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
        true
    default: false
    }
}
