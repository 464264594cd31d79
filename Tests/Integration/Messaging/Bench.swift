import Contracts
import Foundation
import Logging
import PostgreSQL
import RabbitMQ
import Synchronization
import TestStack
import Testing

@testable import Messaging

/// A fact that tests hand around. `number` and `manner` tell the handlers below what to do with it.
struct Note: EventPayload, Equatable {
    static let type = EventType("test.note", 1, 0)
    var number: Int
    var manner: Manner = .plain

    enum Manner: String, Codable {
        /// Nothing is wrong with it.
        case plain
        /// It can never be applied.
        case bad
        /// It can be applied from the second attempt on.
        case patient
    }
}

/// One service with a batch queue, a work queue and a delay tier of 300 ms, in a system of its own.
struct Bench: Sendable {
    static let batchQueue = "stock-ingestor"
    static let workQueue = "stock-ingestor.outside"
    static let deadQueue = "stock-ingestor.dead"
    static let tier = RetryTier(name: "300ms", delayMilliseconds: 300)
    static let service = ServiceDescription(
        name: .stockIngestor,
        queues: [
            QueueDescription(name: batchQueue, kind: .batch), QueueDescription(name: workQueue, kind: .work),
        ],
        tiers: [tier], publishes: [Note.type.name])

    let system: ScratchSystem
    let parts: RunnerParts

    var database: ServiceDatabase { parts.database }

    static func with(_ body: (Bench) async throws -> Void) async throws {
        try await ScratchSystem.with([service]) { system in
            try await system.administrate(
                """
                CREATE TABLE stock.effects (
                    id uuid NOT NULL, event uuid NOT NULL, number int NOT NULL, attempt int NOT NULL);
                GRANT ALL ON stock.effects TO stock_ingestor;
                """)
            let bench = Bench(system)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(bench)) } catch { outcome = .failure(error) }
            bench.parts.stop.stop()
            await bench.parts.publisher.close()
            await bench.database.pool.close()
            try outcome.get()
        }
    }

    private init(_ system: ScratchSystem) {
        self.system = system
        let database = ServiceDatabase(
            pool: PostgresPool(system.database(.stockIngestor), maximumConnections: 4), service: .stockIngestor,
            now: { Date() })
        parts = RunnerParts(
            service: Self.service, broker: system.broker(.stockIngestor),
            publisher: Publisher(system.broker(.stockIngestor)), database: database,
            policy: RetryPolicy(
                tiers: [Self.tier], maximumAttempts: 5,
                outage: .init(failuresInARow: 3, firstProbe: .milliseconds(400), longestProbe: .seconds(1))),
            stop: StopSignal(), logger: quiet, now: { Date() })
    }

    // MARK: Messages

    func event(_ number: Int, _ manner: Note.Manner = .plain, id: UUID = UUID()) -> Event<Note> {
        Event(
            Note(number: number, manner: manner), id: id, subject: "note \(number)", correlation: "test",
            occurredAt: Date())
    }

    func message(_ event: Event<Note>, to queue: String) throws -> OutgoingMessage {
        try OutboxMessage(work: event, for: .stockIngestor, queue: queue).outgoing
    }

    func publish(_ messages: [OutgoingMessage]) async throws {
        let outcomes = try await parts.publisher.publish(messages)
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    // MARK: Running

    /// Runs loops beside the body; afterwards they have ended.
    func running(_ loops: [@Sendable () async -> Void], _ body: () async throws -> Void) async throws {
        try await TestStack.running(loops, until: parts.stop, body)
    }

    func batchRunner(_ queue: String = batchQueue) -> @Sendable () async -> Void {
        let runner = BatchRunner(queue: queue, routes: [BatchRoute(Recorder())], parts: parts)
        return { await runner.run() }
    }

    func relay(_ publisher: Publisher? = nil) -> OutboxRelay {
        OutboxRelay(
            configuration: system.database(.stockIngestor), publisher: publisher ?? parts.publisher,
            service: .stockIngestor, stop: parts.stop, logger: quiet)
    }

    // MARK: Looking

    func effects() async throws -> Int { try await system.number("SELECT count(*) FROM stock.effects") }

    func outbox() async throws -> Int { try await system.number("SELECT count(*) FROM stock.outbox") }

    /// Waits until nothing is left in the queue, neither ready nor in hand.
    func drained(_ queue: String) async throws -> Bool {
        try await eventually { try await system.ready(queue) == 0 }
    }
}

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

/// Writes each note down and says so in an event of its own.
struct Recorder: BatchHandler {
    func apply(_ events: [Event<Note>], in work: UnitOfWork) throws {
        for event in events {
            if event.payload.manner == .bad {
                throw FailureReason(.permanent, code: "note.bad", message: "Note \(event.payload.number) is bad.")
            }
            if event.payload.manner == .patient && event.attempt == 1 {
                throw FailureReason(.transient, code: "note.early", message: "Note \(event.payload.number) is early.")
            }
            let said = event.causing(event.payload, subject: event.subject, at: work.startedAt)
            try work.transaction.execute(
                "INSERT INTO effects (id, event, number, attempt) VALUES ($1, $2, $3, $4)",
                [.uuid(event.id), .uuid(said.id), .int(event.payload.number), .int(event.attempt)])
            try work.emit(said)
        }
    }
}

/// Does whatever a test says, and remembers what was asked of it.
final class Worker: WorkHandler {
    typealias Payload = Note

    struct Call: Sendable {
        var number: Int
        var attempt: Int
        var at: ContinuousClock.Instant
    }

    let leaseSeconds: Int
    private let body: @Sendable (Event<Note>, WorkContext) async -> Outcome
    private let log = Mutex<(calls: [Call], running: Int, most: Int)>(([], 0, 0))

    init(leaseSeconds: Int = 30, _ body: @escaping @Sendable (Event<Note>, WorkContext) async -> Outcome) {
        self.leaseSeconds = leaseSeconds
        self.body = body
    }

    var calls: [Call] { log.withLock { $0.calls } }
    var mostAtOnce: Int { log.withLock { $0.most } }

    func perform(_ event: Event<Note>, _ context: WorkContext) async -> Outcome {
        log.withLock { log in
            log.calls.append(Call(number: event.payload.number, attempt: event.attempt, at: .now))
            log.running += 1
            log.most = max(log.most, log.running)
        }
        defer { log.withLock { $0.running -= 1 } }
        return await body(event, context)
    }
}

extension Delivery {
    func header(_ name: String) -> String? {
        if case .string(let text)? = properties.headers[name] { text } else { nil }
    }
}
