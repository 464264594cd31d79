import Contracts
import Domain
import Foundation

/// Work for this service's own push queues: shelves that may need a push. Names no quantity; whoever handles it sends
/// what the push table says then.
struct PushWork: EventPayload {
    static let type = EventType("stock-publisher.push", 1, 0)

    struct Shelf: Codable, Sendable {
        var id: ListingID
        /// The version at which the push was asked for.
        var version: Int64
    }

    var shop: ShopName
    var shelves: [Shelf]
    /// Try again what the shop refused at this very version.
    var retryRejected: Bool
}

/// Work for this service's own main queue: work out a shop's mapping anew.
struct RemapWork: EventPayload {
    static let type = EventType("stock-publisher.remap", 1, 0)

    var shop: ShopName
    /// `catalogue`, `stock`, `mapping` or `settings`; the last works every shelf of the shop out anew.
    var cause: String
    var causeID: String
    var causedAt: Date
}

/// Work for this service's own main queue: work out the levels of these codes anew.
struct RecomputeWork: EventPayload {
    static let type = EventType("stock-publisher.recompute", 1, 0)

    /// The most codes of one message.
    static let maximumCodes = 500

    var codes: [ERPCode]
    /// `stock`, `feed` or `reserve`.
    var cause: String
    var causeID: String
    var causedAt: Date
}
