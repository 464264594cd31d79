import Domain
import Foundation
import ShopConnectors
import ShopSimulators
import Testing

@Suite("Every connector reads orders")
struct OrderContractTests {
    private func sum(_ order: Order) -> Amount {
        (order.lines.map(\.total) + order.charges.map(\.total)).reduce(.zero, +)
    }

    /// What an order of the simulator has to look like.
    private func expectEqual(_ order: Order?, _ report: OrderReport, _ platform: ShopPlatform) throws {
        let order = try #require(order)
        #expect(order.externalID == "\(report.id)" && order.number == report.number && order.shop == "hanoi")
        #expect(order.currency.rawValue == report.currency && order.utcOffsetSeconds == 25_200)
        #expect(UTCTimestamp.format(order.placedAt) == report.placedAt)
        #expect(UTCTimestamp.format(order.updatedAt) == report.updatedAt)
        #expect(order.totals.total == Amount(report.total))
        #expect(sum(order) == order.totals.total)
        let lines = report.lines.filter { $0.quantity > 0 }
        #expect(order.lines.map(\.quantity) == lines.map { Quantity($0.quantity) })
        #expect(order.lines.map { $0.sku?.rawValue ?? "" } == lines.map(\.sku))
        #expect(order.lines.map(\.listing) == lines.map { $0.item.isEmpty ? nil : platform.listing($0.item) })
        #expect(order.lines.map(\.unitNet) == lines.map { Amount($0.unitPrice) })
        #expect(order.lines.map(\.tax) == lines.map { Amount($0.tax) })
        #expect(order.promotionCodes == report.discountCodes && order.note == report.note)
        #expect(order.payment.method == report.paymentMethod)
        #expect(order.customer?.email == report.email.lowercased())
        #expect(order.shippingAddress?.street == [report.address])
    }

    private var rich: OrderRequest {
        var request = OrderRequest([
            .init(id: "10", quantity: 3, unitPrice: "33333"), .init(id: "20/21", quantity: 1, unitPrice: "199000"),
        ])
        (request.discount, request.coupon, request.taxBasisPoints) = ("20000", "TET20", 800)
        request.note = "=1+1 😀 xin gọi trước"
        request.oversell = true
        return request
    }

