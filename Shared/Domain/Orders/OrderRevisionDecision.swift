public import Foundation

/// What is kept of the newest revision of an order, to tell whether a reading of it says anything new.
public struct KnownRevision: Sendable, Hashable {
    /// Digest of the canonical form without the time of the last change.
    public var digest: String
    /// When the shop last changed it, by the shop's clock.
    public var updatedAt: Date
    /// When the reading that it comes from was begun, by our clock.
    public var readAt: Date

    /// What is known.
    public init(digest: String, updatedAt: Date, readAt: Date) {
        self.digest = digest
        self.updatedAt = updatedAt
        self.readAt = readAt
    }
}

/// What one reading of an order says.
public struct RevisionReading: Sendable, Hashable {
    /// Digest of the canonical form without the time of the last change.
    public var digest: String
    /// When the shop last changed it, by the shop's clock.
    public var updatedAt: Date
    /// When the reading was begun, by our clock.
    public var readAt: Date
    /// Whether the order was fetched by its id, not found in a page over a set that moves while it is read.
    public var isConfirmed: Bool

    /// A reading.
    public init(digest: String, updatedAt: Date, readAt: Date, isConfirmed: Bool) {
        self.digest = digest
        self.updatedAt = updatedAt
        self.readAt = readAt
        self.isConfirmed = isConfirmed
    }
}

/// What becomes of one reading of an order (domain.md section 3, Identity).
public enum RevisionDecision: Sendable, Hashable {
    /// Nobody knew of it: revision 1.
    case first
    /// The same digest: nothing happened. A newer time of the last change is kept, so that a late reading loses to it.
    case unchanged(keepTime: Bool)
    /// Older than what is known: ignored.
    case outdated
    /// It differs and is not older: to be fetched by its id once more before it counts.
    case confirm
    /// It differs, is not older, and was fetched by its id: the next revision.
    case revise

    /// Decides.
    ///
    /// Only the present revision is compared with, never an earlier one: an order that goes from one form to another
    /// and back is three revisions. Of two readings with the same time of the last change the one begun later counts,
    /// because the platforms keep whole seconds.
    public init(_ reading: RevisionReading, knowing known: KnownRevision?) {
        guard let known else {
            self = .first
            return
        }
        let order = reading.updatedAt.microseconds - known.updatedAt.microseconds
        if reading.digest == known.digest {
            self = .unchanged(keepTime: order > 0)
        } else if order < 0 || (order == 0 && reading.readAt.microseconds < known.readAt.microseconds) {
            self = .outdated
        } else {
            self = reading.isConfirmed ? .revise : .confirm
        }
    }
}

extension Date {
    /// Whole microseconds since 1970, as PostgreSQL keeps times: two times are equal when these are.
    var microseconds: Int64 { Int64((timeIntervalSince1970 * 1_000_000).rounded()) }
}
