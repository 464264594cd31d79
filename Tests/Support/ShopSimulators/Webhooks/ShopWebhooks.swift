import Crypto
import Foundation

/// Somebody who wants to hear of one kind of event.
struct WebhookSubscription: Sendable {
    enum Status: String, Sendable {
        case active, paused, disabled
    }

    let id: Int
    var name: String
    /// In the platform's words.
    var topic: String
    var url: String
    var secret: String
    var status = Status.active
    /// In a row.
    var failures = 0
    let createdAt: Date
    var modifiedAt: Date
}

/// One webhook on its way.
struct OutgoingWebhook: Sendable {
    /// Its number among this shop's deliveries; given when it is sent.
    var id = 0
    let subscriptionID: Int
    /// Nil for what is about no order.
    let orderID: Int?
    let topic: String
    let url: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    var timeoutSeconds = 60.0
    /// Tried again after each of these; never unless stated.
    var retryDelaysMilliseconds: [Int] = []
    var delayMilliseconds = 0
    var copies = 1
    /// Does not wait for what went to the same address about the same order before.
    var overtakes = false
}

/// What became of one delivery of a webhook, as `/__simulator/webhooks` shows it.
public struct WebhookDeliveryReport: Codable, Sendable {
    /// Its number; what a replay names.
    public let id: Int
    /// The subscription's number.
    public let subscription: Int
    /// The order's id; nil for what is about no order.
    public let order: Int?
    /// In the platform's words.
    public let topic: String
    /// `waiting`, `held` (until a later one has gone out), `lost` (never sent) or `sent`.
    public internal(set) var state: String
    /// The fault that it met.
    public internal(set) var fault: String?
    /// What the receiver answered, copy by copy; 0 where nothing came back.
    public internal(set) var statuses: [Int] = []
}

/// A subscription as `/__simulator/webhooks` shows it.
public struct WebhookSubscriptionReport: Codable, Sendable {
    /// Its number.
    public let id: Int
    /// In the platform's words.
    public let topic: String
    /// Where deliveries go.
    public let url: String
    /// `active`, `paused` or `disabled`.
    public let status: String
    /// Failed deliveries in a row.
    public let failures: Int
}

/// The subscriptions of a shop and its last deliveries. A value: locking is somebody else's business.
struct ShopWebhooks: Sendable {
    struct Record: Sendable {
        var report: WebhookDeliveryReport
        let webhook: OutgoingWebhook
    }

    static let kept = 2_000
    private(set) var subscriptions: [Int: WebhookSubscription] = [:]
    private var records: [Int: Record] = [:]
    private var lastSubscription = 0
    private var lastDelivery = 0
    /// Held until a later one about the same order has gone out.
    private var held: [Int: [OutgoingWebhook]] = [:]
    private var ready: [OutgoingWebhook] = []

    /// In the order of their ids.
    var all: [WebhookSubscription] { subscriptions.values.sorted { $0.id < $1.id } }
    var reports: [WebhookDeliveryReport] { records.values.map(\.report).sorted { $0.id < $1.id } }

    func active(_ topic: String) -> [WebhookSubscription] {
        all.filter { $0.status == .active && $0.topic == topic }
    }

    mutating func add(name: String, topic: String, url: String, secret: String, at now: Date) -> WebhookSubscription {
        lastSubscription += 1
        let subscription = WebhookSubscription(
            id: lastSubscription, name: name, topic: topic, url: url, secret: secret, createdAt: now, modifiedAt: now)
        subscriptions[subscription.id] = subscription
        return subscription
    }

    mutating func change(_ id: Int, _ change: (inout WebhookSubscription) -> Void) {
        guard var subscription = subscriptions[id] else { return }
        change(&subscription)
        subscriptions[id] = subscription
    }

    mutating func remove(_ id: Int) -> WebhookSubscription? { subscriptions.removeValue(forKey: id) }

