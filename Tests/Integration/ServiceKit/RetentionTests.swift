import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import Synchronization
import TestStack
import Testing

@testable import ServiceKit

@Suite("What leaves a table", .timeLimit(.minutes(20)))
struct RetentionTests {
    private static func with(
        _ body: (_ system: ScratchSystem, _ pool: PostgresPool) async throws -> Void
    ) async throws {
        try await ScratchSystem.with(ServiceCatalogue.services(shops: ["hanoi"])) { system in
            try await withPool(to: system.database(.stockIngestor)) { try await body(system, $0) }
        }
    }

    @Test("inbox rows leave after thirty days, however many there are")
    func inbox() async throws {
        try await Self.with { system, pool in
            try await system.administrate(
                """
                INSERT INTO stock.inbox (consumer, message_id, received_at)
                SELECT 'q', gen_random_uuid(), now() - make_interval(days => CASE WHEN n <= 12000 THEN 31 ELSE 29 END)
                FROM generate_series(1, 12010) n
                """)
            try await InboxRetention.rule.apply(pool, now: Date(), stop: StopSignal())
            #expect(try await system.number("SELECT count(*) FROM stock.inbox") == 10)
        }
    }

    @Test("stored files leave after four hundred days, the service's own only, but for those that stay")
    func files() async throws {
        try await Self.with { system, pool in
            let kept = "4f1c0001-0000-4000-8000-000000000000"
            try await system.administrate(
                """
                INSERT INTO shared.files (id, service, name, digest, size, content, stored_at)
                SELECT CASE WHEN name = 'kept' THEN '\(kept)' ELSE gen_random_uuid() END, service, name, 'd', 1,
                    'x'::bytea, now() - make_interval(days => days)
                FROM (VALUES ('stock-ingestor', 'kept', 500), ('stock-ingestor', 'young', 399),
                    ('erp-bridge', 'report', 900)) AS f (service, name, days)
                UNION ALL SELECT gen_random_uuid(), 'stock-ingestor', 'old', 'd', 1, 'x'::bytea,
                    now() - interval '401 days'
                FROM generate_series(1, 45)
                """)
            let rule = StoredFileRetention.rule(except: "SELECT '\(kept)'::uuid")
            try await rule.apply(pool, now: Date(), stop: StopSignal())
            let left = "SELECT count(*) FROM shared.files WHERE name IN ('kept', 'young', 'report')"
            #expect(try await system.number(left) == 3)
            #expect(try await system.number("SELECT count(*) FROM shared.files") == 3)
            try await StoredFileRetention.rule().apply(pool, now: Date(), stop: StopSignal())
            #expect(try await system.number("SELECT count(*) FROM shared.files") == 2)
        }
    }

    @Test("a new command lets those of long ago go")
    func commands() async throws {
        try await Self.with { system, pool in
            try await system.administrate(
                """
                INSERT INTO shared.commands (id, service, verb, arguments, requested_by, requested_at)
                SELECT gen_random_uuid(), 'stock-ingestor', 'run', '{}', 'lan', now() - make_interval(days => n)
                FROM generate_series(390, 410) n
                """)
            _ = try await pool.query(
                "SELECT shared.submit_command($1, 'stock-ingestor', 'run', '{}', 'lan')", [.uuid(UUID())])
            #expect(try await system.number("SELECT count(*) FROM shared.commands") == 11)
            let oldest = "SELECT max(extract(day FROM now() - requested_at))::int FROM shared.commands"
            #expect(try await system.number(oldest) == 399)
        }
    }

    @Test("a rule goes on as long as its transactions are full, each from where the one before it ended")
    func steps() async throws {
        try await Self.with { _, pool in
            let removed = Counter()
            let rule = RetentionRule("rows", atOnce: 10) { _, _, atMost in
                removed.next([10, 10, 3][removed.calls], atMost)
            }
            try await rule.apply(pool, now: Date(), stop: StopSignal())
            #expect(removed.calls == 3 && removed.asked == [10, 10, 10])
            let walked = Counter()
            let walk = RetentionRule("rows") { _, _, position in
                _ = walked.next(position.count, position.count)
                return position.count < 3 ? position + ["x"] : nil
            }
            try await walk.apply(pool, now: Date(), stop: StopSignal())
            #expect(walked.asked == [0, 1, 2, 3])
        }
    }

    @Test("a service that stops finishes the transaction in hand and begins no other")
    func stopping() async throws {
        try await Self.with { _, pool in
            let (calls, stop) = (Counter(), StopSignal())
            let rule = RetentionRule("rows", atOnce: 10) { _, _, atMost in
                stop.stop()
                return calls.next(10, atMost)
            }
            try await rule.apply(pool, now: Date(), stop: stop)
            #expect(calls.calls == 1)
        }
    }
}

/// What a rule was asked for, call by call.
private final class Counter: Sendable {
    private let all = Mutex<[Int]>([])

    var asked: [Int] { all.withLock { $0 } }
    var calls: Int { asked.count }

    func next(_ answer: Int, _ asked: Int) -> Int {
        all.withLock { $0.append(asked) }
        return answer
    }
}
