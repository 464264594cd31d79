import Concurrency
public import Contracts
public import Foundation
public import Logging
public import Messaging
import Metrics
public import PostgreSQL
public import RabbitMQ

/// Takes one service's dead letters out of the broker and keeps them in `dead_letters` (messaging.md, "Dead letters").
///
/// A message is acknowledged after its row has committed, so the queue holds everything while the database is away,
/// and a death that is delivered twice is recognised. Any number of archivers may drain a queue at once.
public struct Archiver: Sendable {
    /// At most so many messages in one transaction.
    public static let batchSize = 500
    /// At most so many bytes of bodies in one transaction, unless a single one is larger.
    public static let batchBytes = 16 << 20
    /// At most so many messages taken and not yet acknowledged.
    public static let prefetch = 1_000
    /// With so many messages in hand that the database does not take, no others are taken.
    static let mostRefused = 500

    private let service: ServiceName
    private let broker: BrokerConfiguration
    private let pool: PostgresPool
    private let stop: StopSignal
    private let logger: Logger
    private let faults: FaultInjection
    private let now: @Sendable () -> Date

    /// - Parameters:
    ///   - service: Whose dead letters.
    ///   - broker: Under a user that may read the queue `S.dead`.
    ///   - pool: Under notifier's role, which alone writes `dead_letters`.
    ///   - stop: Ends ``run()``.
    ///   - now: The injected clock.
    public init(
        service: ServiceName, broker: BrokerConfiguration, pool: PostgresPool, stop: StopSignal, logger: Logger,
        faults: FaultInjection = .none, now: @escaping @Sendable () -> Date
    ) {
        self.service = service
        self.broker = broker
        self.pool = pool
        self.stop = stop
        self.logger = logger
        self.faults = faults
        self.now = now
    }

    private var queue: String { "\(service.rawValue).dead" }

    /// A message in hand, and what is to be kept of it.
    private struct Letter: Sendable {
        let tag: DeliveryTag
        let record: LetterRecord
    }

    /// A message that the database does not take. It stays unacknowledged, so the queue still has it and gives it to
    /// the next connection; until then it is tried again after ever longer pauses, up to an hour.
    private struct Refused: Sendable {
        let letter: Letter
        var attempts = 1
        var dueAt = ContinuousClock.now + .seconds(60)

        mutating func postpone() {
            attempts += 1
            dueAt = .now + .seconds(min(3_600, 60 << min(attempts, 6)))
        }
    }

    /// Drains until the service stops; connection losses and an absent database are survived.
    ///
    /// While one batch is being committed the next one is taken and read.
    public func run() async {
        let consumer = Consumer(broker, queue: queue, prefetch: Self.prefetch)
        let backoff = Backoff(first: .milliseconds(200), ceiling: .seconds(30))
        var failures = 0
        var letters: [Letter] = []
        var refused: [Refused] = []
        while !stop.isStopping || !letters.isEmpty {
            let isFull = refused.count >= Self.mostRefused
            async let upcoming = take(consumer, unless: isFull)
            var problem: (any Error)?
            do {
                refused += try await keep(letters, consumer, waits: true).refused.map { Refused(letter: $0) }
                try await retry(&refused, consumer)
            } catch {
                problem = error
            }
            switch await upcoming {
            case .success(let taken): letters = taken
            case .failure(let error): (letters, problem) = ([], error)
            }
            guard let problem else {
                failures = 0
                continue
            }
            // With the connection go the tags; the queue delivers what they named again.
            refused.removeAll()
            failures += 1
            logger.warning("dead letters not taken", metadata: ["queue": "\(queue)", "problem": "\(problem)"])
            await stop.sleep(for: backoff.delay(afterFailures: failures))
        }
        await consumer.close()
    }

    /// Drains until nothing has come for two seconds, for a person who asks for it.
    ///
    /// - Throws: `BrokerError` or `PostgresError` if one of them is away; what was not stored stays in the queue.
    public func drainOnce() async throws -> ArchiveCount {
        let consumer = Consumer(broker, queue: queue, prefetch: Self.prefetch)
        let outcome: Result<ArchiveCount, any Error>
        do { outcome = .success(try await drain(consumer)) } catch { outcome = .failure(error) }
        await consumer.close()
        return try outcome.get()
    }

    private func drain(_ consumer: Consumer) async throws -> ArchiveCount {
        var count = ArchiveCount()
        var letters = try await take(consumer, within: .seconds(2)).get()
        while !letters.isEmpty {
            let isFull = count.refused >= Self.mostRefused
            async let upcoming = take(consumer, within: .seconds(2), unless: isFull)
            count += try await keep(letters, consumer, waits: false).count
            letters = try await upcoming.get()
        }
        return count
    }

