import Domain
import Foundation
import Synchronization
import Testing
import Transfer

@testable import ShopConnectors

@Suite("WooCommerce's orders become canonical ones")
struct WooCommerceOrderTests {
    /// The order of the platform's description, with parts replaced.
    static func order(_ changes: [String: String] = [:]) -> String {
        var parts = [
            "id": "10231", "number": "\"10231\"", "status": "\"processing\"", "currency": "\"VND\"",
            "date_created": "\"2026-03-02T09:14:09\"", "date_created_gmt": "\"2026-03-02T02:14:09\"",
            "date_modified_gmt": "\"2026-03-02T02:20:41\"", "date_paid_gmt": "null", "prices_include_tax": "true",
            "discount_total": "\"20000\"", "discount_tax": "\"2000\"", "shipping_total": "\"30000\"",
            "shipping_tax": "\"0\"", "total_tax": "\"38000\"", "total": "\"448000\"", "customer_id": "88",
            "customer_note": "\"\"", "payment_method": "\"cod\"", "transaction_id": "\"\"",
            "billing": """
            {"first_name":"Lan","last_name":"Tran","address_1":"12 Le Loi","city":"Hue","postcode":"030000",
            "country":"VN","email":" LAN@example.com","phone":"0900000000"}
            """, "shipping": "{\"first_name\":\"\",\"country\":\"VN\"}",
            "line_items": """
            [{"id":551,"product_id":310,"variation_id":311,"name":"Tee - M","sku":"TEE-M","quantity":2,
            "price":190000.00000000003,"subtotal":"400000","subtotal_tax":"40000","total":"380000","total_tax":"38000",
            "taxes":[{"id":7,"total":"38000"}]}]
            """,
            "tax_lines": "[{\"rate_id\":7,\"rate_percent\":10}]",
            "shipping_lines": "[{\"id\":552,\"method_title\":\"GHN\",\"total\":\"30000\",\"total_tax\":\"0\"}]",
            "fee_lines": "[]", "coupon_lines": "[{\"id\":553,\"code\":\"TET20\"}]", "refunds": "[]",
            "meta_data": "[{\"key\":\"_billing_tax_id\",\"value\":\"0301234567\"}]",
        ]
        parts.merge(changes) { $1 }
        return "{" + parts.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private func read(_ changes: [String: String] = [:]) throws -> OrderReadingResult {
        let tree = try JSONTree(Array(Self.order(changes).utf8))
        return WooCommerceOrderMapping(shop: "hanoi").read(tree)
    }

    private func order(_ changes: [String: String] = [:]) throws -> Order {
        switch try read(changes) {
        case .order(let order): return order
        case .unreadable(let order):
            Issue.record("unreadable: \(order.problem)")
            throw CancellationError()
        }
    }

    @Test func `money is exact and its parts add up`() throws {
        let order = try order()
        let line = try #require(order.lines.first)
        #expect(line.total == 418_000 && line.tax == 38_000 && line.discount == 22_000)
        #expect(line.unitNet == 200_000 && line.unitGross == 220_000 && line.taxRate == 10)
        #expect(line.listing == "310/311" && line.sku == "TEE-M" && line.quantity == 2)
        #expect(order.charges == [OrderCharge(kind: .shipping, name: "GHN", total: 30_000)])
        #expect(order.totals == OrderTotals(discount: 22_000, shipping: 30_000, tax: 38_000, total: 448_000))
        let sum = (order.lines.map(\.total) + order.charges.map(\.total)).reduce(.zero, +)
        #expect(sum == order.totals.total)
    }

    @Test func `decimals are read from their text, also where a number stands`() throws {
        let line = """
            [{"id":1,"product_id":5,"variation_id":0,"name":"x","sku":null,"quantity":3,"subtotal":0.3,
            "subtotal_tax":"","total":0.3,"total_tax":"0.00"}]
            """
        let order = try order(["line_items": line, "total": "0.3", "shipping_lines": "[]"])
        #expect(order.lines.first?.total.micro == 300_000 && order.lines.first?.unitNet.micro == 100_000)
        #expect(order.lines.first?.listing == "5" && order.lines.first?.sku == nil)
        #expect(order.totals.total.micro == 300_000)
    }

    @Test func `orders without ids are not read for ever`() async throws {
        let orders = Array(repeating: "{\"date_modified_gmt\":\"2026-03-02T02:20:41\"}", count: 100)
        let http = ScriptedHTTP { (_) in json("[\(orders.joined(separator: ","))]") }
        let moment = try #require(UTCTimestamp.parse("2026-03-02T02:20:41Z"))
        let window = OrderWindow(.updated, from: moment, upTo: moment)
        await #expect(throws: ConnectorError.self) {
            _ = try await WooCommerceOrders(client: client(http)).page(in: window, after: nil)
        }
        #expect(http.sent.count < 10)
    }

