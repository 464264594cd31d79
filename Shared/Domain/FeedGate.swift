public import Foundation

/// How far one shop's orders are known.
public struct OrderFeed: Sendable, Hashable {
    /// The shop.
    public var shop: ShopName
    /// All its orders placed up to then are in our ledger; nil if its orders are not collected yet, and then it counts
    /// as fresh (domain.md, Between two files).
    public var completeUpTo: Date?

    /// A shop's feed.
    public init(shop: ShopName, completeUpTo: Date?) {
        self.shop = shop
        self.completeUpTo = completeUpTo
    }
}

/// Whether an increase may go out, given how far the order feeds of the pool are (domain.md, Between two files).
public enum FeedGate: Sendable, Hashable {
    /// Every feed is fresher than what caused the increase, or its shop's reserve is already out of the pool.
    case open
    /// Wait for these shops' feeds, at most until then.
    case wait(until: Date, shops: [ShopName])
    /// The wait is over: these shops' reserve has to be taken from the pool, and then the increase goes out.
    case takeReserve([ShopName])

    /// The gate's answer. Decreases are not its business: they go out at once.
    ///
    /// - Parameters:
    ///   - cause: when what caused the increase happened.
    ///   - since: since when an increase of this shelf has been waiting; the cause itself if none has.
    ///   - feeds: the order feeds of all shops whose shelves share a warehouse with this one.
    ///   - reservedFor: the shops whose reserve the level leaves out already; a dead shop is waited for once only.
    ///   - now: the time.
    ///   - staleAfterSeconds: `feed_stale_after`.
    public init(
        cause: Date, since: Date, feeds: [OrderFeed], reservedFor: [ShopName], now: Date, staleAfterSeconds: Double
    ) {
        let stale = feeds.filter { feed in feed.completeUpTo.map { $0 <= cause } ?? false }.map(\.shop).sorted()
        let until = min(cause, since).addingTimeInterval(staleAfterSeconds)
        if stale.allSatisfy(reservedFor.contains) {
            self = .open
        } else if now < until {
            self = .wait(until: until, shops: stale)
        } else {
            self = .takeReserve(stale)
        }
    }
}