    /// Sends a webhook, as the fault wants it.
    mutating func send(_ webhook: OutgoingWebhook, fault: Fault? = nil) {
        var webhook = webhook
        lastDelivery += 1
        webhook.id = lastDelivery
        var report = WebhookDeliveryReport(
            id: webhook.id, subscription: webhook.subscriptionID, order: webhook.orderID, topic: webhook.topic,
            state: "waiting")
        report.fault = fault?.kind.rawValue
        switch fault?.kind {
        case .webhookLost: report.state = "lost"
        case .webhookOutOfOrder: report.state = "held"
        case .webhookDuplicate: webhook.copies = max(1, fault?.copies ?? 2)
        case .webhookForged: webhook.forge()
        case .webhookLate:
            webhook.delayMilliseconds += fault?.delayMilliseconds ?? 5_000
            webhook.overtakes = true
        default: break
        }
        records[webhook.id] = Record(report: report, webhook: webhook)
        records[webhook.id - Self.kept] = nil
        switch report.state {
        case "held": held[webhook.orderID ?? 0, default: []].append(webhook)
        case "waiting": ready.append(webhook)
        default: break
        }
    }

    /// Sends a webhook again as it was, under its own delivery id. False if it is not known any more.
    mutating func replay(_ id: Int, copies: Int) -> Bool {
        guard var webhook = records[id]?.webhook else { return false }
        (webhook.copies, webhook.delayMilliseconds, webhook.overtakes) = (max(1, copies), 0, true)
        ready.append(webhook)
        return true
    }

    mutating func takeReady() -> [OutgoingWebhook] {
        defer { ready = [] }
        return ready
    }

    /// A delivery has ended; what was held for it goes out.
    mutating func ended(_ webhook: OutgoingWebhook, statuses: [Int]) {
        records[webhook.id]?.report.statuses += statuses
        records[webhook.id]?.report.state = "sent"
        guard let orderID = webhook.orderID, let waiting = held.removeValue(forKey: orderID) else { return }
        ready += waiting
    }
}

/// Signatures as WooCommerce and Shopify make them.
enum WebhookSignature {
    /// Base64 of HMAC-SHA256 of the body as it is sent.
    static func base64(_ body: [UInt8], secret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8)))
        return Data(code).base64EncodedString()
    }
}

extension OutgoingWebhook {
    /// Signs it with a secret that nobody has.
    mutating func forge() {
        for index in headers.indices {
            let name = headers[index].name.lowercased()
            guard name.hasSuffix("signature") || name.contains("hmac") else { continue }
            headers[index].value = WebhookSignature.base64(body, secret: "forged")
        }
    }
}

extension SimulatedShop.State {
    /// What has happened since the last time, for those who subscribed.
    mutating func takeOutgoing() -> [OutgoingWebhook] {
        for event in orders.takeEvents() {
            for var webhook in deliveries(for: event) {
                webhook.delayMilliseconds += webhookLatencyMilliseconds
                webhooks.send(
                    webhook, fault: faults.nextWebhook(topic: webhook.topic, at: SimulatedShop.steadySeconds()))
            }
        }
        return webhooks.takeReady()
    }

    /// What the platform sends about an event.
    private mutating func deliveries(for event: OrderEvent) -> [OutgoingWebhook] {
        guard !webhooks.subscriptions.isEmpty else { return [] }
        return switch configuration.platform {
        case .wooCommerce: wooCommerceWebhooks(for: event)
        case .shopify: shopifyWebhooks(for: event)
        }
    }

    /// Somebody who does not have the secret sends word of an order. False if there is nobody to send it to.
    mutating func forgeWebhook(of orderID: Int) -> Bool {
        let webhooks = deliveries(for: OrderEvent(kind: .updated, orderID: orderID))
        for var webhook in webhooks {
            webhook.overtakes = true
            self.webhooks.send(webhook, fault: Fault(.webhookForged))
        }
        return !webhooks.isEmpty
    }

    /// A delivery has ended. Several failures in a row end the subscription, in the way of its platform.
    mutating func ended(_ webhook: OutgoingWebhook, statuses: [Int]) {
        webhooks.ended(webhook, statuses: statuses)
        let platform = configuration.platform
        let limit =
            platform == .shopify ? configuration.shopify.webhookFailureLimit : configuration.webhookFailureLimit
        var gone = false
        webhooks.change(webhook.subscriptionID) { subscription in
            for status in statuses {
                let succeeded = platform == .wooCommerce ? (200...302).contains(status) : (200...299).contains(status)
                subscription.failures = succeeded ? 0 : subscription.failures + 1
            }
            guard subscription.failures >= limit else { return }
            if platform == .shopify { gone = true } else { subscription.status = .disabled }
        }
        if gone { _ = webhooks.remove(webhook.subscriptionID) }
    }
}
