public import Concurrency
import Contracts
import Domain
import Foundation
public import Messaging
import ServiceKit
public import Settings

/// erp-bridge: hands orders to the ERP, by a report a shop that it mails to the ERP's mailbox.
public struct ERPBridgeService: Sendable {
    private let process: ServiceProcess

    /// - Parameters:
    ///   - configuration: The whole configuration.
    ///   - faults: `FaultInjection.none` but in tests.
    ///   - clock: The time.
    public init(
        configuration: StockbridgeConfiguration, faults: FaultInjection = .none, clock: WallClock = .system
    ) {
        process = ServiceProcess(name: .erpBridge, configuration: configuration, faults: faults, clock: clock)
    }

    /// Runs until the process is told to stop.
    public func run() async throws {
        try await process.run { parts in try Self.compose(parts) }
    }

    /// Reports of an outage longer than this many due times are not made up for.
    private static let mostMissedReports = 31

    static func compose(_ parts: ServiceParts) throws -> ServiceComposition {
        let settings = try BridgeSettings(parts.configuration)
        let progress = ReportProgress(settings: settings)
        let commands = BridgeCommands(settings: settings, progress: progress)
        let handler = ReportHandler(
            steps: ReportSteps(settings: settings, builder: ReportBuilder(settings: settings)),
            server: try parts.configuration.mailServer(for: .erpBridge), transfer: parts.transfer,
            database: parts.database, clock: parts.clock, faults: parts.runners.faults, logger: parts.logger)
        let routes =
            OrderChanged.topics.map { BatchRoute(LedgerHandler(), type: $0) }
            + [BatchRoute(FeedHandler(progress: progress))]
            + Command.verbs(of: .erpBridge).map { BatchRoute(commands, type: Command.topic(.erpBridge, $0)) }
        return ServiceComposition(
            batch: [BatchRunner(queue: "erp-bridge", routes: routes, parts: parts.runners)],
            work: [
                WorkRunner(
                    queue: ServiceCatalogue.reportQueue, concurrency: 2, routes: [WorkRoute(handler)],
                    parts: parts.runners, probe: handler.answers)
            ],
            jobs: settings.shopsInOrder.map(reportJob),
            loops: [ReportKeeper(parts: parts, progress: progress).run],
            measurements: ReportMeasurements.all(parts, settings))
    }

    private static func reportJob(_ shop: BridgeSettings.Shop) -> ScheduledJob {
        ScheduledJob(
            name: "report \(shop.name)", schedule: shop.report, verb: .run,
            arguments: ["shop": .string(shop.name.rawValue)], missedRuns: .each(atMost: mostMissedReports))
    }
}
