public import Concurrency
public import Contracts
public import Foundation
public import Logging
public import Messaging
import Metrics
import PostgreSQL
import RabbitMQ
public import ServiceLifecycle
public import Settings
public import Transfer
import UnixSignals

/// What a service is composed from; made once by ``ServiceProcess``.
public struct ServiceParts: Sendable {
    /// Which service this is.
    public let name: ServiceName
    /// The whole configuration; secrets are still references.
    public let configuration: StockbridgeConfiguration
    /// Connections and tables of the service's own schema.
    public let database: ServiceDatabase
    /// HTTP, SFTP and SMTP.
    public let transfer: TransferClient
    /// What consumers are made from.
    public let runners: RunnerParts
    /// The time.
    public let clock: WallClock
    /// Ends loops.
    public let stop: StopSignal
    /// Where to say what happened.
    public let logger: Logger
    /// This process among its replicas.
    public let replicaID: UUID
}

/// What one service is made of besides what all have.
public struct ServiceComposition: Sendable {
    /// Consumers of changes to our own tables.
    public var batch: [BatchRunner]
    /// Consumers of work outside.
    public var work: [WorkRunner]
    /// Jobs with a time of day.
    public var jobs: [ScheduledJob]
    /// Loops of the service's own; each ends when the stop signal is given.
    public var loops: [@Sendable () async -> Void]
    /// Servers of the service's own; they stop first, so that nothing comes in during the drain.
    public var servers: [any Service]
    /// What readiness looks at besides broker and database.
    public var checks: [ReadinessCheck]
    /// What it shows to whoever watches, besides what all show.
    public var measurements: [MetricSource]

    /// Puts the parts together.
    public init(
        batch: [BatchRunner] = [], work: [WorkRunner] = [], jobs: [ScheduledJob] = [],
        loops: [@Sendable () async -> Void] = [], servers: [any Service] = [], checks: [ReadinessCheck] = [],
        measurements: [MetricSource] = []
    ) {
        self.batch = batch
        self.work = work
        self.jobs = jobs
        self.loops = loops
        self.servers = servers
        self.checks = checks
        self.measurements = measurements
    }
}

/// Runs one service from its configuration until SIGTERM or SIGINT, then drains.
public struct ServiceProcess: Sendable {
    /// How long a drain may take before the process ends regardless.
    public static let graceSeconds = 25

    private let name: ServiceName
    private let configuration: StockbridgeConfiguration
    private let faults: FaultInjection
    private let clock: WallClock

    /// - Parameters:
    ///   - faults: ``FaultInjection/none`` but in tests.
    public init(
        name: ServiceName, configuration: StockbridgeConfiguration, faults: FaultInjection = .none,
        clock: WallClock = .system
    ) {
        self.name = name
        self.configuration = configuration
        self.faults = faults
        self.clock = clock
    }

    /// Composes and runs; returns after the drain.
    public func run(_ compose: @Sendable (ServiceParts) async throws -> ServiceComposition) async throws {
        let logger = Self.makeLogger(name)
        for warning in configuration.warnings { logger.warning("configuration", metadata: ["warning": "\(warning)"]) }
        if let file = ProcessClock.offsetFile {
            logger.warning("the clock is shifted; only for demonstrations and tests", metadata: ["file": "\(file)"])
        }
        let metrics = Self.metrics
        let (parts, composition) = try await begin(compose, logger: logger)
        try await declareOwnTopology(parts)
        let relay = OutboxRelay(
            configuration: try configuration.databaseConfiguration(for: name, purpose: "relay"),
            publisher: parts.runners.publisher, service: name, stop: parts.stop, faults: faults, logger: logger)
        logger.notice("started", metadata: ["replica": "\(parts.replicaID)"])
        try await makeGroup(parts, composition, relay, metrics).run()
        await parts.runners.publisher.close()
        await parts.database.pool.close()
        await parts.transfer.closeAndWait()
        logger.notice("stopped")
    }

    /// Looks whether the service can work here, and composes it.
    private func begin(
        _ compose: @Sendable (ServiceParts) async throws -> ServiceComposition, logger: Logger
    ) async throws -> (ServiceParts, ServiceComposition) {
        try StartCheck.checkFiles(of: name, configuration)
        do {
            let parts = try makeParts(logger: logger)
            try await StartCheck(parts: parts).run()
            return (parts, try await compose(parts))
        } catch is SecretError {
            // One is missing: all that are missing are named at once.
            throw InvalidConfiguration(problems: configuration.checkSecrets(for: .service(name)))
        }
    }

    private func makeParts(logger: Logger) throws -> ServiceParts {
        let stop = StopSignal()
        let clock = self.clock
        let pool = PostgresPool(
            try configuration.databaseConfiguration(for: name, purpose: "pool"),
            maximumConnections: configuration.database.maximumConnections)
        let database = ServiceDatabase(pool: pool, service: name, now: { clock.now() })
        let publisher = Publisher(try configuration.brokerConfiguration(for: name, purpose: "publisher"))
        let runners = RunnerParts(
            service: ServiceCatalogue.service(name, for: configuration),
            broker: try configuration.brokerConfiguration(for: name, purpose: "consumer"), publisher: publisher,
            database: database, policy: ServiceCatalogue.retryPolicy(of: name, for: configuration), stop: stop,
            logger: logger, faults: faults, now: { clock.now() })
        return ServiceParts(
            name: name, configuration: configuration, database: database,
            transfer: TransferClient(options: TransferOptions()), runners: runners, clock: clock, stop: stop,
            logger: logger, replicaID: UUID())
    }

