import Contracts
import Domain
import Foundation
import Testing

@testable import ServiceKit

@Suite("What becomes of missed due times")
struct ScheduledJobTests {
    private func due(_ missed: ScheduledJob.MissedRuns, from first: String, to now: String) throws -> [String] {
        let zone = try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh"))
        let job = ScheduledJob(
            name: "report hanoi", schedule: Schedule(cron: try CronExpression("0 12 * * *"), timeZone: zone),
            verb: .run, arguments: [:], missedRuns: missed)
        let (from, to) = (try #require(UTCTimestamp.parse(first)), try #require(UTCTimestamp.parse(now)))
        return job.due(from: from, upTo: to).map { UTCTimestamp.format($0) }
    }

    @Test("they become one command for the latest, unless the job says otherwise")
    func coalesced() throws {
        let due = try due(.coalesce, from: "2026-11-20T05:00:00Z", to: "2026-11-22T06:00:00Z")
        #expect(due == ["2026-11-22T05:00:00Z"])
    }

    @Test("a job that must not miss one gets a command for each, earliest first")
    func each() throws {
        let due = try due(.each(atMost: 31), from: "2026-11-20T05:00:00Z", to: "2026-11-22T06:00:00Z")
        #expect(due == ["2026-11-20T05:00:00Z", "2026-11-21T05:00:00Z", "2026-11-22T05:00:00Z"])
    }

    @Test("after a long outage only so many of the latest are made up for")
    func bounded() throws {
        let due = try due(.each(atMost: 2), from: "2026-01-01T05:00:00Z", to: "2026-11-22T05:00:00Z")
        #expect(due == ["2026-11-21T05:00:00Z", "2026-11-22T05:00:00Z"])
    }

    @Test("one that is due in time is due once", arguments: [ScheduledJob.MissedRuns.coalesce, .each(atMost: 31)])
    func inTime(_ missed: ScheduledJob.MissedRuns) throws {
        let due = try due(missed, from: "2026-11-22T05:00:00Z", to: "2026-11-22T05:00:01Z")
        #expect(due == ["2026-11-22T05:00:00Z"])
    }
}
