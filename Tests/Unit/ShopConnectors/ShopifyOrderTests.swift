import Domain
import Foundation
import Testing
import Transfer

@testable import ShopConnectors

@Suite("Shopify's orders become canonical ones")
struct ShopifyOrderTests {
    private static func money(_ amount: String) -> String { "{\"shopMoney\":{\"amount\":\"\(amount)\"}}" }

    private static func line(
        _ id: Int = 1, quantity: Int = 2, current: Int = 2, unit: String = "200000.0", discount: String = "20000.0",
        tax: String = "38000.0", rate: String = "10.0"
    ) -> String {
        """
        {"id":"gid://shopify/LineItem/\(id)","sku":"TEE-M","name":"Tee - M","quantity":\(quantity),\
        "currentQuantity":\(current),"originalUnitPriceSet":\(money(unit)),\
        "discountAllocations":[{"allocatedAmountSet":\(money(discount))}],\
        "taxLines":[{"ratePercentage":\(rate),"priceSet":\(money(tax))}],\
        "variant":{"id":"gid://shopify/ProductVariant/311","product":{"id":"gid://shopify/Product/310"}}}
        """
    }

    private static func refund(_ amount: String, units: Int = 0, type: String = "RETURN") -> String {
        let lines =
            units == 0
            ? ""
            : "{\"quantity\":\(units),\"restockType\":\"\(type)\",\"lineItem\":{\"id\":\"gid://shopify/LineItem/1\"}}"
        return """
            {"id":"gid://shopify/Refund/7","note":null,"createdAt":"2026-11-30T05:00:00Z",\
            "totalRefundedSet":\(money(amount)),"refundLineItems":{"nodes":[\(lines)],"pageInfo":{"hasNextPage":false}}}
            """
    }

    private static func order(_ changes: [String: String] = [:]) -> String {
        var parts = [
            "id": "\"gid://shopify/Order/5001\"", "name": "\"#1001\"", "createdAt": "\"2026-11-30T04:00:00Z\"",
            "updatedAt": "\"2026-11-30T04:05:06Z\"", "cancelledAt": "null", "email": "\" LAN@example.com\"",
            "phone": "null", "note": "null", "currencyCode": "\"VND\"", "taxesIncluded": "false",
            "displayFinancialStatus": "\"PAID\"", "displayFulfillmentStatus": "\"UNFULFILLED\"",
            "returnStatus": "\"NO_RETURN\"", "paymentGatewayNames": "[\"Bank Deposit\"]",
            "discountCodes": "[\"TET20\"]", "currentTotalPriceSet": money("448000.0"),
            "totalPriceSet": money("448000.0"), "currentTotalTaxSet": money("38000.0"),
            "currentTotalDiscountsSet": money("20000.0"),
            "customAttributes": "[{\"key\":\"tax_id\",\"value\":\"0301234567\"}]",
            "customer": "{\"id\":\"gid://shopify/Customer/7\",\"firstName\":\"Lan\",\"lastName\":\"Tran\"}",
            "billingAddress": "null",
            "shippingAddress": "{\"name\":\"Lan Tran\",\"address1\":\"12 Le Loi\",\"city\":\"Hue\",\"zip\":\"030000\","
                + "\"countryCodeV2\":\"VN\",\"phone\":\"0900000000\"}",
            "shippingLines":
                "{\"nodes\":[{\"title\":\"GHN\",\"discountedPriceSet\":\(money("30000.0")),\"taxLines\":[]}]}",
            "transactions": "[{\"id\":\"gid://shopify/OrderTransaction/3\",\"kind\":\"SALE\",\"status\":\"SUCCESS\","
                + "\"processedAt\":\"2026-11-30T04:01:00Z\"}]",
            "refunds": "[]",
            "lineItems": "{\"nodes\":[\(line())],\"pageInfo\":{\"hasNextPage\":false}}",
        ]
        parts.merge(changes) { $1 }
        return "{" + parts.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
    }

    private static func lines(_ lines: String...) -> String {
        "{\"nodes\":[\(lines.joined(separator: ","))],\"pageInfo\":{\"hasNextPage\":false}}"
    }

    private func read(_ changes: [String: String] = [:]) throws -> OrderReadingResult {
        let facts = JSONFacts(tree: try JSONTree(Array(Self.order(changes).utf8)))
        return ShopifyOrderMapping(shop: "saigon", timeZone: "Asia/Ho_Chi_Minh")
            .read(facts, ShopifyOrderMapping.Parts(facts))
    }

