public import Foundation

/// A wish that a shelf be pushed. It names no quantity: whoever handles it sends what the row says now.
public struct PushRequest: Sendable, Hashable {
    /// The version at which the wish was made; the request is done once it, or a later one, is confirmed.
    public var version: Int64
    /// Try again what the shop refused at this very version: a new run does, a redelivery does not.
    public var retryRejected: Bool

    /// A wish made at a version.
    public init(version: Int64, retryRejected: Bool = false) {
        self.version = version
        self.retryRejected = retryRejected
    }
}

/// What surrounds a shelf at the moment of deciding.
public struct PushSurroundings: Sendable {
    /// The order feeds of the shops that share a warehouse with this shelf.
    public var feeds: [OrderFeed]
    /// Why nothing may be written to the shop now (shadow, breaker), if so.
    public var closed: Deferral?

    /// Surroundings; without arguments nothing stands in the way.
    public init(feeds: [OrderFeed] = [], closed: Deferral? = nil) {
        self.feeds = feeds
        self.closed = closed
    }
}

/// A shop's stock of one listing as it was read.
public struct ObservedStock: Sendable, Hashable {
    /// The level the shop showed, in units of the listing.
    public var level: Int
    /// When the reading request began.
    public var readFrom: Date
    /// When its answer came.
    public var readTo: Date

    /// A reading.
    public init(level: Int, readFrom: Date, readTo: Date) {
        self.level = level
        self.readFrom = readFrom
        self.readTo = readTo
    }
}

/// What to do about a push request.
public enum ClaimDecision: Sendable, Hashable {
    /// The claim is in the row now: commit, then read if it says so, then write.
    case push(PushClaim)
    /// Nothing to do; the request is done.
    case nothing(Nothing)
    /// Somebody is writing, or an answer was lost: ask again at that time.
    case wait(until: Date)
    /// Not now, and nobody's failure. With a time: ask again then at the latest.
    case deferred(Deferral, until: Date?)
    /// These shops' reserve has to be taken from the pool first: work out the level, call
    /// ``ShelfState/want(_:cause:reservedFor:)``, and ask again.
    case takeReserve(for: [ShopName])

    /// Why there is nothing to do.
    public enum Nothing: String, Sendable, Hashable {
        /// No level is wanted.
        case notWanted = "not_wanted"
        /// The shop shows the wanted level already.
        case asWanted = "as_wanted"
        /// A claim on a newer version is in flight; the request for that version sees to the rest.
        case superseded
        /// The shop refused this version for good.
        case rejected
        /// Held for a person.
        case held
    }
}

/// How a push ended, as far as the caller can tell.
public enum PushResult: Sendable, Hashable {
    /// The shop confirmed the level. `began` is when the request began.
    case confirmed(began: Date)
    /// The shop refuses it for good, in its own words.
    case rejected(words: String)
    /// It certainly did not take effect (refused connection, 429, 5xx that says so).
    case failed(String)
    /// It may or may not have taken effect: no answer, or none that can be understood.
    case lostAnswer(began: Date, String)
    /// Nothing was sent.
    case notSent(Deferral)
    /// Compare-and-set found something else there.
    case mismatch(ObservedStock)
}

/// What recording a result did.
public enum RecordDecision: Sendable, Hashable {
    /// The row is changed; store it. If ``ShelfState/isDue`` now, ask for a push.
    case recorded
    /// It was recorded before; nothing changed.
    case alreadyRecorded
    /// It came from an older claim. A newer confirmation stands; the shop is read before the next write. Store it.
    case late
}

/// What to do with the stock that was read before a write.
public enum AfterReading: Sendable, Hashable {
    /// Write this claim's level: the claim as it is in the row now, brought up to the newest wanted level.
    case write(PushClaim)
    /// The shop shows it already: the claim is closed as confirmed, nothing is written.
    case asWanted
    /// Not now: the claim is closed.
    case deferred(Deferral, until: Date?)
    /// As ``ClaimDecision/takeReserve(for:)``: the claim is closed.
    case takeReserve(for: [ShopName])
    /// The shop sold so many that we have not seen: fetch its orders, work out the level, ask again; the claim is
    /// closed.
    case fetchOrders(unseen: Int)
    /// Unseen sales too often in a row: held for a person; the claim is closed.
    case held
    /// The claim was taken over by somebody else meanwhile, or nothing is wanted any more: write nothing.
    case claimLost
}
