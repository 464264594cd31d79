import Domain
import Foundation
import Messaging
import ShopConnectors

/// What becomes of shelves whose stock was read before the write, decided under their locks.
struct ReadShelves {
    let shop: PublisherSettings.Shop
    let around: PushSurroundings
    /// When the reading began.
    let began: Date
    let now: Date
    /// What may be written now.
    var step = PushHandler.Step()
    /// When those that wait are looked at again.
    var waiting: [(id: ListingID, at: Date)] = []
    /// Those to be asked for again at once.
    var again: [ShelfRow] = []
    var hasUnseenSales = false

    mutating func decide(_ row: inout ShelfRow, _ claim: PushClaim, _ found: ShopConnectors.ObservedStock?) {
        let policy = shop.policy(for: row.state, around: around, comparesAndSets: false)
        guard let found else {
            row.state.record(
                .rejected(words: "The shop no longer has this item."), of: claim, now: now, policy: policy)
            return
        }
        guard let quantity = found.quantity, found.managed else {
            // The shop does not track it yet: there is nothing to compare with, and writing turns it on.
            step.rows.append(PushHandler.ClaimedShelf(id: row.shelf, claim: claim))
            return
        }
        let level = quantity.flooredUnits
        let stock = Domain.ObservedStock(level: level, readFrom: began, readTo: now)
        switch row.state.afterReading(claim, observed: stock, now: now, policy: policy, around: around) {
        case .write(let claim):
            step.rows.append(PushHandler.ClaimedShelf(id: row.shelf, claim: claim, expected: level))
        case .deferred(_, let until?): waiting.append((row.shelf, until))
        case .takeReserve: again.append(row)
        case .fetchOrders:
            hasUnseenSales = true
            // What may be lowered is lowered at once; the rest waits for the feeds, which ask for it again.
            if row.state.deferral == .feeds {
                waiting.append((row.shelf, now.addingTimeInterval(policy.feedStaleAfterSeconds)))
            } else {
                again.append(row)
            }
        case .held: hasUnseenSales = true
        case .asWanted, .deferred, .claimLost: break
        }
    }
}

extension PublisherSettings.Shop {
    /// How this shelf is pushed now. A shop whose orders are not collected, or not yet, has its stock read just before
    /// every write, and so has one that does not compare and set, or of which nothing is known.
    func policy(for state: ShelfState, around: PushSurroundings, comparesAndSets: Bool) -> PushPolicy {
        var policy = push
        policy.ordersAreCollected = around.feeds.contains { $0.shop == name && $0.completeUpTo != nil }
        policy.readBeforeWrite =
            !comparesAndSets || !policy.ordersAreCollected || state.expectedAtShop == nil
        return policy
    }
}

extension Outcome {
    /// Come back at that time.
    static func later(_ until: Date, _ now: Date) -> Outcome {
        .later(milliseconds: max(100, Int((until.timeIntervalSince(now) * 1_000).rounded(.up))))
    }

    /// Of two things that have to happen with one message, the one that covers both.
    func worse(_ other: Outcome) -> Outcome {
        switch (self, other) {
        case (.done, _), (.superseded, _): other
        case (_, .done), (_, .superseded): self
        case (.defer, _), (.park, _): self
        case (_, .defer), (_, .park): other
        case (.later(let left), .later(let right)): .later(milliseconds: max(left, right))
        // A failure counts an attempt, or a shop that answers nonsense would be asked for ever; a message that comes
        // back too early is told to wait.
        case (.later, _): other
        case (_, .later): self
        // No answer says less about the message than a bad one does.
        case (.outage, .retry): other
        case (.retry, _), (.outage, _): self
        }
    }
}
