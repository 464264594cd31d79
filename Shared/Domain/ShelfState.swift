public import Foundation

/// The right to write one shelf, given to one replica for a bounded time; at most one is live (domain.md, Pushing).
///
/// It is committed before the shop is called, and its result after.
public struct PushClaim: Sendable, Hashable, Codable {
    /// Counts the claims of this shelf; tells a late result of an older claim from the current one's, where versions
    /// cannot (the same version is claimed again after a failure).
    public var number: Int64
    /// The version of the wanted level that is being pushed.
    public var version: Int64
    /// The level that is being pushed, in units of the listing.
    public var level: Int
    /// Which replica holds it; for people, the decisions go by `number`.
    public var owner: String
    /// When it was taken.
    public var claimedAt: Date
    /// The request has to begin by then, or not at all: what begins later could outlive the lease.
    public var sendUntil: Date
    /// From then on another replica may take the shelf over; after `sendUntil` by a request's longest life.
    public var leaseUntil: Date
    /// The shop's stock has to be read, and ``ShelfState/afterReading(_:observed:now:policy:around:)`` asked, before
    /// the write.
    public var readFirst: Bool
    /// The shop sold or took back some of it while the claim was live, so what the shop has afterwards is unknown.
    public var disturbed: Bool

    /// A claim as a row holds it; decisions are made by ``ShelfState/claim(for:owner:now:policy:around:)``.
    public init(
        number: Int64, version: Int64, level: Int, owner: String, claimedAt: Date, sendUntil: Date, leaseUntil: Date,
        readFirst: Bool, disturbed: Bool = false
    ) {
        self.number = number
        self.version = version
        self.level = level
        self.owner = owner
        self.claimedAt = claimedAt
        self.sendUntil = sendUntil
        self.leaseUntil = leaseUntil
        self.readFirst = readFirst
        self.disturbed = disturbed
    }

    /// Whether the request may still begin at this time. Ask right before calling the shop; if not, record `.notSent`.
    public func maySend(at now: Date) -> Bool { now <= sendUntil }
}

/// Why a push waits without being anybody's failure.
public enum Deferral: String, Sendable, Hashable, Codable, CaseIterable {
    /// An increase waits until the order feeds have caught up with what caused it.
    case feeds
    /// The shop is in shadow: levels are computed and shown, nothing is written.
    case shadow
    /// The shop's circuit breaker is open.
    case breaker
    /// The shop's rate limit leaves no room before the run's deadline.
    case rateLimit = "rate_limit"
    /// The run ended before its turn came, or while it was being written.
    case deadline
    /// It is mapped, but no level has been worked out yet.
    case noLevel = "no_level"
}

/// The row of the push table: one per shelf, that is per shop, listing and location (domain.md, Pushing).
///
/// All decisions about a shelf are functions of this value, and `PushDecision.swift` holds them. The caller loads the
/// row under its lock, asks, stores what came out, and commits, before and after each call to the shop. Quantities are
/// in units of the listing.
public struct ShelfState: Sendable, Hashable, Codable {
    /// The level the shop should show; nil until it is mapped and worked out.
    public var wanted: Int?
    /// Counts the changes of `wanted`; raised by ``want(_:cause:reservedFor:)`` and ``repair(_:)``.
    public var version: Int64
    /// When what caused the wanted level happened: the order was placed, the file was received.
    public var cause: Date?
    /// Since when an increase has been waiting to go out; bounds the wait however often its cause changes.
    public var increaseSince: Date?
    /// The stale shops whose reserve is already taken out of the wanted level. Sorted.
    public var reservedFor: [ShopName]

    /// The version and level last sent, whether or not an answer came.
    public var sentVersion: Int64
    /// The level last sent.
    public var sent: Int?
    /// The newest version that the shop confirmed, or that it needed no write for.
    public var confirmedVersion: Int64
    /// The level the shop confirmed then.
    public var confirmedLevel: Int?
    /// When that was.
    public var confirmedAt: Date?
    /// When the last write was confirmed; unlike `confirmedAt` not touched where no write was needed.
    public var lastPushedAt: Date?