    private func order(_ changes: [String: String] = [:]) throws -> Order {
        switch try read(changes) {
        case .order(let order): return order
        case .unreadable(let order):
            Issue.record("unreadable: \(order.problem)")
            throw CancellationError()
        }
    }

    private func sum(_ order: Order) -> Amount {
        (order.lines.map(\.total) + order.charges.map(\.total)).reduce(.zero, +)
    }

    @Test func `money is exact and its parts add up`() throws {
        let order = try order()
        let line = try #require(order.lines.first)
        #expect(line.total == 418_000 && line.tax == 38_000 && line.discount == 22_000 && line.taxRate == 10)
        #expect(line.unitNet == 200_000 && line.unitGross == 220_000 && line.listing == "310/311" && line.id == "1")
        #expect(sum(order) == order.totals.total && order.totals.total == 448_000)
        #expect(order.totals.shipping == 30_000 && order.totals.tax == 38_000)
        #expect(order.externalID == "5001" && order.number == "#1001" && order.utcOffsetSeconds == 25_200)
        #expect(order.payment.reference == "3" && order.payment.paidAt != nil)
        let customer = try #require(order.customer)
        #expect(customer.email == "lan@example.com" && customer.phone == "+84900000000")
        #expect(customer.id == "7" && customer.taxID == "0301234567" && order.shippingAddress?.postcode == "030000")
    }

    @Test func `prices that contain the tax are not taxed again`() throws {
        let order = try order([
            "taxesIncluded": "true", "currentTotalPriceSet": Self.money("410000"),
            "lineItems": Self.lines(Self.line(tax: "34545.0")),
        ])
        let line = try #require(order.lines.first)
        #expect(line.total == 380_000 && line.tax == 34_545 && line.discount == 20_000)
        #expect(line.unitGross == 200_000 && line.unitNet.micro == 181_818_181_818)
        #expect(sum(order) == order.totals.total && order.pricesIncludeTax)
    }

    @Test func `a shop that names the same page of lines again and again is left`() async throws {
        let endless = "{\"nodes\":[],\"pageInfo\":{\"hasNextPage\":true,\"endCursor\":\"c1\"}}"
        let order = Self.order(["lineItems": endless])
        let http = ScriptedHTTP { (_) in
            json("{\"data\":{\"order\":\(order),\"webhookSubscriptions\":\(endless)}}")
        }
        await #expect(throws: ConnectorError.self) { _ = try await ShopifyOrders(client: shopify(http)).order("5001") }
        let hooks = ShopifyWebhooks(client: shopify(http))
        await #expect(throws: ConnectorError.self) { _ = try await hooks.subscriptions(to: "https://hub/") }
        #expect(http.sent.count < 10)
    }

    @Test func `amounts at the end of the range stop nothing`() throws {
        let huge = "9223372036854.775807"
        let order = try order([
            "currentTotalPriceSet": Self.money(huge),
            "lineItems": Self.lines(Self.line(current: 1, unit: huge, discount: "-\(huge)", tax: huge)),
        ])
        #expect(order.totals.total.micro == .max)
    }

    @Test func `units that were taken off the order count no more, refunded ones do`() throws {
        // Edited: one of two is gone, 190,000 and 19,000 tax with it.
        let edited = try order([
            "currentTotalPriceSet": Self.money("239000"), "lineItems": Self.lines(Self.line(current: 1)),
        ])
        #expect(edited.lines.first?.quantity == 1 && edited.lines.first?.orderedQuantity == 2)
        #expect(edited.lines.first?.total == 209_000 && sum(edited) == edited.totals.total)
        // Refunded and returned.
        let returned = try order([
            "currentTotalPriceSet": Self.money("239000"), "lineItems": Self.lines(Self.line(current: 1)),
            "refunds": "[\(Self.refund("209000", units: 1))]",
        ])
        #expect(returned.lines.first?.quantity == 2 && returned.totals.total == 448_000)
        #expect(sum(returned) == returned.totals.total && returned.refunds.first?.amount == 209_000)
        // Refunded and cancelled before it was shipped.
        let cancelled = try order([
            "currentTotalPriceSet": Self.money("239000"), "lineItems": Self.lines(Self.line(current: 1)),
            "refunds": "[\(Self.refund("209000", units: 1, type: "CANCEL"))]",
        ])
        #expect(cancelled.lines.first?.quantity == 1 && cancelled.totals.total == 239_000)
        #expect(sum(cancelled) == cancelled.totals.total)
        // Money only, whether or not the shop takes it off its current total.
        for current in ["448000", "438000"] {
            let gift = try order([
                "currentTotalPriceSet": Self.money(current), "refunds": "[\(Self.refund("10000"))]",
            ])
            #expect(gift.totals.total == 448_000 && sum(gift) == gift.totals.total)
        }
        let removed = try order([
            "currentTotalPriceSet": Self.money("448000"),
            "lineItems": Self.lines(Self.line(), Self.line(2, current: 0)),
        ])
        #expect(removed.lines.count == 1)
    }

