import Foundation

/// Webhooks as Shopify sends them: topics in two spellings, one secret for all, up to eight more tries.
enum ShopifyTopic {
    /// `ORDERS_CREATE` as the header has it: `orders/create`.
    static func header(_ name: String) -> String {
        let words = name.lowercased().split(separator: "_")
        return words.dropLast().joined(separator: "_") + "/" + (words.last ?? "")
    }

    /// `orders/create` as the API has it: `ORDERS_CREATE`.
    static func name(_ header: String) -> String { header.replacingOccurrences(of: "/", with: "_").uppercased() }

    /// What is sent about an event.
    static func headers(_ kind: OrderEvent.Kind, isPaid: Bool) -> [String] {
        switch kind {
        case .created: isPaid ? ["orders/create", "orders/paid"] : ["orders/create"]
        case .updated: ["orders/updated"]
        case .edited: ["orders/edited", "orders/updated"]
        case .paid: ["orders/paid", "orders/updated"]
        case .cancelled: ["orders/cancelled", "orders/updated"]
        case .fulfilled: ["orders/fulfilled", "orders/updated"]
        case .refunded: ["refunds/create", "orders/updated"]
        case .deleted: ["orders/delete"]
        }
    }
}

extension SimulatedShop.State {
    /// Waits before the second to the ninth try, in seconds: four hours in all.
    private static let waits = [10.0, 60, 300, 900, 1_800, 2_700, 3_600, 5_030]

    /// What those who subscribed are sent about an event.
    mutating func shopifyWebhooks(for event: OrderEvent) -> [OutgoingWebhook] {
        guard let order = orders[event.orderID] else { return [] }
        let settings = configuration.shopify
        let body = Array(Self.webhookBody(order, event, configuration).utf8)
        let signature = WebhookSignature.base64(body, secret: configuration.secret)
        let eventID = UUID().uuidString.lowercased()
        let now = ShopifyTime.text(clock.now())
        return ShopifyTopic.headers(event.kind, isPaid: order.facts.isPaid).flatMap { topic in
            webhooks.active(topic).map { subscription in
                OutgoingWebhook(
                    subscriptionID: subscription.id, orderID: order.id, topic: topic, url: subscription.url,
                    headers: [
                        ("Content-Type", "application/json"), ("X-Shopify-Topic", topic),
                        ("X-Shopify-Hmac-SHA256", signature), ("X-Shopify-Shop-Domain", settings.domain),
                        ("X-Shopify-API-Version", settings.webhookVersion),
                        ("X-Shopify-Webhook-Id", UUID().uuidString.lowercased()), ("X-Shopify-Event-Id", eventID),
                        ("X-Shopify-Triggered-At", now),
                    ],
                    body: body, timeoutSeconds: 5,
                    retryDelaysMilliseconds: Self.waits.map { max(1, Int($0 * 1_000 * settings.webhookWaitScale)) })
            }
        }
    }

    /// In the shape of the older REST API, cut to what tells which order it is about; times in the shop's zone.
    private static func webhookBody(
        _ order: SimulatedOrder, _ event: OrderEvent, _ configuration: SimulatorConfiguration
    ) -> String {
        var writer = JSONObjectWriter()
        if event.kind == .deleted {
            writer.add("id", order.id)
            return writer.finish()
        }
        func time(_ date: Date?) -> String? { date.map { localTime($0, configuration.utcOffsetSeconds) } }
        let lines = order.lines.map { line in
            var writer = JSONObjectWriter()
            writer.add("id", line.id)
            writer.add("sku", line.sku)
            writer.add("quantity", line.orderedQuantity)
            writer.add("current_quantity", line.currentQuantity)
            return writer.finish()
        }
        writer.add("id", order.id)
        writer.add("admin_graphql_api_id", ShopifyID.text("Order", order.id))
        writer.add("name", order.number)
        writer.add("created_at", time(order.placedAt))
        writer.add("updated_at", time(order.updatedAt))
        writer.add("cancelled_at", time(order.facts.cancelledAt))
        writer.add("currency", order.currency)
        writer.add("current_total_price", max(.zero, order.total - order.refundTotal).text(minimumDecimals: 2))
        writer.add("financial_status", ShopifyView.financialStatus(order).lowercased())
        writer.add("fulfillment_status", order.facts.isFulfilled ? "fulfilled" : nil)
        writer.add("line_items", raw: "[\(lines.joined(separator: ","))]")
        return writer.finish()
    }

