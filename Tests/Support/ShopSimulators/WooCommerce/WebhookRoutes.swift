import Foundation

extension SimulatedShop.State {
    private static let resources = ["order", "product", "customer", "coupon"]
    private static let events = ["created", "updated", "deleted", "restored"]

    private static func isTopic(_ topic: String) -> Bool {
        let parts = topic.split(separator: ".").map(String.init)
        return parts.count == 2 && (resources.contains(parts[0]) && events.contains(parts[1]) || parts[0] == "action")
    }

    // MARK: - REST

    mutating func listWebhooks(_ call: Call) -> Answer {
        let status = call.parameter("status") ?? "all"
        guard ["all", "active", "paused", "disabled"].contains(status) else {
            return .invalid("status", "status is not one of all, active, paused, disabled.")
        }
        switch ListingRequest.read(call) {
        case .failure(let refused): return refused.answer
        case .success(let request):
            let found = webhooks.all.filter { status == "all" || $0.status.rawValue == status }
            let sorted = request.ascending ? found : found.reversed()
            let part = sorted.dropFirst(request.offset).prefix(request.perPage).map { text(of: $0) }
            return request.answer(part, total: found.count, call: call)
        }
    }

    mutating func createWebhook(_ call: Call) -> Answer {
        guard let body = try? JSONDecoder().decode(JSONValue.self, from: Data(call.body)) else {
            return .refusal(400, "rest_invalid_json", "Invalid JSON body passed.")
        }
        guard let topic = body["topic"]?.string, Self.isTopic(topic) else {
            return .refusal(
                400, "woocommerce_rest_webhook_invalid_topic", "Webhook topic is required and must be valid.")
        }
        guard let url = body["delivery_url"]?.string, url.hasPrefix("http://") || url.hasPrefix("https://") else {
            return .refusal(
                400, "woocommerce_rest_webhook_invalid_delivery_url",
                "Webhook delivery URL must be a valid URL starting with http:// or https://.")
        }
        let subscription = addWebhook(
            name: body["name"]?.string, topic: topic, url: url, secret: body["secret"]?.string)
        if let status = body["status"]?.string.flatMap({ WebhookSubscription.Status(rawValue: $0) }) {
            webhooks.change(subscription.id) { $0.status = status }
        }
        return Answer(webhooks.subscriptions[subscription.id].map { text(of: $0) } ?? "null", status: 201)
    }

    /// Makes a subscription and sends its first word: a form with its number and nothing else.
    mutating func addWebhook(name: String?, topic: String, url: String, secret: String?) -> WebhookSubscription {
        let now = clock.now()
        let subscription = webhooks.add(
            name: name ?? "Webhook created on \(ShopItems.time(now))", topic: topic, url: url,
            secret: secret.flatMap { $0.isEmpty ? nil : $0 } ?? configuration.webhookSecret, at: now)
        webhooks.send(
            OutgoingWebhook(
                subscriptionID: subscription.id, orderID: nil, topic: "ping", url: url,
                headers: [("Content-Type", "application/x-www-form-urlencoded")],
                body: Array("webhook_id=\(subscription.id)".utf8)))
        return subscription
    }

    mutating func oneWebhook(_ id: Int, _ call: Call) -> Answer? {
        guard let subscription = webhooks.subscriptions[id] else {
            return .refusal(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        }
        switch call.method {
        case "GET": return Answer(text(of: subscription))
        case "PUT", "POST", "PATCH": return changeWebhook(subscription, call)
        case "DELETE":
            guard call.parameter("force").map({ JSONValue.string($0).wordPressBoolean }) ?? false else {
                return .refusal(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.")
            }
            _ = webhooks.remove(id)
            return Answer(text(of: subscription))
        default: return nil
        }
    }

    private mutating func changeWebhook(_ subscription: WebhookSubscription, _ call: Call) -> Answer {
        guard let body = try? JSONDecoder().decode(JSONValue.self, from: Data(call.body)) else {
            return .refusal(400, "rest_invalid_json", "Invalid JSON body passed.")
        }
        if let topic = body["topic"]?.string, !Self.isTopic(topic) {
            return .refusal(400, "woocommerce_rest_webhook_invalid_topic", "Webhook topic must be valid.")
        }
        let status = body["status"]?.string
        if let status, WebhookSubscription.Status(rawValue: status) == nil {
            return .invalid("status", "status is not one of active, paused, disabled.")
        }
        let now = clock.now()
        webhooks.change(subscription.id) { changed in
            changed.name = body["name"]?.string ?? changed.name
            changed.topic = body["topic"]?.string ?? changed.topic
            changed.url = body["delivery_url"]?.string ?? changed.url
            changed.secret = body["secret"]?.string ?? changed.secret
            if let status = status.flatMap({ WebhookSubscription.Status(rawValue: $0) }) {
                changed.status = status
                changed.failures = 0
            }
            changed.modifiedAt = now
        }
        return Answer(webhooks.subscriptions[subscription.id].map { text(of: $0) } ?? "null")
    }

    private func text(of subscription: WebhookSubscription) -> String {
        let parts = subscription.topic.split(separator: ".").map(String.init)
        let times = OrderText(items: items, utcOffsetSeconds: clock.utcOffsetSeconds, decimals: 0)
        var writer = JSONObjectWriter()
        writer.add("id", subscription.id)
        writer.add("name", subscription.name)
        writer.add("status", subscription.status.rawValue)
        writer.add("topic", subscription.topic)
        writer.add("resource", parts.first)
        writer.add("event", parts.last)
        writer.add("hooks", raw: "[]")
        writer.add("delivery_url", subscription.url)
        times.addTime("date_created", subscription.createdAt, to: &writer)
        times.addTime("date_modified", subscription.modifiedAt, to: &writer)
        return writer.finish()
    }

    // MARK: - Deliveries

    /// The deliveries of an event to those who subscribed.
    mutating func wooCommerceWebhooks(for event: OrderEvent) -> [OutgoingWebhook] {
        guard let order = orders[event.orderID] else { return [] }
        let name =
            switch event.kind {
            case .created: "created"
            case .deleted: "deleted"
            default: "updated"
            }
        let subscriptions = webhooks.active("order.\(name)")
        if subscriptions.isEmpty { return [] }
        let body = Array((event.kind == .deleted ? "{\"id\":\(order.id)}" : text(of: order)).utf8)
        return subscriptions.map { subscription in
            var random = SystemRandomNumberGenerator()
            let delivery = String(random.next(), radix: 16) + String(random.next(), radix: 16)
            return OutgoingWebhook(
                subscriptionID: subscription.id, orderID: order.id, topic: subscription.topic, url: subscription.url,
                headers: [
                    ("Content-Type", "application/json"), ("X-WC-Webhook-Source", origin + "/"),
                    ("X-WC-Webhook-Topic", subscription.topic), ("X-WC-Webhook-Resource", "order"),
                    ("X-WC-Webhook-Event", name), ("X-WC-Webhook-ID", "\(subscription.id)"),
                    ("X-WC-Webhook-Delivery-ID", delivery),
                    ("X-WC-Webhook-Signature", WebhookSignature.base64(body, secret: subscription.secret)),
                ],
                body: body)
        }
    }
}
