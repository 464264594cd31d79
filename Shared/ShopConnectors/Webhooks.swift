public import Foundation
public import Transfer

/// Tells a shop's webhook from a forged one. Pure: no network, no clock of its own.
public protocol WebhookVerifying: Sendable {
    /// What a request to our webhook address is.
    ///
    /// The signature is checked over the raw bytes in constant time before anything in the body is looked at.
    ///
    /// - Parameters:
    ///   - headers: as they came.
    ///   - body: the raw bytes.
    func verify(headers: [HTTPHeader], body: [UInt8]) -> WebhookVerdict
}

/// What a request to our webhook address is.
public enum WebhookVerdict: Sendable, Equatable {
    /// The shop says that an order changed: fetch it by its id, whatever the body says about it.
    case order(OrderNotice)
    /// From the shop, but about nothing that is fetched: answer that all is well.
    case ignored(String)
    /// Not from the shop, or cannot be read: why, without anything of its content.
    case rejected(String)
}

/// A hint that an order changed.
public struct OrderNotice: Sendable, Equatable {
    /// The platform's id of the order.
    public let externalID: String
    /// The platform's id of this delivery: the same one again is a repetition.
    public let deliveryID: String
    /// When the shop sent it, where it says so; one that is long past is a replay.
    public let sentAt: Date?
    /// The platform's name of what happened, such as `order.updated`.
    public let topic: String

    /// A hint.
    public init(externalID: String, deliveryID: String, sentAt: Date?, topic: String) {
        self.externalID = externalID
        self.deliveryID = deliveryID
        self.sentAt = sentAt
        self.topic = topic
    }
}

/// Looks after what a shop has been told to send to us.
public protocol WebhookManaging: Sendable {
    /// The subscriptions whose address is `url`; and whether each still works.
    func subscriptions(to url: String) async throws(ConnectorError) -> [WebhookSubscription]
    /// Makes the shop send changes of orders to `url`: adds what is missing and turns on again what the shop turned
    /// off.
    func subscribe(to url: String) async throws(ConnectorError)
}

/// One subscription at a shop.
public struct WebhookSubscription: Sendable, Equatable {
    /// The platform's id of it.
    public let id: String
    /// The platform's name of what it is for.
    public let topic: String
    /// Whether the shop sends to it; platforms turn a subscription off after failures in a row.
    public let isActive: Bool

    /// A subscription.
    public init(id: String, topic: String, isActive: Bool) {
        self.id = id
        self.topic = topic
        self.isActive = isActive
    }
}