    /// What the shop should have: the level confirmed or read, less its own sales since; nil if unknown.
    public var expectedAtShop: Int?
    /// The shop's stock was `expectedAtShop` at some moment not before this.
    public var knownFrom: Date?
    /// The shop's stock was `expectedAtShop` at some moment not after this.
    public var knownTo: Date?

    /// How many claims there were; the number of the last.
    public var claimNumber: Int64
    /// The claim in force, expired ones too until somebody takes over.
    public var claim: PushClaim?
    /// An answer was lost: nobody writes before this.
    public var unknownUntil: Date?
    /// The shop's stock has to be read before the next write, because a write of unknown fate went before.
    public var readBackRequired: Bool

    /// The shop refuses this version for good.
    public var rejectedVersion: Int64?
    /// The shop's own words about it.
    public var rejection: String?
    /// Failures in a row.
    public var failures: Int
    /// What the last failure was; nil once a push went well or the wanted level changed.
    public var failure: String?
    /// Compare-and-set mismatches, or unseen sales, in a row.
    public var mismatches: Int
    /// Held for a person after too many mismatches, with the reason.
    public var held: String?
    /// Why the last attempt to push waited; nil once one was made.
    public var deferral: Deferral?

    /// A shelf of which nothing is known.
    public init() {
        version = 0
        reservedFor = []
        sentVersion = 0
        confirmedVersion = 0
        claimNumber = 0
        readBackRequired = false
        failures = 0
        mismatches = 0
    }

    private enum CodingKeys: String, CodingKey {
        case wanted, version, cause, sent, claim, rejection, failures, failure, mismatches, held, deferral
        case increaseSince = "increase_since"
        case reservedFor = "reserved_for"
        case sentVersion = "sent_version"
        case confirmedVersion = "confirmed_version"
        case confirmedLevel = "confirmed_level"
        case confirmedAt = "confirmed_at"
        case lastPushedAt = "last_pushed_at"
        case expectedAtShop = "expected_at_shop"
        case knownFrom = "known_from"
        case knownTo = "known_to"
        case claimNumber = "claim_number"
        case unknownUntil = "unknown_until"
        case readBackRequired = "read_back_required"
        case rejectedVersion = "rejected_version"
    }

    /// Whether the shop is known to show the wanted level.
    public var isAsWanted: Bool {
        wanted != nil && wanted == expectedAtShop && claim == nil && unknownUntil == nil && !readBackRequired
    }

    /// Whether a push should be asked for: something is wanted, and the shop is not known to show it.
    public var isDue: Bool { wanted != nil && !isAsWanted && held == nil && rejectedVersion != version }
}

/// The times and rules that pushing to one shop goes by.
public struct PushPolicy: Sendable, Hashable {
    /// After taking a claim, the request has to begin within so many seconds.
    public var sendWithinSeconds: Double
    /// How long after it began a request can still take effect at the shop, in seconds: our time-out and the shop's.
    public var requestLifeSeconds: Double
    /// How far our clock and the shop's may be apart, in seconds.
    public var clockToleranceSeconds: Double
    /// How long an increase waits for stale order feeds, in seconds.
    public var feedStaleAfterSeconds: Double
    /// Read the shop's stock before every write: where there is no compare-and-set.
    public var readBeforeWrite: Bool
    /// The shop's orders are collected, so a stock lower than expected is a sale not yet seen, to be fetched first.
    public var ordersAreCollected: Bool
    /// After so many mismatches in a row the SKU is held.
    public var mismatchLimit: Int

    /// A policy; the defaults are those of a platform without compare-and-set whose orders are not collected.
    public init(
        sendWithinSeconds: Double = 30, requestLifeSeconds: Double = 90, clockToleranceSeconds: Double = 5,
        feedStaleAfterSeconds: Double = 1_800, readBeforeWrite: Bool = true, ordersAreCollected: Bool = false,
        mismatchLimit: Int = 3
    ) {
        self.sendWithinSeconds = sendWithinSeconds
        self.requestLifeSeconds = requestLifeSeconds
        self.clockToleranceSeconds = clockToleranceSeconds
        self.feedStaleAfterSeconds = feedStaleAfterSeconds
        self.readBeforeWrite = readBeforeWrite
        self.ordersAreCollected = ordersAreCollected
        self.mismatchLimit = mismatchLimit
    }
}
