import Crypto
import Domain
import Foundation
import Testing
import Transfer

@testable import ShopConnectors

@Suite("Webhooks are told from forged ones")
struct WebhookVerifyingTests {
    static let secret = "whsec_1"

    private static func signature(_ body: String, secret: String = secret) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array(body.utf8), using: SymmetricKey(data: Array(secret.utf8)))
        return Data(code).base64EncodedString()
    }

    private let body = "{\"id\":10231,\"status\":\"processing\"}"

    private func wooCommerce(
        _ body: String, signature: String?, topic: String? = "order.updated", delivery: String? = "d1"
    ) -> WebhookVerdict {
        var headers: [HTTPHeader] = []
        if let signature { headers.append(HTTPHeader("x-wc-webhook-signature", signature)) }
        if let topic { headers.append(HTTPHeader("X-WC-Webhook-Topic", topic)) }
        if let delivery { headers.append(HTTPHeader("X-WC-Webhook-Delivery-ID", delivery)) }
        return WooCommerceWebhookVerifier(secret: Self.secret).verify(headers: headers, body: Array(body.utf8))
    }

    private func isRejected(_ verdict: WebhookVerdict) -> Bool {
        if case .rejected = verdict { true } else { false }
    }

    private func isIgnored(_ verdict: WebhookVerdict) -> Bool {
        if case .ignored = verdict { true } else { false }
    }

    @Test func `a signed webhook of WooCommerce names its order`() {
        let verdict = wooCommerce(body, signature: Self.signature(body))
        #expect(
            verdict
                == .order(OrderNotice(externalID: "10231", deliveryID: "d1", sentAt: nil, topic: "order.updated")))
    }

    @Test func `what is forged, tampered with, unsigned or incomplete is rejected`() {
        let good = Self.signature(body)
        #expect(isRejected(wooCommerce(body, signature: Self.signature(body, secret: "forged"))))
        #expect(isRejected(wooCommerce(body + " ", signature: good)))
        #expect(isRejected(wooCommerce(body.replacing("10231", with: "10232"), signature: good)))
        #expect(isRejected(wooCommerce(body, signature: nil)))
        #expect(isRejected(wooCommerce(body, signature: "")))
        #expect(isRejected(wooCommerce(body, signature: "no base64!")))
        #expect(isRejected(wooCommerce(body, signature: String(good.dropLast(4)))))
        #expect(isRejected(wooCommerce(body, signature: good, delivery: nil)))
        let nameless = "{\"status\":\"x\"}"
        #expect(isRejected(wooCommerce(nameless, signature: Self.signature(nameless))))
        for id in ["-5", "0", "99999999999999999999"] {
            let odd = "{\"id\":\(id)}"
            #expect(isRejected(wooCommerce(odd, signature: Self.signature(odd))))
        }
        let broken = "{"
        #expect(isRejected(wooCommerce(broken, signature: Self.signature(broken))))
    }

    @Test func `the word of a new webhook and other topics are ignored`() {
        #expect(isIgnored(wooCommerce("webhook_id=12", signature: nil, topic: nil, delivery: nil)))
        #expect(isRejected(wooCommerce("webhook_id=12&id=7", signature: nil, topic: nil, delivery: nil)))
        #expect(isIgnored(wooCommerce(body, signature: Self.signature(body), topic: "product.updated")))
        #expect(isRejected(wooCommerce(body, signature: nil, topic: "product.updated")))
    }

    private func shopify(
        _ body: String, signature: String?, topic: String = "orders/updated", delivery: String? = "w1"
    ) -> WebhookVerdict {
        var headers = [
            HTTPHeader("X-Shopify-Topic", topic), HTTPHeader("X-Shopify-Triggered-At", "2026-11-22T00:00:01.5Z"),
        ]
        if let signature { headers.append(HTTPHeader("X-Shopify-Hmac-Sha256", signature)) }
        if let delivery { headers.append(HTTPHeader("X-Shopify-Webhook-Id", delivery)) }
        return ShopifyWebhookVerifier(secret: Self.secret).verify(headers: headers, body: Array(body.utf8))
    }

    @Test(arguments: [
        ("orders/updated", "{\"id\":5001}"), ("ORDERS_CREATE", "{\"id\":5001}"),
        ("refunds/create", "{\"id\":77,\"order_id\":5001}"),
        ("orders/edited", "{\"order_edit\":{\"id\":78,\"order_id\":5001}}"), ("orders/delete", "{\"id\":5001}"),
    ])
    func `a signed webhook of Shopify names its order and its time`(topic: String, body: String) {
        let sentAt = UTCTimestamp.parse("2026-11-22T00:00:01.5Z")
        #expect(
            shopify(body, signature: Self.signature(body), topic: topic)
                == .order(OrderNotice(externalID: "5001", deliveryID: "w1", sentAt: sentAt, topic: topic)))
    }

    @Test func `Shopify's are rejected for the same reasons`() {
        let body = "{\"id\":5001}"
        let good = Self.signature(body)
        #expect(isRejected(shopify(body, signature: nil)))
        #expect(isRejected(shopify(body, signature: Self.signature(body, secret: "old"))))
        #expect(isRejected(shopify(body + "\n", signature: good)))
        #expect(isRejected(shopify(body, signature: good, delivery: nil)))
        #expect(isIgnored(shopify(body, signature: good, topic: "products/update")))
    }

    @Test func `without a secret nothing is verified`() {
        let http = ScriptedHTTP { (_) in json("{}") }
        let plain = WooCommerceConnector(
            WooCommerceConfiguration(shop: "s", url: "https://a", key: "k", secret: "s"), http: http,
            pacing: UnlimitedPacing())
        #expect(plain.webhookVerifying == nil)
        let token = ShopifyConnector(
            ShopifyConfiguration(shop: "s", url: "https://a", accessToken: "t"), http: http, pacing: UnlimitedPacing())
        #expect(token.webhookVerifying == nil)
    }
}
