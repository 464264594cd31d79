internal import Domain
internal import Foundation
internal import Transfer

/// Verifies what Shopify posts: base64 HMAC-SHA256 of the raw body with the app's client secret.
struct ShopifyWebhookVerifier: WebhookVerifying {
    let secret: String

    /// What is listened to. `ORDERS_UPDATED` holds almost everything; the others come sooner or not with it.
    static let topics = [
        "ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_PAID", "ORDERS_CANCELLED", "ORDERS_EDITED", "ORDERS_DELETE",
        "REFUNDS_CREATE",
    ]

    func verify(headers: [HTTPHeader], body: [UInt8]) -> WebhookVerdict {
        guard let signature = headers.value("X-Shopify-Hmac-SHA256") else { return .rejected("there is no signature") }
        guard WebhookSignature.isValid(signature, of: body, secret: secret) else {
            return .rejected("the signature is not that of this shop's app")
        }
        guard let topic = headers.value("X-Shopify-Topic") else { return .rejected("there is no topic") }
        let name = topic.uppercased().replacing("/", with: "_")
        guard name.hasPrefix("ORDERS_") || name == "REFUNDS_CREATE" else { return .ignored("it is about no order") }
        guard let delivery = headers.value("X-Shopify-Webhook-Id") else {
            return .rejected("there is no id of the delivery")
        }
        guard let tree = try? JSONTree(body), let id = Self.order(JSONFacts(tree: tree)), ShopifyID.isNumber(id) else {
            return .rejected("it names no order")
        }
        let sentAt = headers.value("X-Shopify-Triggered-At").flatMap { UTCTimestamp.parse($0) }
        return .order(OrderNotice(externalID: id, deliveryID: delivery, sentAt: sentAt, topic: topic))
    }

    /// An edit and a refund have an id of their own and name the order beside it.
    private static func order(_ body: JSONFacts) -> String? {
        body["order_edit"]["order_id"].textIfAny ?? body["order_id"].textIfAny ?? body["id"].textIfAny
    }
}

/// Looks after the webhooks of a Shopify shop, which removes one after eight failures in a row.
struct ShopifyWebhooks: WebhookManaging {
    let client: ShopifyClient

    private static let list = ShopifyDocument(
        name: "webhooks",
        text: """
            query Webhooks($after: String) {
              webhookSubscriptions(first: 100, after: $after) {
                nodes { id topic uri } pageInfo { hasNextPage endCursor }
              }
            }
            """, cost: 102)
    private static let create = ShopifyDocument(
        name: "subscribe",
        text: """
            mutation Subscribe($topic: WebhookSubscriptionTopic!, $uri: String!) {
              webhookSubscriptionCreate(topic: $topic, webhookSubscription: { uri: $uri, format: JSON }) {
                webhookSubscription { id } userErrors { field message }
              }
            }
            """, cost: 10, isMutation: true)

    func subscriptions(to url: String) async throws(ConnectorError) -> [WebhookSubscription] {
        var found: [WebhookSubscription] = []
        var cursor = JSONTree.null
        while true {
            let reply = try await client.call(Self.list, ["after": cursor], for: .manageWebhooks)
            let page = reply.data["webhookSubscriptions"]
            guard page.exists, let nodes = try? page["nodes"].list() else {
                throw client.unexpected(reply, "no list of webhooks")
            }
            for node in nodes where node["uri"].textIfAny == url {
                guard let id = node["id"].textIfAny, let topic = node["topic"].textIfAny else { continue }
                // What Shopify turns off it removes.
                found.append(WebhookSubscription(id: id, topic: topic, isActive: true))
            }
            guard page["pageInfo"]["hasNextPage"].isTrue, let next = page["pageInfo"]["endCursor"].textIfAny else {
                return found
            }
            guard cursor != .string(next) else { throw client.unexpected(reply, "the same page of webhooks again") }
            cursor = .string(next)
        }
    }

    func subscribe(to url: String) async throws(ConnectorError) {
        let present = Set(try await subscriptions(to: url).map(\.topic))
        for topic in ShopifyWebhookVerifier.topics where !present.contains(topic) {
            let reply = try await client.call(
                Self.create, ["topic": .string(topic), "uri": .string(url)], for: .manageWebhooks)
            let errors = try? reply.data["webhookSubscriptionCreate"]["userErrors"].list()
            guard let error = errors?.first else { continue }
            throw .refused(
                reply.call, status: 200, code: "webhookSubscriptionCreate",
                message: client.cleaned("\(topic): \(error["message"].words)", limit: 300, reply))
        }
    }
}
