import Foundation
public import Logging
import Synchronization

/// One JSON object a line on standard error: time, level, message, service, and metadata under its own keys.
///
/// Messages are fixed texts; what varies is metadata. No secret and no personal data belongs into either.
public struct JSONLogHandler: LogHandler {
    /// Written on each line unless the call overrides them.
    public var metadata: Logger.Metadata = [:]
    /// Below this nothing is written.
    public var logLevel: Logger.Level
    private let label: String

    private static let lock = Mutex(())

    /// - Parameters:
    ///   - label: Written as `service`.
    ///   - level: Below this nothing is written.
    public init(label: String, level: Logger.Level) {
        self.label = label
        logLevel = level
    }

    /// Reads and writes one metadata value.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line.
    public func log(event: LogEvent) {
        let line = line(for: event, at: Date())
        Self.lock.withLock { _ in FileHandle.standardError.write(Data(line.utf8)) }
    }

    func line(for event: LogEvent, at time: Date) -> String {
        var fields: [(String, String)] = [
            ("time", time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
            ("level", event.level.rawValue), ("service", label), ("message", event.message.description),
        ]
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        fields += all.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
        return "{" + fields.map { "\(Self.quoted($0)):\(Self.quoted($1))" }.joined(separator: ",") + "}\n"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case let control where control.value < 0x20:
                let code = String(control.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - code.count) + code
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
