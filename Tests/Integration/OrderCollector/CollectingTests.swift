import Contracts
import Domain
import Foundation
import ShopSimulators
import TestStack
import Testing

@Suite("Collecting the orders of a shop", .timeLimit(.minutes(20)))
struct CollectingTests {
    @Test("an order is collected once, told with its mapping, and a pass without news is told too")
    func collects() async throws {
        try await CollectorBench.with { bench in
            try await bench.mapKnownProducts()
            let order = try bench.simulator().placeOrder(["10": 2, "11": 1])
            let first = try await bench.collect()
            #expect(first.kind == .pass && first.placedToday == 1)
            let told = try await bench.told()
            #expect(told.map(\.change) == [.created] && told[0].order.externalID == "\(order.id)")
            #expect(told[0].lines.map(\.erpQuantity) == [2, 6] && told[0].holds.isEmpty)
            let second = try await bench.collect()
            #expect(second.changed == 0 && second.completeUpTo >= first.completeUpTo)
            #expect(abs(second.completeUpTo.timeIntervalSince(second.collectedAt)) < 15)
            #expect(try await bench.told().count == 1)
            #expect(try await bench.number("SELECT count(*) FROM orders.revisions") == 1)
        }
    }

    @Test("an edit, a payment and a refund are a revision each; what only moves the time is none")
    func revisions() async throws {
        try await CollectorBench.with { bench in
            try await bench.mapKnownProducts()
            let shop = try bench.simulator()
            var request = OrderRequest([.init(id: "10", quantity: 3)])
            request.paid = false
            let id = try shop.placeOrder(request).id
            try await bench.collect()
            try await Task.sleep(for: .seconds(1.1))
            try shop.touchOrder(id)
            try await bench.collect()
            #expect(try await bench.number("SELECT revision FROM orders.orders") == 1)
            try shop.payOrder(id)
            try await bench.collect()
            try shop.editOrder(id, OrderEdit(note: "Giao giờ hành chính"))
            try await bench.collect()
            try shop.refundOrder(id)
            try await bench.collect()
            let told = try await bench.told()
            #expect(told.map(\.change) == [.created, .updated, .updated, .refunded])
            #expect(told.map(\.version.revision) == [1, 2, 3, 4])
            #expect(told.map(\.learntAt) == told.map(\.learntAt).sorted() && Set(told.map(\.learntAt)).count == 4)
            #expect(told[0].reservedUntil != nil && told[1].reservedUntil == nil)
            #expect(try await bench.number("SELECT count(*) FROM orders.revisions WHERE via = 'pass'") == 4)
        }
    }

