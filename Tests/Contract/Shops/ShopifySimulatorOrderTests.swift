import Foundation
import Testing
import Transfer

@testable import ShopSimulators

@Suite("The simulated Shopify shop: orders and webhooks")
struct ShopifySimulatorOrderTests {
    private static let list = """
        query($q: String, $c: String, $n: Int = 50, $s: OrderSortKeys = UPDATED_AT) {
          orders(first: $n, after: $c, query: $q, sortKey: $s) {
            nodes { id name updatedAt } pageInfo { hasNextPage endCursor } } }
        """

    private func names(
        _ shop: ShopifyUnderTest, _ query: String, first: Int = 50, after: String? = nil
    ) async throws -> (names: [String], cursor: String) {
        let cursor = after.map { "\"\($0)\"" } ?? "null"
        let reply = try await shop.query(
            Self.list, "{\"q\":\"\(query)\",\"n\":\(first),\"c\":\(cursor)}")
        #expect(reply.error == "")
        return (reply.list("data.orders.nodes.*.name"), reply["data.orders.pageInfo.endCursor"])
    }

    private func minutesAgo(_ minutes: Int) -> OrderRequest {
        var request = OrderRequest([.init(id: "20/21", quantity: 1)])
        request.placedSecondsAgo = Double(minutes * 60)
        return request
    }

    private func time(_ shop: ShopifyUnderTest, minutesAgo minutes: Int) -> String {
        shop.simulator.clock.addingTimeInterval(-Double(minutes * 60)).formatted(.iso8601)
    }

