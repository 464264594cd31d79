public import Domain
public import Foundation

/// Work for the service's own push queues: shelves that may need a push. Names no quantity; whoever handles it sends
/// what the push table says then.
public struct PushWork: EventPayload {
    /// The name and version.
    public static let type = EventType("stock-publisher.push", 1, 0)

    /// One shelf.
    public struct Shelf: Codable, Sendable {
        /// The listing's id.
        public var id: ListingID
        /// The version at which the push was asked for.
        public var version: Int64

        /// Makes it of its parts.
        public init(id: ListingID, version: Int64) {
            self.id = id
            self.version = version
        }
    }

    /// The shop.
    public var shop: ShopName
    /// The shelves.
    public var shelves: [Shelf]
    /// Try again what the shop refused at this very version.
    public var retryRejected: Bool

    /// Makes it of its parts.
    public init(shop: ShopName, shelves: [Shelf], retryRejected: Bool) {
        self.shop = shop
        self.shelves = shelves
        self.retryRejected = retryRejected
    }
}

/// Work for the service's own main queue: work out a shop's mapping anew.
public struct RemapWork: EventPayload {
    /// The name and version.
    public static let type = EventType("stock-publisher.remap", 1, 0)

    /// The shop.
    public var shop: ShopName
    /// `catalogue`, `stock`, `mapping` or `settings`; the last works every shelf of the shop out anew.
    public var cause: String
    /// What caused it, by its id.
    public var causeID: String
    /// When that happened.
    public var causedAt: Date

    /// Makes it of its parts.
    public init(shop: ShopName, cause: String, causeID: String, causedAt: Date) {
        self.shop = shop
        self.cause = cause
        self.causeID = causeID
        self.causedAt = causedAt
    }
}

/// Work for the service's own main queue: work out the levels of these codes anew.
public struct RecomputeWork: EventPayload {
    /// The name and version.
    public static let type = EventType("stock-publisher.recompute", 1, 0)

    /// The most codes of one message.
    public static let maximumCodes = 500

    /// The codes.
    public var codes: [ERPCode]
    /// `stock`, `feed` or `reserve`.
    public var cause: String
    /// What caused it, by its id.
    public var causeID: String
    /// When that happened.
    public var causedAt: Date

    /// Makes it of its parts.
    public init(codes: [ERPCode], cause: String, causeID: String, causedAt: Date) {
        self.codes = codes
        self.cause = cause
        self.causeID = causeID
        self.causedAt = causedAt
    }
}
