/// A routing key of the events exchange, with who publishes it and who is bound to it.
public struct Topic: Sendable, Hashable {
    /// The routing key.
    public let name: String
    /// Who publishes it. Sorted.
    public let publishers: [ServiceName]
    /// Who consumes it. Sorted.
    public let consumers: [ServiceName]

    init(_ name: String, from publishers: [ServiceName], to consumers: [ServiceName]) {
        self.name = name
        self.publishers = publishers.sorted()
        self.consumers = consumers.sorted()
    }
}

/// The topics there are: those of the table in messaging.md whose two ends exist. docs/asyncapi.yaml describes them.
public enum Topics {
    /// All of them, by name.
    public static let all: [Topic] = (events + commands).sorted { $0.name < $1.name }

    /// The names a service is bound to.
    public static func consumed(by service: ServiceName) -> [String] {
        all.filter { $0.consumers.contains(service) }.map(\.name)
    }

    /// The names a service publishes.
    public static func published(by service: ServiceName) -> [String] {
        all.filter { $0.publishers.contains(service) }.map(\.name)
    }

    private static let events =
        [
            Topic(StockAggregated.type.name, from: [.stockIngestor], to: [.stockPublisher]),
            Topic(StockPublished.type.name, from: [.stockPublisher], to: [.reconciler]),
            Topic(MappingChanged.type.name, from: [.stockPublisher], to: [.orderCollector]),
            Topic(OrdersCollected.type.name, from: [.orderCollector], to: [.stockPublisher, .erpBridge, .reconciler]),
            Topic(OrderHeld.type.name, from: [.orderCollector], to: [.notifier]),
            Topic(OrderReported.type.name, from: [.erpBridge], to: [.stockPublisher, .orderCollector, .reconciler]),
            Topic(ReportReady.type.name, from: [.erpBridge], to: [.notifier]),
            Topic(ReconciliationCompleted.type.name, from: [.reconciler], to: [.notifier]),
            Topic(StockHeld.type.name, from: [.stockIngestor], to: [.notifier]),
            Topic(
                MessageSettled.type.name, from: ServiceName.allCases.filter { $0 != .stockbridge }, to: [.notifier]),
            Topic(AlertRaised.type.name, from: ServiceName.allCases, to: [.notifier]),
            Topic(AlertCleared.type.name, from: ServiceName.allCases, to: [.notifier]),
        ]
        + OrderChanged.topics.map {
            Topic($0, from: [.orderCollector], to: [.stockPublisher, .erpBridge, .reconciler])
        }

    /// A service's own schedules ask it for work in the same way as an operator does.
    private static let commands = ServiceName.allCases.flatMap { service in
        Command.verbs(of: service).map { verb in
            Topic(
                Command.topic(service, verb), from: [.stockbridge, service] + otherSenders(service, verb),
                to: [service])
        }
    }

    /// Services that ask another one for something.
    private static func otherSenders(_ service: ServiceName, _ verb: Command.Verb) -> [ServiceName] {
        switch (service, verb) {
        // An unseen sale; a report that is due.
        case (.orderCollector, .collect): [.stockPublisher, .erpBridge]
        // A consumer that has no mapping yet.
        case (.stockPublisher, .republish): [.orderCollector, .reconciler]
        case (.stockPublisher, .repair): [.reconciler]
        default: []
        }
    }
}
