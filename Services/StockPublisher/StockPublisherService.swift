public import Concurrency
import Contracts
import Domain
import Foundation
import Logging
public import Messaging
import PostgreSQL
import ServiceKit
public import Settings
import ShopAccounts
import ShopConnectors

/// stock-publisher: keeps the shops' listings and their mapping, works out a level for every shelf, and pushes it.
public struct StockPublisherService: Sendable {
    private let process: ServiceProcess
    private let connectors: [ShopName: any ShopConnector]

    /// - Parameters:
    ///   - configuration: The whole configuration.
    ///   - faults: `FaultInjection.none` but in tests.
    ///   - clock: The time.
    public init(
        configuration: StockbridgeConfiguration, faults: FaultInjection = .none, clock: WallClock = .system
    ) {
        self.init(configuration: configuration, faults: faults, clock: clock, connectors: [:])
    }

    /// With connectors of another kind than the shops' platforms have, for tests.
    init(
        configuration: StockbridgeConfiguration, faults: FaultInjection = .none, clock: WallClock = .system,
        connectors: [ShopName: any ShopConnector]
    ) {
        self.connectors = connectors
        process = ServiceProcess(name: .stockPublisher, configuration: configuration, faults: faults, clock: clock)
    }

    /// Runs until the process is told to stop.
    public func run() async throws {
        let connectors = connectors
        try await process.run { parts in try await Self.compose(parts, connectors) }
    }

    static func compose(
        _ parts: ServiceParts, _ connectors: [ShopName: any ShopConnector] = [:]
    ) async throws -> ServiceComposition {
        let settings = PublisherSettings(parts.configuration)
        let levels = LevelWriter(settings: settings)
        let remaps = RemapRequests()
        var accounts: [ShopName: ShopAccount] = [:]
        for shop in parts.configuration.shops {
            accounts[shop.name] =
                try connectors[shop.name].map { connector in
                    ShopAccount(
                        shop: shop.name, connector: connector, alerts: AccountAlerts(shop: shop.name, parts: parts),
                        clock: parts.clock)
                } ?? ShopAccount.make(shop, parts: parts)
        }
        PushMetrics.declare(settings.shops.keys)
        let starter = Starter(parts: parts, settings: settings, remaps: remaps)
        let statements = StatementWriter(settings: settings)
        let commands = OperatorCommands(settings: settings, levels: levels, remaps: remaps, statements: statements)
        var routes = [
            BatchRoute(StockAggregatedHandler(settings: settings, levels: levels, remaps: remaps)),
            BatchRoute(RemapHandler(settings: settings, levels: levels)),
            BatchRoute(RecomputeHandler(levels: levels)),
        ]
        let orders = OrderHandler(settings: settings, levels: levels)
        let orderRoutes =
            OrderChanged.topics.map { BatchRoute(orders, type: $0) } + [
                BatchRoute(OrderReportedHandler(settings: settings, levels: levels)),
                BatchRoute(OrdersCollectedHandler(settings: settings, levels: levels)),
            ]
        routes += Command.verbs(of: .stockPublisher).filter { $0 != .catalogue }.map { verb in
            BatchRoute(commands, type: Command.topic(.stockPublisher, verb))
        }
        let catalogue = CatalogueHandler(
            accounts: accounts, database: parts.database, remaps: remaps, clock: parts.clock, logger: parts.logger)
        var work = [
            WorkRunner(
                queue: ServiceCatalogue.catalogueQueue, concurrency: 3,
                routes: [WorkRoute(catalogue, type: Command.topic(.stockPublisher, .catalogue))], parts: parts.runners,
                isShared: true, probe: catalogue.answers)
        ]
        for shop in parts.configuration.shops {
            guard let account = accounts[shop.name], let rules = settings.shops[shop.name] else { continue }
            let push = ServiceCatalogue.pushQueue(of: shop.name)
            work.append(pushRunner(push, max(1, shop.limits.inFlight), rules, account, levels, parts))
            // What orders changed has a turn of its own, however much of a run waits.
            work.append(
                pushRunner(ServiceCatalogue.urgentQueue(of: shop.name), 1, rules, account, levels, parts))
        }
        return ServiceComposition(
            // A chunk names a thousand codes and touches several thousand shelves: few of them fill a transaction.
            batch: [
                BatchRunner(queue: "stock-publisher", routes: routes, parts: parts.runners, batchSize: 2),
                BatchRunner(
                    queue: ServiceCatalogue.ordersQueue, routes: orderRoutes, parts: parts.runners, batchSize: 50),
            ],
            work: work,
            jobs: parts.configuration.shops.map(catalogueJob),
            loops: [
                starter.run, RunKeeper(parts: parts, statements: statements).run,
                Sweeper(parts: parts, settings: settings, levels: levels).run,
                RetentionLoop(
                    OrderRetention.rules(settings.reflection), everySeconds: OrderRetention.everySeconds, parts: parts
                ).run,
                RetentionLoop(
                    ShelfRetention.rules + RunRetention.rules, everySeconds: ShelfRetention.everySeconds, parts: parts
                ).run,
            ],
            measurements: PublishingMeasurements(parts: parts, settings: settings, levels: levels).all())
    }

