public import Concurrency
import Contracts
import Domain
import Foundation
public import Messaging
import ServiceKit
public import Settings

/// stock-ingestor: picks up stock files, keeps them, and hands on what differs from the numbers that are live.
public struct StockIngestorService: Sendable {
    /// So many runs are worked on at once; each holds a file's rows in memory.
    private static let runsAtOnce = 2

    private let process: ServiceProcess

    /// - Parameters:
    ///   - configuration: The whole configuration.
    ///   - faults: `FaultInjection.none` but in tests.
    ///   - clock: The time.
    public init(
        configuration: StockbridgeConfiguration, faults: FaultInjection = .none, clock: WallClock = .system
    ) {
        process = ServiceProcess(name: .stockIngestor, configuration: configuration, faults: faults, clock: clock)
    }

    /// Runs until the process is told to stop.
    public func run() async throws {
        try await process.run { parts in Self.compose(parts) }
    }

    static func compose(_ parts: ServiceParts) -> ServiceComposition {
        let decisions = OperatorDecisions(parts.configuration)
        let pickUp = WorkRoute(PickUpHandler(parts: parts), type: Command.topic(.stockIngestor, .run))
        return ServiceComposition(
            batch: [
                // A decision may touch every row of a source: one is enough for a transaction.
                BatchRunner(
                    queue: ServiceCatalogue.decisionsQueue,
                    routes: [Command.Verb.accept, .reject, .republish].map { verb in
                        BatchRoute(decisions, type: Command.topic(.stockIngestor, verb))
                    },
                    parts: parts.runners, batchSize: 1)
            ],
            work: [
                WorkRunner(
                    queue: ServiceName.stockIngestor.rawValue, concurrency: runsAtOnce, routes: [pickUp],
                    parts: parts.runners)
            ],
            jobs: parts.configuration.sources.map { source in
                ScheduledJob(
                    name: "pick up \(source.name)", schedule: source.schedule, verb: .run,
                    arguments: ["source": .string(source.name.rawValue)])
            },
            loops: [RetentionLoop(SnapshotRetention.rules, parts: parts).run],
            measurements: SourceMeasurements.all(parts))
    }
}