    /// Services declare what they use at start. What needs an administrator is there already, or the sentence says so.
    private func declareOwnTopology(_ parts: ServiceParts) async throws {
        let backoff = Backoff(first: .milliseconds(500), ceiling: .seconds(10))
        var failures = 0
        while !parts.stop.isStopping {
            do {
                let session = TopologySession(parts.runners.broker)
                try await TopologyDeclarer.declare(Topology.declarations(of: parts.runners.service), over: session)
                await session.close()
                return
            } catch {
                failures += 1
                if let problem = StartProblem.of(error, for: name) { throw problem }
                guard failures < StartCheck.attempts else { throw error }
                parts.logger.warning(
                    "topology not declared, trying again",
                    metadata: ["problem": "\(error)", "advice": "run 'stockbridge topology apply' if it stays"])
                try await Task.sleep(for: backoff.delay(afterFailures: failures))
            }
        }
    }

    private func makeGroup(
        _ parts: ServiceParts, _ composition: ServiceComposition, _ relay: OutboxRelay, _ metrics: PrometheusMetrics
    ) -> ServiceGroup {
        let scheduler = Scheduler(
            service: name, jobs: composition.jobs, database: parts.database, clock: clock, stop: parts.stop,
            logger: parts.logger)
        let heartbeat = Heartbeat(parts: parts)
        let checks = Self.standardChecks(parts) + composition.checks
        let sampler = Sampler(
            groups: [
                [MetricSource.connections(parts)],
                [MetricSource.readiness(checks, stop: parts.stop)] + composition.measurements,
            ], metrics: metrics, stop: parts.stop)
        var loops: [Loop] = [
            Loop(name: "outbox relay", body: relay.run), Loop(name: "scheduler", body: scheduler.run),
            Loop(name: "heartbeat", body: heartbeat.run), Loop(name: "measurements", body: sampler.run),
            Loop(name: "inbox retention", body: RetentionLoop([InboxRetention.rule], parts: parts).run),
            Loop(name: "start-up memory") { await StartupPages.giveBack(unless: parts.stop) },
        ]
        loops += composition.loops.map { Loop(name: "loop", body: $0) }
        loops += composition.batch.map { Loop(name: "batch consumer", body: $0.run) }
        loops += composition.work.map { Loop(name: "work consumer", body: $0.run) }
        let logger = parts.logger
        let admin = AdminServer(
            host: configuration.http.bind, port: configuration.http.port(for: name.rawValue),
            checks: checks, metrics: metrics, stop: parts.stop, logger: logger,
            bound: { logger.notice("health and metrics", metadata: ["port": "\($0)"]) }
        ).application()
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: admin, successTerminationBehavior: .gracefullyShutdownGroup),
                .init(
                    service: Loops(loops: loops, stop: parts.stop),
                    successTerminationBehavior: .gracefullyShutdownGroup),
            ]
                + composition.servers.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(Self.graceSeconds)
        group.maximumCancellationDuration = .seconds(5)
        return ServiceGroup(configuration: group)
    }

    private static func standardChecks(_ parts: ServiceParts) -> [ReadinessCheck] {
        [
            .database(parts.database.pool),
            ReadinessCheck(name: "broker") {
                if let problem = parts.runners.publisher.connectionProblem { return "\(problem)" }
                return await parts.runners.publisher.isBlocked
                    ? "the broker is short of memory or disk and takes nothing; outgoing events wait in the outbox"
                    : nil
            },
        ]
    }

    /// The metrics system can be set up only once in a process, in which tests run several services.
    private static let metrics: PrometheusMetrics = {
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        return metrics
    }()

    private static func makeLogger(_ name: ServiceName) -> Logger {
        let level =
            ProcessInfo.processInfo.environment["STOCKBRIDGE_LOG_LEVEL"].flatMap { Logger.Level(rawValue: $0) } ?? .info
        return Logger(label: name.rawValue) { label in JSONLogHandler(label: label, level: level) }
    }
}

/// One loop of a service.
struct Loop: Sendable {
    let name: String
    let body: @Sendable () async -> Void
}

/// All loops of a service as one unit of the group: a graceful shutdown gives the stop signal and waits for each.
struct Loops: Service {
    let loops: [Loop]
    let stop: StopSignal

    func run() async throws {
        // Cancelled is what they are when another part of the group failed, such as a port that is in use.
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await withDiscardingTaskGroup { group in
                    for loop in loops { group.addTask { await loop.body() } }
                }
            } onGracefulShutdown: {
                stop.stop()
            }
        } onCancel: {
            stop.stop()
        }
    }
}
