import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit
import TestStack
import Testing

@testable import StockPublisher

@Suite("The history of shelves", .timeLimit(.minutes(20)))
struct ShelfRetentionTests {
    private static let now = Date(timeIntervalSince1970: 1_795_302_600)

    private static func with(
        _ sql: String, _ body: (_ system: ScratchSystem, _ pool: PostgresPool) async throws -> Void
    ) async throws {
        try await ScratchSystem.with(ServiceCatalogue.services(shops: ["hanoi"])) { system in
            try await system.administrate(sql)
            try await withPool(to: system.database(.stockPublisher)) { try await body(system, $0) }
        }
    }

    private static func remove(_ pool: PostgresPool, at now: Date = now) async throws {
        for rule in ShelfRetention.rules { try await rule.apply(pool, now: now, stop: StopSignal()) }
    }

    private static func texts(_ sql: String, _ pool: PostgresPool) async throws -> [String] {
        try await pool.query(sql).map { try $0.decode(at: 0) }
    }

    /// SQL for a moment so many days before the test's present.
    private static func ago(_ days: String) -> String {
        "to_timestamp(\(Int(now.timeIntervalSince1970))) - make_interval(days => \(days))"
    }

    @Test("versions leave after a while, but for the newest and those that were sent and confirmed last")
    func versions() async throws {
        // Of each shelf versions 1 to 9, of 900 to 100 days ago, and for those that are busy one of yesterday.
        try await Self.with(
            """
            INSERT INTO publishing.shelves (shop, shelf, version, sent_version, confirmed_version) VALUES
                ('hanoi', 'busy', 10, 10, 10), ('hanoi', 'quiet', 9, 9, 9), ('hanoi', 'refused', 10, 7, 4),
                ('hanoi', 'shadow', 10, 0, 0), ('saigon', 'busy', 10, 10, 10);
            INSERT INTO publishing.shelf_versions (shop, shelf, version, wanted, cause_kind, cause_id, decided_at,
                breakdown)
            SELECT s.shop, s.shelf, n, n, 'stock', 'x',
                CASE n WHEN 10 THEN \(Self.ago("1")) ELSE \(Self.ago("1000 - n * 100")) END, 'null'
            FROM publishing.shelves s, generate_series(1, 10) n WHERE n <= s.version;
            """
        ) { _, pool in
            let left = """
                SELECT shop || ' ' || shelf || ': ' || string_agg(version::text, ' ' ORDER BY version)
                FROM shelf_versions GROUP BY shop, shelf ORDER BY shop, shelf
                """
            try await Self.remove(pool, at: Self.now.addingTimeInterval(3_600))
            #expect(
                try await Self.texts(left, pool) == [
                    "hanoi busy: 10", "hanoi quiet: 9", "hanoi refused: 4 7 10", "hanoi shadow: 10", "saigon busy: 10",
                ])
        }
    }

    @Test("versions and pushes of the last hundred days stay, whatever became of them")
    func young() async throws {
        try await Self.with(
            """
            INSERT INTO publishing.shelves (shop, shelf, version) VALUES ('hanoi', '1', 99);
            INSERT INTO publishing.shelf_versions (shop, shelf, version, cause_kind, cause_id, decided_at, breakdown)
            SELECT 'hanoi', '1', n, 'stock', 'x', \(Self.ago("100 - n")), 'null' FROM generate_series(1, 99) n;
            INSERT INTO publishing.pushes (shop, shelf, claim_number, version, level, began_at, ended_at, result,
                replica)
            SELECT shop, shelf, version, version, 1, decided_at, decided_at, 'failed', 'r'
            FROM publishing.shelf_versions;
            """
        ) { system, pool in
            try await Self.remove(pool)
            #expect(try await system.number("SELECT count(*) FROM publishing.shelf_versions") == 99)
            #expect(try await system.number("SELECT count(*) FROM publishing.pushes") == 99)
        }
    }

    @Test("pushes leave after a while, but for the last and the last that the shop confirmed")
    func pushes() async throws {
        try await Self.with(
            """
            INSERT INTO publishing.shelves (shop, shelf) VALUES ('hanoi', 'good'), ('hanoi', 'bad'), ('hanoi', 'new');
            INSERT INTO publishing.pushes (shop, shelf, claim_number, version, level, began_at, ended_at, result,
                replica)
            SELECT 'hanoi', shelf, n, n, n, \(Self.ago("1000 - n")), \(Self.ago("1000 - n")),
                CASE WHEN shelf = 'good' OR n < 30 THEN 'confirmed' ELSE 'failed' END, 'r'
            FROM generate_series(1, 200) n, unnest(ARRAY['good', 'bad']) shelf;
            INSERT INTO publishing.pushes (shop, shelf, claim_number, version, level, began_at, ended_at, result,
                replica)
            VALUES ('hanoi', 'new', 1, 1, 1, \(Self.ago("200")), \(Self.ago("200")), 'confirmed', 'r'),
                ('hanoi', 'new', 2, 2, 2, \(Self.ago("99")), \(Self.ago("99")), 'lost_answer', 'r'),
                ('hanoi', 'new', 3, 3, 3, \(Self.ago("98")), \(Self.ago("98")), 'confirmed', 'r');
            """
        ) { _, pool in
            try await Self.remove(pool)
            let left = """
                SELECT shelf || ': ' || string_agg(claim_number::text, ' ' ORDER BY claim_number) FROM pushes
                GROUP BY shelf ORDER BY shelf
                """
            #expect(try await Self.texts(left, pool) == ["bad: 29 200", "good: 200", "new: 2 3"])
        }
    }

    @Test("every shelf of every shop is walked to, by two replicas at once")
    func all() async throws {
        try await Self.with(
            """
            INSERT INTO publishing.shelves (shop, shelf, version)
            SELECT shop, n::text, 60 FROM generate_series(1, 700) n, unnest(ARRAY['hanoi', 'saigon']) shop;
            INSERT INTO publishing.shelf_versions (shop, shelf, version, cause_kind, cause_id, decided_at, breakdown)
            SELECT shop, shelf, n, 'stock', 'x', \(Self.ago("200")), 'null'
            FROM publishing.shelves, generate_series(1, 60) n;
            INSERT INTO publishing.pushes (shop, shelf, claim_number, version, level, began_at, ended_at, result,
                replica)
            SELECT shop, shelf, version, version, 1, decided_at - make_interval(mins => 60 - version::int),
                decided_at - make_interval(mins => 60 - version::int), 'failed', 'r'
            FROM publishing.shelf_versions;
            """
        ) { system, pool in
            async let first: Void = Self.remove(pool)
            async let second: Void = Self.remove(pool)
            _ = try await (first, second)
            #expect(
                try await system.number("SELECT count(*) FROM publishing.shelf_versions WHERE version = 60") == 1_400)
            #expect(try await system.number("SELECT count(*) FROM publishing.shelf_versions") == 1_400)
            #expect(try await system.number("SELECT count(*) FROM publishing.pushes WHERE version = 60") == 1_400)
            #expect(try await system.number("SELECT count(*) FROM publishing.pushes") == 1_400)
        }
    }
}