    @Test func `a total that does not add up stays as the shop says it`() throws {
        let order = try order(["currentTotalPriceSet": Self.money("450000"), "totalPriceSet": Self.money("450000")])
        #expect(order.totals.total == 450_000 && sum(order) == 448_000)
    }

    @Test(
        arguments: [
            ("PENDING", "Bank Deposit", .pending, true), ("PENDING", "Cash on Delivery (COD)", .pending, false),
            ("PENDING", "cod", .pending, false), ("PENDING", "Thanh toán khi nhận hàng", .pending, false),
            ("PENDING", "manual", .pending, false), ("PENDING", "", .pending, true),
            ("PENDING", "codex", .pending, true),
            ("AUTHORIZED", "stripe", .paid, false), ("PAID", "stripe", .paid, false),
            ("PARTIALLY_PAID", "stripe", .pending, true), ("PARTIALLY_REFUNDED", "stripe", .partRefunded, false),
            ("REFUNDED", "stripe", .refunded, false), ("VOIDED", "stripe", .denied, true),
            ("EXPIRED", "stripe", .denied, true),
        ] as [(String, String, OrderStatus.Payment, Bool)])
    func `a financial status says how far the money is`(
        word: String, gateway: String, payment: OrderStatus.Payment, awaits: Bool
    ) throws {
        let gateways = gateway.isEmpty ? "[]" : "[\"\(gateway)\"]"
        let order = try order(["displayFinancialStatus": "\"\(word)\"", "paymentGatewayNames": gateways])
        #expect(order.status.payment == payment && order.status.awaitsPayment == awaits)
        let cancelled = try self.order([
            "displayFinancialStatus": "\"\(word)\"", "cancelledAt": "\"2026-11-30T05:00:00Z\"",
        ])
        #expect(cancelled.status.isCancelled && cancelled.status.cancelledAt != nil && !cancelled.status.awaitsPayment)
    }

    @Test(
        arguments: [
            ("UNFULFILLED", "NO_RETURN", .none), ("ON_HOLD", "NO_RETURN", .none), ("RESTOCKED", "NO_RETURN", .none),
            ("PARTIALLY_FULFILLED", "NO_RETURN", .partShipped), ("FULFILLED", "NO_RETURN", .shipped),
            ("FULFILLED", "RETURNED", .returned),
        ] as [(String, String, OrderStatus.Fulfilment)])
    func `goods are on an axis of their own`(word: String, back: String, goods: OrderStatus.Fulfilment) throws {
        let order = try order(["displayFulfillmentStatus": "\"\(word)\"", "returnStatus": "\"\(back)\""])
        #expect(order.status.fulfilment == goods)
    }

    @Test(arguments: [
        ("currentTotalPriceSet", "null", "the field currentTotalPriceSet.shopMoney.amount is missing"),
        ("createdAt", "\"yesterday\"", "the field createdAt is not a time"),
        ("lineItems", "{\"nodes\":7}", "the field lineItems.nodes is not a list"),
    ])
    func `what cannot be read names the place and nobody`(field: String, value: String, problem: String) throws {
        guard case .unreadable(let order) = try read([field: value]) else {
            Issue.record("was read")
            return
        }
        #expect(order.externalID == "5001" && order.problem == problem)
    }

    @Test func `a reading begins anew before Shopify's limit of paging`() throws {
        var position = ShopifyOrders.Position(first: 100)
        position.count = ShopifyOrders.reach - 5
        #expect(position.next("c", count: 9, second: 200).rawValue == "200|0|")
        #expect(position.next("c", count: 9, second: 100).rawValue == "100|20004|c", "a single second goes on")
        let cursor = ShopifyOrders.Position(first: 100).next("a|b=", count: 9, second: 150)
        #expect(cursor.rawValue == "100|9|a|b=")
        let read = try #require(ShopifyOrders.Position(cursor))
        #expect(read.first == 100 && read.count == 9 && read.cursor == "a|b=")
        #expect(ShopifyOrders.Position(OrderCursor(rawValue: "x")) == nil)
    }
}
