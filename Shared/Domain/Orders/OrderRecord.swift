public import Foundation

/// An order as the ledger keeps it: the shop's facts, what we added to them, and what the ERP was told. The rules of
/// domain.md section 3 as changes of a value; whoever stores it does nothing but store it.
public struct OrderRecord: Sendable, Equatable {
    /// The shop's facts, with a rounding charge where one is needed.
    public var order: Order
    /// Digest of the facts as the shop stated them, without the time of the last change.
    public var digest: String
    /// When the reading that the facts come from was begun, by our clock.
    public var readAt: Date
    /// Which statement about the order this is.
    public var version: OrderVersion
    /// One entry a line.
    public var lines: [OrderLineMapping]
    /// Why it is kept back; empty if it is not.
    public var holds: [OrderHold]
    /// Since when it is kept back; nil if it is not.
    public var heldAt: Date?
    /// The causes that a person has let go.
    public var released: [OrderHold]
    /// How far a cancellation is.
    public var cancellation: OrderCancellation?
    /// What the ERP was told; nil if nothing.
    public var report: OrderReportFacts?
    /// When its units stop counting if it is still unpaid.
    public var reservedUntil: Date?
    /// What is wrong with the shop's newest answer about it; nil if that could be read.
    public var unreadable: String?

    /// A record, as it was stored.
    public init(
        order: Order, digest: String, readAt: Date, version: OrderVersion, lines: [OrderLineMapping] = [],
        holds: [OrderHold] = [], heldAt: Date? = nil, released: [OrderHold] = [],
        cancellation: OrderCancellation? = nil, report: OrderReportFacts? = nil, reservedUntil: Date? = nil,
        unreadable: String? = nil
    ) {
        self.order = order
        self.digest = digest
        self.readAt = readAt
        self.version = version
        self.lines = lines
        self.holds = holds
        self.heldAt = heldAt
        self.released = released
        self.cancellation = cancellation
        self.report = report
        self.reservedUntil = reservedUntil
        self.unreadable = unreadable
    }

    /// What a reading of it is compared with.
    public var known: KnownRevision { KnownRevision(digest: digest, updatedAt: order.updatedAt, readAt: readAt) }

    /// Whether its mapping still matters: the ERP has not been told of it, and nobody wishes it away for good.
    public var isOpen: Bool { report == nil && cancellation != .cancelled }
}

/// What a change of an order brings about besides its new state.
public struct OrderEffects: Sendable, Equatable {
    /// What happened, as the topics name it.
    public enum Change: String, Sendable, Hashable, CaseIterable {
        case created, updated, cancelled, refunded
    }

    /// A task for people about a cancellation.
    public enum Task: String, Sendable, Hashable, CaseIterable {
        /// It was cancelled in time, but the ERP has it: its people have to stop it.
        case stopAtERP = "stop_at_erp"
        /// It may have been shipped already: a person decides.
        case decide
        /// The shop opened an order again whose cancellation the ERP has been told.
        case reopened
    }

    /// Something that is not a fact of the shop, for the order's history.
    public struct Note: Sendable, Hashable {
        /// From a closed set.
        public var what: String
        /// A sentence, without personal data.
        public var text: String

        /// A note.
        public init(_ what: String, _ text: String) {
            self.what = what
            self.text = text
        }
    }

    /// What others are told; nil if nothing that concerns them changed.
    public var change: Change?
    /// Whether what keeps it back has changed.
    public var holdsChanged = false
    /// For the history.
    public var notes: [Note] = []
    /// For people.
    public var tasks: [Task] = []

    /// Nothing.
    public init() {}

    /// Whether nothing came of it.
    public var isEmpty: Bool { self == OrderEffects() }
}

/// What the rules need besides the order.
public struct OrderSurroundings: Sendable {
    /// What the shop's listings are in the ERP.
    public var mapping: OrderMapping
    /// The configuration.
    public var policy: OrderPolicy
    /// The time, by our clock.
    public var now: Date
    /// Seconds by which the shop's clock is ahead of ours.
    public var clockAheadSeconds: Double

    /// The surroundings of a change.
    public init(mapping: OrderMapping, policy: OrderPolicy, now: Date, clockAheadSeconds: Double = 0) {
        self.mapping = mapping
        self.policy = policy
        self.now = now
        self.clockAheadSeconds = clockAheadSeconds
    }
}