    private static func pushRunner(
        _ queue: String, _ concurrency: Int, _ rules: PublisherSettings.Shop, _ account: ShopAccount,
        _ levels: LevelWriter, _ parts: ServiceParts
    ) -> WorkRunner {
        let handler = PushHandler(
            shop: rules, account: account, database: parts.database, levels: levels, clock: parts.clock,
            replica: parts.replicaID.uuidString.lowercased(), faults: parts.runners.faults, logger: parts.logger)
        let connector = account.connector
        return WorkRunner(
            queue: queue, concurrency: concurrency, routes: [WorkRoute(handler)],
            parts: parts.runners,
            // The probe is a call like any other: it asks the pace for a turn and closes the breaker if it succeeds.
            probe: { _ in (try? await connector.discover()) != nil })
    }

    private static func catalogueJob(_ shop: StockbridgeConfiguration.Shop) -> ScheduledJob {
        ScheduledJob(
            name: "catalogue \(shop.name)", schedule: shop.schedules.catalogue, verb: .catalogue,
            arguments: ["shop": .string(shop.name.rawValue)])
    }
}

/// What has to be looked at once at every start: shops that are new, shops whose settings changed.
struct Starter: Sendable {
    let parts: ServiceParts
    let settings: PublisherSettings
    let remaps: RemapRequests

    func run() async {
        while !parts.stop.isStopping {
            do {
                try await start()
                return await parts.stop.wait()
            } catch {
                parts.logger.warning("settings not taken in, trying again", metadata: ["problem": "\(error)"])
                await parts.stop.sleep(for: .seconds(2))
            }
        }
    }

    private func start() async throws {
        let (settings, remaps) = (settings, remaps)
        try await parts.database.unitOfWork { work in
            // Before the shops' rows, as a remap does.
            try MappingLock.share(in: work.transaction)
            try ShopStore.ensureExist(Array(settings.shops.keys), in: work.transaction)
            for shop in settings.shops.values.sorted(by: { $0.name < $1.name }) {
                let changed = try work.transaction.execute(
                    """
                    UPDATE shops SET settings_digest = $2 WHERE shop = $1 AND settings_digest IS DISTINCT FROM $2
                    """, [.text(shop.name.rawValue), .text(shop.settingsDigest)])
                if changed == 1 {
                    try remaps.request(
                        shops: [shop.name], cause: "settings", id: shop.settingsDigest, at: work.startedAt, in: work)
                }
                let unread = try work.transaction.execute(
                    """
                    UPDATE shops SET catalogue_run = 'requested'
                    WHERE shop = $1 AND catalogue_read_at IS NULL AND catalogue_run IS NULL
                    """, [.text(shop.name.rawValue)])
                if unread == 1 {
                    work.send(
                        try OutboxMessage.command(
                            .catalogue, arguments: ["shop": .string(shop.name.rawValue)], to: .stockPublisher,
                            from: .stockPublisher, requestedBy: "first start", at: work.startedAt))
                }
            }
        }
    }
}
