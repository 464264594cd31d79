import Contracts
import DeadLetters
import Domain
import Foundation
import PostgreSQL
import TestStack
import Testing

@testable import Stockbridge

@Suite("The forecast of a replay, on the real tables", .timeLimit(.minutes(20)))
struct ForecastTests {
    private func forecast(_ system: LetterSystem, _ id: Int64) async throws -> ReplayForecast.Kind? {
        try await ForecastStore(database: system.database, queues: system.queues).forecast(id)?.kind
    }

    private func kinds(_ system: LetterSystem, _ samples: [LetterSystem.Sample]) async throws
        -> [ReplayForecast.Kind?]
    {
        var kinds: [ReplayForecast.Kind?] = []
        for id in try await system.store(samples) { kinds.append(try await forecast(system, id)) }
        return kinds
    }

    @Test("a push is judged by its shelves, an edited body by itself")
    func pushes() async throws {
        try await LetterSystem.with { system in
            try await system.system.administrate(
                "INSERT INTO publishing.shelves (shop, shelf, confirmed_version) VALUES ('hanoi', '310', 5)")
            let (old, new) = (try LetterSystem.push("310", version: 5), try LetterSystem.push("310", version: 6))
            #expect(
                try await kinds(
                    system, [.init(body: old), .init(body: new), .init(body: old, editedBody: new), .init(body: [])])
                    == [.superseded, .replay, .replay, .schemaInvalid])
        }
    }

    @Test("what the inbox of its own queue has done is done; a lease that is open is not")
    func inbox() async throws {
        try await LetterSystem.with { system in
            let ids = (1...3).map { _ in UUID() }
            try await system.system.administrate(
                """
                INSERT INTO publishing.inbox (consumer, message_id, done) VALUES
                    ('stock-publisher.push.hanoi', '\(ids[0])', true),
                    ('stock-publisher.urgent.hanoi', '\(ids[1])', true),
                    ('stock-publisher.push.hanoi', '\(ids[2])', false)
                """)
            let body = try LetterSystem.push("310", version: 6)
            try await system.system.administrate("INSERT INTO publishing.shelves (shop, shelf) VALUES ('hanoi', '310')")
            #expect(
                try await kinds(
                    system, ids.map { .init(identity: $0.uuidString.lowercased(), body: body) })
                    == [.alreadyProcessed, .replay, .replay])
        }
    }

    @Test("a queue that is gone and a message without an id cannot be replayed")
    func strange() async throws {
        try await LetterSystem.with { system in
            let body = try LetterSystem.push("310", version: 6)
            #expect(
                try await kinds(
                    system,
                    [
                        .init(queue: "stock-publisher.push.hue", body: body), .init(identity: "sha256:00", body: body),
                        .init(dataSchema: nil, body: body), .init(dataSchema: "stockbridge:alien:1", body: body),
                        .init(service: "alien", body: body),
                    ]) == [.undeliverable, .schemaInvalid, .schemaInvalid, .schemaInvalid, .undeliverable])
        }
    }

    @Test("a body of 5 MB is read too, and judged like any other")
    func large() async throws {
        try await LetterSystem.with { system in
            let body = try LetterSystem.push(String(repeating: "9", count: 5_000_000), version: 6)
            // No such shelf is in the table: nothing would be pushed.
            #expect(try await kinds(system, [.init(body: body)]) == [.superseded])
        }
    }

    @Test("an order is judged by what its own service knows of it")
    func orders() async throws {
        try await LetterSystem.with { system in
            try await system.system.administrate(
                """
                INSERT INTO publishing.orders (shop, external_id, revision, state_version, placed_at, awaits_payment)
                VALUES ('hanoi', '10231', 3, 1, now(), false);
                INSERT INTO reconciliation.orders (shop, external_id, revision, state_version, placed_at, updated_at,
                    currency, total, is_held, is_cancelled, moved_at, learnt_at)
                VALUES ('hanoi', '10231', 1, 1, now(), now(), 'VND', 1, false, false, now(), now())
                """)
            let body = try ContractCoding.encode(Self.order(OrderVersion(revision: 2, stateVersion: 1)))
            func sample(_ service: String, _ queue: String) -> LetterSystem.Sample {
                .init(
                    service: service, queue: queue, topic: "order.updated", dataSchema: OrderChanged.type.dataSchema,
                    order: "hanoi:10231", body: body)
            }
            #expect(
                try await kinds(
                    system,
                    [
                        sample("stock-publisher", "stock-publisher.orders"), sample("reconciler", "reconciler"),
                        sample("erp-bridge", "erp-bridge"),
                    ]) == [.superseded, .replay, .replay])
        }
    }

    @Test("a snapshot's header is judged by its source, a chunk by its codes")
    func stock() async throws {
        try await LetterSystem.with { system in
            try await system.system.administrate(
                """
                INSERT INTO publishing.sources (source, snapshot_id, sequence, as_of, received_at, file_name, chunks,
                    run_id) VALUES ('erp', gen_random_uuid(), 9, now(), now(), 'f', 1, 'r');
                INSERT INTO publishing.stock (source, sku, warehouse, on_hand, snapshot_id, sequence, as_of) VALUES
                    ('erp', 'A', 'W', 1, gen_random_uuid(), 9, now()), ('erp', 'B', 'W', 1, gen_random_uuid(), 7, now())
                """)
            func sample(_ codes: [String], _ sequence: Int64) throws -> LetterSystem.Sample {
                .init(
                    queue: "stock-publisher", topic: "stock.aggregated", dataSchema: StockAggregated.type.dataSchema,
                    body: try ContractCoding.encode(
                        StockAggregated.chunk(
                            .init(
                                snapshot: .init(
                                    id: UUID(), source: SourceName("erp"), sequence: sequence, asOf: Date()),
                                part: 1, parts: 1, skus: [], missing: codes.map { ERPCode($0) }))))
            }
            #expect(
                try await kinds(
                    system, [sample(["A"], 8), sample(["A", "B"], 8), sample(["A"], 9), sample(["A"], 10)])
                    == [.superseded, .replay, .superseded, .replay])
        }
    }

    private static func order(_ version: OrderVersion) -> OrderChanged {
        let time = Date(timeIntervalSince1970: 1_795_302_600)
        let order = Order(
            shop: LetterSystem.hanoi, externalID: "10231", number: "#10231", placedAt: time, updatedAt: time,
            status: OrderStatus(shopStatus: "processing", payment: .pending), currency: "VND", lines: [],
            totals: OrderTotals(shipping: Amount(25), total: Amount(25)))
        return OrderChanged(change: .updated, order: order, version: version, lines: [], learntAt: time)
    }
}