    @Test("a shop whose clock is two hours off is collected by its own clock", arguments: [7_200.0, -7_200])
    func clockOff(_ seconds: Double) async throws {
        try await CollectorBench.with(setUp: { $0.setClock(skewSeconds: seconds) }) { bench in
            let shop = try bench.simulator()
            for count in 1...3 {
                try shop.placeOrder(["10": 1])
                let pass = try await bench.collect()
                #expect(abs(pass.completeUpTo.timeIntervalSince(Date())) < 30)
                #expect(try await bench.number("SELECT count(*) FROM orders.orders") == count)
            }
            #expect(try await eventually { try await bench.heard().alerts.map(\.condition) == ["shop-clock:hanoi"] })
            shop.setClock(skewSeconds: 0)
            try shop.placeOrder(["10": 1])
            try await bench.collect()
            #expect(try await bench.number("SELECT count(*) FROM orders.orders") == 4)
            #expect(
                try await eventually {
                    try await bench.heard().cleared.contains { $0.condition == "shop-clock:hanoi" }
                })
        }
    }

    @Test("a bad order is held with its reason and delays no other")
    func badInput() async throws {
        try await CollectorBench.with { bench in
            try await bench.mapKnownProducts()
            let shop = try bench.simulator()
            func place(_ change: (inout OrderRequest) -> Void) throws {
                var request = OrderRequest([.init(id: "10", quantity: 1)])
                change(&request)
                try shop.placeOrder(request)
            }
            try place { $0.noLines = true }
            try place { $0.blankSKULine = true }
            try place { $0.currency = "XXX" }
            try place { $0.totalOffBy = "5000" }
            try place { $0.totalOffBy = "0.5" }
            try place { $0.lines = [.init(id: "12", quantity: 1), .init(id: "10", quantity: 1)] }
            try place { $0.note = "=1+1 😀 " + String(repeating: "x", count: 32_767) }
            try await bench.collect()
            let told = try await bench.told()
            let holds = Set(told.map { $0.holds.map(\.code.rawValue).joined(separator: ",") })
            #expect(told.count == 7)
            #expect(
                holds == ["no_lines", "blank_sku", "unknown_currency", "total_mismatch", "unmapped_sku", ""])
            #expect(told.filter(\.holds.isEmpty).count == 2)
            let rounding = told.filter(\.holds.isEmpty).flatMap(\.order.charges).filter { $0.kind == .rounding }
            #expect(rounding.map(\.total.magnitude) == [Amount(1)], "the shop rounds to whole đồng")
            #expect(try await eventually { try await bench.heard().holds.count == 5 })
        }
    }

    @Test("an order is released by itself once its SKU is mapped, and an operator lets another go")
    func released() async throws {
        try await CollectorBench.with { bench in
            try await bench.mapKnownProducts()
            let shop = try bench.simulator()
            try shop.placeOrder(["12": 1])
            var blank = OrderRequest([.init(id: "10", quantity: 1)])
            blank.blankSKULine = true
            let second = try shop.placeOrder(blank).id
            try await bench.collect()
            #expect(try await bench.number("SELECT count(*) FROM orders.orders WHERE held_at IS NOT NULL") == 2)
            try await bench.map([("12", "NEW", "ERP-NEW", 1)], sequence: 2)
            #expect(try await bench.holds("SELECT count(*) FROM orders.orders WHERE held_at IS NOT NULL", 1))
            try await bench.command(
                .release, ["order": .string("hanoi:\(second)"), "reason": .string("sold on the phone")])
            #expect(try await bench.holds("SELECT count(*) FROM orders.orders WHERE held_at IS NOT NULL", 0))
            #expect(
                try await eventually { try await bench.heard().holds.filter(\.holds.isEmpty).count == 2 })
            let told = try await bench.told()
            #expect(
                told.filter { $0.change == .updated && $0.holds.isEmpty && $0.version.stateVersion == 1 }.count == 2)
            #expect(
                try await bench.number(
                    "SELECT count(*) FROM orders.history WHERE what = 'released' AND detail LIKE '%lan%phone%'") == 1)
        }
    }

    @Test("a cancellation is final before the report, and a task for people after it")
    func cancellations() async throws {
        try await CollectorBench.with { bench in
            try await bench.mapKnownProducts()
            let shop = try bench.simulator()
            let ids = try (0..<3).map { _ in try shop.placeOrder(["10": 1]).id }
            try await bench.collect()
            func report(_ id: Int, at: Date) async throws {
                try await bench.emit(
                    OrderReported(
                        batchID: "hanoi-\(id)", shop: "hanoi", sentAt: at, part: 1, parts: 1,
                        orders: [
                            .init(
                                externalID: "\(id)", version: OrderVersion(revision: 1, stateVersion: 0),
                                quantities: ["1": 1])
                        ]),
                    from: .erpBridge)
            }
            try await report(ids[1], at: Date())
            try await report(ids[2], at: Date().addingTimeInterval(-2 * 86_400))
            try #require(
                try await bench.holds("SELECT count(*) FROM orders.orders WHERE report_sent_at IS NOT NULL", 2))
            for id in ids { try shop.cancelOrder(id) }
            try await bench.collect()
            let told = try await bench.told().filter { $0.version.revision == 2 }
            let outcome = Dictionary(told.map { ($0.order.externalID, $0) }) { first, _ in first }
            #expect(outcome["\(ids[0])"]?.cancellation == .cancelled && outcome["\(ids[0])"]?.change == .cancelled)
            #expect(outcome["\(ids[1])"]?.cancellation == .cancelled)
            #expect(outcome["\(ids[2])"]?.cancellation == .requested && outcome["\(ids[2])"]?.change == .updated)
            #expect(try await eventually { try await bench.heard().alerts.count == 2 })
            let alerts = try await bench.heard().alerts.map(\.condition)
            #expect(Set(alerts) == ["order-stop_at_erp:hanoi:\(ids[1])", "order-decide:hanoi:\(ids[2])"])
            #expect(try await bench.number("SELECT count(*) FROM orders.open_lines") == 0)
        }
    }

    @Test("a shop that is out holds up nobody else, and is collected when it is back")
    func outage() async throws {
        try await CollectorBench.with(["hanoi", "saigon"]) { bench in
            try await bench.collect(.collect, "saigon")
            let saigon = try bench.simulator("saigon")
            saigon.inject(Fault(.status, status: 503))
            try saigon.placeOrder(["10": 1])
            try bench.simulator().placeOrder(["10": 1])
            try await bench.command(.run)
            #expect(try await bench.holds("SELECT count(*) FROM orders.orders WHERE shop = 'hanoi'", 1))
            #expect(try await bench.holds("SELECT count(*) FROM orders.feeds WHERE shop = 'saigon' AND problem <> ''"))
            saigon.clearFaults()
            #expect(try await bench.holds("SELECT count(*) FROM orders.orders WHERE shop = 'saigon'", 1))
            #expect(
                try await bench.holds(
                    "SELECT count(*) FROM orders.feeds WHERE shop = 'saigon' AND problem IS NULL AND failures = 0"))
            #expect(try await bench.system.ready("order-collector.dead") == 0)
        }
    }
}
