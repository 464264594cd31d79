import Contracts
import Foundation
import ProcessStack
import RabbitMQ
import TestStack
import Testing

/// What a broker may do without being broken: deliver twice, in another order, and late.
@Suite("Duplicated, reordered and delayed deliveries", .serialized, .timeLimit(.minutes(60)), WholeSystem())
struct DeliveryFaults {
    /// Those that get orders, stock, reports and alerts; then the one from which the orders come.
    static let consumers = ["stock-publisher", "erp-bridge", "reconciler", "notifier"]

    @Test("Each message counts once, whatever its number, order and time of arrival", arguments: FaultSeeds.all)
    func deliveries(seed: UInt64) async throws {
        print("fault: shuffled deliveries with STOCKBRIDGE_FAULT_SEED=\(seed)")
        let (round, began) = (try WholeRound.begin(), ContinuousClock.now)
        var dice = Dice(seed: seed)
        var shuffled = 0
        for service in Self.consumers { try await round.stack.running(service).stop() }
        try round.trade(8, &dice)
        try await round.ask(.stockIngestor, .republish)
        try await round.report()
        try await round.reconcile()
        try await round.stack.waitForOrders()
        for service in Self.consumers { shuffled += try await shuffle(service, round, &dice) }
        try await round.stack.running("order-collector").stop()
        try round.trade(4, &dice)
        try await round.report()
        for shop in round.stack.shops.keys.sorted() {
            try await round.ask(.stockPublisher, .republish, ["shop": .string(shop), "what": .string("mapping")])
        }
        try await round.stack.wait(for: "mappings and reports to lie before order-collector") {
            try await round.stack.waitingMessages()["order-collector"] ?? 0 >= 3
        }
        shuffled += try await shuffle("order-collector", round, &dice)
        try await round.check(
            "seed \(seed), \(shuffled) messages delivered two or three times in random order",
            kind: "duplicated, reordered and delayed deliveries", injected: shuffled, since: began)
    }

    /// What lies in a stopped service's queues comes two or three times, in random order, some of it seconds later.
    ///
    /// - Returns: How many messages that were.
    private func shuffle(_ service: String, _ round: WholeRound, _ dice: inout Dice) async throws -> Int {
        let stack = round.stack
        var copies: [OutgoingMessage] = []
        var count = 0
        for queue in try await stack.queueNames() where queue == service || queue.hasPrefix(service + ".") {
            guard !queue.hasSuffix(".dead"), !queue.contains(".retry.") else { continue }
            for delivery in try await stack.take(from: queue) {
                count += 1
                let copy = OutgoingMessage(
                    exchange: "\(service).work", routingKey: queue, properties: delivery.properties,
                    body: delivery.body)
                copies += Array(repeating: copy, count: 2 + dice.roll(2))
            }
        }
        #expect(count > 0, "\(service) had something to do")
        try await round.countInFlight(count)
        for index in copies.indices.reversed().dropLast() { copies.swapAt(index, dice.roll(index + 1)) }
        let late = copies.count / 4
        try await stack.publish(Array(copies.dropFirst(late)))
        try await stack.start(service)
        for message in copies.prefix(late) {
            try await stack.publish([message])
            // Being late is the fault: nothing is waited for.
            try await Task.sleep(for: .milliseconds(dice.roll(3_000 / max(1, late))))
        }
        return count
    }
}
