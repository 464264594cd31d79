import Foundation

/// Times as the envelope writes them: RFC 3339 in UTC with milliseconds.
enum EventTime {
    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    private static let plain = Date.ISO8601FormatStyle()

    static func text(_ date: Date) -> String { date.formatted(style) }

    static func parse(_ text: String) -> Date? { (try? style.parse(text)) ?? (try? plain.parse(text)) }
}
