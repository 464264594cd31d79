internal import Domain
internal import Foundation
internal import Transfer

/// Verifies what a WooCommerce shop posts: base64 HMAC-SHA256 of the raw body with the webhook's own secret.
///
/// WooCommerce names no time of sending, and tells of a new webhook with a form `webhook_id=N` that is not signed.
struct WooCommerceWebhookVerifier: WebhookVerifying {
    let secret: String

    /// What is listened to.
    static let topics = ["order.created", "order.updated", "order.deleted", "order.restored"]

    func verify(headers: [HTTPHeader], body: [UInt8]) -> WebhookVerdict {
        guard let signature = headers.value("X-WC-Webhook-Signature") else {
            return Self.isPing(body)
                ? .ignored("WooCommerce tries the address of a new webhook") : .rejected("there is no signature")
        }
        guard WebhookSignature.isValid(signature, of: body, secret: secret) else {
            return .rejected("the signature is not that of this shop")
        }
        guard let topic = headers.value("X-WC-Webhook-Topic"), Self.topics.contains(topic) else {
            return .ignored("it is about no order")
        }
        guard let delivery = headers.value("X-WC-Webhook-Delivery-ID") else {
            return .rejected("there is no id of the delivery")
        }
        guard let tree = try? JSONTree(body), let id = JSONFacts(tree: tree)["id"].textIfAny.flatMap({ Int($0) }),
            id > 0
        else {
            return .rejected("it names no order")
        }
        return .order(OrderNotice(externalID: String(id), deliveryID: delivery, sentAt: nil, topic: topic))
    }

    private static func isPing(_ body: [UInt8]) -> Bool {
        let prefix = Array("webhook_id=".utf8)
        return body.count <= 64 && body.starts(with: prefix)
            && body.dropFirst(prefix.count).allSatisfy { (0x30...0x39).contains($0) }
    }
}

/// Looks after the webhooks of a WooCommerce shop, which turns one off after more than five failures in a row.
struct WooCommerceWebhooks: WebhookManaging {
    let client: WooCommerceClient
    let secret: String

    /// No shop has ten thousand webhooks; one that seems to repeats itself.
    private static let mostPages = 100

    func subscriptions(to url: String) async throws(ConnectorError) -> [WebhookSubscription] {
        var found: [WebhookSubscription] = []
        var page = 1
        while true {
            let answer = try await client.get(
                "webhooks",
                [
                    ("order", "asc"), ("orderby", "id"), ("page", String(page)),
                    ("per_page", String(WooCommerceConfiguration.platformLimit)),
                ], for: .manageWebhooks)
            guard case .array(let elements) = try client.tree(of: answer) else {
                throw client.unexpected(answer, "JSON of another shape")
            }
            for facts in elements.map({ JSONFacts(tree: $0) }) where facts["delivery_url"].textIfAny == url {
                guard let id = facts["id"].textIfAny, let topic = facts["topic"].textIfAny else { continue }
                found.append(
                    WebhookSubscription(id: id, topic: topic, isActive: facts["status"].textIfAny == "active"))
            }
            if elements.count < WooCommerceConfiguration.platformLimit { return found }
            page += 1
            guard page <= Self.mostPages else { throw client.unexpected(answer, "a list of webhooks without end") }
        }
    }

    /// The secret goes along whenever one is turned on again: somebody may have changed it in the shop.
    func subscribe(to url: String) async throws(ConnectorError) {
        let present = try await subscriptions(to: url)
        for topic in WooCommerceWebhookVerifier.topics {
            let ours = present.filter { $0.topic == topic }
            if ours.contains(where: \.isActive) { continue }
            if let silent = ours.first {
                _ = try await client.put(
                    "webhooks/\(silent.id)", Self.body(["status": "active", "secret": secret]), for: .manageWebhooks)
            } else {
                let fields = [
                    "name": "Stockbridge \(topic)", "topic": topic, "delivery_url": url, "secret": secret,
                    "status": "active",
                ]
                _ = try await client.post("webhooks", Self.body(fields), items: 0, for: .manageWebhooks)
            }
        }
    }

    private static func body(_ fields: [String: String]) -> [UInt8] {
        JSONTree.object(fields.mapValues { .string($0) }).bytes
    }
}
