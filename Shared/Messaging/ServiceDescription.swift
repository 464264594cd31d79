public import Contracts

/// What a consumer queue carries, and so how it is run (messaging.md, "Life of a message").
public enum QueueKind: Sendable, Equatable {
    /// Messages that change only our own tables: many in one transaction.
    case batch
    /// Messages that call the outside: one at a time, with no transaction open.
    case work
}

/// One consumer queue of a service.
public struct QueueDescription: Sendable, Equatable {
    /// The queue's name, which is also its routing key on the service's work exchange.
    public let name: String
    /// How its messages are handled.
    public let kind: QueueKind
    /// The exact topics it is bound to on `stockbridge.events`; empty for a queue fed by the service itself.
    public let topics: [String]

    /// Describes a queue.
    public init(name: String, kind: QueueKind, topics: [String] = []) {
        self.name = name
        self.kind = kind
        self.topics = topics
    }
}

/// A delay tier: a queue whose messages return to where they came from after a fixed time.
public struct RetryTier: Sendable, Equatable {
    /// The name in `S.retry.<name>`, such as `5s` or `10m`.
    public let name: String
    /// The tier's time to live.
    public let delayMilliseconds: Int

    /// Describes a tier; `name` is the delay in words, such as `30s`.
    public init(name: String, delayMilliseconds: Int) {
        precondition(delayMilliseconds > 0, "a retry tier waits some time")
        self.name = name
        self.delayMilliseconds = delayMilliseconds
    }

    /// 5 s, 30 s, 2 min, 10 min and 1 h.
    public static let standard: [RetryTier] = [
        RetryTier(name: "5s", delayMilliseconds: 5_000),
        RetryTier(name: "30s", delayMilliseconds: 30_000),
        RetryTier(name: "2m", delayMilliseconds: 120_000),
        RetryTier(name: "10m", delayMilliseconds: 600_000),
        RetryTier(name: "1h", delayMilliseconds: 3_600_000),
    ]
}

/// Everything the broker and the database have to know about one service. The topology, the broker's permissions and
/// the database's roles are generated from these descriptions alone.
public struct ServiceDescription: Sendable, Equatable {
    /// The service; its name is that of its broker user and the prefix of all it owns on the broker.
    public let name: ServiceName
    /// Its consumer queues.
    public let queues: [QueueDescription]
    /// Its delay tiers, shortest first.
    public let tiers: [RetryTier]
    /// The topics it may publish, exact.
    public let publishes: [String]
    /// Whether it may read every dead-letter queue and write every work exchange (notifier and the operator).
    public let handlesDeadLetters: Bool

    /// Describes a service.
    public init(
        name: ServiceName, queues: [QueueDescription], tiers: [RetryTier], publishes: [String],
        handlesDeadLetters: Bool = false
    ) {
        self.name = name
        self.queues = queues
        self.tiers = tiers
        self.publishes = publishes
        self.handlesDeadLetters = handlesDeadLetters
    }

    /// The exchange through which work reaches this service's queues.
    public var workExchange: String { "\(name.rawValue).work" }
    /// The exchange and queue of what failed for good.
    public var deadExchange: String { "\(name.rawValue).dead" }
    /// The exchange and queue of a delay tier.
    public func retryExchange(_ tier: RetryTier) -> String { "\(name.rawValue).retry.\(tier.name)" }
}
