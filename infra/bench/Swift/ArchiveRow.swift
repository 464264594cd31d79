import Contracts
import DeadLetters
import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import Synchronization

/// Dead letters through the real archiver, and the question that people ask first about them.
struct ArchiveRow {
    let fixture: Fixture
    let count: Int

    init(count: Int) throws {
        fixture = try Fixture()
        self.count = count
    }

    /// From the first delivery to the commit of the last letter.
    func measure() async throws -> Measurement {
        let pool = PostgresPool(fixture.database, maximumConnections: 2)
        let end = LastCommit()
        let archiver = Archiver(
            service: Fixture.service, broker: fixture.broker, pool: pool, stop: StopSignal(), logger: fixture.logger,
            // Reached after each commit, just before its messages are acknowledged.
            faults: FaultInjection { _ in end.time.withLock { $0 = .now } }, now: { Date() })
        let start = ContinuousClock.now
        let stored = try await archiver.drainOnce()
        let seconds = (end.time.withLock { $0 } - start).inSeconds
        await pool.close()
        guard stored.new == count else {
            throw BenchError.wrongCount(row: "archive", expected: count, found: stored.new)
        }
        return Measurement(seconds: seconds, count: stored.new)
    }

    private final class LastCommit: Sendable {
        let time = Mutex(ContinuousClock.now)
    }

    /// The groups of all waiting letters, which infra/bench/fill_letters.sql made.
    func groups() async throws -> Measurement {
        let connection = PostgresConnection(fixture.database)
        try await connection.open()
        let question = LetterQueries.groups(LetterFilter())
        let start = ContinuousClock.now
        let groups = try await connection.query(question.sql, question.parameters).map { try LetterGroup($0) }
        let seconds = (ContinuousClock.now - start).inSeconds
        await connection.close()
        let found = groups.reduce(0) { $0 + $1.letters }
        guard found == count else { throw BenchError.wrongCount(row: "groups", expected: count, found: found) }
        return Measurement(seconds: seconds, count: found)
    }
}
