public import Foundation

/// A cron expression in a time zone.
///
/// A local time that daylight saving skips runs at the next valid minute; one that comes twice runs once, the first
/// time
/// (design.md, Schedules). Works with nothing but the zone's offset at a moment, so every kind of change of clocks is
/// covered, half an hour and a whole day as well as an hour.
public struct Schedule: Sendable, Hashable {
    /// When it runs.
    public let cron: CronExpression
    /// Where these times are local.
    public let timeZone: TimeZone

    /// A schedule.
    public init(cron: CronExpression, timeZone: TimeZone) {
        self.cron = cron
        self.timeZone = timeZone
    }

    /// The first time after a moment; nil only if none comes within ten years.
    public func next(after moment: Date) -> Date? {
        let moment = Int(moment.timeIntervalSince1970.rounded(.down))
        let wall = moment + offset(at: moment)
        // Far from any change of clocks the wall tells the order of moments; near one, begin a day earlier.
        let isNearChange = offset(at: moment - Self.day) != offset(at: moment + Self.day)
        var (day, minute) = split(isNearChange ? wall - Self.day : wall)
        let hours = cron.hours.sorted()
        let minutes = cron.minutes.sorted()
        for _ in 0..<3_660 {
            let date = CivilDate(daysSinceEpoch: day)
            if cron.matches(date) {
                for hour in hours where hour * 60 + 59 >= minute {
                    for part in minutes where hour * 60 + part >= minute {
                        let found = instant(ofWall: day * Self.day + (hour * 60 + part) * 60)
                        if found > moment { return Date(timeIntervalSince1970: Double(found)) }
                    }
                }
            }
            (day, minute) = (day + 1, 0)
        }
        return nil
    }

    /// The latest time that has come due, however many were missed before it: missed runs coalesce.
    ///
    /// - Parameters:
    ///   - last: the due time that was handled last; not included.
    ///   - now: the time; included.
    /// - Returns: nil if nothing came due in between.
    public func latestDue(after last: Date, upTo now: Date) -> Date? {
        // Look at ever longer stretches before now, so that an outage of a year costs no more than its last due time.
        for stretch in [3_600, 86_400, 32 * 86_400, 367 * 86_400, 3_660 * 86_400] as [Double] {
            let from = max(last, now.addingTimeInterval(-stretch))
            var latest: Date?
            var cursor = from
            while let due = next(after: cursor), due <= now { (latest, cursor) = (due, due) }
            if latest != nil || from == last { return latest }
        }
        return nil
    }

    private static let day = 86_400

    private func offset(at seconds: Int) -> Int {
        timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
    }

    private func split(_ wall: Int) -> (day: Int, minute: Int) {
        let (day, rest) = floorDivide(Int64(wall), Int64(Self.day))
        return (Int(day), Int(rest) / 60)
    }

    /// The moment at which clocks show this: the first of two, or the end of the gap that swallows it.
    private func instant(ofWall wall: Int) -> Int {
        let before = offset(at: wall - Self.day - offset(at: wall))
        let after = offset(at: wall + Self.day - offset(at: wall))
        let candidates = [wall - before, wall - after].filter { $0 + offset(at: $0) == wall }
        if let first = candidates.min() { return first }
        // No clock shows it: find the change between the two offsets.
        var (low, high) = (wall - max(before, after) - 1, wall - min(before, after) + 1)
        let early = offset(at: low)
        while high - low > 1 {
            let middle = (low + high) / 2
            if offset(at: middle) == early { low = middle } else { high = middle }
        }
        return high
    }
}
