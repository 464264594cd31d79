import Contracts
import Domain
import Foundation
import ShopSimulators
import TestStack
import Testing

@Suite("The known faults of other connectors are none of order-collector's", .timeLimit(.minutes(20)))
struct OrderFaultTests {
    private let orders = "SELECT count(*) FROM orders.orders"

    @Test("fault 2: an old order that was edited unseen, beyond the overlap, arrives with the nightly repair")
    func oldOrderEdited() async throws {
        try await CollectorBench.with(setUp: { shop in
            var old = OrderRequest([.init(id: "10", quantity: 1)])
            old.placedSecondsAgo = 3 * 86_400
            try shop.placeOrder(old)
        }) { bench in
            try await bench.collect()
            let shop = try bench.simulator()
            // The shop's clock stood an hour back when the order was edited, and no webhook told.
            shop.setClock(skewSeconds: -3_600)
            let id = try #require(shop.orders().first?.id)
            try shop.editOrder(id, OrderEdit(note: "edited"))
            shop.setClock(skewSeconds: 0)
            try await bench.collect()
            #expect(try await bench.number("SELECT revision FROM orders.orders") == 1)
            let repair = try await bench.collect(.repair)
            #expect(repair.kind == .repair && repair.changed == 1)
            #expect(try await bench.number("SELECT revision FROM orders.orders") == 2)
            #expect(try await bench.number("SELECT count(*) FROM orders.revisions WHERE via = 'repair'") == 1)
        }
    }

    @Test("fault 4: one unknown product holds its order whole, and discards nothing")
    func unknownProduct() async throws {
        try await CollectorBench.with { bench in
            try await bench.mapKnownProducts()
            try bench.simulator().placeOrder(["10": 1, "12": 2])
            try bench.simulator().placeOrder(["10": 1])
            try await bench.collect()
            let told = try await bench.told().sorted { $0.order.externalID < $1.order.externalID }
            #expect(told.map { $0.holds.map(\.code) } == [[.unmappedSKU], []])
            #expect(told[0].order.lines.count == 2 && told[0].lines.compactMap(\.erpCode) == ["ERP-SOAP"])
        }
    }

    @Test("fault 6: all orders of all pages arrive, not the first twenty after the last id")
    func allPages() async throws {
        try await CollectorBench.with(setUp: { shop in
            try shop.placeOrders(BulkOrderRequest(count: 450, overSeconds: 86_400))
        }) { bench in
            try await bench.collect()
            #expect(try await bench.number(orders) == 450)
            // An old order that is imported late has a smaller id and an older date than what was seen.
            var late = OrderRequest([.init(id: "10", quantity: 1)])
            late.placedSecondsAgo = 30
            try bench.simulator().placeOrder(late)
            try await bench.collect()
            #expect(try await bench.number(orders) == 451)
        }
    }

    @Test("fault 7: orders of one and the same second are all found, over the pages' ends too")
    func ties() async throws {
        try await CollectorBench.with(setUp: { shop in
            try shop.placeOrders(BulkOrderRequest(count: 250))
        }) { bench in
            try await bench.collect()
            #expect(try await bench.number(orders) == 250)
            try bench.simulator().placeOrders(BulkOrderRequest(count: 130))
            try await bench.collect()
            #expect(try await bench.number(orders) == 380)
        }
    }

    @Test("fault 9: twenty deliveries at the same moment make one order with one revision")
    func sameWebhookTwentyTimes() async throws {
        try await CollectorBench.with(replicas: 2) { bench in
            try await bench.mapKnownProducts()
            let shop = try bench.simulator()
            for replica in 0..<2 {
                shop.subscribe(["order.created", "order.updated"], url: bench.webhookURL(replica: replica))
            }
            shop.inject(Fault(.webhookDuplicate, times: 2, copies: 20))
            try shop.placeOrder(["10": 1])
            #expect(try await bench.holds(orders, 1))
            #expect(try await eventually { shop.deliveries.count >= 2 })
            try await bench.collect()
            #expect(try await bench.number("SELECT count(*) FROM orders.revisions") == 1)
            #expect(try await bench.told().map(\.change) == [.created])
            #expect(try await bench.system.ready("order-collector.dead") == 0)
        }
    }

    @Test("fault 10: a webhook that overtakes its predecessor loses nothing")
    func overtaking() async throws {
        try await CollectorBench.with { bench in
            let shop = try bench.simulator()
            shop.subscribe(["order.created", "order.updated"], url: bench.webhookURL())
            shop.inject(Fault(.webhookOutOfOrder, path: "order.created", times: 1))
            var request = OrderRequest([.init(id: "10", quantity: 1)])
            request.paid = false
            let id = try shop.placeOrder(request).id
            try shop.payOrder(id)
            #expect(
                try await bench.holds(
                    """
                    SELECT count(*) FROM orders.orders
                    WHERE external_id = '\(id)' AND facts LIKE '%"payment":"paid"%'
                    """))
            #expect(try await bench.number(orders) == 1)
        }
    }

    @Test("fault 11: the empty SKU matches no product")
    func emptySKU() async throws {
        try await CollectorBench.with { bench in
            try await bench.mapKnownProducts()
            try await bench.emit(
                MappingChanged(
                    shop: "hanoi", sequence: 2,
                    entries: [.init(listing: "13", sku: "", state: "mapped", erpCode: "X", unitsPerPack: 1)]),
                from: .stockPublisher)
            try #require(try await bench.holds("SELECT count(*) FROM orders.mapping WHERE listing = '13'"))
            var request = OrderRequest([.init(id: "10", quantity: 1)])
            request.blankSKULine = true
            try bench.simulator().placeOrder(request)
            try await bench.collect()
            let told = try await bench.told()
            #expect(told.map { $0.holds.map(\.code) } == [[.blankSKU]])
            #expect(told[0].lines.compactMap(\.erpCode) == ["ERP-SOAP"])
        }
    }

    @Test("fault 13: a pass that could not read all of it does not say that it did, and goes on where it stopped")
    func noEarlySuccess() async throws {
        try await CollectorBench.with { bench in
            let before = try await bench.collect()
            let shop = try bench.simulator()
            try shop.placeOrders(BulkOrderRequest(count: 350, overSeconds: 30))
            // The first page is answered, the next ones are not.
            shop.inject(Fault(.slow, path: "/wp-json/wc/v3/orders", times: 2, latencyMilliseconds: 1))
            shop.inject(Fault(.status, path: "/wp-json/wc/v3/orders", times: 3, status: 500))
            let pass = try await bench.collect()
            #expect(shop.statistics.faults["status"] == 3)
            #expect(try await bench.number(orders) == 350)
            let all = try await bench.collected()
            #expect(all.filter { $0.completeUpTo > before.completeUpTo }.map(\.request) == [pass.request])
            #expect(try await bench.number("SELECT count(*) FROM orders.revisions") == 350)
        }
    }
}
