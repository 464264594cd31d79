import Foundation
import Testing

@testable import ShopSimulators

@Suite("The simulated WooCommerce lists orders as the platform does")
struct WooCommerceOrderTests {
    /// 2026-03-02T02:14:09Z, in a shop that is seven hours ahead.
    private static let noon = 1_772_417_649.0

    /// A shop whose clock shows `noon` whenever it is asked.
    private func makeShop(_ change: (inout SimulatorConfiguration) -> Void = { _ in }) throws -> SimulatedShop {
        var settings = SimulatorConfiguration()
        (settings.certificateFile, settings.privateKeyFile) = ("unused", "unused")
        change(&settings)
        let shop = try SimulatedShop(settings, catalogue: smallCatalogue)
        shop.with { $0.clock.machine = { Date(timeIntervalSince1970: Self.noon) } }
        return shop
    }

    private func ask(
        _ shop: SimulatedShop, _ path: String, method: String = "GET", body: String = ""
    ) -> Answer {
        let parts = path.split(separator: "?", maxSplits: 1).map(String.init)
        let credentials = Data("ck_simulator:cs_simulator".utf8).base64EncodedString()
        return shop.perform(
            Call(
                method: method, path: "/wp-json/wc/v3" + parts[0],
                query: parts.count > 1 ? Call.parse(query: parts[1]) : [],
                headers: ["host": "shop.example", "authorization": "Basic \(credentials)"], body: Array(body.utf8),
                client: "", isLoopback: true, isEncrypted: true), fault: nil, late: false)
    }

