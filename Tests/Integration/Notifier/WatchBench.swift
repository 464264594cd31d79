import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import RabbitMQ
import SampleConfigurations
import Settings
import Synchronization
import TestStack
import Testing
import Transfer

@testable import Notifier
@testable import ServiceKit

/// The watch of notifier in two replicas that look when the test says so, in a system in which all is well.
struct WatchBench: Sendable {
    let system: ScratchSystem
    /// Reads the mail of this test only.
    let recipient: String
    let watches: [Watch]
    let probe: BrokerProbe
    private let parts: [ServiceParts]
    private let mails: [MailHandler]

    static func with(_ body: (WatchBench) async throws -> Void) async throws {
        let services = ServiceCatalogue.services(
            shops: ["saigon"], tiers: [RetryTier(name: "1s", delayMilliseconds: 1_000)])
        try await ScratchSystem.with(services) { system in
            let configuration = try configuration(system)
            let bench = try WatchBench(system, configuration, services)
            let outcome: Result<Void, any Error>
            do {
                try await bench.beat()
                outcome = .success(try await body(bench))
            } catch { outcome = .failure(error) }
            await bench.close()
            try outcome.get()
        }
    }

    private init(
        _ system: ScratchSystem, _ configuration: StockbridgeConfiguration, _ services: [ServiceDescription]
    ) throws {
        self.system = system
        recipient = "\(system.name)@watch.example"
        let server = try configuration.mailServer(for: .notifier)
        let sender = try MailAddress(parsing: configuration.mail.from)
        parts = (0..<2).map { _ in Self.parts(system, configuration, services) }
        mails = parts.map { parts in
            MailHandler(
                server: server, sender: sender, transfer: parts.transfer, database: parts.database,
                clock: parts.clock, faults: .none, logger: parts.logger)
        }
        let composer = MailComposer(company: configuration.company, timeZone: configuration.timeZone)
        let outgoing = Outgoing(
            templates: try MailTemplates(), recipients: [recipient], senderDomain: "\(system.name).example")
        watches = zip(parts, mails).map { parts, mail in
            Watch(parts: parts, composer: composer, outgoing: outgoing, mail: mail)
        }
        probe = BrokerProbe(system.broker(.notifier))
    }

    private static func parts(
        _ system: ScratchSystem, _ configuration: StockbridgeConfiguration, _ services: [ServiceDescription]
    ) -> ServiceParts {
        let clock = WallClock.system
        let database = ServiceDatabase(
            pool: PostgresPool(system.database(.notifier), maximumConnections: 2), service: .notifier,
            now: { clock.now() })
        let stop = StopSignal()
        let runners = RunnerParts(
            service: services.first { $0.name == .notifier } ?? services[0], broker: system.broker(.notifier),
            publisher: Publisher(system.broker(.notifier)), database: database,
            policy: ServiceCatalogue.retryPolicy(of: .notifier, for: configuration), stop: stop, logger: quiet,
            now: { clock.now() })
        return ServiceParts(
            name: .notifier, configuration: configuration, database: database,
            transfer: TransferClient(options: TransferOptions()), runners: runners, clock: clock, stop: stop,
            logger: quiet, replicaID: UUID())
    }

    private func close() async {
        await probe.close()
        for parts in parts {
            parts.stop.stop()
            await parts.runners.publisher.close()
            await parts.database.pool.close()
            await parts.transfer.closeAndWait()
        }
    }

    // MARK: The system

    /// Every service says that it is alive.
    func beat(state: String = "running", of services: [ServiceName] = ServiceName.allCases) async throws {
        for service in services where service != .stockbridge {
            try await system.administrate(
                "SELECT shared.heartbeat(md5('\(service)')::uuid, '\(service.rawValue)', 'host', 1, '\(state)')")
        }
    }

    /// Time passes for the watch, without a gap between looks.
    func pass(seconds: Int = 40) async throws {
        try await system.administrate(
            """
            UPDATE notifications.watch_conditions SET differs_since = differs_since - interval '\(seconds) s';
            UPDATE notifications.watch_told SET noticed_at = noticed_at - interval '\(seconds) s';
            UPDATE notifications.watch SET looking_since = looking_since - interval '1 hour';
            """)
    }

    /// Two looks so many seconds apart.
    func lookTwice(seconds: Int = 40) async throws {
        try await watches[0].look(await probe.look())
        try await pass(seconds: seconds)
        try await watches[0].look(await probe.look())
    }

    // MARK: What people were told

    func subjects() async throws -> [String] {
        let connection = PostgresConnection(system.databaseAdministrator)
        let rows = try await connection.query("SELECT subject FROM notifications.mails ORDER BY created_at", [])
        await connection.close()
        return try rows.map { try $0.decode("subject") }
    }

    func openConditions() async throws -> [String] {
        let connection = PostgresConnection(system.databaseAdministrator)
        let rows = try await connection.query(
            "SELECT condition FROM notifications.alerts WHERE cleared_at IS NULL ORDER BY condition", [])
        await connection.close()
        return try rows.map { try $0.decode("condition") }
    }

    /// Mails that the mail server took from this test.
    func delivered() throws -> Int {
        let directory = try #require(
            ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_MAIL_DIRECTORY"], "start the test stack first")
        return try FileManager.default.contentsOfDirectory(atPath: directory).filter { name in
            guard name.hasSuffix(".eml"), let bytes = FileManager.default.contents(atPath: "\(directory)/\(name)")
            else { return false }
            return String(decoding: bytes.prefix(500), as: UTF8.self).contains("X-Envelope-To: \(recipient)")
        }.count
    }

    /// The broker is there again: what waits in the outbox goes out, and the mail queue is worked off.
    func deliverQueued() async throws {
        let relay = OutboxRelay(
            configuration: system.database(.notifier), publisher: parts[0].runners.publisher, service: .notifier,
            stop: parts[0].stop, logger: quiet)
        try await relay.relayUntilEmpty()
        let runner = WorkRunner(
            queue: ServiceCatalogue.mailQueue, concurrency: 2, routes: [WorkRoute(mails[0])], parts: parts[0].runners)
        let task = Task { await runner.run() }
        let isEmpty = try await eventually { try await system.ready(ServiceCatalogue.mailQueue) == 0 }
        parts[0].stop.stop()
        await task.value
        #expect(isEmpty)
    }

    private static func configuration(_ system: ScratchSystem) throws -> StockbridgeConfiguration {
        let smtpPort = try #require(
            ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_SMTP_PORT"], "start the test stack first")
        try system.writeSecrets(["key": "ck_simulator", "secret": "cs_simulator"], in: system.folder)
        let text = SampleConfiguration.text(
            """
            \(system.serverSections(secretsIn: system.folder))
            mail: {host: 127.0.0.1, port: \(smtpPort), tls: off, from: stock@hoasen.example}
            \(SampleConfiguration.unreachableShop(secretsIn: system.folder))
            """)
        return try ConfigurationLoader.load(text: text, file: system.folder.path + "/stockbridge.yaml")
    }
}
