public import Foundation

/// Moments as text: ISO 8601 in UTC with `Z`, exact to the microsecond, as PostgreSQL keeps them.
public enum UTCTimestamp {
    /// `2026-11-21T06:00:00Z`, with as many decimals of a second as there are, six at most. Rounded to the nearest
    /// microsecond. A moment outside the years 1 to 9999 is written as the nearest one inside: a time that somebody
    /// else's clock got wrong must not stop the process.
    public static func format(_ date: Date) -> String {
        let moment = min(max(date.timeIntervalSince1970, firstSecond), lastSecond)
        let micros = Int64((moment * 1_000_000).rounded())
        let (days, rest) = floorDivide(micros, 86_400_000_000)
        let civil = CivilDate(daysSinceEpoch: Int(days))
        let seconds = rest / 1_000_000
        var text = "\(pad(civil.year, 4))-\(pad(civil.month, 2))-\(pad(civil.day, 2))T"
        text += "\(pad(Int(seconds / 3_600), 2)):\(pad(Int(seconds / 60 % 60), 2)):\(pad(Int(seconds % 60), 2))"
        var fraction = Int(rest % 1_000_000)
        if fraction > 0 {
            var digits = 6
            while fraction % 10 == 0 { (fraction, digits) = (fraction / 10, digits - 1) }
            text += ".\(pad(fraction, digits))"
        }
        return text + "Z"
    }

    /// Reads `2026-11-21T06:00:00Z`, with or without decimals, with `Z` or an offset such as `+07:00`; nil if it is
    /// anything else or no such moment exists. A moment without an offset is refused: nobody could know when it was.
    public static func parse(_ text: some StringProtocol) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[4] == dash, bytes[7] == dash, bytes[10] == 0x54 || bytes[10] == 0x20,
            bytes[13] == colon, bytes[16] == colon,
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
            let civil = CivilDate(year: year, month: month, day: day), year > 0, hour < 24, minute < 60, second < 60
        else { return nil }
        var index = 19
        var micros = 0
        if bytes[index] == 0x2E {
            let digits = bytes[(index + 1)...].prefix { $0 >= 0x30 && $0 <= 0x39 }
            guard (1...9).contains(digits.count), let fraction = number(digits.prefix(6)) else { return nil }
            micros = fraction
            for _ in min(digits.count, 6)..<6 { micros *= 10 }
            index += 1 + digits.count
        }
        guard let offset = offsetSeconds(bytes[index...]) else { return nil }
        let seconds = civil.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second - offset
        guard Double(seconds) >= firstSecond, Double(seconds) <= lastSecond else { return nil }
        return Date(timeIntervalSince1970: Double(seconds) + Double(micros) / 1_000_000)
    }

    /// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z in seconds since 1970.
    private static let firstSecond = -62_135_596_800.0
    private static let lastSecond = 253_402_300_799.0

    private static let dash = UInt8(ascii: "-")
    private static let colon = UInt8(ascii: ":")

    private static func offsetSeconds(_ bytes: ArraySlice<UInt8>) -> Int? {
        if bytes.elementsEqual("Z".utf8) || bytes.elementsEqual("z".utf8) { return 0 }
        let digits = bytes.dropFirst().filter { $0 != colon }
        guard let sign = bytes.first, sign == dash || sign == UInt8(ascii: "+"), digits.count == 4 || digits.count == 2,
            let hours = number(digits.prefix(2)), let minutes = digits.count == 2 ? 0 : number(digits.suffix(2)),
            hours < 24, minutes < 60
        else { return nil }
        return (sign == dash ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }

    private static func number(_ digits: some Sequence<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39 else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return text.utf8.count >= width ? text : String(repeating: "0", count: width - text.utf8.count) + text
    }
}

/// A day of the Gregorian calendar, without a time zone.
struct CivilDate: Hashable {
    let year: Int
    let month: Int
    let day: Int

    /// Nil if there is no such day.
    init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), day >= 1, day <= Self.daysIn(month: month, year: year) else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// The day so many days after 1970-01-01. Counts in eras of 400 years, whose years begin in March.
    init(daysSinceEpoch: Int) {
        let (era, dayOfEra) = floorDivide(Int64(daysSinceEpoch + 719_468), 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        month = Int(shifted < 10 ? shifted + 3 : shifted - 9)
        day = Int(dayOfYear - (153 * shifted + 2) / 5 + 1)
        year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01.
    var daysSinceEpoch: Int {
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let (era, yearOfEra) = floorDivide(shiftedYear, 400)
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int(era * 146_097 + dayOfEra) - 719_468
    }

    /// 0 is Sunday.
    var weekday: Int { Int(floorDivide(Int64(daysSinceEpoch + 4), 7).remainder) }

    static func daysIn(month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Division that rounds down, so that the remainder is never negative.
func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let remainder = (value % divisor + divisor) % divisor
    return ((value - remainder) / divisor, remainder)
}
