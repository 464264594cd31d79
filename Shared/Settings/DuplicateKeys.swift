internal import Yams

/// Lets a mapping with a key that is written twice be read to its end.
///
/// Yams refuses such a document with its first duplicate and nothing else. Marking the earlier key with a private
/// character makes the keys differ, so that reading goes on and this and every other problem are reported together.
enum DuplicateKeys {
    /// From Unicode's private use area; YAML allows it, and nobody types it.
    private static let mark: Unicode.Scalar = "\u{E0D7}"

    /// The key as the file has it, if it is one that was marked.
    static func original(of key: String) -> String? {
        guard key.unicodeScalars.first == mark else { return nil }
        // A key that is there three times is marked once and twice, so that those two differ as well.
        return String(String.UnicodeScalarView(key.unicodeScalars.drop { $0 == mark }))
    }

    /// The text with the key at this position marked; nil if there is no key of that name.
    static func marking(_ name: String, at position: Mark, in text: String) -> String? {
        var scalars = Array(text.unicodeScalars)
        guard var index = offset(of: position, in: scalars) else { return nil }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard index < scalars.count, scalars[index] == name.unicodeScalars.first else { return nil }
        scalars.insert(mark, at: index)
        return String(String.UnicodeScalarView(scalars))
    }

    private static func offset(of position: Mark, in scalars: [Unicode.Scalar]) -> Int? {
        var line = 1
        var start = 0
        while line < position.line {
            guard let end = scalars[start...].firstIndex(of: "\n") else { return nil }
            start = end + 1
            line += 1
        }
        let index = start + position.column - 1
        return scalars.indices.contains(index) ? index : nil
    }
}
