import Foundation

/// Times as an operator types them.
enum TimeArgument {
    /// Where a span such as `90m` leads: an end lies ahead, the beginning of a search lies behind.
    enum Direction: Double, Sendable {
        case ahead = 1
        case back = -1

        fileprivate var words: String { self == .ahead ? "from now" : "ago" }
    }

    /// `2026-11-30T18:00:00Z` and with other offsets; `2026-11-30 18:00` and `2026-11-30` by the company's clock;
    /// `18:00` today; `90m`, `12h`, `3d` from now on, or ago if `spans` lead back.
    ///
    /// - Throws: ``ToolError/usage(_:)`` for anything else.
    static func parse(_ text: String, timeZone: TimeZone, now: Date, spans: Direction = .ahead) throws -> Date {
        if let date = try? Date.ISO8601FormatStyle().parse(text) { return date }
        if let date = span(text).map({ now.addingTimeInterval($0 * spans.rawValue) }) { return date }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = timeZone
        formatter.isLenient = false
        for pattern in ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd"] {
            formatter.dateFormat = pattern
            if let date = formatter.date(from: text) { return date }
        }
        formatter.dateFormat = "yyyy-MM-dd"
        let today = formatter.string(from: now)
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        if let date = formatter.date(from: "\(today) \(text)") { return date }
        throw ToolError.usage(
            "'\(text)' is not a time. Write 2026-11-30T18:00:00Z, '2026-11-30 18:00' (\(timeZone.identifier)), "
                + "18:00 (today), or 90m, 12h or 3d \(spans.words).")
    }

    private static func span(_ text: String) -> Double? {
        let units: [Character: Double] = ["m": 60, "h": 3_600, "d": 86_400]
        guard let last = text.last, let unit = units[last], let number = Int(text.dropLast()), number > 0 else {
            return nil
        }
        return Double(number) * unit
    }
}
