import Foundation
import Testing

@testable import ShopSimulators

@Suite("Orders of the simulated shop and its stock agree")
struct OrderSimulationTests {
    @Test(arguments: [
        ("190000", "190000"), ("-12.5", "-12.5"), ("0.000001", "0.000001"), ("007.10", "7.1"), ("0", "0"),
    ])
    func `money is exact decimal text`(text: String, written: String) {
        #expect(Amount(text)?.text() == written)
    }

    @Test func `what is no decimal number is no money`() {
        for text in ["", "1,5", "1e3", "0.1234567", "x", "1.-5", "--1"] { #expect(Amount(text) == nil, "\(text)") }
        #expect(Amount.units(410_000).text(minimumDecimals: 1) == "410000.0")
        #expect(Amount(micro: 2_500_000).times(1, over: 2, decimals: 0) == .units(1))
        #expect(Amount(micro: -2_500_000).times(1, over: 1, decimals: 0) == .units(-3))
    }

    @Test func `an order takes stock, an edit the difference, a cancellation gives back`() throws {
        let shop = try ShopSimulator(SimulatorConfiguration(), catalogue: smallCatalogue)
        let order = try shop.placeOrder(["10": 2, "20/21": 3])
        #expect(shop.stock(of: "10") == 3 && shop.stock(of: "20/21") == 4)
        #expect(shop.journal.map(\.source) == [.sale, .sale])
        let line = try #require(order.lines.first)
        try shop.editOrder(
            order.id,
            OrderEdit(lines: [.init(lineID: line.lineID, quantity: 4)], add: [.init(id: "20/22", quantity: 1)]))
        #expect(shop.stock(of: "10") == 1)
        let edited = try #require(shop.order(order.id))
        #expect(edited.lines.map(\.quantity) == [4, 3, 1] && edited.lines.map(\.ordered) == [2, 3, 1])
        try shop.editOrder(order.id, OrderEdit(lines: [.init(lineID: line.lineID, quantity: 0)]))
        #expect(shop.stock(of: "10") == 5)
        try shop.cancelOrder(order.id)
        #expect(shop.stock == ["10": 5, "11": 0, "20/21": 7, "20/22": 8, "30": 9])
        #expect(shop.order(order.id)?.cancelled == true)
        #expect(throws: SimulatorProblem.self) { try shop.cancelOrder(order.id) }
    }

    @Test func `what is not there is not sold, and then nothing of the order is`() throws {
        let shop = try ShopSimulator(SimulatorConfiguration(), catalogue: smallCatalogue)
        #expect(throws: SimulatorProblem.self) { try shop.placeOrder(["10": 1, "11": 1]) }
        #expect(shop.stock(of: "10") == 5 && shop.orders().isEmpty)
        // Two lines want the same five.
        #expect(throws: SimulatorProblem.self) { try shop.placeOrder(["10": 3, "10": 3]) }
        var order = OrderRequest([.init(id: "11", quantity: 2)])
        order.oversell = true
        try shop.placeOrder(order)
        #expect(shop.stock(of: "11") == -2)
    }

    @Test func `totals add up unless they are told not to`() throws {
        let shop = try ShopSimulator(SimulatorConfiguration(), catalogue: smallCatalogue)
        var request = OrderRequest([
            .init(sku: "SOAP", quantity: 2, unitPrice: "200000"), .init(id: "20/21", quantity: 1, unitPrice: "100000"),
        ])
        (request.discount, request.coupon, request.shipping) = ("50000", "TET", "30000")
        request.taxBasisPoints = 800
        let order = try shop.placeOrder(request)
        #expect(order.lines.map(\.discount) == ["40000", "10000"])
        #expect(order.lines.map(\.total) == ["360000", "90000"] && order.lines.map(\.tax) == ["28800", "7200"])
        #expect(order.total == "516000" && order.discountCodes == ["TET"])
        request.totalOffBy = "-1000"
        #expect(try shop.placeOrder(request).total == "515000")
        request.noLines = true
        #expect(try shop.placeOrder(request).lines.isEmpty)
        request.noLines = nil
        request.lines = []
        request.blankSKULine = true
        #expect(try shop.placeOrder(request).lines.map(\.sku) == [""])
    }

    @Test func `an order has the state that it is placed with`() throws {
        let shop = try ShopSimulator(SimulatorConfiguration(), catalogue: smallCatalogue)
        for status in ["pending", "on-hold", "processing", "completed", "failed", "cancelled", "packing"] {
            var request = OrderRequest([.init(id: "12", quantity: 1)])
            request.status = status
            let order = try shop.placeOrder(request)
            #expect(order.status == status && order.onHold == (status == "on-hold"))
            #expect(order.paid == ["processing", "completed", "packing"].contains(status), "\(status)")
        }
        var onDelivery = OrderRequest([.init(id: "12", quantity: 1)])
        (onDelivery.paymentMethod, onDelivery.paid) = ("cod", false)
        let order = try shop.placeOrder(onDelivery)
        #expect(order.status == "processing" && !order.paid)
        #expect(try shop.fulfillOrder(order.id).status == "completed")
    }

    @Test func `the customer is made up and the same each time`() throws {
        let first = try ShopSimulator(SimulatorConfiguration(), catalogue: smallCatalogue).placeOrder(["10": 1])
        let second = try ShopSimulator(SimulatorConfiguration(), catalogue: smallCatalogue).placeOrder(["10": 1])
        #expect(first.customer == second.customer && first.email.hasSuffix("@example.com"))
        #expect(first.phone.hasPrefix("0000") && first.phone.count == 10)
    }

    @Test func `a refund gives money back, and units only when told`() throws {
        let shop = try ShopSimulator(SimulatorConfiguration(), catalogue: smallCatalogue)
        let order = try shop.placeOrder(["10": 4])
        let line = try #require(order.lines.first)
        let part = OrderRefundRequest(lines: [.init(lineID: line.lineID, quantity: 1)], restock: true)
        #expect(try shop.refundOrder(order.id, part).refunded == false)
        #expect(shop.stock(of: "10") == 2)
        let whole = try shop.refundOrder(order.id)
        #expect(whole.refunded && whole.refundTotal == whole.total && shop.stock(of: "10") == 2)
    }

    @Test func `every change raises the time of the last change by the shop's own clock`() throws {
        var settings = SimulatorConfiguration()
        (settings.clockOffsetSeconds, settings.clockSkewSeconds) = (86_400, -7_200)
        let shop = try ShopSimulator(settings, catalogue: smallCatalogue)
        #expect(abs(shop.clock.timeIntervalSinceNow - 79_200) < 3)
        let order = try shop.placeOrder(["10": 1])
        shop.setClock(offsetSeconds: 86_400 + 60)
        let touched = try shop.touchOrder(order.id)
        #expect(touched.placedAt == order.placedAt && touched.updatedAt > order.updatedAt)
        shop.setClock(offsetSeconds: 0)
        #expect(try shop.touchOrder(order.id).updatedAt == touched.updatedAt, "a time never goes back")
    }

    @Test func `the clock follows its file`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "clock-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try "3600\n".write(to: file, atomically: true, encoding: .utf8)
        var settings = SimulatorConfiguration()
        settings.clockOffsetFile = file.path
        let shop = try ShopSimulator(settings, catalogue: smallCatalogue)
        #expect(abs(shop.clock.timeIntervalSinceNow - 3_600) < 3)
    }

    @Test func `ten thousand orders come at once, are sorted by time and agree with the stock`() throws {
        let products = (1...500).map { CatalogueProduct(id: $0, sku: "P\($0)", stock: 100_000) }
        let shop = try ShopSimulator(SimulatorConfiguration(), catalogue: products)
        let ids = try shop.placeOrders(BulkOrderRequest(count: 10_000, overSeconds: 3_600, seed: 7))
        #expect(ids.count == 10_000)
        let orders = shop.orders()
        var sold: [String: Int] = [:]
        for line in orders.flatMap(\.lines) { sold[line.item, default: 0] += line.quantity }
        #expect(shop.stock.allSatisfy { 100_000 - $0.value == sold[$0.key] ?? 0 })
        #expect(orders.map(\.updatedAt) == orders.map(\.updatedAt).sorted())
        #expect(shop.orders(after: ids.lowerBound, limit: 3).map(\.id) == Array(ids.dropFirst().prefix(3)))
    }
}
