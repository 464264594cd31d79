import Contracts
import Domain
import Foundation
import ShopSimulators
import TestStack
import Testing
import Transfer

@Suite("What shops tell us", .timeLimit(.minutes(20)))
struct WebhookTests {
    @Test("a sale is in the ledger without a pass")
    func fetchedByID() async throws {
        try await CollectorBench.with { bench in
            try await bench.mapKnownProducts()
            try await bench.collect()
            let shop = try bench.simulator()
            shop.subscribe(["order.created", "order.updated"], url: bench.webhookURL())
            let id = try shop.placeOrder(["10": 1]).id
            #expect(
                try await bench.holds(
                    "SELECT count(*) FROM orders.revisions WHERE external_id = '\(id)' AND via = 'webhook'"))
            try shop.cancelOrder(id)
            #expect(try await bench.holds("SELECT count(*) FROM orders.orders WHERE cancellation = 'cancelled'"))
            #expect(try await eventually { try await bench.told().last?.change == .cancelled })
        }
    }

    @Test("a forged one is refused and leaves nothing behind; so does one for a shop that does not exist")
    func forged() async throws {
        try await CollectorBench.with { bench in
            func post(_ shop: String, bytes: Int) async throws -> Int {
                try await bench.http.send(
                    HTTPRequest(
                        method: "POST", url: bench.webhookURL(shop),
                        headers: [
                            HTTPHeader("X-WC-Webhook-Signature", "AAAA"),
                            HTTPHeader("X-WC-Webhook-Topic", "order.updated"),
                            HTTPHeader("X-WC-Webhook-Delivery-ID", "1"),
                        ], body: Array(repeating: 0x20, count: bytes))
                ).status
            }
            let (forged, unknown) = (try await post("hanoi", bytes: 10), try await post("hue", bytes: 10))
            let large = try await post("hanoi", bytes: 100_000)
            #expect((forged, unknown, large) == (401, 404, 413))
            #expect(try await bench.number("SELECT count(*) FROM orders.webhook_deliveries") == 0)
            #expect(
                try await bench.number("SELECT count(*) FROM orders.outbox WHERE routing_key LIKE '%.fetch.%'") == 0)
        }
    }

    @Test("the same delivery again is dropped")
    func replayed() async throws {
        try await CollectorBench.with { bench in
            let shop = try bench.simulator()
            shop.subscribe(["order.created"], url: bench.webhookURL())
            try shop.placeOrder(["10": 1])
            #expect(try await bench.holds("SELECT count(*) FROM orders.orders", 1))
            let delivery = try #require(shop.deliveries.first?.id)
            let asked = shop.statistics.requests
            shop.replayWebhook(delivery: delivery, copies: 5)
            #expect(
                try await eventually { shop.deliveries.flatMap(\.statuses).filter { $0 == 200 }.count >= 6 })
            #expect(shop.statistics.requests == asked, "nothing was fetched again")
            #expect(try await bench.number("SELECT count(*) FROM orders.webhook_deliveries") == 1)
        }
    }
}
