import Domain
import Foundation
import Testing

@Suite("Schedules")
struct ScheduleTests {
    private func next(_ cron: String, _ zone: String, after text: String) throws -> String {
        let schedule = Schedule(cron: try CronExpression(cron), timeZone: try #require(TimeZone(identifier: zone)))
        let after = try #require(UTCTimestamp.parse(text))
        return UTCTimestamp.format(try #require(schedule.next(after: after)))
    }

    @Test(arguments: [
        // Vietnam has no daylight saving.
        ("0 6 * * *", "Asia/Ho_Chi_Minh", "2026-11-21T00:00:00Z", "2026-11-21T23:00:00Z"),
        ("0 6 * * *", "Asia/Ho_Chi_Minh", "2026-11-20T22:59:59Z", "2026-11-20T23:00:00Z"),
        ("0 6 * * *", "Asia/Ho_Chi_Minh", "2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z"),
        ("*/20 8-9 * * MON-FRI", "Asia/Ho_Chi_Minh", "2026-11-20T02:41:00Z", "2026-11-23T01:00:00Z"),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 13 * FRI", "UTC", "2026-11-01T00:00:00Z", "2026-11-06T00:00:00Z"),
        ("30 23 * * 7", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T23:30:00Z"),
        ("59 23 31 DEC *", "UTC", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z"),
    ])
    func theNextTimeIsTheFirstThatFits(_ cron: String, _ zone: String, _ after: String, _ expected: String) throws {
        #expect(try next(cron, zone, after: after) == expected)
    }

    @Test(arguments: [
        // Berlin 2026-03-29: 02:00 becomes 03:00 (01:00 UTC).
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
        ("*/15 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"),
        // New York 2026-03-08: 02:00 becomes 03:00 (07:00 UTC).
        ("5 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", "2026-03-08T07:00:00Z"),
        // Lord Howe 2026-10-04: 02:00 becomes 02:30 (2026-10-03 15:30 UTC).
        ("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z"),
        ("40 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:40:00Z"),
        // Samoa left out all of 2011-12-30.
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-30T10:00:00Z"),
    ])
    func aTimeThatIsSkippedRunsAtTheNextValidMinute(
        _ cron: String, _ zone: String, _ after: String, _ expected: String
    ) throws {
        #expect(try next(cron, zone, after: after) == expected)
    }

    @Test(arguments: [
        // Berlin 2026-10-25: 03:00 becomes 02:00 (01:00 UTC).
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        // New York 2026-11-01: 02:00 becomes 01:00 (06:00 UTC).
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"),
        // Lord Howe 2026-04-05: 02:00 becomes 01:30 (2026-04-04 15:00 UTC).
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"),
    ])
    func aTimeThatComesTwiceRunsOnce(
        _ cron: String, _ zone: String, _ after: String, _ first: String, _ second: String
    ) throws {
        #expect(try next(cron, zone, after: after) == first)
        #expect(try next(cron, zone, after: first) == second)
    }

    @Test(arguments: ["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
    func overAYearADailyRunHappensOnceEveryLocalDayAndTimeMovesForward(_ zone: String) throws {
        let timeZone = try #require(TimeZone(identifier: zone))
        for cron in ["0 2 * * *", "30 1 * * *", "30 2 * * *", "0 6 * * *"] {
            let schedule = Schedule(cron: try CronExpression(cron), timeZone: timeZone)
            var days = Set<Int>()
            var now = try #require(UTCTimestamp.parse("2026-01-01T00:00:00Z"))
            for _ in 0..<365 {
                let due = try #require(schedule.next(after: now))
                #expect(due > now)
                let local = Int(due.timeIntervalSince1970) + timeZone.secondsFromGMT(for: due)
                #expect(days.insert(local / 86_400).inserted, "\(cron) ran twice on one day in \(zone)")
                now = due
            }
            #expect(try #require(days.max()) - (try #require(days.min())) == 364)
        }
    }

    @Test
    func missedRunsCoalesceToTheLatest() throws {
        let zone = try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh"))
        let daily = Schedule(cron: try CronExpression("0 6 * * *"), timeZone: zone)
        let last = try #require(UTCTimestamp.parse("2026-11-01T23:00:00Z"))
        let now = try #require(UTCTimestamp.parse("2026-11-21T04:00:00Z"))
        #expect(daily.latestDue(after: last, upTo: now).map(UTCTimestamp.format) == "2026-11-20T23:00:00Z")
        #expect(daily.latestDue(after: try #require(UTCTimestamp.parse("2026-11-20T23:00:00Z")), upTo: now) == nil)
        let yearly = Schedule(cron: try CronExpression("0 0 1 1 *"), timeZone: zone)
        #expect(yearly.latestDue(after: .distantPast, upTo: now).map(UTCTimestamp.format) == "2025-12-31T17:00:00Z")
        let eachMinute = Schedule(cron: try CronExpression("* * * * *"), timeZone: zone)
        #expect(eachMinute.latestDue(after: .distantPast, upTo: now) == now)
    }

    @Test(arguments: [
        ("0 6 * *", "has 4 fields instead of 5"),
        ("", "is empty"),
        ("0 0 6 * * *", "leave out the first"),
        ("60 6 * * *", "it goes from 0 to 59"),
        ("0 6 * * Monday", "write MON"),
        ("0 6 ? * *", "write * instead of ?"),
        ("*/0 6 * * *", "a step such as 15"),
        ("0 22-6 * * *", "write 22-23,0-6"),
        ("0 6 31 2 *", "never happens"),
        ("0 6,,7 * * *", "write a number from 0 to 23"),
        ("0 1-2-3 * * *", "cannot be used"),
    ])
    func aBadExpressionIsRefusedWithASuggestion(_ text: String, _ part: String) {
        let error = #expect(throws: CronError.self) { try CronExpression(text) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "no error")")
    }

    @Test(arguments: [String(repeating: "9", count: 9_000), String(repeating: "9", count: 9_000) + " * * * *"])
    func aPageThatWasPastedForAnExpressionIsRefusedInASentence(_ text: String) {
        let error = #expect(throws: CronError.self) { try CronExpression(text) }
        #expect((error?.description.count ?? 0) < 400)
    }
}
