import Concurrency
import Contracts
import Domain
import ERPBridge
import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import SampleConfigurations
import ServiceKit
import Settings
import Synchronization
import TestStack
import Testing

/// A clock that a test moves; between two moves it runs as the machine's does.
final class MovedClock: Sendable {
    private let ahead: Mutex<Double>

    init(at moment: Date) { ahead = Mutex(moment.timeIntervalSinceNow) }

    func move(to moment: Date) { ahead.withLock { $0 = moment.timeIntervalSinceNow } }

    var now: Date { Date().addingTimeInterval(ahead.withLock { $0 }) }

    var clock: WallClock { WallClock { self.now } }
}

/// erp-bridge in one or more replicas, with a mailbox at the real mail server, in a system of its own. The test acts as
/// order-collector and as the operator.
struct BridgeBench: Sendable {
    /// 2026-11-22 12:00 in Viet Nam, when reports are due.
    static let noon = Date(timeIntervalSince1970: 1_795_323_600)
    static let batch = "saigon-20261122-1200"

    let system: ScratchSystem
    let clock: MovedClock
    let mailbox: String
    private let collector: Publisher
    private let operatorTool: Publisher

    /// - Parameters:
    ///   - replicas: How many run in the test's own process.
    ///   - startAt: What the clock says at first.
    ///   - mailbox: The address before the `@`; the mail server refuses, delays or loses mails by its name.
    ///   - waitMinutes: How long a report waits for its orders.
    ///   - attempts: How often a message is tried.
    static func with(
        replicas: Int = 1, startAt: Date = noon.addingTimeInterval(-2), mailbox: String = "orders",
        smtpPort: String? = nil, waitMinutes: Int = 10, attempts: Int = 30, _ body: (BridgeBench) async throws -> Void
    ) async throws {
        let services = ServiceCatalogue.services(shops: ["saigon"], tiers: ScratchSystem.shortTiers)
        try await ScratchSystem.with(services) { system in
            let address = mailbox.isEmpty ? "" : "\(mailbox)@\(system.name.replacing("_", with: "-")).example"
            let bench = BridgeBench(system, MovedClock(at: startAt), address)
            let port = try smtpPort ?? environment("STOCKBRIDGE_TEST_SMTP_PORT")
            let text = try bench.configurationText(smtpPort: port, waitMinutes: waitMinutes, attempts: attempts)
            try text.write(to: bench.configurationFile, atomically: true, encoding: .utf8)
            try await bench.run(replicas, bench.configuration(), body)
        }
    }

    /// Where the configuration lies, for a replica in a process of its own.
    var configurationFile: URL { system.folder.appending(path: "stockbridge.yaml") }

    private init(_ system: ScratchSystem, _ clock: MovedClock, _ mailbox: String) {
        self.system = system
        self.clock = clock
        self.mailbox = mailbox
        collector = Publisher(system.broker(.orderCollector))
        operatorTool = Publisher(system.broker(.stockbridge))
    }

