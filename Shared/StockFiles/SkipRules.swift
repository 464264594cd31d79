internal import Foundation

/// The rows to pass over: the configured patterns, and the totals that everybody knows.
struct SkipRules {
    private struct Rule {
        /// ASCII letters, in lower case, that the row's text must begin with; empty if the pattern does not say.
        let prefix: [UInt8]
        /// nil if the prefix is the whole pattern.
        let expression: NSRegularExpression?
    }

    /// How much of a row's text expressions are tried on: on the longest rows a careless one would take minutes.
    private static let longestText = 2_000

    private static let totalWords: Set<String> = [
        "total", "totals", "grandtotal", "subtotal", "sum", "tong", "tongcong", "cong", "итого", "всего",
    ]
    private let rules: [Rule]
    /// Whether a row need not be looked at when its first byte is none of these.
    private let mayStart: [Bool]?

    init(_ patterns: [String]) throws(StockFileError) {
        var rules: [Rule] = []
        for pattern in patterns {
            let expression: NSRegularExpression
            do {
                expression = try NSRegularExpression(pattern: pattern, options: .caseInsensitive)
            } catch {
                throw .badPattern(pattern: pattern)
            }
            let (prefix, isAll) = Self.literalPrefix(pattern)
            rules.append(Rule(prefix: prefix, expression: isAll ? nil : expression))
        }
        self.rules = rules
        if rules.allSatisfy({ !$0.prefix.isEmpty }) {
            var table = [Bool](repeating: false, count: 256)
            for rule in rules {
                table[Int(rule.prefix[0])] = true
                if (0x61...0x7A).contains(rule.prefix[0]) { table[Int(rule.prefix[0]) - 0x20] = true }
            }
            mayStart = table
        } else {
            mayStart = nil
        }
    }

    /// The ASCII text that a pattern like `^Total` demands at the start, and whether it demands nothing more.
    private static func literalPrefix(_ pattern: String) -> ([UInt8], isAll: Bool) {
        guard pattern.first == "^", !pattern.contains("|") else { return ([], false) }
        let rest = Array(pattern.utf8.dropFirst())
        func isPlain(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == 0x20
        }
        var prefix = Array(rest.prefix(while: isPlain))
        let isAll = prefix.count == rest.count
        // A quantifier behind the last letter takes it back.
        if !isAll, let next = rest.dropFirst(prefix.count).first, "?*{".utf8.contains(next) || next >= 0x80 {
            prefix = prefix.dropLast()
        }
        return (prefix.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, isAll)
    }

    /// Whether a configured pattern matches the row. Costs one look at the first byte where all patterns allow it.
    @inline(__always)
    func matches(_ row: TableRow) -> Bool {
        if rules.isEmpty { return false }
        if let mayStart, let first = row.cells.first?.first, first > 0x20, !mayStart[Int(first)] { return false }
        return matchesSlowly(row)
    }

    private func matchesSlowly(_ row: TableRow) -> Bool {
        let text = row.texts.filter { !$0.isEmpty }.joined(separator: " ")
        let lowercased = Array(text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 })
        return rules.contains { rule in
            guard lowercased.starts(with: rule.prefix) else { return false }
            guard let expression = rule.expression else { return true }
            let length = min(text.utf16.count, Self.longestText)
            return expression.firstMatch(in: text, range: NSRange(location: 0, length: length)) != nil
        }
    }

    /// Whether a text is a word for a total and nothing else.
    static func isTotalWord(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        // No such word has a digit in it, and nearly every SKU has.
        guard text.count <= 40, !text.contains(where: { (0x30...0x39).contains($0) }) else { return false }
        return totalWords.contains(folded(String(decoding: text, as: UTF8.self)))
    }
}
