public import Concurrency
import Contracts
import Domain
import Foundation
import Logging
public import Messaging
public import ServiceKit
public import Settings
public import ShopAccounts
import ShopConnectors

/// order-collector: reads the shops' orders, keeps their revisions, holds and releases them.
public struct OrderCollectorService: Sendable {
    /// The queue of what changes this service's own tables.
    static let queue = "order-collector"

    /// Makes the account of a shop.
    public typealias AccountMaking =
        @Sendable (StockbridgeConfiguration.Shop, ServiceParts) throws -> ShopAccount

    private let process: ServiceProcess
    private let accounts: AccountMaking
    private let listening: @Sendable (Int) -> Void

    /// - Parameters:
    ///   - configuration: The whole configuration.
    ///   - faults: `FaultInjection.none` but in tests.
    ///   - clock: The time.
    ///   - accounts: Makes the shops' accounts; another one than the configured platform's only in tests.
    ///   - listening: Is told the port on which webhooks are taken.
    public init(
        configuration: StockbridgeConfiguration, faults: FaultInjection = .none, clock: WallClock = .system,
        accounts: @escaping AccountMaking = { try ShopAccount.make($0, parts: $1) },
        listening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        process = ServiceProcess(name: .orderCollector, configuration: configuration, faults: faults, clock: clock)
        self.accounts = accounts
        self.listening = listening
    }

    /// Runs until the process is told to stop.
    public func run() async throws {
        let (accounts, listening) = (accounts, listening)
        try await process.run { parts in try Self.compose(parts, accounts: accounts, listening: listening) }
    }

    static func compose(
        _ parts: ServiceParts, accounts making: AccountMaking, listening: @escaping @Sendable (Int) -> Void
    ) throws -> ServiceComposition {
        let settings = CollectorSettings(parts.configuration)
        var accounts: [ShopName: ShopAccount] = [:]
        for shop in parts.configuration.shops where shop.orders.collect {
            accounts[shop.name] = try making(shop, parts)
        }
        WebhookIntake.declareCounts(accounts.keys)
        var work: [WorkRunner] = []
        for shop in settings.collecting {
            guard let account = accounts[shop.name] else { continue }
            work += runners(shop, account, parts)
        }
        return ServiceComposition(
            // A chunk of the mapping or of a batch names a thousand rows: few of them fill a transaction.
            batch: [BatchRunner(queue: queue, routes: routes(settings, parts), parts: parts.runners, batchSize: 10)],
            work: work,
            jobs: parts.configuration.shops.filter(\.orders.collect).map(repairJob),
            loops: [
                FeedKeeper(parts: parts, settings: settings).run,
                RetentionLoop([DeliveryRetention.rule], parts: parts).run,
                SubscriptionKeeper(parts: parts, settings: settings, accounts: accounts).run,
            ],
            servers: [webhookServer(parts, settings, accounts, listening).application()],
            measurements: OrderMeasurements.all(parts, settings))
    }

    private static func routes(_ settings: CollectorSettings, _ parts: ServiceParts) -> [BatchRoute] {
        let commands = OperatorCommands(settings: settings)
        return [
            BatchRoute(MappingHandler(settings: settings)), BatchRoute(ReassessHandler(settings: settings)),
            BatchRoute(RepublishHandler()),
            BatchRoute(OrderReportedHandler(settings: settings, logger: parts.logger)),
        ]
            + Command.verbs(of: .orderCollector).map { verb in
                BatchRoute(commands, type: Command.topic(.orderCollector, verb))
            }
    }

    private static func runners(
        _ shop: CollectorSettings.Shop, _ account: ShopAccount, _ parts: ServiceParts
    ) -> [WorkRunner] {
        let pass = PassHandler(
            shop: shop, account: account, database: parts.database, clock: parts.clock,
            replica: parts.replicaID.uuidString.lowercased(), faults: parts.runners.faults, stop: parts.stop,
            logger: parts.logger)
        let connector = account.connector
        // The probe is a call like any other: it asks the pace for a turn and closes the breaker if it succeeds.
        let probe: @Sendable (Dependency) async -> Bool = { _ in (try? await connector.discover()) != nil }
        return [
            // A pass and the nightly repair, which takes longer.
            WorkRunner(
                queue: ServiceCatalogue.passQueue(of: shop.name), concurrency: 2, routes: [WorkRoute(pass)],
                parts: parts.runners, probe: probe),
            WorkRunner(
                queue: ServiceCatalogue.fetchQueue(of: shop.name), concurrency: shop.inFlight,
                routes: [WorkRoute(FetchHandler(pass: pass))], parts: parts.runners, probe: probe),
        ]
    }

    private static func webhookServer(
        _ parts: ServiceParts, _ settings: CollectorSettings, _ accounts: [ShopName: ShopAccount],
        _ listening: @escaping @Sendable (Int) -> Void
    ) -> WebhookServer {
        let logger = parts.logger
        return WebhookServer(
            host: parts.configuration.webhooks.bind, port: parts.configuration.webhooks.port,
            maximumBodyBytes: settings.maximumBodyBytes,
            intake: WebhookIntake(
                verifiers: accounts.compactMapValues(\.connector.webhookVerifying), database: parts.database,
                logger: logger),
            logger: logger,
            bound: { port in
                logger.notice("webhooks", metadata: ["port": "\(port)"])
                listening(port)
            })
    }

    private static func repairJob(_ shop: StockbridgeConfiguration.Shop) -> ScheduledJob {
        ScheduledJob(
            name: "order repair \(shop.name)", schedule: shop.schedules.orderRepair, verb: .repair,
            arguments: ["shop": .string(shop.name.rawValue)])
    }
}
