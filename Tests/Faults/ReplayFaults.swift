import Contracts
import Foundation
import ProcessStack
import RabbitMQ
import TestStack
import Testing

/// notifier dies while it takes dead letters out of the broker or sends them again.
struct ReplayFault: Sendable, CustomTestStringConvertible {
    enum Moment: String { case archiving, replaying }

    let moment: Moment
    /// nil: at random.
    let point: String?
    let times: Int

    /// The row of the table.
    var kind: String { "kill -9 of notifier while \(moment.rawValue), \(point.map { "at \($0)" } ?? "at random")" }
    var testDescription: String { "\(kind), time \(times)" }

    static let all: [ReplayFault] = {
        guard FaultSeeds.count > 1 else {
            return [
                ReplayFault(moment: .archiving, point: "after-commit-before-ack", times: 1),
                ReplayFault(moment: .replaying, point: "after-publish-before-mark", times: 1),
            ]
        }
        return [1, 2, 3].flatMap { time in
            [
                ReplayFault(moment: .archiving, point: "after-commit-before-ack", times: time),
                ReplayFault(moment: .replaying, point: "after-publish-before-mark", times: time),
                ReplayFault(moment: .replaying, point: "after-commit-before-ack", times: time),
                ReplayFault(moment: .replaying, point: nil, times: time),
            ]
        }
    }()
}

@Suite("kill -9 of notifier while it archives and replays", .serialized, .timeLimit(.minutes(60)), WholeSystem())
struct ReplayFaults {
    @Test(
        "Every letter is kept once, sent again and done; no order, shelf or mail is lost or twice",
        arguments: ReplayFault.all)
    func replay(fault: ReplayFault) async throws {
        let (round, began) = (try WholeRound.begin(), ContinuousClock.now)
        let stack = round.stack
        var dice = Dice(seed: FaultSeeds.all[0] &+ UInt64(fault.times))
        let before = try await Self.letters("true", stack)
        let dead: Int
        if fault.moment == .archiving {
            try await stack.running("notifier").stop()
            dead = try await letDie(round, &dice)
            try await strike(fault, round, &dice)
        } else {
            dead = try await letDie(round, &dice)
        }
        try await stack.wait(for: "\(dead) letters in the archive") {
            try await Self.letters("true", stack) == before + dead
        }
        #expect(try await Self.letters("state = 'waiting' AND times = 1", stack) == dead, "each once")
        try await stack.stockbridge(
            "dead-letters", "replay", "--service", "stock-publisher", "--canary", "0", "--rate", "8/s", "--reason",
            "the test has mended it", "--stop-at", "100%", "--yes")
        if fault.moment == .replaying { try await strike(fault, round, &dice) }
        try await stack.wait(for: "the job to be done") {
            try await stack.number("SELECT count(*) FROM dead_letters.jobs WHERE state <> 'done'") == 0
        }
        let unsettled = try await stack.texts(
            """
            SELECT state FROM dead_letters.job_items
            WHERE state NOT IN ('processed', 'already_processed', 'superseded')
            """)
        #expect(unsettled == [], "each letter has its outcome")
        try await round.check(fault.testDescription, kind: fault.kind, injected: 1, since: began)
    }

    private func strike(_ fault: ReplayFault, _ round: WholeRound, _ dice: inout Dice) async throws {
        let stack = round.stack
        if let point = fault.point {
            if fault.moment == .replaying { try await stack.running("notifier").stop() }
            let dying = try stack.startToDie("notifier", at: point, times: fault.times)
            do {
                try await stack.wait(for: "notifier to die") { !dying.isRunning }
            } catch {
                dying.kill()
                try await stack.start("notifier")
                throw error
            }
            #expect(dying.exitStatus == -SIGKILL, "it was killed at the point, and did not end otherwise")
        } else {
            // The moment is the fault: nothing is waited for.
            try await Task.sleep(for: .milliseconds(dice.roll(2_000)))
            try stack.running("notifier").kill()
        }
        try await round.countInFlight()
        try await stack.letLeasesRunOut()
        try await stack.start("notifier")
    }

    /// What stock-publisher would have got becomes dead letters, as if a release of it had failed at them.
    ///
    /// - Returns: How many letters.
    private func letDie(_ round: WholeRound, _ dice: inout Dice) async throws -> Int {
        let stack = round.stack
        try await stack.running("stock-publisher").stop()
        try round.trade(10, &dice)
        try await round.ask(.stockIngestor, .republish)
        try await stack.waitForOrders()
        try await stack.wait(for: "orders and stock to lie before stock-publisher") {
            let waiting = try await stack.waitingMessages()
            return (waiting["stock-publisher.orders"] ?? 0) >= 4 && (waiting["stock-publisher"] ?? 0) >= 2
        }
        var letters: [OutgoingMessage] = []
        for queue in ["stock-publisher", "stock-publisher.orders"] {
            for delivery in try await stack.take(from: queue) {
                var properties = delivery.properties
                properties.headers["stockbridge-error-class"] = "permanent"
                properties.headers["stockbridge-error-code"] = "made.by.a.test"
                properties.headers["stockbridge-error-message"] = "The test let it fail."
                letters.append(
                    OutgoingMessage(
                        exchange: "stock-publisher.dead", routingKey: queue, properties: properties,
                        body: delivery.body))
            }
        }
        try await stack.publish(letters)
        try await stack.start("stock-publisher")
        return letters.count
    }

    private static func letters(_ condition: String, _ stack: ProcessStack) async throws -> Int {
        try await stack.number("SELECT count(*) FROM dead_letters.letters WHERE \(condition)")
    }
}
