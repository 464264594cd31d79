import Contracts
import Domain
import Foundation
import PostgreSQL
import ServiceKit
import TestStack
import Testing

@testable import StockPublisher

@Suite("Articles that were sold and are not there", .timeLimit(.minutes(20)))
struct OversoldArticlesTests {
    private func with(
        _ shops: [ShopName], _ body: (ScratchSystem, PostgresPool, OversoldArticles) async throws -> Void
    ) async throws {
        try await ScratchSystem.with(ServiceCatalogue.services(shops: shops)) { system in
            let setups = shops.map { ShopSetup(name: $0, catalogue: []) }
            let settings = PublisherSettings(try PublisherBench.configuration(setups, [:], system, 3))
            let articles = OversoldArticles(settings: settings, levels: LevelWriter(settings: settings))
            try await withPool(to: system.database(.stockPublisher)) { try await body(system, $0, articles) }
        }
    }

    @Test("every shop's are counted, however many there are")
    func many() async throws {
        try await with(["hanoi", "saigon"]) { system, pool, articles in
            // An article in five shows 2 units and has one open; the others have none and one open.
            try await system.administrate(
                """
                INSERT INTO publishing.stock (source, sku, warehouse, on_hand, snapshot_id, sequence, as_of)
                SELECT 'erp', 'S' || n, 'HN', CASE WHEN n % 5 = 0 THEN 2 ELSE 0 END, gen_random_uuid(), 1, now()
                FROM generate_series(1, 4000) n;
                INSERT INTO publishing.order_lines (shop, external_id, line_id, erp_code, quantity, is_open)
                SELECT 'hanoi', n::text, '1', 'S' || n, 1, true FROM generate_series(1, 4000) n;
                INSERT INTO publishing.shelves (shop, shelf, erp_code, units_per_pack, wanted)
                SELECT shop, n || '-' || units, 'S' || n, units, 0
                FROM generate_series(1, 4000) n, unnest(ARRAY['hanoi', 'saigon']) shop, unnest(ARRAY[1, 6]) units;
                """)
            #expect(try await articles.count(in: pool, at: Date()) == ["hanoi": 3_200, "saigon": 3_200])
        }
    }

    @Test("an article counts where its orders are open, its shelf shows nothing and its stock is known")
    func which() async throws {
        try await with(["hanoi", "saigon", "hue"]) { system, pool, articles in
            try await system.administrate(
                """
                INSERT INTO publishing.stock (source, sku, warehouse, on_hand, snapshot_id, sequence, as_of)
                SELECT 'erp', sku, 'HN', on_hand, gen_random_uuid(), 1, now()
                FROM (VALUES ('SOLD', 1), ('LAST', 2), ('CLOSED', 0)) s (sku, on_hand);
                INSERT INTO publishing.order_lines (shop, external_id, line_id, erp_code, quantity, is_open)
                VALUES ('hanoi', '1', '1', 'SOLD', 2, true), ('hanoi', '1', '2', 'LAST', 2, true),
                    ('hanoi', '1', '3', 'CLOSED', 2, false), ('hanoi', '1', '4', 'UNKNOWN', 2, true),
                    ('hanoi', '1', '5', NULL, 2, true);
                INSERT INTO publishing.shelves (shop, shelf, erp_code, wanted)
                SELECT 'hanoi', code, code, 0 FROM unnest(ARRAY['SOLD', 'LAST', 'CLOSED', 'UNKNOWN']) code;
                INSERT INTO publishing.shelves (shop, shelf, erp_code, wanted)
                VALUES ('saigon', 'x', NULL, 0), ('hue', 'y', 'SOLD', 3), ('gone', 'z', 'SOLD', 0);
                """)
            #expect(try await articles.count(in: pool, at: Date()) == ["hanoi": 1, "saigon": 0, "hue": 0])
        }
    }
}