    /// `2026-11-30T11:05:06+07:00`
    private static func localTime(_ date: Date, _ offset: Int) -> String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let zone = (offset < 0 ? "-" : "+") + two(abs(offset) / 3_600) + ":" + two(abs(offset) / 60 % 60)
        return ShopItems.time(date.addingTimeInterval(Double(offset))) + zone
    }

    // MARK: - Subscriptions

    mutating func subscribeShopify(_ field: BoundField, _ now: Date) -> Payload {
        let type = field.field.type.name
        let input = field.arguments["webhookSubscription"] ?? .null
        let name = input["uri"] == nil ? "callbackUrl" : "uri"
        let url = (input["uri"] ?? input["callbackUrl"])?.string ?? ""
        let topic = ShopifyTopic.header(field.arguments["topic"]?.string ?? "")
        func refusal(_ message: String) -> Payload {
            let error = ShopifyUserError(field: ["webhookSubscription", name], message: message)
            return { _ in .object(ShopifyView.payload(type, ["webhookSubscription": .null], [error])) }
        }
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty else {
            return refusal("Address is invalid")
        }
        // Receivers of tests are on this machine and have no certificate.
        let isLocal = host == "localhost" || host.hasPrefix("127.")
        guard parts.scheme == "https" || (parts.scheme == "http" && isLocal) else {
            return refusal("Address protocol \(parts.scheme ?? ""):// is not supported")
        }
        if webhooks.all.contains(where: { $0.topic == topic && $0.url == url }) {
            return refusal("Address for this topic has already been taken")
        }
        let new = webhooks.add(name: topic, topic: topic, url: url, secret: "", at: now)
        return { view in
            .object(ShopifyView.payload(type, ["webhookSubscription": .object(view.subscriptionObject(new))], []))
        }
    }

    mutating func unsubscribeShopify(_ field: BoundField) -> Payload {
        let type = field.field.type.name
        let removed = ShopifyID.number(field.arguments["id"], "WebhookSubscription").flatMap { webhooks.remove($0) }
        var errors: [ShopifyUserError] = []
        if removed == nil { errors.append(.init(field: ["id"], message: "Webhook subscription does not exist")) }
        let (id, found) = (removed.map { ShopifyID.text("WebhookSubscription", $0.id) }, errors)
        return { _ in .object(ShopifyView.payload(type, ["deletedWebhookSubscriptionId": .text(id)], found)) }
    }
}

extension ShopWebhooks {
    func shopify(_ id: Int) -> WebhookSubscription? { subscriptions[id] }
}

extension ShopifyView {
    func subscriptions(_ field: BoundField) throws(GraphQLProblem) -> GraphQLPage {
        let topics = field.arguments["topics"]?.elements?.compactMap(\.string)
        let list = webhooks.all.filter { topics?.contains(ShopifyTopic.name($0.topic)) ?? true }
        return try GraphQLPage(
            list, field, key: { ShopifyKey(number: Double($0.id), id: $0.id) }, node: subscriptionObject)
    }

    func subscriptionObject(_ subscription: WebhookSubscription) -> GraphQLObject {
        let endpoint = GraphQLObject("WebhookHttpEndpoint", ["callbackUrl": .text(subscription.url)])
        return GraphQLObject(
            "WebhookSubscription",
            [
                "id": .text(ShopifyID.text("WebhookSubscription", subscription.id)),
                "legacyResourceId": .text("\(subscription.id)"), "topic": .text(ShopifyTopic.name(subscription.topic)),
                "uri": .text(subscription.url), "callbackUrl": .text(subscription.url), "format": .text("JSON"),
                "includeFields": .list([]), "createdAt": .text(ShopifyTime.text(subscription.createdAt)),
                "updatedAt": .text(ShopifyTime.text(subscription.modifiedAt)), "endpoint": .object(endpoint),
            ])
    }
}