    private func json(_ answer: Answer) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(answer.body.utf8))
    }

    private func ids(_ shop: SimulatedShop, _ query: String) throws -> [Int] {
        try json(ask(shop, "/orders?" + query)).elements?.compactMap { $0["id"]?.phpInteger } ?? []
    }

    /// Orders placed and changed so many seconds before noon.
    private func place(_ shop: SimulatedShop, secondsAgo: [Double]) throws -> [Int] {
        try secondsAgo.map { seconds in
            var order = OrderRequest([.init(id: "10", quantity: 1, unitPrice: "190000")])
            (order.placedSecondsAgo, order.oversell) = (seconds, true)
            return try shop.placeOrder(order).id
        }
    }

    @Test func `bounds are exclusive, and ties of one second come by id`() throws {
        let shop = try makeShop()
        let placed = try place(shop, secondsAgo: [10, 5, 5, 5, 0])
        let sorted = "orderby=modified&order=asc&dates_are_gmt=true&"
        #expect(try ids(shop, sorted + "modified_after=2026-03-02T02:13:59") == Array(placed[1...]))
        #expect(try ids(shop, sorted + "modified_after=2026-03-02T02:14:04") == [placed[4]])
        #expect(try ids(shop, sorted + "modified_before=2026-03-02T02:14:04") == [placed[0]])
        #expect(
            try ids(shop, sorted + "modified_after=2026-03-02T02:14:03&modified_before=2026-03-02T02:14:05")
                == Array(placed[1...3]))
        #expect(try ids(shop, "orderby=modified&dates_are_gmt=true") == placed.reversed())
        #expect(try ids(shop, "orderby=id&order=asc&after=2026-03-02T02:14:04&dates_are_gmt=1") == [placed[4]])
    }

    @Test func `without dates_are_gmt times are those of the shop's town`() throws {
        let shop = try makeShop()
        let placed = try place(shop, secondsAgo: [0])
        #expect(try ids(shop, "modified_after=2026-03-02T02:14:08").count == 1)
        #expect(try ids(shop, "modified_before=2026-03-02T02:14:10").isEmpty, "02:14 in town was seven hours ago")
        #expect(try ids(shop, "modified_before=2026-03-02T09:14:10") == placed)
        #expect(try ids(shop, "modified_before=2026-03-02T02:14:10&dates_are_gmt=true") == placed)
        let order = try json(ask(shop, "/orders/\(placed[0])"))
        #expect(order["date_created"]?.string == "2026-03-02T09:14:09")
        #expect(order["date_modified_gmt"]?.string == "2026-03-02T02:14:09")
        #expect(ask(shop, "/orders?after=yesterday").status == 400)
    }

    @Test func `the bin is no part of any, and has to be asked for`() throws {
        let shop = try makeShop()
        let placed = try place(shop, secondsAgo: [3, 2, 1])
        _ = try shop.changeOrder(placed[1]) { (state, _) throws(SimulatorProblem) in try state.deleteOrder(placed[1]) }
        #expect(try ids(shop, "order=asc") == [placed[0], placed[2]])
        #expect(try ids(shop, "order=asc&status=any,trash") == placed)
        #expect(try ids(shop, "status=trash") == [placed[1]])
        #expect(try json(ask(shop, "/orders/\(placed[1])"))["status"]?.string == "trash")
        _ = try shop.changeOrder(placed[0]) { (state, author) throws(SimulatorProblem) in
            try state.cancelOrder(placed[0], restock: false, by: author)
        }
        #expect(try ids(shop, "status=cancelled") == [placed[0]])
        #expect(try ids(shop, "status=processing,cancelled&orderby=id&order=asc") == [placed[0], placed[2]])
        #expect(try ids(shop, "include=\(placed[2]),\(placed[0])&orderby=include") == [placed[2], placed[0]])
        #expect(try ids(shop, "exclude=\(placed[2])") == [placed[0]])
    }

    @Test func `pages say how many there are`() throws {
        let shop = try makeShop()
        let placed = try place(shop, secondsAgo: (0..<25).map { Double(25 - $0) })
        let answer = ask(shop, "/orders?per_page=10&page=3&order=asc&orderby=modified&_fields=id,total")
        #expect(answer.headers.first { $0.name == "X-WP-Total" }?.value == "25")
        #expect(answer.headers.first { $0.name == "X-WP-TotalPages" }?.value == "3")
        #expect(answer.headers.first { $0.name == "Link" }?.value.contains("rel=\"prev\"") == true)
        #expect(try json(answer).elements?.compactMap { $0["id"]?.phpInteger } == Array(placed[20...]))
        #expect(!answer.body.contains("billing"))
        #expect(try ids(shop, "per_page=5&offset=3&order=asc") == Array(placed[3..<8]))
        #expect(try ids(shop, "per_page=5&page=2&orderby=modified") == placed.reversed()[5..<10].map { $0 })
        #expect(ask(shop, "/orders?per_page=101").status == 400)
    }

    @Test func `an older version cannot sort by the last change`() throws {
        let shop = try makeShop { $0.supportsOrderByModified = false }
        let answer = ask(shop, "/orders?orderby=modified")
        #expect(answer.status == 400 && answer.body.contains("orderby"))
        #expect(ask(shop, "/orders?orderby=id").status == 200)
    }

    @Test func `an order has the platform's shape`() throws {
        let shop = try makeShop()
        var request = OrderRequest([.init(id: "20/21", quantity: 3, unitPrice: "190000")])
        (request.discount, request.coupon, request.note) = ("20000", "TET20", "Gọi \"trước\"")
        let placed = try shop.placeOrder(request)
        let order = try json(ask(shop, "/orders/\(placed.id)"))
        #expect(order["number"]?.string == "\(placed.id)" && order["total"]?.string == "580000")
        #expect(order["discount_total"]?.string == "20000" && order["currency"]?.string == "VND")
        #expect(order["customer_note"]?.string == request.note && order["date_paid_gmt"]?.string != nil)
        let line = try #require(order["line_items"]?.elements?.first)
        #expect(line["product_id"]?.phpInteger == 20 && line["variation_id"]?.phpInteger == 21)
        #expect(line["subtotal"]?.string == "570000" && line["total"]?.string == "550000")
        #expect(ask(shop, "/orders/\(placed.id)").body.contains("\"price\":183333.33333333334"))
        #expect(line["sku"]?.string != nil)
        _ = shop.with { $0.items.remove(20) }
        let later = try json(ask(shop, "/orders/\(placed.id)"))
        #expect(later["line_items"]?.elements?.first?["sku"] == .null, "the SKU is read live")
    }

    @Test func `tax stands beside the price, with its rate`() throws {
        let shop = try makeShop()
        var request = OrderRequest([.init(id: "10", quantity: 2, unitPrice: "100000")])
        request.taxBasisPoints = 850
        let order = try json(ask(shop, "/orders/\(try shop.placeOrder(request).id)"))
        let line = try #require(order["line_items"]?.elements?.first)
        #expect(line["total"]?.string == "200000" && line["total_tax"]?.string == "17000")
        #expect(order["total_tax"]?.string == "17000" && order["total"]?.string == "247000")
        let rate = try #require(order["tax_lines"]?.elements?.first)
        #expect(rate["rate_percent"] == .number(8.5) && rate["rate_id"] == line["taxes"]?.elements?.first?["id"])
    }

    @Test func `an order is changed, annotated and missing`() throws {
        let shop = try makeShop()
        let id = try place(shop, secondsAgo: [60])[0]
        let body = #"{"status":"completed","meta_data":[{"key":"_erp","value":"SO-1"}]}"#
        let changed = try json(ask(shop, "/orders/\(id)", method: "PUT", body: body))
        #expect(changed["status"]?.string == "completed")
        #expect(changed["date_modified_gmt"]?.string == "2026-03-02T02:14:09")
        #expect(changed["meta_data"]?.elements?.contains { $0["key"]?.string == "_erp" } == true)
        let note = ask(shop, "/orders/\(id)/notes", method: "POST", body: #"{"note":"sent","customer_note":false}"#)
        #expect(note.status == 201)
        #expect(ask(shop, "/orders/\(id)/refunds").body == "[]")
        let stock = shop.with { $0.items.all[10]?.stock }
        #expect(ask(shop, "/orders/\(id)", method: "PUT", body: #"{"status":"cancelled"}"#).status == 200)
        #expect(shop.with { $0.items.all[10]?.stock } == (stock ?? 0) + 1)
        let missing = ask(shop, "/orders/999999")
        #expect(missing.status == 404 && missing.body.contains("woocommerce_rest_shop_order_invalid_id"))
        let readOnly = try makeShop { $0.permissions = .read }
        let other = try place(readOnly, secondsAgo: [0])[0]
        #expect(ask(readOnly, "/orders/\(other)", method: "PUT", body: body).status == 401)
    }

    @Test func `an edit between two pages moves what follows up`() throws {
        let shop = try makeShop()
        let placed = try place(shop, secondsAgo: [40, 30, 20, 10])
        shop.with { $0.faults.add(Fault(.editWhileListing, times: 1), at: 0) }
        let page = "orderby=modified&order=asc&per_page=2&page="
        #expect(try ids(shop, page + "1") == [placed[0], placed[1]])
        #expect(try ids(shop, page + "2") == [placed[3], placed[0]], "the third is in nobody's page")
    }
}