    private func run(
        _ replicas: Int, _ configuration: StockbridgeConfiguration, _ body: (BridgeBench) async throws -> Void
    ) async throws {
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await runReplicas(replicas, configuration) { () async throws in try await body(self) })
        } catch { outcome = .failure(error) }
        await collector.close()
        await operatorTool.close()
        try outcome.get()
    }

    private func runReplicas(
        _ count: Int, _ configuration: StockbridgeConfiguration, _ body: () async throws -> Void
    ) async throws {
        let wall = clock.clock
        let replica: @Sendable () async throws -> Void = {
            try await ERPBridgeService(configuration: configuration, clock: wall).run()
        }
        try await running(Array(repeating: replica, count: count), body)
    }

    /// The configuration that replicas run with.
    func configuration() throws -> StockbridgeConfiguration {
        try ConfigurationLoader.load(path: configurationFile.path)
    }

    /// Runs one more replica in this process while `body` runs.
    func alsoRunning(_ body: () async throws -> Void) async throws {
        try await runReplicas(1, configuration(), body)
    }

    static func environment(_ name: String) throws -> String {
        try #require(ProcessInfo.processInfo.environment[name], "\(name) is not set: start the test stack")
    }

    private func configurationText(smtpPort: String, waitMinutes: Int, attempts: Int) throws -> String {
        try system.writeSecrets(["key": "ck_simulator", "secret": "cs_simulator"], in: system.folder)
        return SampleConfiguration.text(
            """
            \(system.serverSections(secretsIn: system.folder))
            http: {bind: 127.0.0.1, ports: {erp-bridge: 0}}
            mail: {host: 127.0.0.1, port: \(smtpPort), tls: off, from: stock@hoasen.example}
            \(SampleConfiguration.unreachableShop(secretsIn: system.folder))
            erp: {name: acme, mailbox: [\(mailbox)], report_wait_minutes: \(waitMinutes)}
            retry: {tiers: [1s, 2s], max_attempts: {erp-bridge: \(attempts)}, \
            outage: {first_probe: 1s, longest_probe: 2s}}
            """)
    }

    // MARK: Acting as the other services

    /// Says what there is to know about orders, as order-collector does.
    func say(_ changes: [OrderChanged]) async throws {
        let messages = try changes.map { change in
            try OutboxMessage(
                Event(change, subject: change.order.reference.description, correlation: "test", occurredAt: clock.now),
                from: .orderCollector
            ).outgoing
        }
        let outcomes = try await collector.publish(messages)
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    /// Says how far the shop's orders are known.
    func collected(upTo moment: Date = noon) async throws {
        let event = OrdersCollected(
            shop: "saigon", kind: .pass, completeUpTo: moment, seen: 0, changed: 0, collectedAt: clock.now)
        let message = try OutboxMessage(
            Event(event, subject: "saigon", correlation: "test", occurredAt: clock.now), from: .orderCollector)
        let outcomes = try await collector.publish([message.outgoing])
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    func command(_ verb: Command.Verb, _ arguments: [String: JSONValue]) async throws {
        let message = try OutboxMessage.command(
            verb, arguments: arguments, to: .erpBridge, from: .stockbridge, requestedBy: "lan", at: clock.now)
        let outcomes = try await operatorTool.publish([message.outgoing])
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    /// Waits until the ledger has so many orders, none of them older than told.
    func knows(_ count: Int, _ condition: String = "true") async throws {
        try #require(
            try await eventually {
                try await system.number("SELECT count(*) FROM erp.orders WHERE statement > 0 AND \(condition)") == count
            }, "the ledger did not get \(count) orders in time")
    }

    // MARK: Looking

    func state(of batch: String = batch) async throws -> String {
        let connection = PostgresConnection(system.databaseAdministrator)
        let rows = try await connection.query("SELECT state FROM erp.reports WHERE id = $1", [.text(batch)])
        await connection.close()
        return try rows.first?.decode("state") ?? "none"
    }

    /// Waits until a report is in this state.
    func reaches(_ state: String, _ batch: String = batch, within: Duration = .seconds(60)) async throws -> Bool {
        try await eventually(within: within) { try await self.state(of: batch) == state }
    }

    /// The mails that this system's mailbox got, oldest first.
    func mails() throws -> [ReceivedMail] {
        let folder = try Self.environment("STOCKBRIDGE_TEST_MAIL_DIRECTORY")
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".eml") }.sorted()
            .compactMap { name in
                let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
                let text = String(decoding: bytes, as: UTF8.self)
                return text.prefix(2_000).contains("X-Envelope-To: \(mailbox)") ? ReceivedMail(text) : nil
            }
    }

    /// Waits for so many chunks of order.reported, and a moment longer for more that should not come.
    func reported(_ count: Int) async throws -> [OrderReported] {
        let topic = OrderReported.type.name
        var found: [OrderReported] = []
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            let isEnough = found.count >= count
            let deliveries = try await system.take(200, from: "reconciler", within: .milliseconds(700))
            for delivery in deliveries where delivery.routingKey == topic {
                found.append(try ContractCoding.decode(from: delivery.body))
            }
            if isEnough && deliveries.isEmpty { break }
        }
        return found
    }

    /// Waits for the mail of a batch that was sent, and reads its workbook.
    func report(_ batch: String = batch, mails count: Int = 1) async throws -> ReceivedMail {
        let isSent = try await reaches("sent", batch)
        let state = try await state(of: batch)
        try #require(isSent, "report \(batch) was not sent in time: \(state)")
        let own = try mails().filter { $0.headers["X-Stockbridge-Batch"] == batch }
        #expect(own.count == count)
        return try #require(own.last)
    }
}
