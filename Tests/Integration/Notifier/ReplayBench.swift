import Concurrency
import Contracts
import DeadLetters
import Domain
import Foundation
import Logging
import Messaging
import Notifier
import PostgreSQL
import RabbitMQ
import SampleConfigurations
import ServiceKit
import Settings
import Synchronization
import TestStack
import Testing

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

/// notifier as it runs, in one or more replicas, and a service whose messages die as a test wants; the test acts as the
/// operator. In a system of its own.
struct ReplayBench: Sendable {
    /// A queue of messages that change tables only.
    static let queue = "stock-ingestor"
    /// A queue of messages that call the outside.
    static let outside = "stock-ingestor.outside"

    let system: ScratchSystem
    /// What the service does with its messages.
    let victim = Victim()
    private let publisher: Publisher
    private let database: ServiceDatabase
    private let operatorTool: Publisher

    /// - Parameters:
    ///   - replicas: How many notifiers run from the beginning.
    ///   - consumes: Whether the service takes its messages by itself.
    static func with(
        replicas: Int = 1, consumes: Bool = true, _ body: (ReplayBench) async throws -> Void
    ) async throws {
        try await ScratchSystem.with(services) { system in
            try await system.administrate(
                """
                CREATE TABLE stock.effects (id uuid NOT NULL, number int NOT NULL);
                GRANT ALL ON stock.effects TO stock_ingestor;
                """)
            let bench = ReplayBench(system)
            try bench.writeConfiguration()
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(
                    try await bench.notifying(replicas) { () async throws in
                        if consumes { try await bench.consuming { () async throws in try await body(bench) } }
                        if !consumes { try await body(bench) }
                    })
            } catch { outcome = .failure(error) }
            await bench.operatorTool.close()
            await bench.publisher.close()
            await bench.database.pool.close()
            try outcome.get()
        }
    }

    private static var services: [ServiceDescription] {
        let catalogue = ServiceCatalogue.services(shops: ["saigon"], tiers: ScratchSystem.shortTiers)
        let victim = ServiceDescription(
            name: .stockIngestor,
            queues: [QueueDescription(name: queue, kind: .batch), QueueDescription(name: outside, kind: .work)],
            tiers: ScratchSystem.shortTiers, publishes: [MessageSettled.type.name])
        return [victim] + catalogue.filter { $0.name == .notifier || $0.name == .stockbridge }
    }

    private init(_ system: ScratchSystem) {
        self.system = system
        operatorTool = Publisher(system.broker(.stockbridge))
        publisher = Publisher(system.broker(.stockIngestor))
        database = ServiceDatabase(
            pool: PostgresPool(system.database(.stockIngestor), maximumConnections: 4), service: .stockIngestor,
            now: { Date() })
    }

    // MARK: Running

    /// The service takes its messages and says what became of replays while `body` runs.
    func consuming(_ body: () async throws -> Void) async throws {
        let parts = RunnerParts(
            service: system.services[0], broker: system.broker(.stockIngestor), publisher: publisher,
            database: database, policy: RetryPolicy(tiers: ScratchSystem.shortTiers, maximumAttempts: 3),
            stop: StopSignal(),
            logger: quiet, now: { Date() })
        let relay = OutboxRelay(
            configuration: system.database(.stockIngestor), publisher: publisher, service: .stockIngestor,
            stop: parts.stop, logger: quiet)
        let batch = BatchRunner(queue: Self.queue, routes: [BatchRoute(BatchVictim(victim: victim))], parts: parts)
        let work = WorkRunner(
            queue: Self.outside, concurrency: 4, routes: [WorkRoute(WorkVictim(victim: victim))], parts: parts)
        try await running([relay.run, batch.run, work.run], until: parts.stop, body)
    }

    /// Replicas of notifier run while `body` runs; afterwards they have ended.
    func notifying(
        _ replicas: Int = 1, faults: FaultInjection = .none, _ body: () async throws -> Void
    ) async throws {
        let configuration = try ConfigurationLoader.load(path: configurationFile.path)
        let replica: @Sendable () async throws -> Void = {
            try await NotifierService(configuration: configuration, faults: faults).run()
        }
        try await running(Array(repeating: replica, count: replicas), body)
    }

    private var configurationFile: URL { system.folder.appending(path: "stockbridge.yaml") }

    private func writeConfiguration() throws {
        try system.writeSecrets(["key": "ck_simulator", "secret": "cs_simulator"], in: system.folder)
        let smtpPort = try #require(
            ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_SMTP_PORT"], "start the test stack first")
        try SampleConfiguration.text(
            """
            \(system.serverSections(secretsIn: system.folder))
            http: {bind: 127.0.0.1, ports: {notifier: 0}}
            mail: {host: 127.0.0.1, port: \(smtpPort), tls: off, from: stock@hoasen.example}
            \(SampleConfiguration.unreachableShop(secretsIn: system.folder))
            retry: {tiers: [1s, 2s]}
            """
        ).write(to: configurationFile, atomically: true, encoding: .utf8)
    }

    // MARK: Messages

    /// A message of the service, with its number in it.
    static func event(_ number: Int, id: UUID = UUID()) -> Event<OrdersCollected> {
        let moment = Date(timeIntervalSince1970: 1_795_000_000)
        return Event(
            OrdersCollected(
                shop: "saigon", kind: .pass, completeUpTo: moment, seen: number, changed: 0, collectedAt: moment),
            id: id, subject: "saigon", correlation: "test", occurredAt: moment)
    }

    func publish(_ events: [Event<OrdersCollected>], to queue: String) async throws {
        let messages = try events.map { try OutboxMessage(work: $0, for: .stockIngestor, queue: queue).outgoing }
        let outcomes = try await publisher.publish(messages)
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    /// Puts dead letters into the tables as the archiver does, numbered from `first` on.
    func insert(
        _ count: Int, from first: Int = 1, queue: String = queue, service: String = "stock-ingestor"
    ) async throws {
        // The number and the id stand in the text once; SQL makes the others out of the first.
        let sample = Self.event(0, id: try #require(UUID(uuidString: "00000000-0000-4000-8000-000000000000")))
        let message = try OutboxMessage(work: sample, for: .stockIngestor, queue: queue).outgoing
        let body = String(decoding: message.body, as: UTF8.self)
        let properties = KeptProperties(message.properties).json
        try await system.administrate(
            """
            INSERT INTO dead_letters.letters (service, queue, identity, topic, data_schema, subject, correlation, shop,
                properties, body, error_class, error_code, error_message, fingerprint, attempts, failed_at,
                archived_at, death, state_at)
            SELECT '\(service)', '\(queue)', id, 'orders.collected', '\(OrdersCollected.type.dataSchema)', 'saigon',
                'test', 'saigon', replace('\(properties)', '00000000-0000-4000-8000-000000000000', id),
                convert_to(replace('\(body)', '"seen":0', '"seen":' || n), 'UTF8'), 'permanent', 'test', 'It failed.',
                '\(queue)|orders.collected|test', 1, now(), now(), '\\x00', now()
            FROM (SELECT n, md5('\(queue)' || n)::uuid::text AS id
                FROM generate_series(\(first), \(first + count - 1)) n) m ORDER BY n;
            """)
    }

    // MARK: Acting as the operator

    struct Reply: Sendable {
        var state: String
        var message: String
        var letters: Int?
    }

    /// Submits a command and waits for its answer.
    func ask(_ verb: Command.Verb, _ arguments: [String: JSONValue]) async throws -> Reply {
        let id = UUID()
        let name = id.uuidString.lowercased()
        try await system.administrate(
            """
            INSERT INTO shared.commands (id, service, verb, arguments, requested_by)
            VALUES ('\(name)', 'notifier', '\(verb.rawValue)', '{}', 'lan')
            """)
        let message = try OutboxMessage.command(
            id: id, verb, arguments: arguments, to: .notifier, from: .stockbridge, requestedBy: "lan", at: Date())
        let outcomes = try await operatorTool.publish([message.outgoing])
        try #require(outcomes == [.confirmed])
        let isAnswered = try await eventually {
            try await number("SELECT count(*) FROM shared.commands WHERE id = '\(name)' AND answer IS NOT NULL") == 1
        }
        try #require(isAnswered, "\(verb.rawValue) was not answered in time")
        let state = try await text("SELECT state FROM shared.commands WHERE id = '\(name)'")
        let answer = try ContractCoding.decode(
            JSONValue.self, from: Array(try await text("SELECT answer FROM shared.commands WHERE id = '\(name)'").utf8))
        return Reply(
            state: state, message: answer.object?["message"]?.string ?? "",
            letters: answer.object?["letters"]?.integer.map { Int($0) })
    }

    /// Starts a job and returns its id as it stands in the tables.
    func replay(
        _ job: UUID = UUID(), filter: [String: JSONValue] = ["state": .string("waiting")], rate: Double = 1_000,
        canary: Int = 0, stopShare: Double = 1
    ) async throws -> String {
        let reply = try await ask(
            .replay, Self.arguments(job, filter: filter, rate: rate, canary: canary, stopShare: stopShare))
        try #require(reply.state == "done", "\(reply.message)")
        return job.uuidString.lowercased()
    }

    static func arguments(
        _ job: UUID, filter: [String: JSONValue] = ["state": .string("waiting")], rate: Double = 1_000,
        canary: Int = 0, stopShare: Double = 1
    ) -> [String: JSONValue] {
        [
            "job": .string(job.uuidString.lowercased()), "filter": .object(filter), "rate": .number(rate),
            "canary": .integer(Int64(canary)), "stop_share": .number(stopShare), "reason": .string("The shop is back."),
        ]
    }

    // MARK: Looking

    func number(_ sql: String) async throws -> Int { try await system.number(sql) }

    func text(_ sql: String) async throws -> String {
        let connection = PostgresConnection(system.databaseAdministrator)
        let rows = try await connection.query(sql, [])
        await connection.close()
        return try rows.first?.decode(at: 0, as: String?.self) ?? ""
    }

    /// Waits until a job is in this state.
    func reaches(_ state: String, _ job: String, within: Duration = .seconds(60)) async throws -> Bool {
        try await eventually(within: within, every: .milliseconds(100)) {
            try await text("SELECT state FROM dead_letters.jobs WHERE id = '\(job)'") == state
        }
    }

    /// How many items of a job are in one of these states.
    func items(_ job: String, _ states: String...) async throws -> Int {
        let list = states.map { "'\($0)'" }.joined(separator: ", ")
        return try await number(
            "SELECT count(*) FROM dead_letters.job_items WHERE job = '\(job)' AND state IN (\(list))")
    }

    /// How many letters are in a state.
    func letters(_ state: String) async throws -> Int {
        try await number("SELECT count(*) FROM dead_letters.letters WHERE state = '\(state)'")
    }

    /// Messages whose effect was made, and messages whose effect was made more than once.
    func effects() async throws -> (made: Int, twice: Int) {
        let made = try await number("SELECT count(DISTINCT id) FROM stock.effects")
        return (made, try await number("SELECT count(*) FROM stock.effects") - made)
    }

    /// The steps of a letter, oldest first.
    func steps(_ letter: Int) async throws -> String {
        try await text("SELECT string_agg(step, ' ' ORDER BY id) FROM dead_letters.history WHERE letter = \(letter)")
    }
}

/// What a test wants to become of the service's messages.
final class Victim: Sendable {
    /// A bare function in the lock would be wrapped once more each time it is read, until the stack is too small.
    private struct Manner {
        var outcome: @Sendable (Int) -> Outcome
    }

    private let manner = Mutex(Manner { _ in .done })
    private let seen = Mutex<[Int]>([])

    /// The numbers of the messages that came, in their order.
    var calls: [Int] { seen.withLock { $0 } }

    /// From now on each message has this outcome, by its number.
    func behave(_ outcome: @escaping @Sendable (Int) -> Outcome) { manner.withLock { $0.outcome = outcome } }

    func handle(_ number: Int) -> Outcome {
        seen.withLock { $0.append(number) }
        return manner.withLock { $0.outcome }(number)
    }
}

private struct BatchVictim: BatchHandler {
    let victim: Victim

    func apply(_ events: [Event<OrdersCollected>], in work: UnitOfWork) throws {
        for event in events {
            if case .park(let reason) = victim.handle(event.payload.seen) { throw reason }
            try work.transaction.execute(
                "INSERT INTO effects (id, number) VALUES ($1, $2)", [.uuid(event.id), .int(event.payload.seen)])
        }
    }
}

private struct WorkVictim: WorkHandler {
    let victim: Victim
    let leaseSeconds = 30

    func perform(_ event: Event<OrdersCollected>, _ context: WorkContext) async -> Outcome {
        let outcome = victim.handle(event.payload.seen)
        guard outcome == .done else { return outcome }
        do {
            try await context.complete { work in
                try work.transaction.execute(
                    "INSERT INTO effects (id, number) VALUES ($1, $2)", [.uuid(event.id), .int(event.payload.seen)])
            }
            return .done
        } catch {
            return .retry(FailureReason(.transient, code: "test.database", message: "\(error)"))
        }
    }
}
