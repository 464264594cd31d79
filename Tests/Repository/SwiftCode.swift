/// Swift source with comments, strings and regular expressions blanked out, so that what is left can be searched for
/// words and braces. Lines and columns (in bytes) stay where they were; code inside an interpolation stays code.
struct SwiftCode: Sendable {
    /// The bytes of the code; blanked ones are spaces.
    let bytes: [UInt8]
    let lines: [Substring]

    init(_ text: String) {
        var lexer = Lexer(text)
        lexer.code(until: nil)
        bytes = lexer.output
        lines = String(decoding: lexer.output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Whether there is anything but imports.
    var declaresSomething: Bool {
        lines.contains { line in
            let words = line.split(separator: " ")
            return !words.isEmpty && !words.contains("import")
        }
    }
}

private struct Lexer {
    let input: [UInt8]
    var output: [UInt8]
    var position = 0

    init(_ text: String) {
        input = Array(text.utf8)
        output = input
    }

    private static let quote = UInt8(ascii: "\""), slash = UInt8(ascii: "/"), star = UInt8(ascii: "*")
    private static let backslash = UInt8(ascii: "\\"), pound = UInt8(ascii: "#"), newline = UInt8(ascii: "\n")
    private static let open = UInt8(ascii: "("), close = UInt8(ascii: ")")

    func at(_ offset: Int) -> UInt8 { position + offset < input.count ? input[position + offset] : 0 }

    /// Steps over `count` bytes; blanks them unless they are code.
    mutating func advance(_ count: Int = 1, blank: Bool) {
        for _ in 0..<count where position < input.count {
            if blank, input[position] != Self.newline { output[position] = UInt8(ascii: " ") }
            position += 1
        }
    }

    /// Code up to the end, or up to the parenthesis that ends an interpolation.
    mutating func code(until end: UInt8?) {
        var depth = 0
        while position < input.count {
            let byte = at(0)
            if byte == Self.slash, at(1) == Self.slash {
                while position < input.count, at(0) != Self.newline { advance(blank: true) }
            } else if byte == Self.slash, at(1) == Self.star {
                comment()
            } else if byte == Self.quote {
                string(pounds: 0)
            } else if byte == Self.pound, let pounds = poundsBeforeQuote() {
                string(pounds: pounds)
            } else if byte == Self.slash, regularExpressionEnds() {
                advance(blank: true)
                while at(0) != Self.slash { advance(at(0) == Self.backslash ? 2 : 1, blank: true) }
                advance(blank: true)
            } else {
                if byte == end, depth == 0 { return }
                if byte == Self.open { depth += 1 }
                if byte == Self.close { depth -= 1 }
                advance(blank: false)
            }
        }
    }

    private mutating func comment() {
        var depth = 0
        repeat {
            if at(0) == Self.slash, at(1) == Self.star {
                depth += 1
                advance(2, blank: true)
            } else if at(0) == Self.star, at(1) == Self.slash {
                depth -= 1
                advance(2, blank: true)
            } else {
                advance(blank: true)
            }
        } while depth > 0 && position < input.count
    }

    private func poundsBeforeQuote() -> Int? {
        var count = 0
        while at(count) == Self.pound { count += 1 }
        return at(count) == Self.quote ? count : nil
    }

    /// Whether all of these follow: `count` times `byte`.
    private func follows(_ byte: UInt8, _ count: Int, from offset: Int) -> Bool {
        (0..<count).allSatisfy { at(offset + $0) == byte }
    }

    private mutating func string(pounds: Int) {
        advance(pounds, blank: true)
        let quotes = follows(Self.quote, 3, from: 0) ? 3 : 1
        advance(quotes, blank: true)
        while position < input.count {
            if follows(Self.quote, quotes, from: 0), follows(Self.pound, pounds, from: quotes) {
                return advance(quotes + pounds, blank: true)
            }
            if at(0) == Self.backslash, follows(Self.pound, pounds, from: 1) {
                if at(1 + pounds) == Self.open {
                    advance(2 + pounds, blank: true)
                    code(until: Self.close)
                    advance(blank: true)
                } else {
                    advance(2 + pounds, blank: true)
                }
            } else if quotes == 1, at(0) == Self.newline {
                return  // not a string after all, or one that does not compile
            } else {
                advance(blank: true)
            }
        }
    }

    /// Whether the slash here begins a regular expression: it stands where a value begins, and another one ends it.
    private func regularExpressionEnds() -> Bool {
        var before = position - 1
        while before >= 0, input[before] == UInt8(ascii: " ") { before -= 1 }
        guard before < 0 || "(,=:[{\n".utf8.contains(input[before]), at(1) != UInt8(ascii: " ") else { return false }
        var offset = 1
        while at(offset) != 0, at(offset) != Self.newline {
            if at(offset) == Self.slash { return offset > 1 }
            offset += at(offset) == Self.backslash ? 2 : 1
        }
        return false
    }
}
