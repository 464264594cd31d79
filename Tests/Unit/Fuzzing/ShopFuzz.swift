import Concurrency
import Contracts
import Crypto
import Domain
import Foundation
import Synchronization
import Testing
import Transfer

@testable import ShopConnectors

/// A shop that answers every call with the same bytes; after so many calls it is down, so that nothing goes on for
/// ever unseen.
private final class SpoiltShop: HTTPSending {
    static let patience = 80
    let answer: HTTPResponse
    let calls = Mutex(0)

    init(_ answer: HTTPResponse) { self.answer = answer }

    func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
        let number = calls.withLock { calls in
            calls += 1
            return calls
        }
        if number > Self.patience { throw .timedOut(host: "shop.example", requestSent: false) }
        return answer
    }
}

extension FuzzTests {
    @Suite("Whatever a shop answers, the connector reads it or says what is wrong")
    struct ShopFuzz {
        private static let secrets = ["cs_secret1", "shpat_token1", "s3cret1"]
        private static let personal = ["Lan", "LAN@example", "0900000000", "Le Loi", "0301234567"]

        private static func answer(_ one: inout FuzzCase) -> HTTPResponse {
            var headers = [HTTPHeader("Content-Type", "application/json"), HTTPHeader("X-WP-Total", "2")]
            if one.random.once(in: 4) {
                headers.append(HTTPHeader("Retry-After", one.random.pick(SeededBytes.extremes, or: "1")))
                headers.append(HTTPHeader("X-WP-Total", one.random.pick(SeededBytes.extremes, or: "1")))
            }
            headers.append(HTTPHeader("Date", "Sat, 02 Jan 2027 00:00:00 GMT"))
            let status =
                one.random.once(in: 3) ? one.random.pick([201, 301, 400, 401, 403, 404, 429, 503], or: 200) : 200
            return HTTPResponse(status: status, headers: headers, body: one.bytes)
        }

