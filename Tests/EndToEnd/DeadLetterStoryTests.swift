import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import Testing

@Suite("What the person on duty does, as docs/operations.md tells it", .serialized, .timeLimit(.minutes(60)))
struct DeadLetterStoryTests {
    static let plan = StackPlan(
        skus: 2_000, shops: ["hanoi", "saigon"],
        retry: """
            {tiers: [1s, 2s], max_attempts: {stock-publisher: 3}, outage: {first_probe: 1s, longest_probe: 5s}}
            """,
        edits: [("request_timeout_seconds: 30", "request_timeout_seconds: 5")])

    @Test("A dead shop is one alert and a paused queue; nonsense is one group; after a canary of ten, all is right")
    func story() async throws {
        try await ProcessStack.with(Self.plan) { stack in
            try await stack.open()
            try stack.deliver(stack.morning)
            try await stack.stockbridge("run", "stock", "--wait", "120")
            try await stack.waitFor("runs")
            #expect(stack.wrongShelves(stack.morning) == [])
            try await deadShop(stack)
            try await nonsense(stack)
        }
    }

    /// 503 for everything: one alert, a paused queue, no dead letter; and the other shop has its numbers.
    private func deadShop(_ stack: ProcessStack) async throws {
        let (hanoi, next) = (try stack.shop("hanoi"), try await stack.day(2))
        hanoi.inject(Fault(.status, status: 503))
        try stack.deliver(next)
        try await stack.stockbridge("run", "stock", "--wait", "0", expecting: [0, 3])
        try await stack.wait(for: "the alert") { try await alerts(about: "hanoi", stack) == 1 }
        try await stack.wait(for: "the other shop's shelves") {
            !stack.wrongShelves(next).contains { $0.contains("saigon") }
        }
        let waiting = try await stack.waitingMessages().filter { $0.key.contains("hanoi") || $0.key.contains("retry") }
        #expect(!waiting.isEmpty, "what cannot be pushed waits")
        #expect(try await letters(stack) == 0)
        #expect(try await stack.stockbridge("dead-letters", "list").output.contains("No dead letters match"))
        hanoi.clearFaults()
        try await stack.wait(for: "all shelves") { stack.wrongShelves(next).isEmpty }
        try await stack.wait(for: "the end of the alert") {
            try await stack.number(
                "SELECT count(*) FROM notifications.alerts WHERE cleared_at IS NULL AND shop = 'hanoi'") == 0
        }
        #expect(try await letters(stack) == 0)
        #expect(try await alerts(about: "hanoi", stack) == 1)
    }

    /// A page of HTML for every write: one group of dead letters, replayed once the shop is mended.
    private func nonsense(_ stack: ProcessStack) async throws {
        let (hanoi, next) = (try stack.shop("hanoi"), try await stack.day(15, asFile: 3))
        hanoi.inject(Fault(.html, method: "POST", path: "/wp-json/wc/v3/products"))
        try stack.deliver(next)
        try await stack.stockbridge("run", "stock", "--wait", "0", expecting: [0, 3])
        try await stack.wait(for: "dead letters", within: .seconds(240)) { try await letters(stack) > 15 }
        #expect(try await stack.number("SELECT count(DISTINCT fingerprint) FROM dead_letters.letters") == 1)
        let groups = try await stack.stockbridge("dead-letters", "groups", expecting: [0, 3]).output
        #expect(groups.contains("1 kind") && groups.contains("malformed"))
        #expect(!stack.wrongShelves(next).isEmpty)

        hanoi.clearFaults()
        // What is on its way to its next attempt meets a shop that answers; what is dead stays dead.
        try await stack.wait(for: "rest", within: .seconds(240)) {
            guard try await stack.unpublished() == 0 else { return false }
            return try await stack.waitingMessages().isEmpty
        }
        let dead = try await letters(stack)
        #expect(dead > 15)
        let dryRun = try await stack.stockbridge("dead-letters", "replay", "--shop", "hanoi", "--dry-run")
        #expect(dryRun.output.contains("\(dead)"))
        #expect(try await letters(stack) == dead, "a dry run changes nothing")
        try await stack.stockbridge(
            "dead-letters", "replay", "--shop", "hanoi", "--canary", "10", "--rate", "50/s", "--reason",
            "the shop answers again", "--yes", "--wait", "120")
        #expect(try await letters(stack) == 0)
        #expect(
            try await stack.number(
                "SELECT count(*) FROM dead_letters.letters WHERE state IN ('processed', 'superseded')") == dead)
        try await stack.wait(for: "all shelves") { stack.wrongShelves(next).isEmpty }
        #expect(try await WriteAudit(stack).findings == [])
    }

    /// Letters that wait for a person.
    private func letters(_ stack: ProcessStack) async throws -> Int {
        try await stack.number("SELECT count(*) FROM dead_letters.letters WHERE state = 'waiting'")
    }

    /// Mails that were written about a shop being out.
    private func alerts(about shop: String, _ stack: ProcessStack) async throws -> Int {
        try await stack.mails().filter { $0.subject.contains("Shop \(shop) is out") && !$0.subject.contains("Over") }
            .count
    }
}
