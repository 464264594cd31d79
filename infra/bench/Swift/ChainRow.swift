import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import Synchronization

/// The whole life of a message through the real runner: consume, inbox + effect + outbox in one transaction of up to
/// 100 messages, acknowledge.
struct ChainRow {
    let fixture: Fixture
    let count: Int

    init(count: Int) throws {
        fixture = try Fixture()
        self.count = count
    }

    func measure() async throws -> Measurement {
        let progress = Progress()
        let stop = StopSignal()
        let publisher = Publisher(fixture.broker)
        let pool = PostgresPool(fixture.database, maximumConnections: 2)
        let expected = count
        let parts = RunnerParts(
            service: fixture.description, broker: fixture.broker, publisher: publisher,
            database: ServiceDatabase(pool: pool, service: Fixture.service, now: { Date() }),
            policy: RetryPolicy(tiers: RetryTier.standard, maximumAttempts: 5), stop: stop, logger: fixture.logger,
            // Reached after each commit, just before its messages are acknowledged.
            faults: FaultInjection { _ in
                guard progress.applied.load(ordering: .relaxed) >= expected else { return }
                progress.end.withLock { $0 = .now }
                stop.stop()
            },
            now: { Date() })
        let runner = BatchRunner(
            queue: Fixture.incoming, routes: [BatchRoute(RecordMovement(progress: progress))], parts: parts)
        let watchdog = Task {
            try? await Task.sleep(for: .seconds(60))
            stop.stop()
        }
        let start = ContinuousClock.now
        await runner.run()
        let seconds = (progress.end.withLock { $0 } - start).inSeconds
        watchdog.cancel()
        await pool.close()
        await publisher.close()
        let applied = progress.applied.load(ordering: .relaxed)
        guard applied == count else { throw BenchError.wrongCount(row: "chain", expected: count, found: applied) }
        return Measurement(seconds: seconds, count: applied)
    }

    final class Progress: Sendable {
        let applied = Atomic(0)
        /// When the last batch was committed.
        let end = Mutex(ContinuousClock.now)
    }

    /// One effect row and one event a message.
    struct RecordMovement: BatchHandler {
        let progress: Progress

        func apply(_ events: [Event<MovementReceived>], in work: UnitOfWork) throws {
            try work.transaction.execute(
                """
                INSERT INTO effects (event_id, sku, on_hand)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[])
                """,
                [
                    .uuidArray(events.map(\.id)), .textArray(events.map(\.payload.sku)),
                    .integerArray(events.map(\.payload.onHand)),
                ])
            for event in events {
                let recorded = MovementRecorded(
                    cause: event.id.uuidString, sku: event.payload.sku, onHand: event.payload.onHand,
                    note: "recorded by the benchmark, as a service would")
                try work.emit(event.causing(recorded, subject: event.subject, at: work.startedAt))
            }
            progress.applied.add(events.count, ordering: .relaxed)
        }
    }
}

/// The outbox to the broker, 500 rows a round, through the real relay.
struct RelayRow {
    let fixture: Fixture
    let count: Int

    init(count: Int) throws {
        fixture = try Fixture()
        self.count = count
    }

    func measure() async throws -> Measurement {
        let publisher = Publisher(fixture.broker)
        let relay = OutboxRelay(
            configuration: fixture.database, publisher: publisher, service: Fixture.service, stop: StopSignal(),
            logger: fixture.logger)
        let start = ContinuousClock.now
        let sent = try await relay.relayUntilEmpty()
        let seconds = (ContinuousClock.now - start).inSeconds
        await publisher.close()
        guard sent == count else { throw BenchError.wrongCount(row: "relay", expected: count, found: sent) }
        return Measurement(seconds: seconds, count: sent)
    }
}