    // MARK: Taking

    /// The next messages, read; none if nothing came in time.
    private func take(
        _ consumer: Consumer, within: Duration = .seconds(1), unless isFull: Bool = false
    ) async -> Result<[Letter], BrokerError> {
        if stop.isStopping { return .success([]) }
        if isFull {
            await stop.sleep(for: within)
            return .success([])
        }
        do throws(BrokerError) {
            let deliveries = try await consumer.next(
                atMost: Self.batchSize, within: within, linger: .milliseconds(5))
            let time = now()
            return .success(
                deliveries.map { Letter(tag: $0.tag, record: LetterRecord($0, service: service, now: time)) })
        } catch {
            return .failure(error)
        }
    }

    // MARK: Keeping

    private struct Kept: Sendable {
        var count = ArchiveCount()
        var refused: [Letter] = []
    }

    /// Stores and acknowledges; what the database does not take comes back.
    private func keep(_ letters: [Letter], _ consumer: Consumer, waits: Bool) async throws -> Kept {
        var kept = Kept()
        var rest = letters[...]
        while !rest.isEmpty {
            var bytes = 0
            let batch = rest.prefix { letter in
                let isFirst = bytes == 0
                bytes += letter.record.body.count
                return isFirst || bytes <= Self.batchBytes
            }
            rest = rest.dropFirst(batch.count)
            let one = try await keepBatch(Array(batch), consumer, waits: waits)
            kept.count += one.count
            kept.refused += one.refused
        }
        return kept
    }

    private func keepBatch(_ batch: [Letter], _ consumer: Consumer, waits: Bool) async throws -> Kept {
        let backoff = Backoff(first: .milliseconds(100), ceiling: .seconds(10))
        var failures = 0
        while true {
            do {
                let (records, time) = (batch.map(\.record), now())
                let count = try await pool.transaction { try LetterStore.store(records, at: time, in: $0) }
                faults.reached(.afterCommitBeforeAcknowledgement)
                try await consumer.ack(batch.map(\.tag))
                report(count)
                return Kept(count: count)
            } catch let error as BrokerError {
                throw error
            } catch  where Self.blamesLetters(error) {
                return try await oneByOne(batch, consumer, error, waits: waits)
            } catch {
                // Not the letters' fault: all of them wait here, unacknowledged.
                guard waits else { throw error }
                if stop.isStopping || Task.isCancelled { return Kept() }
                failures += 1
                logger.warning(
                    "dead letters not stored, waiting", metadata: ["queue": "\(queue)", "problem": "\(error)"])
                await stop.sleep(for: backoff.delay(afterFailures: failures))
            }
        }
    }

    /// So that one letter which the database does not take keeps no other from being stored.
    private func oneByOne(
        _ batch: [Letter], _ consumer: Consumer, _ error: any Error, waits: Bool
    ) async throws -> Kept {
        var kept = Kept()
        guard batch.count == 1, let letter = batch.first else {
            for letter in batch {
                let one = try await keepBatch([letter], consumer, waits: waits)
                kept.count += one.count
                kept.refused += one.refused
            }
            return kept
        }
        logger.error(
            "dead letter not stored; it stays in its queue and is tried again later",
            metadata: [
                "queue": "\(queue)", "failed_in": "\(letter.record.queue)", "message": "\(letter.record.identity)",
                "problem": "\(error)",
            ])
        kept.refused = [letter]
        kept.count.refused = 1
        return kept
    }

    private func retry(_ refused: inout [Refused], _ consumer: Consumer) async throws {
        for index in refused.indices.reversed() where refused[index].dueAt <= .now {
            let again = try await keepBatch([refused[index].letter], consumer, waits: true)
            if again.refused.isEmpty { refused.remove(at: index) } else { refused[index].postpone() }
        }
    }

    /// Whether an error is about what was to be stored, so that another letter may do better.
    static func blamesLetters(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        if case .invalidParameter = error { return true }
        // 21 cardinality, 22 data, 23 constraint, 54 program limit exceeded.
        return ["21", "22", "23", "54"].contains(error.sqlState.map { String($0.prefix(2)) })
    }

    private func report(_ count: ArchiveCount) {
        for (result, number) in [("new", count.new), ("again", count.again), ("unchanged", count.unchanged)]
        where number > 0 {
            let dimensions = [("service", service.rawValue), ("result", result)]
            Counter(label: "stockbridge.dead_letters.archived", dimensions: dimensions).increment(by: number)
        }
        logger.info(
            "dead letters archived",
            metadata: [
                "queue": "\(queue)", "new": "\(count.new)", "again": "\(count.again)",
                "unchanged": "\(count.unchanged)",
            ])
    }
}
