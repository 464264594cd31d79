public import Domain
public import Foundation

/// Work for a shop's pass queue: read the shop's orders. Who asked is in the table of requests.
public struct PassWork: EventPayload {
    /// The name and version.
    public static let type = EventType("order-collector.pass", 1, 0)

    /// The shop.
    public var shop: ShopName
    /// By modified time from the cursor, or the whole of the last days.
    public var kind: OrdersCollected.Kind

    /// Makes it of its parts.
    public init(shop: ShopName, kind: OrdersCollected.Kind) {
        self.shop = shop
        self.kind = kind
    }
}

/// Work for a shop's fetch queue: read one order by its id, whatever a hint said about it.
public struct FetchWork: EventPayload {
    /// The name and version.
    public static let type = EventType("order-collector.fetch", 1, 0)

    /// The shop.
    public var shop: ShopName
    /// The platform's id of the order.
    public var externalID: String
    /// Who asks.
    public var via: ReadVia

    /// Makes it of its parts.
    public init(shop: ShopName, externalID: String, via: ReadVia) {
        self.shop = shop
        self.externalID = externalID
        self.via = via
    }
}

/// How a reading came about.
public enum ReadVia: String, Codable, Sendable {
    /// A pass over the orders that changed.
    case pass
    /// A hint of the shop.
    case webhook
    /// The nightly comparison.
    case repair
    /// Somebody asked for this one.
    case collect
}

/// Work for the service's own main queue: assess orders of a shop again because what they depend on has changed.
public struct ReassessWork: EventPayload {
    /// The name and version.
    public static let type = EventType("order-collector.reassess", 1, 0)

    /// So many orders in one message.
    public static let maximumOrders = 200

    /// The shop.
    public var shop: ShopName
    /// The platform's ids of the orders.
    public var externalIDs: [String]
    /// What has changed.
    public var reason: String

    /// Makes it of its parts.
    public init(shop: ShopName, externalIDs: [String], reason: String) {
        self.shop = shop
        self.externalIDs = externalIDs
        self.reason = reason
    }
}

/// Work for the service's own main queue: say again what is known of a shop's orders, from one id on.
public struct RepublishWork: EventPayload {
    /// The name and version.
    public static let type = EventType("order-collector.republish", 1, 0)

    /// So many orders in one message.
    public static let maximumOrders = 500

    /// The shop.
    public var shop: ShopName
    /// The id to begin behind; empty for the first.
    public var after: String
    /// Orders that were reported and placed before then are left out.
    public var placedSince: Date

    /// Makes it of its parts.
    public init(shop: ShopName, after: String, placedSince: Date) {
        self.shop = shop
        self.after = after
        self.placedSince = placedSince
    }
}
