public import Concurrency
import Contracts
public import Messaging
import ServiceKit
public import Settings
import ShopAccounts
import ShopConnectors

/// reconciler: reads the shops back, compares what they show with what they should, and reports it by a set time.
public struct ReconcilerService: Sendable {
    private let process: ServiceProcess

    /// - Parameters:
    ///   - configuration: The whole configuration.
    ///   - faults: `FaultInjection.none` but in tests.
    ///   - clock: The time.
    public init(
        configuration: StockbridgeConfiguration, faults: FaultInjection = .none, clock: WallClock = .system
    ) {
        process = ServiceProcess(name: .reconciler, configuration: configuration, faults: faults, clock: clock)
    }

    /// Runs until the process is told to stop.
    public func run() async throws {
        try await process.run { parts in try Self.compose(parts) }
    }

    private static func compose(_ parts: ServiceParts) throws -> ServiceComposition {
        let settings = ReconcilerSettings(parts.configuration)
        let conductor = Conductor(settings: settings)
        let verdicts = Verdicts(settings: settings)
        let orders = OrderHandler()
        let commands = CommandHandler(settings: settings, conductor: conductor)
        var routes = [
            BatchRoute(StatementHandler(settings: settings, conductor: conductor)), BatchRoute(ReportedHandler()),
            BatchRoute(CollectedHandler()),
        ]
        routes += OrderChanged.topics.map { BatchRoute(orders, type: $0) }
        routes += Command.verbs(of: .reconciler).map { verb in
            BatchRoute(commands, type: Command.topic(.reconciler, verb))
        }
        let work = try parts.configuration.shops.map { shop in
            let account = try ShopAccount.make(shop, parts: parts)
            let handler = ReadBackHandler(
                account: account, settings: settings, database: parts.database, conductor: conductor,
                verdicts: verdicts, clock: parts.clock, logger: parts.logger)
            return WorkRunner(
                queue: ServiceCatalogue.readBackQueue(of: shop.name), concurrency: 1, routes: [WorkRoute(handler)],
                parts: parts.runners,
                // The probe is a call like any other: it asks for a turn and closes the breaker if it succeeds.
                probe: { _ in (try? await account.connector.discover()) != nil })
        }
        return ServiceComposition(
            // A chunk names five hundred listings: some of them fill a transaction.
            batch: [BatchRunner(queue: "reconciler", routes: routes, parts: parts.runners, batchSize: 20)],
            work: work,
            jobs: [ScheduledJob(name: "mail", schedule: settings.mailBy, verb: .mail, arguments: [:])],
            loops: [
                Keeper(parts: parts, settings: settings, conductor: conductor, verdicts: verdicts).run,
                RetentionLoop([StoredFileRetention.rule()], parts: parts).run,
            ],
            measurements: ComparisonMeasurements.all(parts))
    }
}
