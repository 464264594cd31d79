import Foundation
import ShopConnectors
import Testing
import Transfer

@testable import ShopSimulators

@Suite("The simulated WooCommerce sends webhooks as the platform does")
struct WebhookTests {
    private static let topics = ["order.created", "order.updated", "order.deleted"]

    /// A shop and somebody who subscribed to everything about orders.
    private func withSubscriber(
        _ body: (ShopSimulator, WebhookReceiver) async throws -> Void
    ) async throws {
        let receiver = WebhookReceiver()
        try await receiver.start()
        let shop = try ShopSimulator(SimulatorConfiguration(), catalogue: smallCatalogue)
        do {
            try await shop.start()
            shop.subscribe(Self.topics, url: receiver.url, secret: "whsec_test")
            try await eventually("three pings") { receiver.received.count == 3 }
            try await body(shop, receiver)
        } catch {
            await shop.stop()
            await receiver.stop()
            throw error
        }
        await shop.stop()
        await receiver.stop()
    }

    private func topics(_ receiver: WebhookReceiver) -> [String] {
        receiver.received.dropFirst(3).map { $0.headers["x-wc-webhook-topic"] ?? "" }
    }

    @Test func `each change is sent, signed over the body, and a deletion holds the id only`() async throws {
        try await withSubscriber { shop, receiver in
            #expect(Set(receiver.received.map(\.text)) == ["webhook_id=1", "webhook_id=2", "webhook_id=3"])
            let order = try shop.placeOrder(["10": 1])
            try shop.touchOrder(order.id)
            try shop.deleteOrder(order.id)
            try await eventually("three webhooks") { receiver.received.count == 6 }
            #expect(topics(receiver) == Self.topics)
            let first = try #require(receiver.received.dropFirst(3).first)
            #expect(first.text.contains("\"id\":\(order.id),") && first.text.contains("\"sku\":\"SOAP\""))
            #expect(
                first.headers["x-wc-webhook-resource"] == "order" && first.headers["x-wc-webhook-event"] == "created")
            #expect(first.headers["x-wc-webhook-id"] == "1" && first.headers["x-wc-webhook-delivery-id"] != nil)
            #expect(first.headers["x-wc-webhook-source"] == shop.url + "/")
            for webhook in receiver.received.dropFirst(3) {
                let signature = WebhookSignature.base64(webhook.body, secret: "whsec_test")
                #expect(webhook.headers["x-wc-webhook-signature"] == signature)
            }
            #expect(receiver.received.last?.text == "{\"id\":\(order.id)}")
            // Printed by: printf '%s' '{"id":1}' | openssl dgst -sha256 -hmac whsec_test -binary | base64
            let known = WebhookSignature.base64(Array(#"{"id":1}"#.utf8), secret: "whsec_test")
            #expect(known == "KLZisNJHjxbf4kmXEUNS8edT25t7EUtHeFmUfnMUR2M=")
        }
    }

    @Test func `five failures in a row disable a subscription, a success in between does not`() async throws {
        try await withSubscriber { shop, receiver in
            let order = try shop.placeOrder(["10": 1])
            func touch(_ times: Int) async throws {
                for _ in 0..<times {
                    try shop.touchOrder(order.id)
                    try await eventually("it has been delivered") { shop.deliveries.allSatisfy { $0.state == "sent" } }
                }
            }
            receiver.answer(500)
            try await touch(4)
            receiver.answer(200)
            try await touch(1)
            receiver.answer(500)
            try await touch(4)
            #expect(shop.subscriptions.map(\.status) == ["active", "active", "active"])
            try await touch(1)
            #expect(shop.subscriptions.map(\.status) == ["active", "disabled", "active"])
            let count = receiver.received.count
            try await touch(1)
            #expect(receiver.received.count == count, "who is disabled hears nothing, and nothing is sent again")
        }
    }

    @Test func `webhooks are lost, doubled, late, forged and out of order when told`() async throws {
        try await withSubscriber { shop, receiver in
            shop.inject(Fault(.webhookLost, path: "order.created", times: 1))
            shop.inject(Fault(.webhookDuplicate, path: "order.updated", times: 1, copies: 20))
            let order = try shop.placeOrder(["10": 1])
            try shop.touchOrder(order.id)
            try await eventually("twenty copies") { receiver.received.count == 23 }
            #expect(Set(receiver.received.dropFirst(3).map { $0.headers["x-wc-webhook-delivery-id"] }).count == 1)
            #expect(shop.deliveries.contains { $0.state == "lost" && $0.topic == "order.created" })

            shop.inject(Fault(.webhookForged, times: 1))
            try shop.touchOrder(order.id)
            try await eventually("a forged one") { receiver.received.count == 24 }
            let forged = try #require(receiver.received.last)
            let signature = WebhookSignature.base64(forged.body, secret: "whsec_test")
            #expect(forged.headers["x-wc-webhook-signature"] != signature)

            shop.inject(Fault(.webhookOutOfOrder, path: "order.created", times: 1))
            let late = try shop.placeOrder(["10": 1])
            #expect(shop.deliveries.last?.state == "held")
            try shop.payOrder(try shop.placeOrder(unpaid).id)
            try await eventually("the other order's two") { receiver.received.count == 26 }
            try shop.touchOrder(late.id)
            try await eventually("the change and what was held") { receiver.received.count == 28 }
            #expect(topics(receiver).suffix(2) == ["order.updated", "order.created"])

            shop.inject(Fault(.webhookLate, times: 1, delayMilliseconds: 3_000))
            try shop.touchOrder(late.id)
            try shop.deleteOrder(late.id)
            try await eventually("both") { receiver.received.count == 30 }
            #expect(topics(receiver).suffix(2) == ["order.deleted", "order.updated"])
        }
    }

    private var unpaid: OrderRequest {
        var order = OrderRequest([.init(id: "10", quantity: 1)])
        order.paid = false
        return order
    }

    @Test func `a delivery is repeated and a forgery sent by hand`() async throws {
        try await withSubscriber { shop, receiver in
            let order = try shop.placeOrder(["10": 1])
            try await eventually("one webhook") { receiver.received.count == 4 }
            let delivery = try #require(shop.deliveries.last)
            #expect(shop.replayWebhook(delivery: delivery.id, copies: 3))
            try await eventually("three more") { receiver.received.count == 7 }
            #expect(Set(receiver.received.suffix(4).map(\.text)).count == 1)
            #expect(shop.forgeWebhook(order: order.id))
            try await eventually("a forgery") { receiver.received.count == 8 }
            #expect(!shop.replayWebhook(delivery: 99_999))
        }
    }

    @Test func `subscriptions are made, listed, paused and taken back over REST`() async throws {
        try await withShop(.wooCommerceOverTLS) { shop in
            let client = TransferClient(
                options: TransferOptions(caFile: try await TestCertificate.shared.value.certificateFile))
            defer { client.close() }
            func ask(_ method: String, _ path: String, _ body: String? = nil) async throws -> (Int, String) {
                let response = try await client.send(
                    HTTPRequest(
                        method: method, url: shop.simulator.url + "/wp-json/wc/v3" + path,
                        body: body.map { Array($0.utf8) },
                        basicCredentials: Credentials(user: ShopUnderTest.key, password: ShopUnderTest.secret)))
                return (response.status, String(decoding: response.body, as: UTF8.self))
            }
            let body = #"{"name":"hub","topic":"order.updated","delivery_url":"http://127.0.0.1:9/","secret":"s"}"#
            let made = try await ask("POST", "/webhooks", body)
            #expect(made.0 == 201 && made.1.contains(#""status":"active""#) && !made.1.contains("secret"))
            #expect(try await ask("POST", "/webhooks", #"{"topic":"order.eaten","delivery_url":"http://x/"}"#).0 == 400)
            #expect(try await ask("POST", "/webhooks", #"{"topic":"order.created","delivery_url":"x"}"#).0 == 400)
            #expect(try await ask("PUT", "/webhooks/1", #"{"status":"paused"}"#).1.contains(#""status":"paused""#))
            #expect(try await ask("GET", "/webhooks?status=active").1 == "[]")
            #expect(try await ask("GET", "/webhooks?status=paused").1.contains(#""id":1"#))
            #expect(try await ask("DELETE", "/webhooks/1").0 == 501)
            #expect(try await ask("DELETE", "/webhooks/1?force=true").0 == 200)
            #expect(try await ask("GET", "/webhooks/1").0 == 404)
        }
    }

    @Test func `orders and webhooks are there under __simulator, and the shop's clock is in every answer`() async throws
    {
        try await withShop(.wooCommerceOverHTTP, configure: { $0.clockSkewSeconds = -7_200 }) { shop in
            let client = TransferClient(options: TransferOptions())
            defer { client.close() }
            func ask(_ method: String, _ path: String, _ body: String? = nil) async throws -> HTTPResponse {
                try await client.send(
                    HTTPRequest(
                        method: method, url: shop.simulator.url + "/__simulator" + path,
                        body: body.map { Array($0.utf8) }))
            }
            let placed = try await ask(
                "POST", "/orders",
                #"{"lines":[{"sku":"SOAP","quantity":2,"unit_price":"1000"}],"customer":{"phone":"1"}}"#)
            let order = try JSONDecoder().decode(OrderReport.self, from: Data(placed.body))
            #expect(order.total == "32000" && order.phone == "1" && order.paid)
            let year = try #require(
                Calendar.current.dateComponents([.year], from: Date(timeIntervalSinceNow: -7_200)).year)
            #expect(placed.header("Date")?.contains("\(year)") == true)
            #expect(placed.header("Date") != ShopDateHandler.text(Date()))
            let path = "/orders/\(order.id)/"
            let line = order.lines[0].lineID
            #expect(
                try await ask("POST", path + "edit", #"{"lines":[{"line_id":\#(line),"quantity":1}]}"#).status == 200)
            #expect(try await ask("POST", path + "cancel").status == 200)
            #expect(try await ask("POST", path + "eat").status == 400)
            #expect(try await ask("POST", "/orders/1/pay").status == 404)
            #expect(try await ask("POST", "/orders", #"{"lines":[{"sku":"SOAP","quantity":99}]}"#).status == 409)
            #expect(try await ask("POST", "/orders/bulk", #"{"count":50,"over_seconds":600,"seed":3}"#).status == 200)
            let list = try JSONDecoder().decode(
                [OrderReport].self, from: Data(try await ask("GET", "/orders?after_id=\(order.id)&limit=10").body))
            #expect(list.count == 10 && list[0].id == order.id + 1)
            let settings = #"{"clock_skew_seconds":0,"utc_offset_seconds":0,"supports_orderby_modified":false}"#
            #expect(try await ask("PUT", "/settings", settings).status == 200)
            #expect(abs(shop.simulator.clock.timeIntervalSinceNow) < 3)
            let subscribed = try await ask(
                "POST", "/webhooks", #"{"url":"http://127.0.0.1:9/","topics":["order.updated"]}"#)
            #expect(String(decoding: subscribed.body, as: UTF8.self) == #"{"ids":[1]}"#)
            #expect(try await ask("POST", "/webhooks/forge", #"{"order":\#(order.id)}"#).status == 200)
            #expect(try await ask("POST", "/webhooks/replay", #"{"delivery":1}"#).status == 200)
            let webhooks = String(decoding: try await ask("GET", "/webhooks").body, as: UTF8.self)
            #expect(webhooks.contains(#""topic":"order.updated""#) && webhooks.contains(#""topic":"ping""#))
        }
    }

    @Test func `the faults of calls are those of orders too`() async throws {
        let shop = try ShopSimulator(SimulatorConfiguration(), catalogue: smallCatalogue)
        try await shop.start()
        let client = TransferClient(options: TransferOptions())
        let url = shop.url + "/wp-json/wc/v3/orders"
        shop.inject(Fault(.status, path: "/wp-json/wc/v3/orders", times: 1, status: 503, retryAfter: "7"))
        shop.inject(Fault(.html, path: "/wp-json/wc/v3/orders", times: 1))
        shop.inject(Fault(.webhookLost))
        let refused = try await client.send(HTTPRequest(url: url))
        let page = try await client.send(HTTPRequest(url: url))
        let answer = try await client.send(HTTPRequest(url: url))
        #expect(refused.status == 503 && refused.header("Retry-After") == "7")
        #expect(page.header("Content-Type")?.contains("html") == true)
        #expect(answer.status == 401, "a fault of webhooks is no call's")
        client.close()
        await shop.stop()
    }
}
