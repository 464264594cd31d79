/// Finds what somebody probably meant.
enum Suggestion {
    /// The candidate nearest to a word, if any is near enough to be a slip of the pen: a third of the letters, and at
    /// least one. Capitals, hyphens and underscores do not count.
    static func nearest(to word: String, among candidates: some Collection<String>) -> String? {
        let wanted = folded(word)
        guard wanted.count <= 100 else { return nil }
        let limit = max(1, wanted.count / 3)
        let ranked = candidates.compactMap { candidate -> (distance: Int, name: String)? in
            let other = folded(candidate)
            guard abs(other.count - wanted.count) <= limit else { return nil }
            let distance = editDistance(wanted, other)
            return distance <= limit ? (distance, candidate) : nil
        }
        return ranked.min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    /// "did you mean …?", or the list of what is possible.
    static func sentence(for word: String, among candidates: [String]) -> String? {
        if let name = nearest(to: word, among: candidates) { return "did you mean \(quoted(name))?" }
        guard !candidates.isEmpty, candidates.count <= 20 else { return nil }
        return "possible here: \(candidates.map(quoted).joined(separator: ", "))"
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
    static func editDistance(_ left: [Character], _ right: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }

    private static func folded(_ word: String) -> [Character] {
        Array(word.lowercased()).filter { $0 != "-" && $0 != "_" && $0 != " " }
    }
}

/// A value inside a message: in quotes, cut, and without anything that could break the line.
func quoted(_ text: String) -> String {
    let scalars = text.unicodeScalars.prefix(60).map { scalar -> String in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }
    return "\"\(scalars.joined())\(text.unicodeScalars.count > 60 ? "…" : "")\""
}
