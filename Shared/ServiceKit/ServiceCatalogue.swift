public import Contracts
public import Domain
public import Messaging
public import Settings

/// The one description of all services from which topology, broker permissions and database roles are generated.
public enum ServiceCatalogue {
    /// The queue that carries requests to push shelves of one shop; one a shop, so that none waits for another.
    public static func pushQueue(of shop: ShopName) -> String { "stock-publisher.push.\(shop.rawValue)" }

    /// The queue that carries requests to push what orders changed at one shop; they do not wait behind a whole run.
    public static func urgentQueue(of shop: ShopName) -> String { "stock-publisher.urgent.\(shop.rawValue)" }

    /// The queue of stock-publisher for orders, which do not wait behind the chunks of a snapshot.
    public static let ordersQueue = "stock-publisher.orders"
    /// The queue of stock-publisher for reading catalogues.
    public static let catalogueQueue = "stock-publisher.catalogue"
    /// The queue of stock-ingestor for decisions of an operator, which need not wait for a pick-up.
    public static let decisionsQueue = "stock-ingestor.decisions"
    /// The queue of order-collector for passes over one shop's orders; one a shop, so that a slow shop delays no other.
    public static func passQueue(of shop: ShopName) -> String { "order-collector.pass.\(shop.rawValue)" }
    /// The queue of order-collector for single orders of one shop, which need not wait for a pass.
    public static func fetchQueue(of shop: ShopName) -> String { "order-collector.fetch.\(shop.rawValue)" }
    /// The queue of erp-bridge for reports to be made and mailed.
    public static let reportQueue = "erp-bridge.reports"
    /// The queue of reconciler for reading one shop back.
    public static func readBackQueue(of shop: ShopName) -> String { "reconciler.read.\(shop.rawValue)" }
    /// The queue of notifier for commands about dead letters and outcomes of replays, behind which no alert waits.
    public static let deadLetterQueue = "notifier.dead-letters"
    /// The queue of notifier for mails to be sent.
    public static let mailQueue = "notifier.mail"

    /// All services, with a push queue for every shop of the configuration.
    public static func services(for configuration: StockbridgeConfiguration) -> [ServiceDescription] {
        services(shops: configuration.shops.map(\.name)) { retryPolicy(of: $0, for: configuration).tiers }
    }

    /// All services, for these shops, all with the same delay tiers.
    public static func services(shops: [ShopName], tiers: [RetryTier] = RetryTier.standard) -> [ServiceDescription] {
        services(shops: shops) { _ in tiers }
    }

    private static func services(
        shops: [ShopName], tiersOf tiers: (ServiceName) -> [RetryTier]
    ) -> [ServiceDescription] {
        [
            stockIngestor(tiers(.stockIngestor)), stockPublisher(shops, tiers(.stockPublisher)),
            orderCollector(shops, tiers(.orderCollector)), erpBridge(tiers(.erpBridge)),
            reconciler(shops, tiers(.reconciler)), notifier(tiers(.notifier)), operatorTool(),
        ]
    }

    /// The description of one service.
    public static func service(_ name: ServiceName, for configuration: StockbridgeConfiguration) -> ServiceDescription {
        services(for: configuration).first { $0.name == name }
            ?? ServiceDescription(name: name, queues: [], tiers: [], publishes: [])
    }

    private static func stockIngestor(_ tiers: [RetryTier]) -> ServiceDescription {
        ServiceDescription(
            name: .stockIngestor,
            queues: [
                QueueDescription(name: "stock-ingestor", kind: .work, topics: [Command.topic(.stockIngestor, .run)]),
                QueueDescription(
                    name: decisionsQueue, kind: .batch,
                    topics: [Command.Verb.accept, .reject, .republish].map { Command.topic(.stockIngestor, $0) }),
            ],
            tiers: tiers, publishes: Topics.published(by: .stockIngestor))
    }

    private static func stockPublisher(_ shops: [ShopName], _ tiers: [RetryTier]) -> ServiceDescription {
        let readCatalogue = Command.topic(.stockPublisher, .catalogue)
        let orders = OrderChanged.topics + [OrderReported.type.name, OrdersCollected.type.name]
        return ServiceDescription(
            name: .stockPublisher,
            queues: [
                QueueDescription(
                    name: "stock-publisher", kind: .batch,
                    topics: Topics.consumed(by: .stockPublisher)
                        .filter { $0 != readCatalogue && !orders.contains($0) }),
                QueueDescription(name: ordersQueue, kind: .batch, topics: orders),
                QueueDescription(name: catalogueQueue, kind: .work, topics: [readCatalogue]),
            ]
                + shops.flatMap { shop in
                    [pushQueue(of: shop), urgentQueue(of: shop)].map { QueueDescription(name: $0, kind: .work) }
                },
            tiers: tiers, publishes: Topics.published(by: .stockPublisher))
    }

    private static func orderCollector(_ shops: [ShopName], _ tiers: [RetryTier]) -> ServiceDescription {
        ServiceDescription(
            name: .orderCollector,
            queues: [
                QueueDescription(
                    name: "order-collector", kind: .batch, topics: Topics.consumed(by: .orderCollector))
            ]
                + shops.flatMap { shop in
                    [passQueue(of: shop), fetchQueue(of: shop)].map { QueueDescription(name: $0, kind: .work) }
                },
            tiers: tiers, publishes: Topics.published(by: .orderCollector))
    }

    private static func erpBridge(_ tiers: [RetryTier]) -> ServiceDescription {
        ServiceDescription(
            name: .erpBridge,
            queues: [
                QueueDescription(name: "erp-bridge", kind: .batch, topics: Topics.consumed(by: .erpBridge)),
                QueueDescription(name: reportQueue, kind: .work),
            ],
            tiers: tiers, publishes: Topics.published(by: .erpBridge))
    }

    private static func reconciler(_ shops: [ShopName], _ tiers: [RetryTier]) -> ServiceDescription {
        ServiceDescription(
            name: .reconciler,
            queues: [QueueDescription(name: "reconciler", kind: .batch, topics: Topics.consumed(by: .reconciler))]
                + shops.map { QueueDescription(name: readBackQueue(of: $0), kind: .work) },
            tiers: tiers, publishes: Topics.published(by: .reconciler))
    }

    private static func notifier(_ tiers: [RetryTier]) -> ServiceDescription {
        let aboutLetters =
            [MessageSettled.type.name] + Command.verbs(of: .notifier).map { Command.topic(.notifier, $0) }
        return ServiceDescription(
            name: .notifier,
            queues: [
                QueueDescription(
                    name: "notifier", kind: .batch,
                    topics: Topics.consumed(by: .notifier).filter { !aboutLetters.contains($0) }),
                QueueDescription(name: deadLetterQueue, kind: .batch, topics: aboutLetters),
                QueueDescription(name: mailQueue, kind: .work),
            ],
            tiers: tiers, publishes: Topics.published(by: .notifier), handlesDeadLetters: true)
    }

    private static func operatorTool() -> ServiceDescription {
        ServiceDescription(
            name: .stockbridge, queues: [], tiers: [], publishes: Topics.published(by: .stockbridge),
            handlesDeadLetters: true)
    }
}
