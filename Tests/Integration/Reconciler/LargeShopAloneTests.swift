import Contracts
import Domain
import Foundation
import PostgreSQL
import ServiceKit
import TestStack
import Testing

@testable import Reconciler

/// The memory it measures is the whole process's, so nothing else may run beside it.
@Suite("A large shop", .timeLimit(.minutes(20)))
struct LargeShopAloneTests {
    private static let listings = 100_000

    @Test("comparing and reporting 100,000 listings needs no more memory than a few thousand")
    func flatMemory() async throws {
        try await ScratchSystem.with(ServiceCatalogue.services(shops: ["hanoi"])) { system in
            let run = UUID()
            let reading = UUID()
            try await fill(system, run: run, reading: reading)
            let pool = PostgresPool(system.database(.reconciler), maximumConnections: 1)
            let clock = ContinuousClock.now
            let (result, rows, growth) = try await pool.transaction { transaction in
                let shop = try #require(try RunStore.shop("hanoi", of: run, in: transaction))
                let before = ResidentMemory.mebibytes()
                var most = before
                let comparison = Comparison(shop: shop, statement: 1, reading: reading, staleUpTo: nil)
                let result = try comparison.run(in: transaction)
                most = max(most, ResidentMemory.mebibytes())
                var rows = 0
                try ReportRows(run: run, shop: "hanoi", statement: 1, reading: reading).forEach(in: transaction) { _ in
                    rows += 1
                    if rows % 10_000 == 0 { most = max(most, ResidentMemory.mebibytes()) }
                }
                return (result, rows, most - before)
            }
            await pool.close()
            print("100,000 listings compared and listed in \(ContinuousClock.now - clock), \(growth) MiB more")
            #expect(result.compared == Self.listings && rows == Self.listings)
            #expect(result.right == Self.listings - 100 && result.again == 100)
            #expect(growth < 60)
        }
    }

    /// What a statement and a reading of the shop leave in the tables; every thousandth listing differs.
    private func fill(_ system: ScratchSystem, run: UUID, reading: UUID) async throws {
        try await system.administrate(
            """
            SET search_path = reconciliation;
            INSERT INTO runs (id, day, cause, opened_at, statement_at, deadline_at)
            VALUES ('\(run)', '2026-11-22', 'snapshot', now(), now(), now());
            INSERT INTO run_shops (run, shop, position, state) VALUES ('\(run)', 'hanoi', 1, 'reading');
            INSERT INTO statements (shop, id, taken_at, chunks, is_complete) OVERRIDING SYSTEM VALUE
            VALUES ('hanoi', '\(run)', now(), 0, true);
            INSERT INTO statement_listings (statement, listing, shelf, sku, title, mapping, candidates, erp_code,
                units_per_pack, wanted, breakdown, as_of, is_missing_in_file, confirmed, expected_at_shop, is_pending,
                outcome)
            SELECT 1, n, n, 'SKU-' || n, 'Product ' || n, 'mapped', '', 'SKU-' || n, 1, n % 50,
                'HN 20; gross 20; open 0; available 20', now(), false, n % 50, n % 50, false, 'unchanged'
            FROM generate_series(1, \(Self.listings)) n;
            INSERT INTO readings
            SELECT '\(reading)', n, n, 'SKU-' || n, 'Product ' || n,
                (n % 50 + CASE WHEN n % 1000 = 0 THEN 1 ELSE 0 END)::bigint * 1000000, true, true, now(), now()
            FROM generate_series(1, \(Self.listings)) n;
            ANALYZE;
            """)
    }
}
