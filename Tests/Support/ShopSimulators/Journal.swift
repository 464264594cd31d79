import Foundation

/// One change of one item's stock.
public struct JournalEntry: Codable, Sendable, Equatable {
    /// What changed it.
    public enum Source: String, Codable, Sendable {
        /// A call of the shop's API.
        case api
        /// A call whose client had already given up.
        case late
        /// An order: bought, edited, or given back.
        case sale
        /// Somebody changed it in the shop itself.
        case site
    }

    /// Grows by one with each entry, from 1.
    public let sequence: Int
    /// Seconds since 1970.
    public let time: Double
    /// The call's number; 0 for what was no call of the API.
    public let request: Int
    /// `product`, or `parent/variation`.
    public let id: String
    /// The item's SKU.
    public let sku: String
    /// Units before; nil where they were not tracked.
    public let before: Int?
    /// Units after.
    public let after: Int?
    /// Address and `User-Agent` of who called.
    public let client: String
    /// What changed it.
    public let source: Source
}

/// Who is changing what, and in which call.
struct Author: Sendable {
    var request = 0
    var client = ""
    var source = JournalEntry.Source.site
    var time = Date()
}

/// All changes since the last reset, bounded: what comes after ``limit`` entries is only counted.
struct Journal: Sendable {
    static let limit = 1_000_000
    private(set) var entries: [JournalEntry] = []
    private(set) var dropped = 0
    private var sequence = 0

    mutating func record(id: String, sku: String, before: Int?, after: Int?, by author: Author) {
        sequence += 1
        guard entries.count < Self.limit else {
            dropped += 1
            return
        }
        entries.append(
            JournalEntry(
                sequence: sequence, time: author.time.timeIntervalSince1970, request: author.request, id: id, sku: sku,
                before: before, after: after, client: author.client, source: author.source))
    }

    mutating func reset() {
        entries = []
        dropped = 0
    }
}

/// What a simulated shop has counted since the last reset.
public struct SimulatorStatistics: Codable, Sendable, Equatable {
    /// Calls of the shop's API, whatever became of them.
    public var requests = 0
    /// Calls that asked for a change.
    public var writeRequests = 0
    /// Items in calls that asked for a change.
    public var itemsWritten = 0
    /// Calls that were answered with 429 because they came faster than allowed.
    public var throttled = 0
    /// Calls that Shopify's GraphQL has looked at.
    public var graphQLCalls = 0
    /// Changes that were not done again because their idempotency key had been used before.
    public var replayedWrites = 0
    /// Calls that were answered with 401.
    public var unauthorized = 0
    /// Calls in progress now.
    public var concurrentRequests = 0
    /// The most calls that were ever in progress at once.
    public var maximumConcurrentRequests = 0
    /// The most changes of one item that were ever in progress at once.
    public var maximumWritesInFlight = 0
    /// Items that had more than one change in progress at once, with the most of each.
    public var overlappingWrites: [String: Int] = [:]
    /// How often each kind of fault has happened.
    public var faults: [String: Int] = [:]
    /// Changes that no longer went into the journal.
    public var droppedJournalEntries = 0

    /// Nothing counted.
    public init() {}
}