        private static func check(_ error: ConnectorError, _ label: String) {
            let sentence = error.description
            #expect(sentence.count < 1_500, "\(label): \(sentence.count) characters")
            for secret in secrets { #expect(!sentence.contains(secret), "\(label): \(sentence)") }
        }

        /// What the order becomes is kept as JSON and read again as the same.
        static func check(_ result: OrderReadingResult, _ label: String) throws {
            switch result {
            case .order(let order):
                #expect(order.externalID.utf8.count <= 200, "\(label)")
                let written = try ContractCoding.encode(order)
                let text = String(decoding: written, as: UTF8.self)
                #expect(!text.contains("\\u0000"), "\(label): a zero byte, which no table can keep")
                let again = try ContractCoding.decode(Order.self, from: written)
                #expect(again == order, "\(label)")
            case .unreadable(let order):
                #expect(order.externalID.utf8.count <= 200 && order.problem.count < 300, "\(label)")
                for text in personal { #expect(!order.problem.contains(text), "\(label): \(order.problem)") }
            }
        }

        @Test func `JSON is written as it was read`() async throws {
            let corpus = Fuzz.bytes(ShopTexts.wooCommerceAnswers + ShopTexts.shopifyAnswers)
            try await Fuzz.run("JSON tree", corpus: corpus, cases: 600) { one in
                guard let tree = try? JSONTree(one.bytes) else { return }
                let again = try JSONTree(tree.bytes)
                #expect(again == tree, "\(one.label)")
            }
        }

        @Test func `orders of both platforms`() async throws {
            try await Fuzz.run("WooCommerce order", corpus: Fuzz.bytes([ShopTexts.wooCommerceOrder]), cases: 700) {
                one in
                guard let tree = try? JSONTree(one.bytes) else { return }
                try Self.check(WooCommerceOrderMapping(shop: "hanoi").read(tree), one.label)
            }
            try await Fuzz.run("Shopify order", corpus: Fuzz.bytes([ShopTexts.shopifyOrder]), cases: 700) { one in
                guard let tree = try? JSONTree(one.bytes) else { return }
                let facts = JSONFacts(tree: tree)
                let mapping = ShopifyOrderMapping(shop: "saigon", timeZone: "Asia/Ho_Chi_Minh")
                try Self.check(mapping.read(facts, ShopifyOrderMapping.Parts(facts)), one.label)
            }
        }

        @Test func `every answer of a WooCommerce shop`() async throws {
            let configuration = WooCommerceConfiguration(
                shop: "hanoi", url: "https://shop.example", key: "ck_key1", secret: "cs_secret1",
                webhookSecret: "s3cret1")
            let corpus = Fuzz.bytes(ShopTexts.wooCommerceAnswers)
            try await Fuzz.run("WooCommerce answer", corpus: corpus, cases: 400) { one in
                let shop = SpoiltShop(Self.answer(&one))
                let client = WooCommerceClient(
                    configuration: configuration, http: shop, pacing: UnlimitedPacing(), clock: .system, nonce: { "n" })
                let stock = WooCommerceStock(client: client)
                let orders = WooCommerceOrders(client: client)
                let hooks = WooCommerceWebhooks(client: client, secret: "s3cret1")
                await Self.use(
                    catalogue: WooCommerceCatalogue(client: client), stock, stock, orders, hooks,
                    ids: ["310/311", "310/312"], &one)
                #expect(shop.calls.withLock { $0 } <= SpoiltShop.patience * 5, "\(one.label)")
            }
        }

        @Test func `every answer of a Shopify shop`() async throws {
            let configuration = ShopifyConfiguration(
                shop: "saigon", url: "https://shop.example", accessToken: "shpat_token1", clientID: "app",
                clientSecret: "s3cret1", location: "gid://shopify/Location/9")
            let corpus = Fuzz.bytes(ShopTexts.shopifyAnswers)
            try await Fuzz.run("Shopify answer", corpus: corpus, cases: 400) { one in
                let shop = SpoiltShop(Self.answer(&one))
                var settings = configuration
                if one.random.once(in: 4) { settings.accessToken = nil }
                var client = ShopifyClient(configuration: settings, http: shop, pacing: UnlimitedPacing())
                client.steady = { 1_000 }
                client.sleep = { _ in throw CancellationError() }
                let stock = ShopifyStock(client: client, location: "gid://shopify/Location/9")
                await Self.use(
                    catalogue: ShopifyCatalogue(client: client, location: "gid://shopify/Location/9"), stock, stock,
                    ShopifyOrders(client: client), ShopifyWebhooks(client: client), ids: ["item-1", "item-2"], &one)
                #expect(shop.calls.withLock { $0 } < SpoiltShop.patience, "\(one.label): it goes on for ever")
            }
        }

        private static func use(
            catalogue: some CatalogueReading, _ reading: some StockReading, _ writing: some StockWriting,
            _ orders: some OrderReading, _ webhooks: some WebhookManaging, ids: [ListingID], _ one: inout FuzzCase
        ) async {
            let label = one.label
            let window = OrderWindow(
                one.random.once(in: 2) ? .updated : .placed, from: Date(timeIntervalSince1970: 1_772_000_000),
                upTo: Date(timeIntervalSince1970: 1_796_000_000))
            do throws(ConnectorError) {
                switch one.random.below(5) {
                case 0: _ = try await catalogue.page(after: nil)
                case 1: _ = try await reading.read(ids)
                case 2: _ = try await writing.write([StockWrite(id: ids[0], quantity: 12, expected: 10, attempt: "a1")])
                case 3:
                    var cursor: OrderCursor?
                    for _ in 0..<3 {
                        let page = try await orders.page(in: window, after: cursor)
                        for order in page.orders { checkOrder(order, label) }
                        cursor = page.next
                        if cursor == nil { break }
                    }
                    if let order = try await orders.order("5001") { checkOrder(order, label) }
                default:
                    _ = try await webhooks.subscriptions(to: "https://hub/")
                    try await webhooks.subscribe(to: "https://hub/")
                }
            } catch {
                check(error, label)
            }
        }

        private static func checkOrder(_ order: OrderReadingResult, _ label: String) {
            #expect(throws: Never.self, "\(label)") { try check(order, label) }
        }

        @Test func `webhooks, signed and not`() async throws {
            let bodies = [
                ShopTexts.wooCommerceOrder, "{\"id\":5001}", "webhook_id=12", "{\"id\":77,\"order_id\":5001}",
                "{\"order_edit\":{\"id\":78,\"order_id\":5001}}",
            ]
            let verifiers: [any WebhookVerifying] = [
                WooCommerceWebhookVerifier(secret: "whsec_1"), ShopifyWebhookVerifier(secret: "whsec_1"),
            ]
            try await Fuzz.run("webhook", corpus: Fuzz.bytes(bodies), cases: 1_000) { one in
                let key = SymmetricKey(data: Array("whsec_1".utf8))
                let signature = Data(HMAC<SHA256>.authenticationCode(for: one.bytes, using: key)).base64EncodedString()
                let isSigned = one.random.once(in: 2)
                let forged = one.random.spoilt(Array(signature.utf8.dropLast(5)), corpus: Fuzz.bytes([signature]))
                let value = isSigned ? signature : String(decoding: forged, as: UTF8.self)
                let names = ["x-wc-webhook-signature", "X-Shopify-Hmac-Sha256"].map { HTTPHeader($0, value) }
                let headers =
                    names + [
                        HTTPHeader("X-WC-Webhook-Topic", "order.updated"), HTTPHeader("X-WC-Webhook-Delivery-ID", "d1"),
                        HTTPHeader("X-Shopify-Topic", "orders/updated"), HTTPHeader("X-Shopify-Webhook-Id", "w1"),
                        HTTPHeader(
                            "X-Shopify-Triggered-At", one.random.pick(["2026-11-22T00:00:01.5Z", "1e9"], or: "")),
                    ]
                for verifier in verifiers {
                    guard case .order(let notice) = verifier.verify(headers: headers, body: one.bytes) else { continue }
                    #expect(isSigned || value.trimmingCharacters(in: .whitespaces) == signature, "\(one.label)")
                    let isNumber = notice.externalID.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    #expect(isNumber && notice.externalID.utf8.count <= 20, "\(one.label): \(notice.externalID)")
                }
            }
        }
    }
}
