import Contracts
import Foundation

/// What one look at the system found. Times are business times unless they say otherwise.
struct WatchFacts: Sendable, Equatable {
    /// How many messages of one queue failed for good.
    struct QueueCount: Sendable, Equatable {
        var queue: String
        var letters: Int
    }

    /// What waits in the outbox of one service.
    struct Outbox: Sendable, Equatable {
        var service: String
        /// How long its oldest event waits, in real seconds.
        var seconds: Double
        /// What the broker last said to that event.
        var lastError: String?
    }

    /// A replica that has not signed off.
    struct Replica: Sendable, Equatable {
        var service: String
        var host: String
        /// Real seconds since its last heartbeat.
        var silentSeconds: Double
        var isBlocked: Bool
    }

    struct Schedule: Sendable, Equatable {
        var service: String
        var name: String
        /// When it is due next; in the past, if nobody fired it.
        var nextDue: Date
    }

    /// What the broker said to notifier.
    enum Broker: Sendable, Equatable {
        /// It answers; so many events lie in `stockbridge.unrouted`, unless that queue is not there.
        case answers(unrouted: Int?)
        /// It does not; why, as a sentence.
        case away(String)
    }

    var now: Date
    /// Dead letters of the last minutes, by queue, the most first.
    var newLetters: [QueueCount] = []
    /// Since when the oldest dead letter waits, and how many wait; nil if none does.
    var oldestLetter: Date?
    var waitingLetters = 0
    var broker: Broker = .answers(unrouted: 0)
    var outboxes: [Outbox] = []
    var replicas: [Replica] = []
    var schedules: [Schedule] = []
    /// The services that have to run.
    var services: [ServiceName] = []
    /// For how many real seconds looks were taken without a gap.
    var watchedSeconds: Double = 0
}
