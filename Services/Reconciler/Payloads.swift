import Contracts
import Domain
import Foundation

/// Work for this service's own queue of a shop: go on with reading it back. Says which step; where it stands is in the
/// tables, so that a repetition goes on where the first one stopped.
struct ReadBackWork: EventPayload {
    static let type = EventType("reconciler.read-back", 1, 0)

    enum Step: String, Codable, Sendable {
        /// The catalogue with its stock, page by page.
        case catalogue
        /// The shop's own count of orders.
        case orders
        /// Statement against reading, within our tables.
        case compare
        /// What differs, once more.
        case again
    }

    var run: UUID
    var shop: ShopName
    /// The reading that the work belongs to; a newer one of the same shop makes it void.
    var reading: UUID
    var step: Step
}
