import Foundation
import ProcessStack
import Synchronization
import Testing

/// Runs one system for a suite: two shops, all services, the first morning on the shelves. Prints the sum at the end.
struct FaultSystem: SuiteTrait, TestScoping {
    let publishers: Int
    /// Slow shops give a random kill more to hit.
    var shopLatencyMilliseconds = 0

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let plan = StackPlan(
            skus: 300, shops: ["hanoi", "wholesale"], shopLatencyMilliseconds: shopLatencyMilliseconds,
            edits: [
                // A claim lives as long as a request may: what a killed replica held is free so much later.
                ("request_timeout_seconds: 30", "request_timeout_seconds: 1"),
                // Many small pushes, so that there is much to be killed in.
                ("batch: 100", "batch: 5"),
            ])
        try await ProcessStack.with(plan) { stack in
            try await stack.open(publishers: publishers)
            try stack.deliver(stack.morning)
            try await stack.stockbridge("run", "stock", "--wait", "120")
            try await stack.waitFor("runs")
            let round = FaultRound(stack)
            try await FaultRound.$current.withValue(round) { try await function() }
        }
        print(FaultTally.shared.text)
    }
}

/// What all cases of a suite share: the system and the day it has come to.
final class FaultRound: Sendable {
    @TaskLocal static var current: FaultRound?

    let stack: ProcessStack
    private let day = Mutex(1)
    private let inFlight = Mutex(0)
    private let latest: Mutex<Morning>

    init(_ stack: ProcessStack) {
        self.stack = stack
        latest = Mutex(stack.morning)
    }

    static func begin() throws -> FaultRound { try #require(FaultRound.current) }

    /// What the shelves have to show.
    var morning: Morning { latest.withLock { $0 } }

    /// The next day's file is delivered and asked for; nobody waits for it.
    func nextMorning() async throws {
        let number = day.withLock { day in
            day += 1
            return day
        }
        let next = try await stack.day(number)
        latest.withLock { $0 = next }
        try stack.deliver(next)
        try await stack.stockbridge("run", "stock", "--wait", "0", expecting: [0, 3])
    }

    /// Counts what is on its way, for the table: called at the moment of a fault.
    func countInFlight() async throws {
        let count = try await stack.messagesInFlight()
        inFlight.withLock { $0 += count }
    }

    /// What was counted since the last time.
    func takeInFlight() -> Int {
        inFlight.withLock { count in
            defer { count = 0 }
            return count
        }
    }

    /// Waits until nothing is on its way anywhere.
    func settle() async throws {
        try await stack.wait(for: "the system to come to rest", within: .seconds(240)) { try await isAtRest() }
    }

    /// Whether nothing is on its way. What a consumer holds cannot be seen from outside, hence several looks.
    func isAtRest() async throws -> Bool {
        for _ in 1...3 {
            guard try await looksAtRest() else { return false }
            try await Task.sleep(for: .milliseconds(150))
        }
        return true
    }

    private func looksAtRest() async throws -> Bool {
        let open = try await stack.number(
            """
            SELECT (SELECT count(*) FROM publishing.runs WHERE ended_at IS NULL)
                 + (SELECT count(*) FROM publishing.shelves WHERE due)
                 + (SELECT count(*) FROM shared.commands WHERE state = 'requested')
                 + (SELECT count(*) FROM stock.pickups WHERE state = 'looking')
                 + (SELECT count(*) FROM notifications.mails WHERE sent_at IS NULL)
                 + (SELECT count(*) FROM stock.sources s LEFT JOIN publishing.sources p USING (source)
                    WHERE coalesce(p.sequence, 0) < s.last_sequence)
            """)
        guard open == 0, try await stack.unpublished() == 0 else { return false }
        return try await stack.waitingMessages().keys.allSatisfy { $0.hasSuffix(".dead") }
    }

    /// Comes to rest, compares everything, and says so in one line.
    ///
    /// - Parameters:
    ///   - kind: The row of the table it counts in, where that is not the fault's own.
    func check(
        _ fault: String, kind: String? = nil, injected: Int, since began: ContinuousClock.Instant
    ) async throws {
        try await settle()
        let verdict = try await Checker(stack).verdict(morning)
        FaultTally.shared.conclude(
            kind ?? fault, verdict, injected: injected, inFlight: takeInFlight(), since: began, saying: fault)
    }
}
