public import Domain
public import Foundation

/// Reads a shop's orders.
public protocol OrderReading: Sendable {
    /// A page of the orders whose time lies in `window`, sorted by (that time, id), both ends included where the
    /// platform can.
    ///
    /// Platforms page over a set that moves while it is read: an order may come twice, and one that changes meanwhile
    /// leaves its place and comes later or not at all. So the caller keeps the window's upper end behind the shop's
    /// clock, overlaps windows, and drops what it has seen. All orders that stay as they are come at least once.
    func page(in window: OrderWindow, after cursor: OrderCursor?) async throws(ConnectorError) -> OrderPage

    /// One order by its id, however old; nil if the shop has no such order any more.
    func order(_ externalID: String) async throws(ConnectorError) -> OrderReadingResult?
}

/// Which orders to read.
public struct OrderWindow: Sendable, Hashable {
    /// The time that counts.
    public enum Time: String, Sendable, Hashable {
        /// When the shop last changed the order.
        case updated
        /// When it was placed.
        case placed
    }

    /// The time that counts.
    public let time: Time
    /// From then on.
    public let from: Date
    /// Up to then, by the shop's clock.
    public let upTo: Date

    /// A window.
    public init(_ time: Time, from: Date, upTo: Date) {
        self.time = time
        self.from = from
        self.upTo = upTo
    }
}

/// Where a reading of orders stands. Opaque: only the connector that made it understands it.
public struct OrderCursor: RawRepresentable, Sendable, Hashable, Codable {
    /// The connector's own text.
    public let rawValue: String
    /// Takes back what ``rawValue`` gave.
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// One order as it was read.
public enum OrderReadingResult: Sendable, Equatable {
    /// In canonical form, with the shop's totals and without a rounding charge.
    case order(Order)
    /// The shop's answer about it cannot be made an order; its neighbours are not concerned.
    case unreadable(UnreadableOrder)

    /// The platform's id of it.
    public var externalID: String {
        switch self {
        case .order(let order): order.externalID
        case .unreadable(let order): order.externalID
        }
    }

    /// When the shop last changed it, as far as it says so.
    public var updatedAt: Date? {
        switch self {
        case .order(let order): order.updatedAt
        case .unreadable(let order): order.updatedAt
        }
    }
}

/// An order that the shop names but whose facts cannot be read.
public struct UnreadableOrder: Sendable, Equatable {
    /// The platform's id of it.
    public let externalID: String
    /// When the shop last changed it, if that much can be read.
    public let updatedAt: Date?
    /// What is wrong, without personal data.
    public let problem: String

    /// Describes what is wrong with it.
    public init(externalID: String, updatedAt: Date?, problem: String) {
        self.externalID = externalID
        self.updatedAt = updatedAt
        self.problem = problem
    }
}

/// A piece of a reading.
public struct OrderPage: Sendable, Equatable {
    /// The orders, sorted by the window's time and id.
    public let orders: [OrderReadingResult]
    /// Where to go on; nil after the last page.
    public let next: OrderCursor?
    /// How many orders the whole window holds, where the shop says so; if it changes between two pages the set moved.
    public let total: Int?
    /// The shop's clock when it answered (HTTP `Date`); nil if it does not say.
    public let shopTime: Date?

    /// A page.
    public init(orders: [OrderReadingResult], next: OrderCursor?, total: Int? = nil, shopTime: Date? = nil) {
        self.orders = orders
        self.next = next
        self.total = total
        self.shopTime = shopTime
    }
}
