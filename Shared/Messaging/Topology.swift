import Contracts
public import RabbitMQ

/// One thing that has to exist on the broker.
public enum Declaration: Sendable, Equatable {
    /// A durable exchange.
    case exchange(name: String, kind: TopologySession.ExchangeKind, arguments: [String: HeaderValue])
    /// A durable queue.
    case queue(name: String, arguments: [String: HeaderValue])
    /// A binding of a queue to an exchange by an exact key.
    case binding(queue: String, exchange: String, key: String)

    /// What `stockbridge topology plan` calls it.
    public var label: String {
        switch self {
        case .exchange(let name, let kind, _): "exchange \(name) (\(kind.rawValue))"
        case .queue(let name, _): "queue \(name)"
        case .binding(let queue, let exchange, let key): "binding \(exchange) -> \(queue) by '\(key)'"
        }
    }
}

/// What one broker user may do, as RabbitMQ's regular expressions.
public struct BrokerPermissions: Sendable, Equatable {
    /// The user, which is the service's name.
    public let user: String
    /// What it may declare and delete.
    public let configure: String
    /// What it may publish to and bind queues of.
    public let write: String
    /// What it may consume from and bind to.
    public let read: String
    /// Which routing keys it may publish to `stockbridge.events`.
    public let topicWrite: String
    /// Which routing keys it may bind its queues to.
    public let topicRead: String
}

/// The whole topology as values (messaging.md, "Topology"): what has to be declared and who may do what.
public struct Topology: Sendable {
    /// The topic exchange that every event goes to.
    public static let events = "stockbridge.events"
    /// Where an event goes that no queue is bound to.
    public static let unrouted = "stockbridge.unrouted"
    /// High enough never to be reached, since -1 means "discard at once" on RabbitMQ 3.10.
    static let practicallyUnlimited: Int64 = 1_000_000

    /// The services the topology was made from.
    public let services: [ServiceDescription]

    /// A topology of these services.
    public init(services: [ServiceDescription]) { self.services = services }

    /// What belongs to nobody alone; declared by `stockbridge topology apply`.
    public static var sharedDeclarations: [Declaration] {
        [
            .exchange(name: unrouted, kind: .fanout, arguments: [:]),
            .queue(name: unrouted, arguments: safeQueue(deliveryLimit: practicallyUnlimited)),
            .binding(queue: unrouted, exchange: unrouted, key: ""),
            .exchange(name: events, kind: .topic, arguments: ["alternate-exchange": .string(unrouted)]),
        ]
    }

    /// What one service owns, in an order in which it can be declared.
    public static func declarations(of service: ServiceDescription) -> [Declaration] {
        var all: [Declaration] = [
            .exchange(name: service.workExchange, kind: .direct, arguments: [:]),
            .exchange(name: service.deadExchange, kind: .fanout, arguments: [:]),
            .queue(name: service.deadExchange, arguments: safeQueue(deliveryLimit: practicallyUnlimited)),
            .binding(queue: service.deadExchange, exchange: service.deadExchange, key: ""),
        ]
        for tier in service.tiers {
            let name = service.retryExchange(tier)
            var arguments = safeQueue(deliveryLimit: practicallyUnlimited)
            // No dead-letter key of its own: the message keeps the queue's name and returns to where it came from.
            arguments["x-dead-letter-exchange"] = .string(service.workExchange)
            arguments["x-dead-letter-strategy"] = .string("at-least-once")
            arguments["x-message-ttl"] = .integer(Int64(tier.delayMilliseconds))
            all.append(.exchange(name: name, kind: .fanout, arguments: [:]))
            all.append(.queue(name: name, arguments: arguments))
            all.append(.binding(queue: name, exchange: name, key: ""))
        }
        for queue in service.queues {
            var arguments = safeQueue(deliveryLimit: 20)
            arguments["x-dead-letter-exchange"] = .string(service.deadExchange)
            arguments["x-dead-letter-routing-key"] = .string(queue.name)
            arguments["x-dead-letter-strategy"] = .string("at-least-once")
            all.append(.queue(name: queue.name, arguments: arguments))
            all.append(.binding(queue: queue.name, exchange: service.workExchange, key: queue.name))
            for topic in queue.topics {
                all.append(.binding(queue: queue.name, exchange: events, key: topic))
            }
        }
        return all
    }

    /// Everything, shared things first.
    public var declarations: [Declaration] {
        Self.sharedDeclarations + services.flatMap(Self.declarations)
    }

    /// One set of permissions per service.
    public var permissions: [BrokerPermissions] { services.map(permissions(of:)) }

    private func permissions(of service: ServiceDescription) -> BrokerPermissions {
        let shared = Self.escaped(Self.events)
        let isOperator = service.name == .stockbridge
        // The shared exchanges begin with the name of the operator's tool, and are not its own for that.
        let own = Self.escaped(service.name.rawValue) + (isOperator ? "\\.(work|dead)" : "(\\..*)?")
        let unroutedRead = isOperator ? "|" + Self.escaped(Self.unrouted) : ""
        let anyService = "[a-z-]+"
        let deadRead = service.handlesDeadLetters ? "|\(anyService)\\.dead" : ""
        let workWrite = service.handlesDeadLetters ? "|\(anyService)\\.work" : ""
        let consumed = service.queues.flatMap(\.topics)
        return BrokerPermissions(
            user: service.name.rawValue,
            configure: "^\(own)$",
            write: "^(\(own)|\(shared)\(workWrite))$",
            read: "^(\(own)|\(shared)\(deadRead)\(unroutedRead))$",
            topicWrite: Self.alternatives(service.publishes + (isOperator ? consumedTopics : [])),
            topicRead: Self.alternatives(consumed))
    }

    /// What an event that reached nobody can be sent again as. Through the work exchanges the operator reaches every
    /// queue anyway, so this lets it do nothing new to any service.
    private var consumedTopics: [String] { services.flatMap { $0.queues.flatMap(\.topics) } }

    /// Exactly these, or nothing at all.
    private static func alternatives(_ topics: [String]) -> String {
        topics.isEmpty ? "^$" : "^(" + Set(topics.map(escaped)).sorted().joined(separator: "|") + ")$"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing(".", with: "\\.")
    }

    private static func safeQueue(deliveryLimit: Int64) -> [String: HeaderValue] {
        [
            "x-queue-type": .string("quorum"),
            "x-delivery-limit": .integer(deliveryLimit),
            // At-least-once dead-lettering needs it, else it degrades without a word.
            "x-overflow": .string("reject-publish"),
        ]
    }
}
