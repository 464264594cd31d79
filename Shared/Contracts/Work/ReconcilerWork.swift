public import Domain
public import Foundation

/// Work for the service's own queue of a shop: go on with reading it back. Says which step; where it stands is in the
/// tables, so that a repetition goes on where the first one stopped.
public struct ReadBackWork: EventPayload {
    /// The name and version.
    public static let type = EventType("reconciler.read-back", 1, 0)

    /// A step of reading back.
    public enum Step: String, Codable, Sendable {
        /// The catalogue with its stock, page by page.
        case catalogue
        /// The shop's own count of orders.
        case orders
        /// Statement against reading, within our tables.
        case compare
        /// What differs, once more.
        case again
    }

    /// The reconciliation.
    public var run: UUID
    /// The shop.
    public var shop: ShopName
    /// The reading that the work belongs to; a newer one of the same shop makes it void.
    public var reading: UUID
    /// What is to be done.
    public var step: Step

    /// Makes it of its parts.
    public init(run: UUID, shop: ShopName, reading: UUID, step: Step) {
        self.run = run
        self.shop = shop
        self.reading = reading
        self.step = step
    }
}
