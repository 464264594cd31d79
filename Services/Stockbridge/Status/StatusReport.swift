import Foundation

/// What `stockbridge status` knows; values only, so that its rules and its text are tested without a server.
struct StatusReport: Sendable, Encodable {
    struct Counts: Sendable, Equatable {
        var listed = 0
        var confirmed = 0
        var unchanged = 0
        var deferred = 0
        var unmapped = 0
        var rejected = 0
        var failed = 0
    }

    /// The newest run of a shop that has ended.
    struct EndedRun: Sendable, Encodable {
        var cause: String
        var beganAt: Date
        var endedAt: Date
        var seconds: Double
    }

    struct OpenRun: Sendable, Encodable {
        var cause: String
        var beganAt: Date
        var deadlineAt: Date
        /// Shelves that are still to be written.
        var due: Int
    }

    struct Shop: Sendable {
        var name: String
        var platform: String
        /// Whether stock-publisher has seen this shop in its configuration.
        var known = true
        var shadow = true
        /// Of the newest ended run; of the open one while it is the first.
        var counts = Counts()
        var lastRun: EndedRun?
        var openRun: OpenRun?
        var listings = 0
        var remapPending = false
        var catalogueReadAt: Date?
        var catalogueProblem: String?
    }

    struct Source: Sendable, Encodable {
        var name: String
        var liveSnapshot: UUID?
        var liveFile: String?
        var sequence: Int?
        var asOf: Date?
        var receivedAt: Date?
        var skus: Int?
        /// The newest file, if it is not the live one: `held`, `refused`, `unreadable`, `rejected`, `loading`.
        var newest: Newest?
        var lookingSince: Date?

        struct Newest: Sendable, Encodable {
            var id: UUID
            var file: String
            var state: String
            var receivedAt: Date
        }
    }

    /// How far a shop's orders are known, and what the ERP was told.
    struct Orders: Sendable, Encodable {
        var shop: String
        /// Everything the shop changed up to then is in the ledger; nil if they never were collected.
        var completeUpTo: Date?
        /// Orders that are kept back from the ERP.
        var held: Int
        /// Why the last pass went wrong; nil if it went well.
        var problem: String?
        var lastReport: Report?

        struct Report: Sendable, Encodable {
            var batch: String
            /// `sent`, `collecting`, `failed`, ...
            var state: String
            var sentAt: Date?
            var orders: Int
            var changes: Int
            var problem: String?
        }
    }

    struct HeldSnapshot: Sendable, Encodable {
        var id: UUID
        var source: String
        var file: String
        var asOf: Date
        var receivedAt: Date
        var reasons: [String]
    }

    struct Schedule: Sendable, Encodable {
        var service: String
        var name: String
        var expression: String
        var timeZone: String
        var lastDue: Date?
        var nextDue: Date
    }

    struct Replica: Sendable, Encodable {
        var service: String
        var host: String
        var process: Int
        var startedAt: Date
        var heartbeatAt: Date
        var alive: Bool
    }

    /// What waits for one service, and whether more replicas would help.
    struct Service: Sendable, Encodable {
        var service: String
        /// Replicas that are alive.
        var replicas: Int
        /// Messages that nobody has taken; nil if the broker could not be asked.
        var ready: Int?
        /// Messages that replicas work on.
        var inHand: Int
        /// Messages that wait for another attempt; nil if the broker could not be asked.
        var retrying: Int?
        /// Events that wait to be published.
        var outbox: Int
        /// Messages begun a second, over the last minute.
        var perSecond: Double
        /// Until nothing is ready any more, at this pace; nil if nobody can tell.
        var drainSeconds: Double?
        /// So many more are worth a try; 0 if none are.
        var moreReplicas: Int
        /// One sentence where something waits for longer than a minute.
        var advice: String?
    }

    struct Breaker: Sendable, Encodable {
        var account: String
        var failures: Int
        var openedAt: Date?
        var probeAt: Date?
        var reason: String?
    }

    struct Alert: Sendable, Encodable {
        var condition: String
        var severity: String
        var title: String
        var whatToDo: String
        var openedAt: Date
        var times: Int
    }

    struct Outbox: Sendable, Encodable {
        var service: String
        var waiting: Int
        var oldestAt: Date?
        var lastError: String?
    }

    struct Mails: Sendable, Encodable {
        var unsent = 0
        var oldestAt: Date?
        var lastProblem: String?
    }

    /// Messages that failed for good and wait for a person.
    struct DeadLetters: Sendable, Encodable {
        var waiting = 0
        /// Of so many kinds of errors.
        var kinds = 0
    }

    /// One thing that a person should look at.
    struct Attention: Sendable, Encodable, Equatable {
        var what: String
        var whatToDo: String
    }

    var company: String
    /// By the database's clock.
    var at: Date
    var shops: [Shop] = []
    var sources: [Source] = []
    var orders: [Orders] = []
    var held: [HeldSnapshot] = []
    var schedules: [Schedule] = []
    var replicas: [Replica] = []
    var services: [Service] = []
    /// Why nobody knows what waits at the broker; nil if it is known.
    var brokerProblem: String?
    var breakers: [Breaker] = []
    var alerts: [Alert] = []
    var outboxes: [Outbox] = []
    var mails = Mails()
    var deadLetters = DeadLetters()
    /// Commands of operators that nobody has answered for a minute.
    var unansweredCommands = 0
    var attention: [Attention] = []
}

extension StatusReport.Shop: Encodable {
    private enum CodingKeys: String, CodingKey {
        case name, platform, shadow, listed, confirmed, unchanged, deferred, unmapped, rejected, failed, lastRun
        case openRun, listings, remapPending, catalogueReadAt, catalogueProblem, known
    }

    /// The six counts stand beside the name: they are what scripts read.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(platform, forKey: .platform)
        try container.encode(known, forKey: .known)
        try container.encode(shadow, forKey: .shadow)
        try container.encode(counts.listed, forKey: .listed)
        try container.encode(counts.confirmed, forKey: .confirmed)
        try container.encode(counts.unchanged, forKey: .unchanged)
        try container.encode(counts.deferred, forKey: .deferred)
        try container.encode(counts.unmapped, forKey: .unmapped)
        try container.encode(counts.rejected, forKey: .rejected)
        try container.encode(counts.failed, forKey: .failed)
        try container.encodeIfPresent(lastRun, forKey: .lastRun)
        try container.encodeIfPresent(openRun, forKey: .openRun)
        try container.encode(listings, forKey: .listings)
        try container.encode(remapPending, forKey: .remapPending)
        try container.encodeIfPresent(catalogueReadAt, forKey: .catalogueReadAt)
        try container.encodeIfPresent(catalogueProblem, forKey: .catalogueProblem)
    }
}
