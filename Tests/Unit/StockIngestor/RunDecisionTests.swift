import Domain
import Foundation
import Testing

@testable import StockIngestor

@Suite("What a run does after a look")
struct RunDecisionTests {
    /// 06:00 in Vietnam.
    private static let due = Date(timeIntervalSince1970: 1_795_215_600)

    private func decide(
        satisfied: Bool = false, growing: Bool = false, due: Date? = Self.due, looks: Int = 1, minutes: Double
    ) throws -> RunDecision {
        let zone = try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh"))
        return RunDecision(
            findings: RunDecision.Findings(isSatisfied: satisfied, isGrowing: growing), due: due, looks: looks,
            now: Self.due.addingTimeInterval(minutes * 60),
            schedule: Schedule(cron: try CronExpression("0 6 * * *"), timeZone: zone), lookEverySeconds: 30,
            lateAfterMinutes: 20)
    }

    @Test("While nothing is there it looks again as often as configured, and is late from the configured minute on")
    func late() throws {
        #expect(try decide(minutes: 0).next == .lookAgain(milliseconds: 30_000))
        #expect(try !decide(minutes: 19.9).isLate)
        #expect(try decide(minutes: 20).isLate)
        #expect(try decide(minutes: 20).next == .lookAgain(milliseconds: 30_000))
    }

    @Test("It gives up only when the next file is due")
    func superseded() throws {
        #expect(try decide(minutes: 24 * 60 - 0.1).next == .lookAgain(milliseconds: 30_000))
        #expect(try decide(minutes: 24 * 60).next == .supersede)
    }

    @Test("A file that came ends the run, and is not late however late it came")
    func satisfied() throws {
        let decision = try decide(satisfied: true, minutes: 300)
        #expect(decision.next == .finish)
        #expect(!decision.isLate)
        #expect(try decide(satisfied: true, minutes: 24 * 60 + 1).next == .finish)
    }

    @Test("A file that may still be written is looked at again soon, but not for ever")
    func growing() throws {
        #expect(try decide(growing: true, minutes: 1).next == .lookAgain(milliseconds: 5_000))
        #expect(
            try decide(growing: true, looks: RunDecision.looksAtGrowing, minutes: 1).next
                == .lookAgain(milliseconds: 30_000))
        #expect(try decide(growing: true, minutes: 25).isLate, "growing is not there")
    }

    @Test("A manual run answers at once where there is no file, and waits for one that is being written")
    func manual() throws {
        #expect(try decide(due: nil, minutes: 600).next == .finish)
        #expect(try !decide(due: nil, minutes: 600).isLate)
        #expect(try decide(growing: true, due: nil, minutes: 1).next == .lookAgain(milliseconds: 5_000))
        #expect(try decide(growing: true, due: nil, looks: RunDecision.looksAtGrowing, minutes: 1).next == .finish)
        #expect(try decide(satisfied: true, due: nil, minutes: 1).next == .finish)
    }
}
