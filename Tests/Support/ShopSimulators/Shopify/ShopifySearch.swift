import Foundation

/// Shopify's search syntax: `sku:'A' OR sku:'B'`, `updated_at:>='2026-11-30T00:00:00Z' status:any`. Blanks mean AND.
indirect enum ShopifySearch: Sendable {
    case all([ShopifySearch])
    case any([ShopifySearch])
    case not(ShopifySearch)
    case term(Term)

    struct Term: Sendable {
        /// Blank for a word without a field.
        let field: String
        /// `=`, `>`, `>=`, `<` or `<=`.
        let comparison: String
        let value: String
        /// The value as a time, for fields that are one.
        let time: Date?
        /// The value as a number, or that of an id with its `gid://` before it.
        let number: Int?

        init(field: String, comparison: String, value: String) {
            (self.field, self.comparison, self.value) = (field, comparison, value)
            time = field.hasSuffix("_at") ? ShopifyTime.read(value) : nil
            number = Int(value) ?? ShopifyID.read(value)?.id
        }

        /// Whether a number or time is on the right side of it; nil if the value is none.
        func holds<Value: Comparable>(_ left: Value, _ right: Value?) -> Bool {
            guard let right else { return false }
            return switch comparison {
            case ">": left > right
            case ">=": left >= right
            case "<": left < right
            case "<=": left <= right
            default: left == right
            }
        }

        /// Search does not look at capital letters; a `*` at the end stands for anything. Clients that want exactly one
        /// SKU have to look themselves.
        func matches(_ text: String) -> Bool {
            let (text, value) = (text.lowercased(), value.lowercased())
            return value.hasSuffix("*") ? text.hasPrefix(value.dropLast()) : text == value
        }
    }

    static func read(_ text: String) -> ShopifySearch {
        var reader = Reader(words: words(text))
        return reader.alternatives()
    }

    func holds(_ test: (Term) -> Bool) -> Bool {
        switch self {
        case .all(let parts): parts.allSatisfy { $0.holds(test) }
        case .any(let parts): parts.contains { $0.holds(test) }
        case .not(let part): !part.holds(test)
        case .term(let term): test(term)
        }
    }

    var terms: [Term] {
        switch self {
        case .all(let parts), .any(let parts): parts.flatMap(\.terms)
        case .not(let part): part.terms
        case .term(let term): [term]
        }
    }

    /// Every SKU of a query that asks for SKUs and nothing else, in small letters; nil for another query.
    var skus: Set<String>? {
        let parts: [ShopifySearch]
        switch self {
        case .any(let alternatives): parts = alternatives
        case .all(let one) where one.count == 1: return one[0].skus
        case .term: parts = [self]
        default: return nil
        }
        var result: Set<String> = []
        for part in parts {
            switch part {
            case .term(let term) where term.field == "sku" && !term.value.hasSuffix("*") && term.comparison == "=":
                result.insert(term.value.lowercased())
            case .all(let one) where one.count == 1:
                guard let inner = one[0].skus else { return nil }
                result.formUnion(inner)
            default: return nil
            }
        }
        return result
    }

    /// Cut at blanks outside quotation marks, with parentheses on their own.
    private static func words(_ text: String) -> [String] {
        var result: [String] = []
        var word = ""
        var quote: Character?
        var escaped = false
        for character in text {
            if escaped {
                word.append(character)
                escaped = false
            } else if character == "\\" {
                word.append(character)
                escaped = true
            } else if let open = quote {
                word.append(character)
                if character == open { quote = nil }
            } else if (character == "'" || character == "\"") && (word.isEmpty || ":=<>-".contains(word.last ?? " ")) {
                word.append(character)
                quote = character
            } else if character.isWhitespace || character == "(" || character == ")" {
                if !word.isEmpty { result.append(word) }
                word = ""
                if !character.isWhitespace { result.append(String(character)) }
            } else {
                word.append(character)
            }
        }
        return word.isEmpty ? result : result + [word]
    }

    private struct Reader {
        let words: [String]
        var place = 0

        mutating func alternatives() -> ShopifySearch {
            var parts = [conjunction()]
            while place < words.count, words[place] == "OR" {
                place += 1
                parts.append(conjunction())
            }
            return parts.count == 1 ? parts[0] : .any(parts)
        }

        private mutating func conjunction() -> ShopifySearch {
            var parts: [ShopifySearch] = []
            while place < words.count, words[place] != "OR", words[place] != ")" {
                if words[place] == "AND" { place += 1 } else { parts.append(factor()) }
            }
            return .all(parts)
        }

        private mutating func factor() -> ShopifySearch {
            let word = words[place]
            place += 1
            if word == "(" {
                let inner = alternatives()
                if place < words.count { place += 1 }
                return inner
            }
            if word == "NOT", place < words.count { return .not(factor()) }
            if word.hasPrefix("-"), word.count > 1 { return .not(.term(Self.term(String(word.dropFirst())))) }
            return .term(Self.term(word))
        }

        private static func term(_ word: String) -> Term {
            guard let match = word.firstMatch(of: /^([a-z_]+):(>=|<=|>|<|=)?(.*)$/.dotMatchesNewlines()) else {
                return Term(field: "", comparison: "=", value: unquoted(word))
            }
            return Term(
                field: String(match.1), comparison: match.2.map(String.init) ?? "=", value: unquoted(String(match.3)))
        }

        private static func unquoted(_ text: String) -> String {
            var inner = text[...]
            if let first = text.first, "'\"".contains(first), text.count > 1, text.last == first {
                inner = inner.dropFirst().dropLast()
            }
            var result = ""
            var escaped = false
            for character in inner {
                if !escaped && character == "\\" { escaped = true; continue }
                result.append(character)
                escaped = false
            }
            return result
        }
    }
}
