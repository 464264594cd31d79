public import Foundation

/// The one state in which each SKU that a shop lists ends a run (domain.md, Pushing).
public enum ShelfOutcome: Sendable, Hashable {
    /// Written in this run, and the shop confirmed it.
    case confirmed
    /// The shop showed the wanted level already.
    case unchanged
    /// It waits, and that is nobody's failure.
    case deferred(Deferral)
    /// No article of the ERP, or not exactly one: see the reason.
    case unmapped(MappingResult)
    /// The shop refused it, in its own words.
    case rejected(String)
    /// It went wrong, or is held for a person.
    case failed(String)

    /// The state's name, as in messages, tables and `stockbridge status`.
    public enum Name: String, Sendable, Hashable, Codable, CaseIterable {
        /// Written and confirmed.
        case confirmed
        /// Already there.
        case unchanged
        /// Waiting.
        case deferred
        /// No single article.
        case unmapped
        /// Refused by the shop.
        case rejected
        /// Went wrong.
        case failed
    }

    /// The state's name.
    public var name: Name {
        switch self {
        case .confirmed: .confirmed
        case .unchanged: .unchanged
        case .deferred: .deferred
        case .unmapped: .unmapped
        case .rejected: .rejected
        case .failed: .failed
        }
    }

    /// The state of one listing at the end of a run. Total: every listing gets exactly one, so the counts add up.
    ///
    /// - Parameters:
    ///   - mapping: what the listing is in the ERP.
    ///   - shelf: its row of the push table, or nil if it has none.
    ///   - runBegan: when the run began; what was confirmed before it is unchanged.
    public init(mapping: MappingResult, shelf: ShelfState?, runBegan: Date) {
        guard case .mapped = mapping else {
            self = .unmapped(mapping)
            return
        }
        guard let shelf, shelf.wanted != nil else {
            self = .deferred(.noLevel)
            return
        }
        if shelf.isAsWanted {
            let wasWritten = shelf.lastPushedAt.map { $0 >= runBegan } ?? false
            self = wasWritten ? .confirmed : .unchanged
        } else if let held = shelf.held {
            self = .failed(held)
        } else if shelf.rejectedVersion == shelf.version {
            self = .rejected(shelf.rejection ?? "")
        } else if let deferral = shelf.deferral {
            self = .deferred(deferral)
        } else if let failure = shelf.failure {
            self = .failed(failure)
        } else {
            self = .deferred(.deadline)
        }
    }
}

/// How many listings of a shop ended a run in each state.
public struct OutcomeCounts: Sendable, Hashable, Codable {
    /// The listings of the shop.
    public var listed = 0
    /// Written and confirmed in the run.
    public var confirmed = 0
    /// Already as wanted.
    public var unchanged = 0
    /// Waiting.
    public var deferred = 0
    /// Without a single article.
    public var unmapped = 0
    /// Refused by the shop.
    public var rejected = 0
    /// Gone wrong.
    public var failed = 0

    /// No listings.
    public init() {}

    /// Counts one listing.
    public mutating func add(_ outcome: ShelfOutcome) {
        listed += 1
        add(1, as: outcome.name)
    }

    /// Adds to one of the six counts, but not to `listed`.
    public mutating func add(_ count: Int, as name: ShelfOutcome.Name) {
        switch name {
        case .confirmed: confirmed += count
        case .unchanged: unchanged += count
        case .deferred: deferred += count
        case .unmapped: unmapped += count
        case .rejected: rejected += count
        case .failed: failed += count
        }
    }

    /// Whether the six add up to what is listed; anything else is a defect.
    public var isBalanced: Bool { confirmed + unchanged + deferred + unmapped + rejected + failed == listed }
}
