/// A pattern for file names: `*` stands for any characters, also none, and `?` for exactly one.
public struct FileNamePattern: Sendable, Hashable, CustomStringConvertible {
    /// The pattern as configured, such as `stock-*.csv`.
    public let text: String

    /// Takes the pattern as it stands.
    public init(_ text: String) { self.text = text }

    /// The pattern.
    public var description: String { text }

    /// Whether the whole name fits; capital letters differ from small ones.
    public func matches(_ name: String) -> Bool {
        let pattern = Array(text.unicodeScalars)
        let name = Array(name.unicodeScalars)
        var at = 0
        var wanted = 0
        // Where the last star stood and how much of the name it has swallowed: the only place ever to come back to.
        var star: (wanted: Int, at: Int)?
        while at < name.count {
            if wanted < pattern.count, pattern[wanted] == "*" {
                star = (wanted, at)
                wanted += 1
            } else if wanted < pattern.count, pattern[wanted] == "?" || pattern[wanted] == name[at] {
                wanted += 1
                at += 1
            } else if let last = star {
                star = (last.wanted, last.at + 1)
                wanted = last.wanted + 1
                at = last.at + 1
            } else {
                return false
            }
        }
        return pattern[wanted...].allSatisfy { $0 == "*" }
    }
}
