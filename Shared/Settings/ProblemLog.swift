internal import Foundation

/// A position in the file, from 1.
struct Place: Hashable {
    var line: Int
    var column: Int?
}

/// What the reader asked for under one key: the model as the code knows it. Tests compare it with the schema.
struct KeyFact: Hashable {
    /// The value's kind in the schema's words: string, integer, number, boolean, array or object.
    var type: String
    var isRequired = false
    var defaultValue: SettingsValue?
    var choices: [String] = []
    var minimum: Double?
    var maximum: Double?
}

/// Collects every problem before failing, so that one restart is enough to fix them all.
final class ProblemLog {
    let file: String
    /// The folder that relative paths in the file start from, without a slash at the end.
    let folder: String
    private(set) var problems: [Problem] = []
    private(set) var warnings: [StockbridgeConfiguration.Warning] = []
    /// The line of everything that was read, by path.
    private(set) var lines: [String: Int] = [:]
    /// Every key that was asked for, by its shape such as `shops[].limits.batch`.
    private(set) var facts: [String: KeyFact] = [:]
    /// Above zero while reading below something that is missing and already reported.
    private var muted = 0

    init(file: String, folder: String) {
        self.file = file
        self.folder = folder
    }

    func report(_ path: String, _ place: Place, _ message: String, suggestion: String? = nil) {
        guard muted == 0 else { return }
        problems.append(
            Problem(
                file: file, line: place.line, column: place.column, path: path, message: message,
                suggestion: suggestion))
    }

    func warn(_ path: String, _ place: Place, _ message: String) {
        guard muted == 0 else { return }
        warnings.append(StockbridgeConfiguration.Warning(line: place.line, path: path, message: message))
    }

    func muted<Result>(_ body: () -> Result) -> Result {
        muted += 1
        defer { muted -= 1 }
        return body()
    }

    func note(_ path: String, at place: Place) { lines[path] = place.line }

    func note(_ fact: KeyFact, of shape: String) { facts[shape] = fact }

    /// Ends the reading: the problems in the file's order, if there are any.
    func finish() throws(InvalidConfiguration) {
        guard !problems.isEmpty else { return }
        let sorted = problems.enumerated().sorted { left, right in
            (left.element.line, left.offset) < (right.element.line, right.offset)
        }
        throw InvalidConfiguration(problems: sorted.map(\.element))
    }

    /// An absolute path; a relative one starts at the file's folder, whatever the process's working directory is.
    func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : folder + "/" + path
    }
}
