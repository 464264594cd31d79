/// A configuration that cannot be used: everything that is wrong with it, at once.
public struct InvalidConfiguration: Error, Sendable, Hashable, CustomStringConvertible {
    /// Every problem, in the file's order; at least one.
    public let problems: [Problem]

    /// Gathers the problems; at least one.
    public init(problems: [Problem]) { self.problems = problems }

    /// One line per problem: `file:line: sentence`.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// One thing that is wrong in the configuration.
public struct Problem: Sendable, Hashable, CustomStringConvertible {
    /// The file, as it was named when it was loaded.
    public let file: String
    /// The line, from 1; the section's line where a key is missing.
    public let line: Int
    /// The column, from 1, where it is known.
    public let column: Int?
    /// Where in the structure, such as `shops[2].warehouses[0]`; empty for the file as a whole.
    public let path: String
    /// What is wrong, without the value of any secret.
    public let message: String
    /// What to do about it, where that is more than the message says.
    public let suggestion: String?

    /// `file:line: path: message; suggestion`
    public var description: String {
        let place = path.isEmpty ? "" : "\(path): "
        let advice = suggestion.map { "; \($0)" } ?? ""
        return "\(file):\(line): \(place)\(message)\(advice)"
    }
}
