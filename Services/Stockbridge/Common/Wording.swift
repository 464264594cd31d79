import Foundation

/// Times, durations and counts as people read them.
struct Wording: Sendable {
    /// Whose clock.
    let timeZone: TimeZone

    /// `21 Nov 06:03:12`, with the year if it is another than that of `now`.
    func moment(_ date: Date, now: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        let sameYear = calendar.component(.year, from: date) == calendar.component(.year, from: now)
        return formatted(date, sameYear ? "d MMM HH:mm:ss" : "d MMM yyyy HH:mm:ss")
    }

    /// `06:03:12` on the day of `now`, else with the day.
    func shortMoment(_ date: Date, now: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        return calendar.isDate(date, inSameDayAs: now) ? formatted(date, "HH:mm:ss") : moment(date, now: now)
    }

    private func formatted(_ date: Date, _ pattern: String) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = timeZone
        formatter.dateFormat = pattern
        return formatter.string(from: date)
    }

    /// `45 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 days`.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds).rounded())
        if seconds > 0 && seconds < 0.95 { return "\(max(1, Int((seconds * 1_000).rounded()))) ms" }
        if seconds < 10 { return String(format: "%.1f s", max(0, seconds)) }
        if whole < 60 { return "\(whole) s" }
        if whole < 3_600 { return "\(whole / 60) min" + (whole % 60 == 0 ? "" : " \(whole % 60) s") }
        if whole < 172_800 { return "\(whole / 3_600) h" + (whole / 60 % 60 == 0 ? "" : " \(whole / 60 % 60) min") }
        return "\(whole / 86_400) days"
    }

    /// `1 shop`, `2 shops`.
    static func count(_ number: Int, _ singular: String, _ plural: String? = nil) -> String {
        "\(grouped(number)) \(number == 1 ? singular : plural ?? singular + "s")"
    }

    /// `20,000`, so that long numbers can be read.
    static func grouped(_ number: Int) -> String {
        var digits = Array(String(number.magnitude))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return (number < 0 ? "-" : "") + String(digits)
    }
}
