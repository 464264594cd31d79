import Contracts
import Foundation
import Messaging
import PostgreSQL
import ProcessStack
import ShopSimulators
import Synchronization
import Testing

/// Runs one system with all six services for a suite: a shop of each platform, a tap on all messages, the first morning
/// on the shelves.
struct WholeSystem: SuiteTrait, TestScoping {
    /// Of every service.
    var replicas = 1
    /// Slow shops give a random kill more to hit.
    var shopLatencyMilliseconds = 0

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let plan = StackPlan(
            skus: 80, shops: ["hanoi", "beauty"], shopLatencyMilliseconds: shopLatencyMilliseconds, startsAt: "05:30",
            edits: [("request_timeout_seconds: 30", "request_timeout_seconds: 1"), ("batch: 100", "batch: 5")])
        try await ProcessStack.with(plan) { stack in
            let tap = try await MessageTap.install(in: stack)
            try await stack.open(hasOrders: true)
            for replica in 1...replicas where replica > 1 {
                for service in WholeRound.services { try await stack.start(service, replica: replica) }
            }
            try stack.deliver(stack.morning)
            try await stack.clock.move(to: "06:00")
            try await stack.stockbridge("run", "stock", "--wait", "120")
            try await stack.waitFor("runs")
            let round = WholeRound(stack, tap)
            try await WholeRound.$current.withValue(round) { try await function() }
        }
        print(FaultTally.shared.text)
    }
}

/// What all cases of a suite share: the system and what it has been through.
final class WholeRound: Sendable {
    @TaskLocal static var current: WholeRound?

    static let services = [
        "stock-ingestor", "stock-publisher", "order-collector", "erp-bridge", "reconciler", "notifier",
    ]

    let stack: ProcessStack
    let tap: MessageTap?
    private let customers: Customers
    private let inFlight = Mutex(0)
    /// Dead letters that the faults so far have to have left.
    let deadLetters = Mutex(0)

    init(_ stack: ProcessStack, _ tap: MessageTap?) {
        (self.stack, self.tap, customers) = (stack, tap, Customers(stack))
    }

    static func begin() throws -> WholeRound { try #require(WholeRound.current) }

    // MARK: - What happens in a shop

    /// Customers buy, some change their minds, some orders are not in order.
    func trade(_ times: Int, _ dice: inout Dice, cancelling: Bool = true) throws {
        for _ in 0..<times {
            let name = stack.shops.keys.sorted()[dice.roll(stack.shops.count)]
            let shop = try stack.shop(name)
            let open = shop.orders().filter { !$0.cancelled && !$0.fulfilled && $0.status != "trash" }
            switch (dice.roll(8), open.isEmpty ? nil : open[dice.roll(open.count)]) {
            case (0, let order?) where cancelling: try shop.cancelOrder(order.id)
            case (1, let order?):
                guard let line = order.lines.first(where: { $0.quantity > 0 }) else { break }
                let more = OrderEdit.Line(lineID: line.lineID, quantity: line.quantity + 1)
                try shop.editOrder(order.id, OrderEdit(lines: [more]))
            case (2, _): try customers.buy(at: name, &dice) { $0.totalOffBy = "9000" }
            default: try customers.buy(at: name, &dice)
            }
        }
    }

    /// Order reports of this minute; nobody waits for them.
    func report() async throws {
        try await stack.clock.advance(minutes: 1)
        try await stack.stockbridge("run", "report", "--wait", "0", expecting: [0, 3])
    }

    /// A reconciliation; nobody waits for it.
    func reconcile() async throws {
        try await stack.stockbridge("run", "reconciliation", "--wait", "0", expecting: [0, 3])
    }

    /// Asks a service for something as another service does: without a row that an answer is written to.
    func ask(_ service: ServiceName, _ verb: Command.Verb, _ arguments: [String: JSONValue] = [:]) async throws {
        let command = Command(
            commandID: UUID(), service: service, verb: verb, arguments: arguments, requestedBy: "test",
            requestedAt: stack.clock.now)
        let event = Event(command, subject: "test", correlation: "test", occurredAt: stack.clock.now)
        try await stack.publish([OutboxMessage(event, from: .stockbridge).outgoing])
    }

    /// Every service has something to do.
    func keepBusy(_ dice: inout Dice, cancelling: Bool = true) async throws {
        try trade(3, &dice, cancelling: cancelling)
        try await stack.stockbridge("run", "push", "--wait", "0", expecting: [0, 3])
        try await report()
        try trade(2, &dice, cancelling: cancelling)
        try await reconcile()
    }

    // MARK: - The end

    /// Counts what is on its way, for the table: called at the moment of a fault.
    func countInFlight(_ more: Int = 0) async throws {
        let count = try await stack.messagesInFlight() + more
        inFlight.withLock { $0 += count }
    }

    /// Comes to rest, sends the last report, compares everything, and says so in one line.
    func check(_ fault: String, kind: String? = nil, injected: Int, since began: ContinuousClock.Instant) async throws {
        try await stack.waitForOrders()
        try await stack.settleWithOrders()
        try await stack.clock.advance(minutes: 2)
        try await stack.stockbridge("run", "report", "--wait", "120")
        try await stack.wait(for: "the last reports") {
            try await stack.number("SELECT count(*) FROM erp.reports WHERE sent_at IS NULL") == 0
        }
        try await stack.waitForShelves(stack.morning)
        try await stack.settleWithOrders()
        for service in Self.services { _ = try stack.running(service) }
        let verdict = try await Checker(stack, tap: tap, deadLetters: deadLetters.withLock { $0 }).verdictOfDay()
        let inFlight = inFlight.withLock { count in
            defer { count = 0 }
            return count
        }
        FaultTally.shared.conclude(
            kind ?? fault, verdict, injected: injected, inFlight: inFlight, since: began,
            saying: "\(fault), \(tap?.count ?? 0) messages")
    }
}

extension ProcessStack {
    /// Waits until nothing is on its way anywhere, orders and reports included.
    func settleWithOrders() async throws {
        try await wait(for: "the day to come to rest", within: .seconds(240)) {
            // What a consumer holds cannot be seen from outside, hence several looks.
            for _ in 1...3 {
                guard try await looksAtRestWithOrders() else { return false }
                try await Task.sleep(for: .milliseconds(150))
            }
            return true
        }
    }

    /// Whether nothing is on its way as far as tables and queues say.
    func looksAtRestWithOrders() async throws -> Bool {
        let open = try await number(
            """
            SELECT (SELECT count(*) FROM publishing.runs WHERE ended_at IS NULL)
                 + (SELECT count(*) FROM publishing.shelves WHERE due)
                 + (SELECT count(*) FROM shared.commands WHERE state = 'requested')
                 + (SELECT count(*) FROM erp.reports WHERE sent_at IS NULL)
                 + (SELECT count(*) FROM reconciliation.runs WHERE state = 'open')
                 + (SELECT count(*) FROM notifications.mails WHERE sent_at IS NULL)
                 + (SELECT count(*) FROM dead_letters.letters WHERE state = 'replaying')
                 + (SELECT count(*) FROM stock.sources s LEFT JOIN publishing.sources p USING (source)
                    WHERE coalesce(p.sequence, 0) < s.last_sequence)
            """)
        guard open == 0, try await unpublished() == 0 else { return false }
        return try await waitingMessages().keys.allSatisfy { $0.hasSuffix(".dead") }
    }
}
