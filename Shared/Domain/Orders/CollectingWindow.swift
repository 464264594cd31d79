public import Foundation

/// How far a shop's orders are known, and how far its clock is from ours.
public struct OrderFeedPosition: Sendable, Hashable {
    /// Every order that the shop changed before then, by the shop's clock, is in the ledger; nil before the first page.
    public var cursor: Date?
    /// The same moment by our clock.
    public var completeUpTo: Date?
    /// Seconds by which the shop's clock is ahead of ours, as last measured; an upper bound, a second or so too much.
    public var clockAheadSeconds: Double?

    /// A position.
    public init(cursor: Date? = nil, completeUpTo: Date? = nil, clockAheadSeconds: Double? = nil) {
        self.cursor = cursor
        self.completeUpTo = completeUpTo
        self.clockAheadSeconds = clockAheadSeconds
    }
}

/// The stretch of the shop's time that one pass reads, by the shop's clock (domain.md section 3, Collecting).
public struct CollectingWindow: Sendable, Hashable {
    /// From then on.
    public let from: Date
    /// Up to then.
    public let upTo: Date

    /// The next window of a shop.
    ///
    /// It begins `overlapSeconds` before the position, and at `firstFrom` (our clock) where there is none. The position
    /// by our clock counts too: after the shop's clock was set back its own position lies in the future. It ends
    /// `lagSeconds` behind the shop's clock, as far as that is known.
    public init(
        after position: OrderFeedPosition, now: Date, firstFrom: Date, overlapSeconds: Double, lagSeconds: Double
    ) {
        let ahead = position.clockAheadSeconds ?? 0
        upTo = now.addingTimeInterval(ahead - lagSeconds)
        let known = [position.cursor, position.completeUpTo?.addingTimeInterval(ahead)].compactMap(\.self).min()
        let start = known.map { $0.addingTimeInterval(-overlapSeconds) } ?? firstFrom.addingTimeInterval(ahead)
        from = min(start, upTo.addingTimeInterval(-overlapSeconds))
    }
}

/// What the first answer of a pass says about the shop's clock.
public struct ShopClockMeasure: Sendable, Hashable {
    /// Seconds by which the shop's clock is ahead of ours; at most a second plus the call's time too much.
    public let aheadSeconds: Double
    private let shopTime: Date

    /// - Parameters:
    ///   - shopTime: What the shop's clock said when it answered, in whole seconds.
    ///   - began: When the call was begun, by our clock.
    public init(shopTime: Date, began: Date) {
        self.shopTime = shopTime
        // The header drops what is beyond the second.
        aheadSeconds = shopTime.timeIntervalSince(began) + 1
    }

    /// How far the pass may claim to have read: never beyond the lag behind the shop's own clock.
    public func bounded(_ upTo: Date, lagSeconds: Double) -> Date {
        min(upTo, shopTime.addingTimeInterval(-lagSeconds))
    }

    /// Whether the window was made with another clock in mind, so that it is to be made anew: the difference was not
    /// known, or the clock was set, forward or back. Less than that the overlap makes up for.
    public func isFarFrom(_ upTo: Date, lagSeconds: Double) -> Bool {
        abs(shopTime.addingTimeInterval(-lagSeconds).timeIntervalSince(upTo)) > 30
    }

    /// A moment of the shop's clock by ours, rather too early than too late.
    public func ours(_ moment: Date) -> Date { moment.addingTimeInterval(-aheadSeconds) }
}

/// Where a pass may say that it stands after a page.
public enum PagePosition {
    /// By the shop's clock. Orders of the page's last second may go on on the next page, so the position stays before
    /// that second; after the last page it is the window's end. Never goes back within a pass.
    ///
    /// - Parameters:
    ///   - lastUpdatedAt: Of the page's last order that says when it was changed; nil if none does.
    ///   - isLast: Whether no page follows.
    ///   - before: The position before this page.
    ///   - end: How far the pass may claim to have read.
    public static func after(lastUpdatedAt: Date?, isLast: Bool, before: Date?, end: Date) -> Date? {
        if isLast { return max(end, before ?? end) }
        guard let lastUpdatedAt else { return before }
        let second = Date(timeIntervalSince1970: lastUpdatedAt.timeIntervalSince1970.rounded(.down))
        let reached = min(second.addingTimeInterval(-1), end)
        return max(reached, before ?? reached)
    }
}

/// Tells a webhook that is worth a fetch from one that was sent long ago.
public enum WebhookFreshness {
    /// A notice older than this, or further in the future, is a replay.
    public static let toleranceSeconds: Double = 600

    /// - Parameters:
    ///   - sentAt: By the shop's clock; a notice that does not say so is fresh.
    ///   - clockAheadSeconds: By which the shop's clock is ahead of ours.
    public static func isFresh(sentAt: Date?, receivedAt: Date, clockAheadSeconds: Double) -> Bool {
        guard let sentAt else { return true }
        let age = receivedAt.timeIntervalSince(sentAt.addingTimeInterval(-clockAheadSeconds))
        return abs(age) <= toleranceSeconds
    }
}