    @Test(arguments: ShopPlatform.allCases)
    func `an order is read to the last unit, by its id and in a page`(platform: ShopPlatform) async throws {
        try await withPlatform(platform) { shop in
            let report = try shop.simulator.placeOrder(rich)
            let order = try await shop.order(report.id)
            try expectEqual(order, report, platform)
            #expect(order?.status.payment == .paid && order?.status.awaitsPayment == false)
            #expect(order?.lines.first?.orderedQuantity == 3)
            let all = try await shop.readAll(shop.window())
            #expect(all == order.map { [.order($0)] })
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `prices with decimals stay exact`(platform: ShopPlatform) async throws {
        try await withPlatform(platform, configure: { $0.currency = "EUR" }) { shop in
            var request = OrderRequest([.init(id: "10", quantity: 3, unitPrice: "0.10")])
            (request.discount, request.taxBasisPoints) = ("0.07", 1_900)
            let report = try shop.simulator.placeOrder(request)
            try expectEqual(try await shop.order(report.id), report, platform)
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `an edited order has the quantities of now`(platform: ShopPlatform) async throws {
        try await withPlatform(platform) { shop in
            let placed = try shop.simulator.placeOrder(rich)
            let edit = OrderEdit(
                lines: [
                    .init(lineID: placed.lines[0].lineID, quantity: 2),
                    .init(lineID: placed.lines[1].lineID, quantity: 0),
                ], add: [.init(id: "20/22", quantity: 1)], note: "khác")
            let report = try shop.simulator.editOrder(placed.id, edit)
            try expectEqual(try await shop.order(placed.id), report, platform)
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `states stand each on an axis of its own`(platform: ShopPlatform) async throws {
        try await withPlatform(platform) { shop in
            let simulator = shop.simulator
            var unpaid = OrderRequest([.init(id: "10", quantity: 1)])
            unpaid.paid = false
            var delivery = unpaid
            delivery.paymentMethod = "cod"
            let waiting = try simulator.placeOrder(unpaid)
            #expect(try await shop.order(waiting.id)?.status.awaitsPayment == true)
            _ = try simulator.payOrder(waiting.id)
            let paid = try await shop.order(waiting.id)
            #expect(paid?.status.awaitsPayment == false && paid?.status.payment == .paid)
            #expect(paid?.payment.paidAt != nil)

            let cash = try simulator.placeOrder(delivery)
            let collected = try await shop.order(cash.id)
            #expect(collected?.status.awaitsPayment == false && collected?.status.payment == .pending)

            let report = try simulator.cancelOrder(cash.id)
            let cancelled = try await shop.order(cash.id)
            #expect(cancelled?.status.isCancelled == true && cancelled?.status.awaitsPayment == false)
            try expectEqual(cancelled, report, platform)

            _ = try simulator.fulfillOrder(waiting.id)
            #expect(try await shop.order(waiting.id)?.status.fulfilment == .shipped)
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `money that goes back changes neither total nor quantities`(platform: ShopPlatform) async throws {
        try await withPlatform(platform) { shop in
            for request in [
                OrderRefundRequest(amount: "1000"), OrderRefundRequest(),
            ] {
                let placed = try shop.simulator.placeOrder(rich)
                let report = try shop.simulator.refundOrder(placed.id, request)
                let order = try await shop.order(placed.id)
                try expectEqual(order, report, platform)
                #expect(order?.status.payment == (request.amount == nil ? .refunded : .partRefunded))
                #expect(order?.refunds.map { "\($0.amount)" } == [Amount(report.refundTotal)?.description])
            }
            let placed = try shop.simulator.placeOrder(rich)
            let line = OrderEdit.Line(lineID: placed.lines[0].lineID, quantity: 2)
            let report = try shop.simulator.refundOrder(placed.id, OrderRefundRequest(lines: [line], restock: true))
            try expectEqual(try await shop.order(placed.id), report, platform)
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `odd orders are read as they are`(platform: ShopPlatform) async throws {
        try await withPlatform(platform) { shop in
            var blank = OrderRequest([.init(id: "10", quantity: 1)])
            blank.blankSKULine = true
            let first = try await shop.order(try shop.simulator.placeOrder(blank).id)
            #expect(first?.lines.count == 2 && first?.lines.last?.sku == nil)
            var empty = OrderRequest()
            empty.noLines = true
            #expect(try await shop.order(try shop.simulator.placeOrder(empty).id)?.lines.isEmpty == true)
            var wrong = OrderRequest([.init(id: "10", quantity: 1)])
            wrong.totalOffBy = "5000"
            let third = try #require(try await shop.order(try shop.simulator.placeOrder(wrong).id))
            #expect(third.totals.total - sum(third) == Amount(5_000))
            var foreign = OrderRequest([.init(id: "10", quantity: 1)])
            foreign.currency = "XYZ"
            #expect(try await shop.order(try shop.simulator.placeOrder(foreign).id)?.currency == "XYZ")
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `orders with many lines are read whole`(platform: ShopPlatform) async throws {
        let products = (1...140).map { CatalogueProduct(id: $0, sku: "P\($0)", stock: 5) }
        try await withPlatform(platform, catalogue: products) { shop in
            let lines = (1...140).map { OrderRequest.Line(id: "\($0)", quantity: 1) }
            let report = try shop.simulator.placeOrder(OrderRequest(lines))
            try expectEqual(try await shop.order(report.id), report, platform)
            guard case .order(let order)? = try await shop.readAll(shop.window()).first else {
                Issue.record("is not there")
                return
            }
            try expectEqual(order, report, platform)
        }
    }

    // MARK: - Windows and pages

    @Test(arguments: ShopPlatform.allCases)
    func `three hundred orders come once at least and sorted, those of one second too`(
        platform: ShopPlatform
    ) async throws {
        try await withPlatform(platform) { shop in
            for seconds in [0.0, 600] {
                _ = try shop.simulator.placeOrders(BulkOrderRequest(count: 300, overSeconds: seconds))
            }
            let results = try await shop.readAll(shop.window())
            let ids = shop.simulator.orders().map { "\($0.id)" }
            #expect(ids.count == 600 && Set(results.map(\.externalID)) == Set(ids))
            for (left, right) in zip(results, results.dropFirst()) {
                let (first, second) = (left.updatedAt ?? .distantPast, right.updatedAt ?? .distantPast)
                // Where a page begins anew at a second, that second comes again.
                #expect(first <= second)
            }
            let placed = try await shop.readAll(shop.window(.placed))
            #expect(Set(placed.map(\.externalID)) == Set(ids))
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `both ends of a window belong to it and nothing else does`(platform: ShopPlatform) async throws {
        try await withPlatform(platform) { shop in
            for seconds in [30.0, 20, 10] {
                var request = OrderRequest([.init(id: "10", quantity: 1)])
                (request.placedSecondsAgo, request.oversell) = (seconds, true)
                try shop.simulator.placeOrder(request)
            }
            let reports = shop.simulator.orders()
            let times = reports.compactMap { UTCTimestamp.parse($0.updatedAt) }
            for (first, last, expected) in [(0, 2, 3), (0, 1, 2), (1, 1, 1), (1, 2, 2)] {
                let window = OrderWindow(.updated, from: times[first], upTo: times[last])
                let found = try await shop.readAll(window)
                #expect(found.map(\.externalID) == reports[first...last].map { "\($0.id)" } && found.count == expected)
            }
            let between = OrderWindow(.updated, from: times[0] + 1, upTo: times[1] - 1)
            #expect(try await shop.readAll(between).isEmpty)
            let page = try await shop.orders().page(in: shop.window(), after: nil)
            #expect(abs((page.shopTime ?? .distantPast).timeIntervalSinceNow) < 5)
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `an order that is edited while pages are read hides none of the others`(platform: ShopPlatform) async throws {
        try await withPlatform(platform) { shop in
            _ = try shop.simulator.placeOrders(BulkOrderRequest(count: 250, overSeconds: 2_000))
            let until = shop.simulator.clock - 5
            let window = OrderWindow(.updated, from: until - 5_000, upTo: until)
            let results = try await shop.readAll(window, touching: true)
            let before = shop.simulator.orders().filter { report in
                UTCTimestamp.parse(report.updatedAt).map { $0 <= until } ?? false
            }
            let seen = Set(results.map(\.externalID))
            #expect(before.allSatisfy { seen.contains("\($0.id)") }, "none that stayed as it was is missing")
            #expect(before.count > 150)
        }
    }

    @Test func `a trashed order is a cancelled one`() async throws {
        try await withPlatform(.wooCommerce) { shop in
            let kept = try shop.simulator.placeOrder(["10": 1])
            let thrown = try shop.simulator.placeOrder(["10": 1])
            try shop.simulator.deleteOrder(thrown.id)
            let results = try await shop.readAll(shop.window())
            let cancelled = results.compactMap { result -> (String, Bool)? in
                if case .order(let order) = result { (order.externalID, order.status.isCancelled) } else { nil }
            }
            #expect(Dictionary(cancelled) { $1 } == ["\(kept.id)": false, "\(thrown.id)": true])
            #expect(try await shop.order(thrown.id)?.status.isCancelled == true)
        }
    }

    @Test func `an older shop that cannot sort by change is read all the same`() async throws {
        try await withPlatform(.wooCommerce, configure: { $0.supportsOrderByModified = false }) { shop in
            _ = try shop.simulator.placeOrders(BulkOrderRequest(count: 250, overSeconds: 500))
            let results = try await shop.readAll(shop.window())
            #expect(results.count == 250)
            #expect(results.map { $0.updatedAt ?? .distantPast } == results.compactMap(\.updatedAt).sorted())
        }
    }

    @Test(arguments: ShopPlatform.allCases)
    func `an order that there never was is nil`(platform: ShopPlatform) async throws {
        try await withPlatform(platform) { shop in
            let reading = try await shop.orders()
            for id in ["99999999", "abc"] {
                let found = try await reading.order(id)
                #expect(found == nil)
            }
        }
    }
}
