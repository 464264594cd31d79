import Contracts
import DeadLetters
import Domain
import Foundation
import PostgreSQL
import TestStack
import Testing

@testable import Stockbridge

@Suite("Dead letters under the operator's role, on the real database", .timeLimit(.minutes(20)))
struct LetterReadingTests {
    private let start = Date(timeIntervalSince1970: 1_795_302_600)

    @Test("letters are listed newest first, by each filter, and only those that wait unless asked")
    func lists() async throws {
        try await LetterSystem.with { system in
            let ids = try await system.store([
                .init(), .init(failedAt: start.addingTimeInterval(60)),
                .init(
                    service: "erp-bridge", queue: "erp-bridge", topic: "order.created", order: "hanoi:10231",
                    items: ["NHH-1"], code: "payload.invalid", message: "lines is missing.",
                    failedAt: start.addingTimeInterval(30)),
                .init(state: "archived"),
            ])
            let reader = LetterReader(database: system.database)
            func found(_ change: (inout LetterFilter) -> Void) async throws -> [Int64] {
                var filter = LetterFilter()
                change(&filter)
                return try await reader.page(filter, limit: 50).letters.map(\.id)
            }
            #expect(try await found { _ in } == [ids[1], ids[2], ids[0]])
            #expect(try await found { $0.service = "erp-bridge" } == [ids[2]])
            #expect(try await found { $0.order = "hanoi:10231" } == [ids[2]])
            #expect(try await found { $0.items = ["NHH-1", "x"] } == [ids[2]])
            #expect(try await found { $0.error = "LINES is" } == [ids[2]])
            #expect(try await found { $0.since = start.addingTimeInterval(30) } == [ids[1], ids[2]])
            #expect(try await found { $0.until = start.addingTimeInterval(30) } == [ids[0]])
            #expect(try await found { $0.state = "archived" } == [ids[3]])
            #expect(try await found { $0.state = nil }.count == 4)
            #expect(try await found { $0.ids = [ids[0], 999] } == [ids[0]])
            #expect(try await found { $0.shop = "saigon" }.isEmpty)
            let page = try await reader.page(LetterFilter(), limit: 2)
            #expect(page.total == 3 && page.letters.count == 2)
            #expect(try await reader.missing([ids[0], 998, 999]) == [998, 999])
            let set = try await reader.set(LetterFilter())
            #expect(set.count == 3 && set.newest == ids[2])
        }
    }

    @Test("an order is found by its number, a SKU by what it is in the ERP and where it lies")
    func names() async throws {
        try await LetterSystem.with { system in
            try await system.system.administrate(
                """
                INSERT INTO publishing.listings (shop, listing, shelf, sku, title, stock_managed, published,
                    observed_at, catalogue_run, mapping, erp_code)
                VALUES ('hanoi', '311', '310', 'S-1', 'Soap', true, true, now(), 'r', 'mapped', 'NHH-1'),
                       ('hue', '7', '7', 's-1 ', 'Soap', true, true, now(), 'r', 'unmapped', NULL)
                """)
            let reader = LetterReader(database: system.database)
            #expect(
                try await reader.items(named: "S-1", shop: nil)
                    == ["S-1", "NHH-1", "hanoi/310", "hanoi/311", "hue/7"])
            #expect(try await reader.items(named: "NHH-1", shop: "hanoi") == ["NHH-1", "hanoi/310", "hanoi/311"])
            #expect(try await reader.items(named: "none", shop: nil) == ["none"])
        }
    }

    @Test("a letter is shown whole, and one that does not exist is named")
    func detail() async throws {
        try await LetterSystem.with { system in
            let ids = try await system.store([
                .init(body: Array(#"{"b":1}"#.utf8), editedBody: [0xFF]), .init(body: Array("{".utf8)),
            ])
            try await system.system.administrate(
                """
                INSERT INTO dead_letters.history (letter, at, step, who, why) VALUES
                    (\(ids[0]), now(), 'died', 'stock-publisher', NULL), (\(ids[0]), now(), 'edited', 'lan', 'typo')
                """)
            let reader = LetterReader(database: system.database)
            let detail = try await reader.detail(ids[0])
            #expect(detail.body.form == .json && detail.editedBody?.form == .hex)
            #expect(detail.history.map(\.step) == ["died", "edited"] && detail.properties?.texts["k"] == "v")
            #expect(try await reader.detail(ids[1]).body.form == .text)
            #expect(try await reader.body(of: ids[0]).body == [0xFF])
            await #expect(throws: ToolError.self) { try await reader.detail(999) }
            await #expect(throws: ToolError.self) { try await reader.body(of: 999) }
        }
    }

    @Test("100,000 letters are grouped in under a second, counted, listed and foretold a page at a time")
    func many() async throws {
        try await LetterSystem.with { system in
            try await system.system.administrate(
                """
                INSERT INTO dead_letters.letters (service, queue, identity, topic, data_schema, shop, items, properties,
                    body, error_class, error_code, error_message, fingerprint, attempts, failed_at, archived_at, death,
                    state_at)
                SELECT 'stock-publisher', 'stock-publisher.push.hanoi', gen_random_uuid()::text,
                    'stock-publisher.push', '\(PushWork.type.dataSchema)', 'hanoi', ARRAY['hanoi/' || n],
                    repeat('p', 600), convert_to('{"retry_rejected":false,"retryRejected":false,"shelves":[{"id":"' || n
                    || '","version":5}],"shop":"hanoi"}', 'UTF8'), 'permanent', 'shop.malformed',
                    'Shop hanoi answered something that is not JSON.', 'kind ' || n % 7, 3, now(), now(), '', now()
                FROM generate_series(1, 100000) AS n;
                INSERT INTO publishing.shelves (shop, shelf, confirmed_version)
                SELECT 'hanoi', n::text, CASE WHEN n <= 30000 THEN 5 ELSE 4 END FROM generate_series(1, 100000) AS n;
                ANALYZE dead_letters.letters;
                ANALYZE publishing.shelves
                """)
            let reader = LetterReader(database: system.database)
            var groups: [LetterGroup] = []
            let clock = ContinuousClock()
            let took = try await clock.measure { groups = try await reader.groups(LetterFilter()) }
            #expect(took < .seconds(1))
            #expect(groups.count == 7 && groups.reduce(0) { $0 + $1.letters } == 100_000)
            #expect(try await reader.page(LetterFilter(), limit: 50).total == 100_000)
            var pages = 0
            let summary = try await ForecastStore(database: system.database, queues: system.queues)
                .summary(LetterFilter(), limit: 10) { _ in pages += 1 }
            #expect(summary.superseded == 30_000 && summary.replay == 70_000 && summary.first.count == 10)
            #expect(pages == 201)
        }
    }
}
