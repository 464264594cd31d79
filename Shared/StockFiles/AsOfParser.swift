public import Foundation

/// Reads the time at which the ERP extracted a file, from a cell or a file name.
public struct AsOfParser: Sendable {
    private let calendar: Calendar

    /// - Parameter timeZone: The zone of texts that state none.
    public init(timeZone: TimeZone) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        self.calendar = calendar
    }

    /// Reads `2026-11-21`, `2026-11-21 06:00[:15[.5]]`, with `T`, with `Z` or `+07:00`; `21/11/2026 06:00` with the day
    /// first; and bare digits as `20261121`, `20261121-0600`, `20261121060015`.
    ///
    /// - Returns: nil for anything else, and for dates and times that do not exist.
    public func date(_ text: String) -> Date? {
        var scanner = Fields(text.trimmingCharacters(in: .whitespaces))
        guard var parts = scanner.date() else { return nil }
        scanner.skip(["T", "t", " ", "-", "_", ","])
        guard scanner.time(into: &parts) else { return nil }
        var calendar = calendar
        if let offset = scanner.offsetSeconds() {
            guard let zone = TimeZone(secondsFromGMT: offset) else { return nil }
            calendar.timeZone = zone
        }
        guard scanner.isAtEnd else { return nil }
        parts.calendar = calendar
        parts.timeZone = calendar.timeZone
        guard parts.isValidDate else { return nil }
        return calendar.date(from: parts)
    }

    /// Reads the time out of a file name.
    ///
    /// - Parameters:
    ///   - name: Such as `stock-20261121-0600.csv`.
    ///   - pattern: A regular expression whose first group is the time, such as `stock-(\d{8}-\d{4})`.
    public func date(inFileName name: String, pattern: String) -> Date? {
        guard let expression = try? NSRegularExpression(pattern: pattern) else { return nil }
        let all = NSRange(name.startIndex..., in: name)
        guard let match = expression.firstMatch(in: name, range: all), match.numberOfRanges > 1,
            let range = Range(match.range(at: 1), in: name)
        else { return nil }
        return date(String(name[range]))
    }
}

/// Takes a date text apart from the left.
private struct Fields {
    private var rest: Substring

    init(_ text: String) { rest = text[...] }

    var isAtEnd: Bool { rest.allSatisfy { $0 == " " } }

    mutating func skip(_ characters: Set<Character>) {
        if let first = rest.first, characters.contains(first) { rest.removeFirst() }
    }

    private mutating func number(digits: ClosedRange<Int>) -> Int? {
        let run = rest.prefix { $0.isASCII && $0.isNumber }.prefix(digits.upperBound)
        guard run.count >= digits.lowerBound else { return nil }
        rest = rest.dropFirst(run.count)
        return Int(run)
    }

    private mutating func take(_ characters: Set<Character>) -> Bool {
        guard let first = rest.first, characters.contains(first) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func date() -> DateComponents? {
        let run = rest.prefix { $0.isASCII && $0.isNumber }.count
        var parts = DateComponents()
        if run >= 4 {
            parts.year = number(digits: 4...4)
            let separated = take(["-", "/", "."])
            parts.month = number(digits: separated ? 1...2 : 2...2)
            if separated, !take(["-", "/", "."]) { return nil }
            parts.day = number(digits: separated ? 1...2 : 2...2)
        } else {
            parts.day = number(digits: 1...2)
            guard take(["-", "/", "."]) else { return nil }
            parts.month = number(digits: 1...2)
            guard take(["-", "/", "."]) else { return nil }
            parts.year = number(digits: 4...4)
        }
        return parts.year == nil || parts.month == nil || parts.day == nil ? nil : parts
    }

    mutating func time(into parts: inout DateComponents) -> Bool {
        if isAtEnd { return true }
        guard let hour = number(digits: 1...2) else { return false }
        parts.hour = hour
        let separated = take([":", ".", "h"])
        guard let minute = number(digits: 2...2) else { return false }
        parts.minute = minute
        if separated ? take([":"]) : rest.first?.isNumber == true {
            guard let second = number(digits: 2...2) else { return false }
            parts.second = second
            if take(["."]) {
                guard let fraction = number(digits: 1...9) else { return false }
                _ = fraction
            }
        }
        return true
    }

    /// nil if none is stated.
    mutating func offsetSeconds() -> Int? {
        skip([" "])
        if take(["Z", "z"]) { return 0 }
        guard let sign = rest.first, sign == "+" || sign == "-" else { return nil }
        rest.removeFirst()
        guard let hours = number(digits: 2...2) else { return nil }
        _ = take([":"])
        let minutes = number(digits: 2...2) ?? 0
        return (sign == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
    }
}
