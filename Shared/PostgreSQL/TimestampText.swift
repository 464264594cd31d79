import Foundation

/// A moment as PostgreSQL writes it with `DateStyle` ISO and time zone UTC, and back.
struct TimestampText: Equatable {
    /// Microseconds since 1970-01-01 00:00 UTC.
    let microseconds: Int64

    private static let microsecondsPerDay: Int64 = 86_400_000_000
    /// 4714-11-24 BC to 294276-12-31, in seconds since 1970.
    private static let storable = -210_866_803_200.0..<9_224_318_016_000.0

    init(microseconds: Int64) { self.microseconds = microseconds }

    /// Nil if the date is not finite or PostgreSQL cannot store it.
    init?(_ date: Date) {
        let seconds = date.timeIntervalSince1970
        guard Self.storable.contains(seconds) else { return nil }
        // Rounded in two parts: the product of both would lose digits of the microseconds.
        let whole = seconds.rounded(.down)
        self.init(microseconds: Int64(whole) * 1_000_000 + Int64(((seconds - whole) * 1_000_000).rounded()))
    }

    var date: Date {
        // Split so that whole seconds are exact.
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let sinceReference = seconds - Int64(Date.timeIntervalBetween1970AndReferenceDate)
        return Date(timeIntervalSinceReferenceDate: Double(sinceReference) + Double(rest) / 1_000_000)
    }
}

extension TimestampText {
    func append(to sink: inout some (ByteSink & ~Copyable)) {
        var day = microseconds / Self.microsecondsPerDay
        var time = microseconds % Self.microsecondsPerDay
        if time < 0 {
            time += Self.microsecondsPerDay
            day -= 1
        }
        let civil = CivilDate(dayNumber: day)
        // There is no year 0: 1 BC comes before 1 AD.
        sink.append(civil.year > 0 ? civil.year : 1 - civil.year, width: 4)
        sink.append(UInt8(ascii: "-"))
        sink.append(civil.month, width: 2)
        sink.append(UInt8(ascii: "-"))
        sink.append(civil.day, width: 2)
        sink.append(UInt8(ascii: " "))
        sink.append(time / 3_600_000_000, width: 2)
        sink.append(UInt8(ascii: ":"))
        sink.append(time / 60_000_000 % 60, width: 2)
        sink.append(UInt8(ascii: ":"))
        sink.append(time / 1_000_000 % 60, width: 2)
        if time % 1_000_000 != 0 {
            sink.append(UInt8(ascii: "."))
            sink.append(time % 1_000_000, width: 6)
        }
        sink.append("+00")
        if civil.year <= 0 { sink.append(" BC") }
    }

    /// Reads `2026-11-21 06:00:00.25+00`, also without zone (taken as UTC) and without time (midnight UTC).
    ///
    /// Nil for anything else, `infinity` included.
    init?(text: UnsafeRawBufferPointer) {
        var reader = ByteReader(text)
        guard let year = reader.number(), reader.skip("-"), let month = reader.number(), reader.skip("-"),
            let day = reader.number(), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var seconds: Int64 = 0
        var fraction: Int64 = 0
        if reader.peek(at: 0) == UInt8(ascii: " "), let next = reader.peek(at: 1), next.isDigit {
            _ = reader.skip(" ")
            guard let hour = reader.number(), reader.skip(":"), let minute = reader.number(), reader.skip(":"),
                let second = reader.number()
            else { return nil }
            seconds = hour * 3600 + minute * 60 + second
            if reader.skip(".") {
                guard let digits = reader.microseconds() else { return nil }
                fraction = digits
            }
            guard let offset = reader.offsetSeconds() else { return nil }
            seconds -= offset
        }
        let isBC = reader.skip(" BC")
        guard reader.isAtEnd, year > 0 else { return nil }
        let dayNumber = CivilDate(year: isBC ? 1 - year : year, month: month, day: day).dayNumber
        microseconds = (dayNumber * 86_400 + seconds) * 1_000_000 + fraction
    }
}

/// A day of the proleptic Gregorian calendar; year 0 is 1 BC.
struct CivilDate: Equatable {
    let year, month, day: Int64

    private static let daysPerEra: Int64 = 146_097  // 400 years
    private static let epoch: Int64 = 719_468  // days from 0000-03-01 to 1970-01-01

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day so many days after 1970-01-01. Years are counted from March, so that the leap day comes last.
    init(dayNumber: Int64) {
        let shifted = dayNumber + Self.epoch
        let era = (shifted >= 0 ? shifted : shifted - Self.daysPerEra + 1) / Self.daysPerEra
        let dayOfEra = shifted - era * Self.daysPerEra
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        self.init(
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    /// Days since 1970-01-01.
    var dayNumber: Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * Self.daysPerEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - Self.epoch
    }
}
