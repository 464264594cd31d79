import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit
import TestStack
import Testing

@testable import Notifier

@Suite("Old dead letters", .timeLimit(.minutes(20)))
struct LetterRetentionTests {
    private static let now = Date(timeIntervalSince1970: 1_795_302_600)

    private static func with(
        _ sql: String, _ body: (_ system: ScratchSystem, _ pool: PostgresPool) async throws -> Void
    ) async throws {
        try await ScratchSystem.with(ServiceCatalogue.services(shops: ["hanoi"])) { system in
            try await system.administrate(sql)
            try await withPool(to: system.database(.notifier)) { try await body(system, $0) }
        }
    }

    private static func remove(_ pool: PostgresPool) async throws {
        for rule in LetterRetention.rules { try await rule.apply(pool, now: now, stop: StopSignal()) }
    }

    private static func texts(_ sql: String, _ pool: PostgresPool) async throws -> [String] {
        try await pool.query(sql).map { try $0.decode(at: 0) }
    }

    private static func ago(_ days: Int) -> String {
        "to_timestamp(\(Int(now.timeIntervalSince1970))) - interval '\(days) days'"
    }

    /// A letter that came 900 days ago, with two steps of history.
    private static func letter(_ name: String, _ state: String, since days: Int) -> String {
        """
        WITH made AS (
            INSERT INTO dead_letters.letters (service, queue, identity, properties, body, error_class, error_code,
                error_message, fingerprint, attempts, failed_at, archived_at, death, state, state_at)
            VALUES ('reconciler', 'reconciler', '\(name)', '{}', '', 'defect', 'x', 'y', 'z', 1, \(ago(900)),
                \(ago(900)), '', '\(state)', \(ago(days))) RETURNING id)
        INSERT INTO dead_letters.history (letter, at, step, who)
        SELECT id, \(ago(900)), step, 'lan' FROM made, unnest(ARRAY['died', '\(state)']) step;
        """
    }

    private static func job(_ number: Int, _ state: String, ended days: Int?, letters: [String]) -> String {
        let id = "00000000-0000-4000-8000-00000000000\(number)"
        return """
            INSERT INTO dead_letters.jobs (id, requested_by, reason, filter, letters, rate_per_second, stop_share,
                state, created_at, ended_at)
            VALUES ('\(id)', 'lan', 'r', '{}', \(letters.count), 1, 1, '\(state)', \(ago(900)),
                \(days.map(ago) ?? "NULL"));
            INSERT INTO dead_letters.job_items (job, letter, state)
            SELECT '\(id)', id, 'processed' FROM dead_letters.letters
            WHERE identity IN (\(letters.map { "'\($0)'" }.joined(separator: ", ")));
            """
    }

    private static let left = "SELECT identity FROM dead_letters.letters ORDER BY id"

    @Test("leave with their history once they are settled for long; what waits or is replayed stays")
    func letters() async throws {
        let all = [
            ("waits", "waiting", 900), ("replayed", "replaying", 900), ("done", "processed", 401),
            ("overtaken", "superseded", 401), ("closed", "archived", 401), ("closed lately", "archived", 399),
        ]
        let sql = all.map { Self.letter($0.0, $0.1, since: $0.2) }.joined(separator: "\n")
        try await Self.with(sql) { system, pool in
            try await Self.remove(pool)
            #expect(try await Self.texts(Self.left, pool) == ["waits", "replayed", "closed lately"])
            #expect(try await system.number("SELECT count(*) FROM dead_letters.history") == 6)
        }
    }

    @Test("stay as long as a job that names them; a job leaves whole, and none that is not over")
    func jobs() async throws {
        let names = ["a", "b", "c", "d", "e"]
        let letters = names.map { Self.letter($0, "processed", since: 800) } + [Self.letter("w", "waiting", since: 800)]
        let jobs = [
            Self.job(1, "done", ended: 500, letters: ["a", "b", "w"]),
            // Names b as well, and is kept yet.
            Self.job(2, "cancelled", ended: 300, letters: ["b", "c"]),
            Self.job(3, "stopped", ended: nil, letters: ["d"]),
            Self.job(4, "cancelled", ended: nil, letters: ["e"]),
        ]
        try await Self.with((letters + jobs).joined(separator: "\n")) { system, pool in
            try await Self.remove(pool)
            #expect(try await Self.texts(Self.left, pool) == ["b", "c", "d", "e", "w"])
            let states = "SELECT state FROM dead_letters.jobs ORDER BY id"
            #expect(try await Self.texts(states, pool) == ["cancelled", "stopped", "cancelled"])
            #expect(try await system.number("SELECT count(*) FROM dead_letters.job_items") == 4)
        }
    }

    @Test("however many there are, all leave, by two replicas at once")
    func many() async throws {
        let sql = """
            INSERT INTO dead_letters.letters (service, queue, identity, properties, body, error_class, error_code,
                error_message, fingerprint, attempts, failed_at, archived_at, death, state, state_at)
            SELECT 'reconciler', 'reconciler', n::text, '{}', '', 'defect', 'x', 'y', 'z', 1, \(Self.ago(900)),
                \(Self.ago(900)), '', 'archived', \(Self.ago(500)) FROM generate_series(1, 2300) n;
            INSERT INTO dead_letters.history (letter, at, step, who)
            SELECT id, archived_at, 'died', 'lan' FROM dead_letters.letters;
            """
        try await Self.with(sql) { system, pool in
            async let first: Void = Self.remove(pool)
            async let second: Void = Self.remove(pool)
            _ = try await (first, second)
            #expect(try await system.number("SELECT count(*) FROM dead_letters.letters") == 0)
            #expect(try await system.number("SELECT count(*) FROM dead_letters.history") == 0)
        }
    }
}