    @Test func `orders are found by the time of their last change and by their state`() async throws {
        try await withShopify { shop in
            let simulator = shop.simulator
            for minutes in [40, 30, 20, 10] { try simulator.placeOrder(minutesAgo(minutes)) }
            let from = time(shop, minutesAgo: 35)
            let to = time(shop, minutesAgo: 15)
            #expect(
                try await names(shop, "updated_at:>='\(from)' AND updated_at:<'\(to)'").names == ["#1002", "#1003"])
            #expect(try await names(shop, "updated_at:>'\(from)'  updated_at:<=\(to)").names == ["#1002", "#1003"])
            #expect(try await names(shop, "created_at:<'\(from)'").names == ["#1001"])
            try simulator.cancelOrder(10_003)
            #expect(try await names(shop, "status:cancelled").names == ["#1003"])
            #expect(try await names(shop, "status:open").names == ["#1001", "#1002", "#1004"])
            #expect(try await names(shop, "status:any name:#1002").names == ["#1002"])
            #expect(try await names(shop, "id:10004").names == ["#1004"])
            #expect(try await names(shop, "updated_at:>='\(to)'").names == ["#1004", "#1003"])
        }
    }

    @Test func `an order that changes while its list is read moves to the end of it`() async throws {
        try await withShopify { shop in
            for minutes in [40, 30, 20, 10] { try shop.simulator.placeOrder(minutesAgo(minutes)) }
            shop.simulator.inject(Fault(.editWhileListing, times: 1))
            let first = try await names(shop, "status:any", first: 2)
            #expect(first.names == ["#1001", "#1002"])
            let second = try await names(shop, "status:any", first: 2, after: first.cursor)
            let third = try await names(shop, "status:any", first: 2, after: second.cursor)
            #expect(second.names + third.names == ["#1003", "#1004", "#1001"])
            let wrong = try await shop.query(
                "query($c: String) { orders(first: 1, after: $c, sortKey: ID) { nodes { id } } }",
                "{\"c\":\"\(first.cursor)\"}")
            #expect(wrong.error.contains("Invalid cursor"))
        }
    }

    @Test func `without read_all_orders an order of 61 days ago is not there`() async throws {
        for all in [true, false] {
            try await withShopify(configure: { configuration in
                if !all { configuration.shopify.scopes.removeAll { $0 == "read_all_orders" } }
            }) { shop in
                try shop.simulator.placeOrder(minutesAgo(61 * 1_440))
                try shop.simulator.placeOrder(minutesAgo(59 * 1_440))
                #expect(try await names(shop, "").names == (all ? ["#1001", "#1002"] : ["#1002"]))
                let one = try await shop.query("{ order(id: \"gid://shopify/Order/10001\") { name } }")
                #expect(one["data.order"] == "<null>" || all)
            }
        }
    }

    @Test func `an order's fields add up, before and after it is edited and refunded`() async throws {
        try await withShopify { shop in
            var request = OrderRequest([
                .init(sku: "TEE-M", quantity: 2, unitPrice: "200000"), .init(id: "10", quantity: 1, unitPrice: "50000"),
            ])
            (request.discount, request.coupon, request.shipping) = ("20000", "TET20", "30000")
            (request.paymentMethod, request.paid, request.taxBasisPoints) = ("cod", false, 1_000)
            let order = try shop.simulator.placeOrder(request)
            let text = """
                query($id: ID!) { order(id: $id) { id legacyResourceId name displayFinancialStatus
                  displayFulfillmentStatus cancelledAt cancelReason currencyCode taxesIncluded discountCodes
                  totalPriceSet { shopMoney { amount currencyCode } } currentTotalPriceSet { shopMoney { amount } }
                  totalTaxSet { presentmentMoney { amount } } totalShippingPriceSet { shopMoney { amount } }
                  shippingAddress { name address1 countryCodeV2 } email
                  lineItems(first: 10) { nodes { id sku quantity currentQuantity variant { id }
                    originalUnitPriceSet { shopMoney { amount } } discountedTotalSet { shopMoney { amount } }
                    taxLines { rate priceSet { shopMoney { amount } } } } }
                  shippingLines(first: 5) { nodes { title originalPriceSet { shopMoney { amount } } } }
                  transactions(first: 5) { kind status gateway amountSet { shopMoney { amount } } }
                  refunds { totalRefundedSet { shopMoney { amount } }
                    refundLineItems(first: 5) { nodes { quantity lineItem { sku } } } } } }
                """
            let variables = "{\"id\":\"gid://shopify/Order/\(order.id)\"}"
            let placed = try await shop.query(text, variables)
            #expect(placed.error == "")
            // 450,000 - 20,000 + 43,000 tax + 30,000 delivery.
            #expect(placed["data.order.totalPriceSet.shopMoney.amount"] == "503000.0")
            #expect(placed["data.order.totalTaxSet.presentmentMoney.amount"] == "43000.0")
            #expect(placed["data.order.displayFinancialStatus"] == "PENDING")
            #expect(placed["data.order.transactions.0.status"] == "PENDING")
            #expect(placed["data.order.transactions.0.gateway"] == "cod")
            #expect(placed["data.order.lineItems.nodes.0.variant.id"] == "gid://shopify/ProductVariant/21")
            #expect(placed["data.order.lineItems.nodes.0.taxLines.0.rate"] == "0.1")
            #expect(placed.list("data.order.discountCodes.*") == ["TET20"])
            let lines = order.lines.map(\.lineID)
            try shop.simulator.payOrder(order.id)
            try shop.simulator.editOrder(order.id, OrderEdit(lines: [.init(lineID: lines[0], quantity: 1)]))
            try shop.simulator.refundOrder(
                order.id, OrderRefundRequest(lines: [.init(lineID: lines[1], quantity: 1)], restock: true))
            let edited = try await shop.query(text, variables)
            #expect(edited.list("data.order.lineItems.nodes.*.quantity") == ["2", "1"])
            #expect(edited.list("data.order.lineItems.nodes.*.currentQuantity") == ["1", "0"])
            #expect(edited["data.order.totalPriceSet.shopMoney.amount"] == "503000.0")
            #expect(edited["data.order.displayFinancialStatus"] == "PARTIALLY_REFUNDED")
            #expect(edited["data.order.refunds.0.refundLineItems.nodes.0.lineItem.sku"] == "SOAP")
            #expect(edited.list("data.order.transactions.*.kind") == ["SALE", "REFUND"])
        }
    }

    @Test func `orders are cancelled, paid and tagged`() async throws {
        try await withShopify { shop in
            var request = OrderRequest([.init(id: "20/21", quantity: 2)])
            request.paid = false
            let id = "gid://shopify/Order/\(try shop.simulator.placeOrder(request).id)"
            let paid = try await shop.query(
                """
                mutation {
                  orderMarkAsPaid(input: { id: "\(id)" }) { order { displayFinancialStatus } userErrors { message } }
                  tagsAdd(id: "\(id)", tags: ["hub", "hub"]) { node { ... on Order { tags } } userErrors { message } } }
                """)
            #expect(paid["data.orderMarkAsPaid.order.displayFinancialStatus"] == "PAID")
            #expect(paid.list("data.tagsAdd.node.tags.*") == ["hub"])
            #expect(try await names(shop, "tag:hub").names == ["#1001"])
            #expect(try await names(shop, "tag:other").names == [])
            let cancel = """
                mutation { orderCancel(orderId: "\(id)", reason: INVENTORY, restock: true, notifyCustomer: false) {
                  job { id } orderCancelUserErrors { message } } }
                """
            #expect(try await shop.query(cancel)["data.orderCancel.job.id"] != "<null>")
            #expect(try await shop.query(cancel)["data.orderCancel.orderCancelUserErrors.0.message"] != "")
            #expect(shop.simulator.stock(of: "20/21") == 7)
            let order = try await shop.query("{ order(id: \"\(id)\") { cancelReason cancelledAt } }")
            #expect(order["data.order.cancelReason"] == "INVENTORY" && order["data.order.cancelledAt"].hasSuffix("Z"))
        }
    }

    // MARK: - Webhooks

    private func withReceiver(_ body: (WebhookReceiver) async throws -> Void) async throws {
        let receiver = WebhookReceiver()
        try await receiver.start()
        do { try await body(receiver) } catch {
            await receiver.stop()
            throw error
        }
        await receiver.stop()
    }

    private func subscribe(_ shop: ShopifyUnderTest, _ topic: String, _ url: String) async throws
        -> ShopifyUnderTest.Reply
    {
        try await shop.query(
            """
            mutation($t: WebhookSubscriptionTopic!, $w: WebhookSubscriptionInput!) {
              webhookSubscriptionCreate(topic: $t, webhookSubscription: $w) {
                webhookSubscription { id topic uri } userErrors { field message } } }
            """, "{\"t\":\"\(topic)\",\"w\":{\"uri\":\"\(url)\",\"format\":\"JSON\"}}")
    }

    @Test func `webhooks are subscribed to, signed with the client secret, and tell which order it is`() async throws {
        try await withReceiver { receiver in
            try await withShopify { shop in
                for topic in ["ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED"] {
                    let reply = try await subscribe(shop, topic, receiver.url)
                    #expect(reply["data.webhookSubscriptionCreate.webhookSubscription.topic"] == topic)
                }
                let taken = try await subscribe(shop, "ORDERS_CREATE", receiver.url)
                #expect(taken["data.webhookSubscriptionCreate.userErrors.0.message"].contains("already been taken"))
                let plain = try await subscribe(shop, "ORDERS_CREATE", "http://hub.example/hook")
                #expect(plain["data.webhookSubscriptionCreate.userErrors.0.message"].contains("not supported"))
                let list = try await shop.query(
                    "{ webhookSubscriptions(first: 10, topics: [ORDERS_UPDATED]) { nodes { id topic uri } } }")
                #expect(list.list("data.webhookSubscriptions.nodes.*.topic") == ["ORDERS_UPDATED"])

                let order = try shop.simulator.placeOrder(["20/21": 1])
                try shop.simulator.cancelOrder(order.id)
                try await eventually("three webhooks") { receiver.received.count == 3 }
                let topics = receiver.received.map { $0.headers["x-shopify-topic"] ?? "" }
                #expect(topics.sorted() == ["orders/cancelled", "orders/create", "orders/updated"])
                for webhook in receiver.received {
                    let signature = WebhookSignature.base64(webhook.body, secret: "cs_simulator")
                    #expect(webhook.headers["x-shopify-hmac-sha256"] == signature)
                    #expect(webhook.text.contains("\"admin_graphql_api_id\":\"gid://shopify/Order/\(order.id)\""))
                    #expect(webhook.headers["x-shopify-shop-domain"] == "simulated-shop.myshopify.com")
                    #expect(webhook.headers["x-shopify-triggered-at"]?.hasSuffix("Z") == true)
                }
                #expect(Set(receiver.received.map { $0.headers["x-shopify-webhook-id"] }).count == 3)
                #expect(Set(receiver.received.map { $0.headers["x-shopify-event-id"] }).count == 2)

                let gone = try await shop.query(
                    "mutation { webhookSubscriptionDelete(id: \"\(list["data.webhookSubscriptions.nodes.0.id"])\") "
                        + "{ deletedWebhookSubscriptionId userErrors { message } } }")
                #expect(gone["data.webhookSubscriptionDelete.deletedWebhookSubscriptionId"] != "<null>")
                #expect(shop.simulator.subscriptions.count == 2)
            }
        }
    }

    @Test func `a delivery is tried again with the same ids, and after eight failures the subscription is gone`()
        async throws
    {
        try await withReceiver { receiver in
            try await withShopify(configure: { $0.shopify.webhookWaitScale = 0.000_001 }) { shop in
                _ = try await subscribe(shop, "ORDERS_CREATE", receiver.url)
                receiver.answer(500)
                try shop.simulator.placeOrder(["20/21": 1])
                try await eventually("the subscription is gone") { shop.simulator.subscriptions.isEmpty }
                #expect((8...9).contains(receiver.received.count))
                #expect(Set(receiver.received.map { $0.headers["x-shopify-webhook-id"] }).count == 1)
                #expect(Set(receiver.received.map(\.text)).count == 1)
            }
        }
    }
}
