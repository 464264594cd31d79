internal import Foundation
internal import Yams

/// Reads `stockbridge.yaml`.
public enum ConfigurationLoader {
    /// The largest file that is read, in bytes.
    static let maximumFileBytes = 1024 * 1024

    /// Reads a file.
    ///
    /// - Parameter path: The file; relative paths in it start at its folder.
    /// - Throws: ``InvalidConfiguration`` with every problem at once.
    public static func load(path: String) throws(InvalidConfiguration) -> StockbridgeConfiguration {
        let bytes: Data
        do {
            bytes = try readFile(path, maximumBytes: maximumFileBytes)
        } catch {
            throw InvalidConfiguration(file: path, message: "the file \(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw InvalidConfiguration(
                file: path, line: lineOfInvalidText(bytes), message: "the file is not UTF-8 text",
                suggestion: "save it as UTF-8")
        }
        return try load(text: text, file: path)
    }

    /// Reads a text.
    ///
    /// - Parameters:
    ///   - text: What the file says.
    ///   - file: The file's path, for messages and for relative paths in the text.
    /// - Throws: ``InvalidConfiguration`` with every problem at once.
    public static func load(text: String, file: String) throws(InvalidConfiguration) -> StockbridgeConfiguration {
        try read(text: text, file: file).configuration
    }

    /// The same, with what the reader asked for, so that tests can hold the schema against it.
    static func read(
        text: String, file: String
    ) throws(InvalidConfiguration) -> (configuration: StockbridgeConfiguration, facts: [String: KeyFact]) {
        let log = ProblemLog(file: file, folder: folder(of: file))
        let text = text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
        let document = try Document.parse(text, log: log)
        guard case .mapping(let mapping) = document else {
            throw InvalidConfiguration(
                file: file, message: "the file must be a mapping of settings",
                suggestion: "start from infra/stockbridge.example.yaml")
        }
        let root = SectionReader(mapping, path: "", shape: "", place: Place(line: 1), log: log)
        let configuration = root.configuration()
        root.reportUnknownKeys()
        try log.finish()
        return (configuration, log.facts)
    }

    private static func folder(of file: String) -> String {
        let absolute = URL(fileURLWithPath: file).standardizedFileURL
        return absolute.deletingLastPathComponent().path
    }

    private static func lineOfInvalidText(_ bytes: Data) -> Int {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0) + 1
    }
}

extension InvalidConfiguration {
    init(file: String, line: Int = 1, column: Int? = nil, message: String, suggestion: String? = nil) {
        self.init(problems: [
            Problem(file: file, line: line, column: column, path: "", message: message, suggestion: suggestion)
        ])
    }
}
