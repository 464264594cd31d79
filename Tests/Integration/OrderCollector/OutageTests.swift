import Contracts
import Domain
import ShopSimulators
import TestStack
import Testing

@Suite("A shop that is out fills no dead-letter queue of order-collector", .timeLimit(.minutes(20)))
struct OutageTests {
    @Test(
        "passes and single orders wait for the shop, however few the attempts; it is told once each way",
        arguments: [Fault(.status, status: 503), Fault(.status, status: 429), Fault(.reset)])
    func nothingDies(_ fault: Fault) async throws {
        try await CollectorBench.with(["saigon"], attempts: 2) { bench in
            try await bench.collect(.collect, "saigon")
            let saigon = try bench.simulator("saigon")
            let orders = try (0..<8).map { _ in try saigon.placeOrder(["10": 1]) }
            saigon.inject(fault)
            try await bench.command(.run)
            for order in orders {
                try await bench.command(.collect, ["shop": .string("saigon"), "order": .string("\(order.id)")])
            }
            let isOut = "SELECT count(*) FROM shared.breakers WHERE opened_at IS NOT NULL AND failures >= 10"
            #expect(try await bench.holds(isOut, 1), "probed again and again")
            #expect(try await bench.system.ready("order-collector.dead") == 0)
            saigon.clearFaults()
            #expect(try await bench.holds("SELECT count(*) FROM orders.orders WHERE shop = 'saigon'", 8))
            #expect(try await bench.holds("SELECT count(*) FROM shared.breakers", 0))
            #expect(try await bench.system.ready("order-collector.dead") == 0)
            #expect(try await bench.holds("SELECT count(*) FROM orders.outbox", 0))
            let heard = try await bench.heard()
            #expect(heard.alerts.count { $0.condition == "shop-outage:saigon" } == 1)
            #expect(heard.cleared.count { $0.condition == "shop-outage:saigon" } == 1)
        }
    }
}
