internal import Foundation

/// Times as spreadsheets store them: days since the end of 1899, with a fraction.
enum SerialTime {
    /// Nil before 1 March 1900, up to which the format counts a day that never was, and from the year 10000 on.
    static func serial(_ date: Date, offsetSeconds: Int) -> Double? {
        let seconds = date.timeIntervalSince1970.rounded(.down) + Double(offsetSeconds)
        let serial = seconds / 86_400 + 25_569
        return serial >= 61 && serial < 2_958_466 ? serial : nil
    }

    /// For what the format cannot hold.
    static func text(_ date: Date, offsetSeconds: Int) -> String {
        let style = Date.ISO8601FormatStyle(timeZone: TimeZone(secondsFromGMT: offsetSeconds) ?? .gmt)
        return date.formatted(style)
    }
}
