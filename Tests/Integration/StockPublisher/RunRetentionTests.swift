import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit
import TestStack
import Testing

@testable import StockPublisher

@Suite("Runs and chunks of long ago", .timeLimit(.minutes(20)))
struct RunRetentionTests {
    private static let snapshot = "4f1c0001-0000-4000-8000-000000000000"

    @Test("leave; the newest run that ended stays for each shop, an open one, and the chunks of what is live")
    func runs() async throws {
        try await ScratchSystem.with(ServiceCatalogue.services(shops: ["hanoi", "saigon"])) { system in
            try await system.administrate(
                """
                INSERT INTO publishing.runs (id, shop, cause, began_at, deadline_at, ended_at)
                SELECT gen_random_uuid(), shop, cause, now() - make_interval(days => began), now(),
                    now() - make_interval(days => ended)
                FROM (VALUES ('hanoi', 'old', 500, 500), ('hanoi', 'last', 450, 450), ('hanoi', 'open', 440, NULL),
                    ('saigon', 'old', 401, 401), ('saigon', 'young', 401, 399), ('saigon', 'last', 1, 1))
                    AS r (shop, cause, began, ended);
                INSERT INTO publishing.sources (source, snapshot_id, sequence, as_of, received_at, file_name, chunks,
                    run_id) VALUES ('erp', '\(Self.snapshot)', 1, now(), now(), 'f', 2, 'r');
                INSERT INTO publishing.chunks (snapshot_id, part, applied_at)
                SELECT '\(Self.snapshot)', n, now() - interval '900 days' FROM generate_series(1, 2) n
                UNION ALL SELECT gen_random_uuid(), n, now() - make_interval(days => 50 * n)
                FROM generate_series(1, 4) n
                """)
            let left = try await withPool(to: system.database(.stockPublisher)) { pool in
                for rule in RunRetention.rules { try await rule.apply(pool, now: Date(), stop: StopSignal()) }
                return try await pool.query("SELECT shop || ' ' || cause FROM runs ORDER BY shop, began_at, ended_at")
            }
            #expect(
                try left.map { try $0.decode(at: 0, as: String.self) } == [
                    "hanoi last", "hanoi open", "saigon young", "saigon last",
                ])
            let live = "SELECT count(*) FROM publishing.chunks WHERE snapshot_id = '\(Self.snapshot)'"
            #expect(try await system.number(live) == 2)
            #expect(try await system.number("SELECT count(*) FROM publishing.chunks") == 3, "and that of 50 days ago")
        }
    }
}
