import Foundation
import ProcessStack
import Testing

/// What goes on in a system while servers fail: files arrive, customers buy, and in the end everything is compared.
final class BusinessLoad: Sendable {
    static let services = [
        "stock-ingestor", "stock-publisher", "order-collector", "erp-bridge", "reconciler", "notifier",
    ]

    /// Two shops, many small pushes, so that there is much in flight.
    static var plan: StackPlan {
        StackPlan(
            skus: 200, shops: ["hanoi", "wholesale"], shopLatencyMilliseconds: 100,
            edits: [
                // What is claimed at a shop is free again so much later.
                ("request_timeout_seconds: 30", "request_timeout_seconds: 1"),
                ("batch: 100", "batch: 5"),
            ])
    }

    let stack: ProcessStack
    private let round: FaultRound
    private let customers: Customers

    /// Starts all services and has the first morning on the shelves.
    init(_ stack: ProcessStack) async throws {
        try await stack.open(hasOrders: true)
        try stack.deliver(stack.morning)
        try await stack.stockbridge("run", "stock", "--wait", "120")
        try await stack.waitFor("runs")
        (self.stack, round, customers) = (stack, FaultRound(stack), Customers(stack))
    }

    /// All services have something to do: the next day's file arrives and orders come in.
    func work(_ dice: inout Dice) async throws {
        try await round.nextMorning()
        try buy(6, &dice)
        // The moment is the seed's: nothing is waited for.
        try await Task.sleep(for: .milliseconds(dice.roll(1_500)))
        try await round.countInFlight()
    }

    /// So many orders, at either shop.
    func buy(_ count: Int, _ dice: inout Dice) throws {
        let shops = stack.shops.keys.sorted()
        for _ in 0..<count { try customers.buy(at: shops[dice.roll(shops.count)], &dice) }
    }

    /// Customers buy on while something is down, for as long as the seed says.
    func outage(_ dice: inout Dice) async throws {
        for _ in 0...dice.roll(3) {
            try buy(1, &dice)
            try await Task.sleep(for: .milliseconds(200 + dice.roll(800)))
        }
    }

    /// Waits until all that was bought is off the shelves of all shops: what every service has to do with it is done.
    ///
    /// For longer than a silent broker node holds a message that was leaving a delay tier: it is taken for dead after a
    /// minute, and three minutes later the message is moved again.
    func waitForShelves() async throws {
        try await stack.waitForOrders(within: .seconds(600))
        try await stack.waitForShelves(round.morning, within: .seconds(600))
    }

    /// Waits until the system has come to rest by itself, has everything reported, and compares everything.
    func check(_ fault: String, seed: UInt64, injected: Int, since began: ContinuousClock.Instant) async throws {
        try await stack.waitUntilReady()
        // A reader of orders whose last words the database never got holds its lease of a shop's feed for two minutes.
        try await stack.waitForOrders(within: .seconds(240))
        try await round.settle()
        // A batch has its minute for a name.
        try await stack.clock.advance(minutes: 1)
        try await stack.stockbridge("run", "report", "--wait", "120", expecting: [0, 3])
        try await stack.wait(for: "the reports and the reconciliation") {
            try await stack.number(
                """
                SELECT (SELECT count(*) FROM erp.reports WHERE sent_at IS NULL)
                     + (SELECT count(*) FROM reconciliation.runs WHERE state = 'open')
                """) == 0
        }
        try await stack.waitForShelves(round.morning)
        try await round.settle()
        let verdict = try await Checker(stack).verdictOfDay(round.morning)
        #expect(injected > 0)
        FaultTally.shared.conclude(
            fault, verdict, injected: injected, inFlight: round.takeInFlight(), since: began,
            saying: "\(fault), seed \(seed), \(injected) times")
    }
}
