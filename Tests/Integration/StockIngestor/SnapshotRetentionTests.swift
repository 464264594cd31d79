import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit
import TestStack
import Testing

@testable import StockIngestor

@Suite("The rows of old files", .timeLimit(.minutes(20)))
struct SnapshotRetentionTests {
    private static let now = Date(timeIntervalSince1970: 1_795_302_600)

    /// A snapshot with three rows and one that was set aside.
    private struct Sample {
        var name: String
        var state: String
        var sequence: Int?
        /// Days ago.
        var received: Int
        var decided: Int?
        var source = "erp"
    }

    private static func with(
        _ samples: [Sample], _ body: (_ system: ScratchSystem, _ pool: PostgresPool) async throws -> Void
    ) async throws {
        try await ScratchSystem.with(ServiceCatalogue.services(shops: ["hanoi"])) { system in
            try await withPool(to: system.database(.stockIngestor)) { pool in
                for sample in samples { try await insert(sample, pool) }
                try await body(system, pool)
            }
        }
    }

    private static func insert(_ sample: Sample, _ pool: PostgresPool) async throws {
        @Sendable func day(_ count: Int) -> PostgresValue {
            .timestamp(now.addingTimeInterval(-Double(count) * 86_400))
        }
        try await pool.transaction { transaction in
            let id = PostgresValue.uuid(UUID())
            try transaction.execute(
                """
                INSERT INTO snapshots (id, source, sequence, file_name, file_id, digest, as_of, received_at, run_id,
                    state, decided_at)
                VALUES ($1, $2, $3, $4, $1, $4, $5, $5, 'r', $6, $7)
                """,
                [
                    id, .text(sample.source), .maybe(sample.sequence, PostgresValue.int), .text(sample.name),
                    day(sample.received), .text(sample.state), sample.decided.map(day) ?? .null,
                ])
            try transaction.execute(
                """
                INSERT INTO snapshot_rows (snapshot_id, sku, warehouse, on_hand, line)
                SELECT $1, 'A-' || n, 'HN', n, n FROM generate_series(1, 3) AS n
                """, [id])
            try transaction.execute(
                "INSERT INTO set_aside_rows (snapshot_id, line, raw, reason) VALUES ($1, 4, 'x', 'y')", [id])
        }
    }

    /// The files that still have all their rows.
    private static func kept(_ pool: PostgresPool) async throws -> [String] {
        try await pool.query(
            """
            SELECT s.file_name FROM snapshots s
            WHERE (SELECT count(*) FROM snapshot_rows r WHERE r.snapshot_id = s.id) = 3
                AND (SELECT count(*) FROM set_aside_rows r WHERE r.snapshot_id = s.id) = 1
                AND s.rows_removed_at IS NULL
            ORDER BY s.file_name
            """
        ).map { try $0.decode(at: 0) }
    }

    @Test("leave a while after another file took its place, however long they were live; no snapshot leaves")
    func replaced() async throws {
        try await Self.with([
            Sample(name: "a", state: "replaced", sequence: 1, received: 300),
            // Came long ago, and was live until yesterday.
            Sample(name: "b", state: "replaced", sequence: 2, received: 200),
            Sample(name: "c", state: "live", sequence: 3, received: 1),
            // Accepted only yesterday, so that the one before it was live until then.
            Sample(name: "d", state: "replaced", sequence: 1, received: 300, source: "other"),
            Sample(name: "e", state: "live", sequence: 2, received: 250, decided: 1, source: "other"),
            Sample(name: "f", state: "live", sequence: 1, received: 900, source: "silent"),
        ]) { system, pool in
            try await SnapshotRetention.rows.apply(pool, now: Self.now, stop: StopSignal())
            #expect(try await Self.kept(pool) == ["b", "c", "d", "e", "f"])
            #expect(try await system.number("SELECT count(*) FROM stock.snapshots") == 6)
            #expect(try await system.number("SELECT count(*) FROM stock.snapshot_rows") == 15, "a has none left")
            let removed = "SELECT count(*) FROM stock.snapshots WHERE rows_removed_at IS NOT NULL"
            #expect(try await system.number(removed) == 1)
            let later = Self.now.addingTimeInterval(Double(RetentionPeriod.detailDays) * 86_400)
            try await SnapshotRetention.rows.apply(pool, now: later, stop: StopSignal())
            #expect(try await Self.kept(pool) == ["c", "e", "f"], "what is live stays for ever")
        }
    }

    @Test("stay while somebody may still accept the file, and for a while after it was rejected")
    func undecided() async throws {
        try await Self.with([
            Sample(name: "held", state: "held", received: 300),
            Sample(name: "loading", state: "loading", received: 300),
            Sample(name: "rejected", state: "rejected", received: 300, decided: 200),
            Sample(name: "rejected late", state: "rejected", received: 300, decided: 5),
            Sample(name: "refused", state: "refused", received: 300),
            Sample(name: "unreadable", state: "unreadable", received: 20),
        ]) { _, pool in
            try await SnapshotRetention.rows.apply(pool, now: Self.now, stop: StopSignal())
            #expect(try await Self.kept(pool) == ["held", "loading", "rejected late", "unreadable"])
        }
    }

    @Test("the files themselves leave after four hundred days, but for what is live and what was not taken")
    func files() async throws {
        let states = ["replaced", "live", "held", "rejected", "refused", "unreadable"]
        let samples = states.map { Sample(name: $0, state: $0, received: 500) }
        try await Self.with(samples + [Sample(name: "young", state: "replaced", received: 399)]) { system, pool in
            try await system.administrate(
                """
                INSERT INTO shared.files (id, service, name, digest, size, content, stored_at)
                SELECT file_id, 'stock-ingestor', file_name, digest, 1, 'x',
                    now() - (to_timestamp(\(Int(Self.now.timeIntervalSince1970))) - received_at) FROM stock.snapshots
                """)
            for rule in SnapshotRetention.rules { try await rule.apply(pool, now: Self.now, stop: StopSignal()) }
            #expect(try await system.number("SELECT count(*) FROM shared.files WHERE name = 'replaced'") == 0)
            #expect(try await system.number("SELECT count(*) FROM shared.files") == 6)
        }
    }

    @Test("two replicas at once remove what one would")
    func together() async throws {
        let samples = (1...40).map { number in
            Sample(name: "f\(number)", state: number == 40 ? "live" : "replaced", sequence: number, received: 400)
        }
        try await Self.with(samples) { _, pool in
            async let first: Void = SnapshotRetention.rows.apply(pool, now: Self.now, stop: StopSignal())
            async let second: Void = SnapshotRetention.rows.apply(pool, now: Self.now, stop: StopSignal())
            _ = try await (first, second)
            #expect(try await Self.kept(pool) == ["f40"])
        }
    }
}
