import Contracts
import Domain
import Foundation

/// Work for a shop's pass queue: read the shop's orders. Who asked is in the table of requests.
struct PassWork: EventPayload {
    static let type = EventType("order-collector.pass", 1, 0)

    var shop: ShopName
    /// By modified time from the cursor, or the whole of the last days.
    var kind: OrdersCollected.Kind
}

/// Work for a shop's fetch queue: read one order by its id, whatever a hint said about it.
struct FetchWork: EventPayload {
    static let type = EventType("order-collector.fetch", 1, 0)

    var shop: ShopName
    var externalID: String
    var via: ReadVia
}

/// How a reading came about.
enum ReadVia: String, Codable, Sendable {
    case pass, webhook, repair, collect
}

/// Work for this service's own main queue: assess orders of a shop again because what they depend on has changed.
struct ReassessWork: EventPayload {
    static let type = EventType("order-collector.reassess", 1, 0)

    /// So many orders in one message.
    static let maximumOrders = 200

    var shop: ShopName
    var externalIDs: [String]
    var reason: String
}

/// Work for this service's own main queue: say again what is known of a shop's orders, from one id on.
struct RepublishWork: EventPayload {
    static let type = EventType("order-collector.republish", 1, 0)

    /// So many orders in one message.
    static let maximumOrders = 500

    var shop: ShopName
    var after: String
    /// Orders that were reported and placed before then are left out.
    var placedSince: Date
}
