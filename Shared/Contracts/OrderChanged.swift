public import Domain
public import Foundation

/// `order.created`, `order.updated`, `order.cancelled`, `order.refunded`: an order with everything known about it.
///
/// One type for four topics; each carries the whole order, so that no order of arrival is relied on: the highest
/// ``version`` wins, whatever the topic says. Holds personal data.
public struct OrderChanged: EventPayload, Hashable {
    /// The name and version. The topic differs with the change.
    public static let type = EventType("order", 1, 0)

    /// What happened.
    public enum Change: String, Sendable, Hashable, Codable, CaseIterable {
        /// It is new to us.
        case created
        /// The shop or we changed something about it: an edit, a payment, a hold, a release, a mapping.
        case updated
        /// Its cancellation has an outcome: ``OrderChanged/cancellation`` says which.
        case cancelled
        /// Money went back.
        case refunded
    }

    /// What happened.
    public var change: Change
    /// The facts of the shop.
    public var order: Order
    /// Which statement about the order this is.
    public var version: OrderVersion
    /// What each line is in the ERP; one entry a line.
    public var lines: [OrderLineMapping]
    /// Why it is kept back from the ERP; empty if it is not.
    public var holds: [OrderHold]
    /// How far a cancellation is; nil if nobody wishes one.
    public var cancellation: OrderCancellation?
    /// When we learnt of this revision, by our clock; not of the order.
    public var learntAt: Date
    /// When its units stop counting if it is still unpaid; nil where it does not wait for payment.
    public var reservedUntil: Date?

    /// A change of an order.
    public init(
        change: Change, order: Order, version: OrderVersion, lines: [OrderLineMapping], holds: [OrderHold] = [],
        cancellation: OrderCancellation? = nil, learntAt: Date, reservedUntil: Date? = nil
    ) {
        self.change = change
        self.order = order
        self.version = version
        self.lines = lines
        self.holds = holds
        self.cancellation = cancellation
        self.learntAt = learntAt
        self.reservedUntil = reservedUntil
    }

    /// `order.<change>`.
    public var topic: String { Self.topic(change) }

    /// `order.<change>`.
    public static func topic(_ change: Change) -> String { "order.\(change.rawValue)" }

    /// All four topics.
    public static let topics = Change.allCases.map(topic)

    private enum CodingKeys: String, CodingKey {
        case change, order, version, lines, holds, cancellation
        case learntAt = "learnt_at"
        case reservedUntil = "reserved_until"
    }
}

/// `order.held`: an order is kept back, or what keeps it back has changed. No personal data.
public struct OrderHeld: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("order.held", 1, 0)

    /// Which order.
    public var reference: OrderReference
    /// What people call it.
    public var number: String
    /// Which statement about it.
    public var version: OrderVersion
    /// Why; empty when it was released.
    public var holds: [OrderHold]
    /// Since when.
    public var heldAt: Date

    /// A held order.
    public init(
        reference: OrderReference, number: String, version: OrderVersion, holds: [OrderHold], heldAt: Date
    ) {
        self.reference = reference
        self.number = number
        self.version = version
        self.holds = holds
        self.heldAt = heldAt
    }

    private enum CodingKeys: String, CodingKey {
        case reference, number, version, holds
        case heldAt = "held_at"
    }
}

/// `orders.collected`: how far a shop's orders are known; after every pass, also when nothing changed.
public struct OrdersCollected: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("orders.collected", 1, 0)

    /// What the pass was for.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// By modified time, from the cursor.
        case pass
        /// The nightly comparison of the last days.
        case repair
    }

    /// The shop.
    public var shop: ShopName
    /// What the pass was for.
    public var kind: Kind
    /// Everything that the shop changed up to then, by our clock, is in our ledger. Never goes back.
    public var completeUpTo: Date
    /// Who asked for the pass, so that they can wait for it; nil for a scheduled one.
    public var request: UUID?
    /// Orders that the shop named.
    public var seen: Int
    /// Orders that were new or different.
    public var changed: Int
    /// Orders of the shop placed since local midnight, by the ledger.
    public var placedToday: Int
    /// When the pass ended.
    public var collectedAt: Date

    /// A pass.
    public init(
        shop: ShopName, kind: Kind, completeUpTo: Date, request: UUID? = nil, seen: Int, changed: Int,
        placedToday: Int = 0, collectedAt: Date
    ) {
        self.shop = shop
        self.kind = kind
        self.completeUpTo = completeUpTo
        self.request = request
        self.seen = seen
        self.changed = changed
        self.placedToday = placedToday
        self.collectedAt = collectedAt
    }

    private enum CodingKeys: String, CodingKey {
        case shop, kind, request, seen, changed
        case completeUpTo = "complete_up_to"
        case placedToday = "placed_today"
        case collectedAt = "collected_at"
    }
}
