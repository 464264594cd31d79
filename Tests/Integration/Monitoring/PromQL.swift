/// The metrics and labels that a PromQL expression names. Knows as much of the language as our expressions use.
struct PromQL {
    /// One selector, such as `up{job="rabbitmq"}`.
    struct Selector: Hashable {
        var metric: String
        /// With its braces; empty if there are none.
        var matchers = ""
        /// The labels between the braces.
        var labels: Set<String> = []
    }

    private(set) var selectors: [Selector] = []
    /// Labels after `by` and `on`, but for those that `label_replace` makes.
    private(set) var groupings: Set<String> = []

    private static let words: Set = [
        "and", "or", "unless", "bool", "offset", "group_left", "group_right", "sum", "max", "min", "count", "avg",
    ]

    init(_ text: String) {
        var scanner = Scanner(rest: text[...])
        var made: Set<String> = []
        var isReplacing = false
        while let character = scanner.rest.first {
            if character == "\"" {
                let string = scanner.bracketed(by: "\"")
                if isReplacing { made.insert(string) }
                isReplacing = false
            } else if character == "[" {
                _ = scanner.bracketed(by: "]")
            } else if character.isNumber {
                _ = scanner.word()
            } else if character.isLetter || character == "_" {
                let word = scanner.word()
                if word == "label_replace" { isReplacing = true }
                take(word, &scanner)
            } else {
                scanner.rest.removeFirst()
            }
        }
        groupings.subtract(made)
    }

    private mutating func take(_ word: String, _ scanner: inout Scanner) {
        let following = scanner.rest.drop { $0.isWhitespace }
        if following.first == "(" {
            guard word == "by" || word == "on" else { return }
            scanner.rest = following
            let labels = scanner.bracketed(by: ")").split(separator: ",")
            groupings.formUnion(labels.map { String($0.filter { !$0.isWhitespace }) })
        } else if !Self.words.contains(word) {
            var selector = Selector(metric: word)
            if scanner.rest.first == "{" {
                let inside = scanner.bracketed(by: "}")
                selector.matchers = "{\(inside)}"
                let names = inside.matches(of: #/([a-z_]+)\s*(?:=~|!~|!=|=)/#).map { String($0.output.1) }
                selector.labels = Set(names)
            }
            selectors.append(selector)
        }
    }

    private struct Scanner {
        var rest: Substring

        mutating func word() -> String {
            let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == ":" }
            rest = rest[word.endIndex...]
            return String(word)
        }

        /// The text behind the opening bracket up to the closing one, which is taken too; brackets in strings are text.
        mutating func bracketed(by close: Character) -> String {
            rest.removeFirst()
            var isQuoted = false
            let inside = rest.prefix { character in
                if !isQuoted && character == close { return false }
                if character == "\"" { isQuoted.toggle() }
                return true
            }
            rest = rest[inside.endIndex...].dropFirst()
            return String(inside)
        }
    }
}