    @Test func `an id that no table can keep and a time that no calendar has are refused`() throws {
        let long = "\"" + String(repeating: "9", count: 300) + "\""
        for changes in [["id": long], ["date_created_gmt": "\"999999999-1-1T1:1:1\""]] {
            guard case .unreadable(let order) = try read(changes) else {
                Issue.record("\(changes) was read")
                continue
            }
            #expect(order.externalID.count < 200 && order.problem.count < 200)
        }
    }

    @Test func `people, places and times are normalised`() throws {
        let order = try order()
        #expect(
            order.customer
                == OrderCustomer(
                    id: "88", name: "Lan Tran", email: "lan@example.com", phone: "+84900000000", taxID: "0301234567"))
        #expect(order.shippingAddress == order.billingAddress && order.billingAddress?.postcode == "030000")
        #expect(order.utcOffsetSeconds == 25_200)
        #expect(order.placedAt == UTCTimestamp.parse("2026-03-02T02:14:09Z"))
        #expect(order.updatedAt == UTCTimestamp.parse("2026-03-02T02:20:41Z"))
        #expect(order.promotionCodes == ["TET20"] && order.payment.method == "cod")
        let guest = try self.order(["customer_id": "0", "billing": "{}", "meta_data": "\"spoilt\""])
        #expect(guest.customer == nil && guest.billingAddress == nil && guest.shippingAddress == nil)
    }

    @Test(
        arguments: [
            ("pending", "bacs", false, .pending, .none, false, true),
            ("pending", "cod", false, .pending, .none, false, false),
            ("on-hold", "bacs", false, .pending, .none, false, true),
            ("on-hold", "bacs", true, .paid, .none, false, false),
            ("processing", "cod", false, .pending, .none, false, false),
            ("processing", "bacs", false, .paid, .none, false, false),
            ("completed", "cod", true, .paid, .shipped, false, false),
            ("failed", "momo", false, .denied, .none, false, true),
            ("cancelled", "bacs", false, .pending, .none, true, false),
            ("trash", "bacs", true, .paid, .none, true, false),
            ("refunded", "bacs", true, .refunded, .none, false, false),
            ("wc-packed", "bacs", true, .paid, .none, false, false),
            ("wc-packed", "bacs", false, .pending, .none, false, false),
        ] as [(String, String, Bool, OrderStatus.Payment, OrderStatus.Fulfilment, Bool, Bool)])
    func `a status says each axis by itself`(
        word: String, method: String, paid: Bool, payment: OrderStatus.Payment, goods: OrderStatus.Fulfilment,
        cancelled: Bool, awaits: Bool
    ) throws {
        let order = try order([
            "status": "\"\(word)\"", "payment_method": "\"\(method)\"",
            "date_paid_gmt": paid ? "\"2026-03-02T02:15:00\"" : "null",
        ])
        #expect(
            order.status
                == OrderStatus(
                    shopStatus: word, payment: payment, fulfilment: goods, isCancelled: cancelled,
                    awaitsPayment: awaits))
    }

    @Test(arguments: [("-10000", .partRefunded), ("-448000", .refunded)] as [(String, OrderStatus.Payment)])
    func `money that went back is not taken off the total`(total: String, payment: OrderStatus.Payment) throws {
        let order = try order(["refunds": "[{\"id\":9,\"reason\":\"broken\",\"total\":\"\(total)\"}]"])
        #expect(order.status.payment == payment && order.totals.total == 448_000)
        #expect(order.refunds.first?.amount == Amount(String(total.dropFirst())))
    }

    @Test(arguments: [
        ("total", "\"12.x\"", "the field total is not an amount of money"),
        ("total", "null", "the field total is missing"),
        ("date_created_gmt", "null", "the field date_created_gmt is not a time"),
        ("line_items", "\"none\"", "the field line_items is not a list"),
        (
            "line_items", "[{\"id\":1,\"quantity\":true,\"total\":\"1\"}]",
            "the field line_items[0].quantity is not text"
        ),
    ])
    func `what cannot be read names the place and nobody`(field: String, value: String, problem: String) throws {
        guard case .unreadable(let order) = try read([field: value]) else {
            Issue.record("was read")
            return
        }
        #expect(order.externalID == "10231" && order.problem == problem && order.updatedAt != nil)
    }

    // MARK: - Calls

    /// A shop with orders at given seconds, newest change last; honours bounds, sorting, offset and page size.
    private func shop(_ times: [Int: Int], sortable: Bool = true) -> ScriptedHTTP {
        ScriptedHTTP { (request) in
            let query = Self.query(request.url)
            if query["status"] == "trash" { return json("[]", [HTTPHeader("X-WP-Total", "0")]) }
            if query["orderby"] == "modified", !sortable {
                return json(
                    "{\"code\":\"rest_invalid_param\",\"message\":\"Invalid parameter(s): orderby\"}", status: 400)
            }
            let (after, before) = (Self.second(query["modified_after"]), Self.second(query["modified_before"]))
            let inside = times.filter { $0.value > after && $0.value < before }
            let sorted = inside.sorted { query["orderby"] == "id" ? $0.key < $1.key : $0.value < $1.value }
            let page = sorted.dropFirst(Int(query["offset"] ?? "") ?? 0).prefix(100).map { id, second in
                let text = UTCTimestamp.format(Date(timeIntervalSince1970: Double(second))).prefix(19)
                return Self.order(["id": "\(id)", "date_modified_gmt": "\"\(text)\""])
            }
            return json(
                "[" + page.joined(separator: ",") + "]",
                [HTTPHeader("X-WP-Total", "\(inside.count)"), HTTPHeader("Date", "Sun, 22 Nov 2026 00:00:00 GMT")])
        }
    }

    private static func query(_ url: String) -> [String: String] {
        let items = URLComponents(string: url)?.queryItems ?? []
        return Dictionary(items.map { ($0.name, $0.value ?? "") }) { $1 }
    }

    private static func second(_ text: String?) -> Int {
        text.flatMap { UTCTimestamp.parse($0 + "Z") }.map { Int($0.timeIntervalSince1970) } ?? 0
    }

    private func readAll(_ http: ScriptedHTTP, _ window: ClosedRange<Int>) async throws -> [String] {
        let reading = WooCommerceOrders(client: client(http))
        let times = OrderWindow(
            .updated, from: Date(timeIntervalSince1970: Double(window.lowerBound)),
            upTo: Date(timeIntervalSince1970: Double(window.upperBound)))
        var (ids, cursor): ([String], OrderCursor?) = ([], nil)
        for _ in 0..<100 {
            let page = try await reading.page(in: times, after: cursor)
            ids += page.orders.map(\.externalID)
            cursor = page.next
            if cursor == nil { return ids }
        }
        Issue.record("the reading does not end")
        return ids
    }

    @Test func `both ends of a window belong to it`() async throws {
        let start = 1_800_000_000
        let http = shop([1: start - 1, 2: start, 3: start + 5, 4: start + 10, 5: start + 11])
        #expect(try await readAll(http, start...start + 10) == ["2", "3", "4"])
        let query = Self.query(try #require(http.sent.last).url)
        #expect(query["dates_are_gmt"] == "true" && query["order"] == "asc" && query["orderby"] == "modified")
        #expect(http.sent.map { Self.query($0.url)["status"] } == ["trash", "any"])
    }

    @Test func `a second with more orders than a page is read to its end, before and after it nothing is missing`()
        async throws
    {
        let start = 1_800_000_000
        var times: [Int: Int] = [:]
        for id in 1...90 { times[id] = start + id / 30 }
        for id in 101...430 { times[id] = start + 10 }
        for id in 501...550 { times[id] = start + 20 }
        let ids = try await readAll(shop(times), start...start + 100)
        #expect(Set(ids) == Set(times.keys.map(String.init)))
    }

    @Test func `the last second of a window is read to its end too`() async throws {
        let start = 1_800_000_000
        let times = Dictionary(uniqueKeysWithValues: (1...250).map { ($0, start + ($0 > 40 ? 10 : 1)) })
        #expect(Set(try await readAll(shop(times), start...start + 10)).count == 250)
    }

    @Test func `a shop that cannot sort by change is read by ids and sorted here`() async throws {
        let start = 1_800_000_000
        let times = Dictionary(uniqueKeysWithValues: (1...250).map { ($0, start + 300 - $0) })
        let ids = try await readAll(shop(times, sortable: false), start...start + 400)
        #expect(ids == (1...250).reversed().map(String.init))
    }

    @Test func `an order that is gone is nil and any other failure is one`() async throws {
        let gone = ScriptedHTTP { (_) in
            json("{\"code\":\"woocommerce_rest_shop_order_invalid_id\",\"message\":\"Invalid ID.\"}", status: 404)
        }
        #expect(try await WooCommerceOrders(client: client(gone)).order("7") == nil)
        #expect(try await WooCommerceOrders(client: client(gone)).order("x/../7") == nil)
        let broken = ScriptedHTTP { (_) in json("{", status: 200) }
        await #expect(throws: ConnectorError.self) {
            _ = try await WooCommerceOrders(client: client(broken)).order("7")
        }
    }

    @Test func `an unreadable order does not hurt its neighbours and an error shows nobody's data`() async throws {
        let text = "[\(Self.order()),\(Self.order(["id": "5", "total": "{}"])),\(Self.order(["id": "6"]))]"
        let http = ScriptedHTTP { (request) in json(request.url.contains("status=any") ? text : "[]") }
        let window = OrderWindow(.updated, from: .distantPast, upTo: .distantFuture)
        let page = try await WooCommerceOrders(client: client(http)).page(in: window, after: nil)
        #expect(page.orders.map(\.externalID).sorted() == ["10231", "5", "6"])
        #expect(page.orders.count { if case .unreadable = $0 { true } else { false } } == 1)
        let cut = ScriptedHTTP { (_) in json("[{\"billing\":{\"email\":\"lan@example.com\"") }
        do {
            _ = try await WooCommerceOrders(client: client(cut)).page(in: window, after: nil)
            Issue.record("was read")
        } catch {
            #expect(!"\(error)".contains("lan"))
        }
    }
}
