import Contracts
import Crypto
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Keeps the newest that is known of every order, and everything there is to say about it to the ERP.
struct LedgerHandler: BatchHandler {
    func apply(_ events: [Event<OrderChanged>], in work: UnitOfWork) throws {
        var newest: [OrderReference: OrderChanged] = [:]
        for event in events.map(\.payload) {
            if let known = newest[event.order.reference], known.version >= event.version { continue }
            newest[event.order.reference] = event
        }
        let changes = newest.values.sorted { $0.order.reference < $1.order.reference }
        let known = try lock(changes, in: work.transaction)
        var (statements, taken): ([Statement], [OrderChanged]) = ([], [])
        for change in changes {
            guard let row = known[change.order.reference], row.version < change.version else { continue }
            statements += try Self.statements(for: change, after: row)
            taken.append(change)
        }
        try work.transaction.pipeline(statements)
        try RestoredOrders.settle(taken, in: work)
    }

    /// What the table has of an order before a change.
    private struct Known {
        var version: OrderVersion
        var statement: Int
        var digest: String
        var isKeptBack: Bool
    }

    /// Locks the orders in key order, as every other transaction does; orders that are new to us get an empty row.
    private func lock(_ changes: [OrderChanged], in transaction: Transaction) throws -> [OrderReference: Known] {
        let keys: [PostgresValue] = [
            .textArray(changes.map(\.order.shop.rawValue)), .textArray(changes.map(\.order.externalID)),
        ]
        try transaction.execute(
            """
            INSERT INTO orders (shop, external_id, number, placed_at, revision, state_version, statement, digest,
                withdrawn, cancelled, held, awaits_payment, holds, open)
            SELECT shop, id, '', '-infinity', 0, 0, 0, '', false, false, false, false, '[]', false
            FROM unnest($1::text[], $2::text[]) AS k (shop, id) ORDER BY shop COLLATE "C", id COLLATE "C"
            ON CONFLICT DO NOTHING
            """, keys)
        let rows = try transaction.query(
            """
            SELECT shop, external_id, revision, state_version, statement, digest, held OR awaits_payment AS kept_back
            FROM orders WHERE (shop, external_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
            ORDER BY shop, external_id FOR UPDATE
            """, keys)
        var known: [OrderReference: Known] = [:]
        for row in rows {
            let reference = OrderReference(
                shop: ShopName(rawValue: try row.decode("shop")), externalID: try row.decode("external_id"))
            known[reference] = Known(
                version: OrderVersion(
                    revision: try row.decode("revision"), stateVersion: try row.decode("state_version")),
                statement: try row.decode("statement"), digest: try row.decode("digest"),
                isKeptBack: try row.decode("kept_back"))
        }
        return known
    }

    private static func statements(for change: OrderChanged, after known: Known) throws -> [Statement] {
        let order = change.order
        var said = OrderStatement(order: order, lines: change.lines, cancellation: change.cancellation)
        // When the shop last touched it is no news.
        said.order.updatedAt = Date(timeIntervalSince1970: 0)
        let payload = try ContractCoding.encode(said)
        let digest = SHA256.hash(data: payload).hexadecimal
        let isNews = change.version.revision > known.version.revision || digest != known.digest
        let number = isNews ? known.statement + 1 : known.statement
        var holds = change.holds
        if order.lines.isEmpty, !holds.contains(where: { $0.code == .noLines }) {
            holds.append(OrderHold(.noLines, "There is nothing on the order."))
        }
        let isKeptBack = !holds.isEmpty || order.status.awaitsPayment
        let key: [PostgresValue] = [.text(order.shop.rawValue), .text(order.externalID)]
        var statements = [
            Statement(
                """
                UPDATE orders SET number = $3, placed_at = $4, revision = $5, state_version = $6, statement = $7,
                    digest = $8, withdrawn = $9, cancelled = $10, held = $11, awaits_payment = $12, holds = $13,
                    held_since = CASE WHEN $14 THEN coalesce(held_since, $15) END, open = open OR $16
                WHERE shop = $1 AND external_id = $2
                """,
                key + [
                    .text(order.number), .timestamp(order.placedAt), .int(change.version.revision),
                    .int(change.version.stateVersion), .int(number), .text(digest), .boolean(said.isWithdrawn),
                    .boolean(said.isCancelled), .boolean(!holds.isEmpty), .boolean(order.status.awaitsPayment),
                    .text(String(decoding: try ContractCoding.encode(holds), as: UTF8.self)), .boolean(isKeptBack),
                    .timestamp(change.learntAt), .boolean(isNews),
                ])
        ]
        guard isNews else { return statements }
        statements.append(
            Statement(
                """
                INSERT INTO statements (shop, external_id, statement, revision, state_version, payload, updated_at,
                    learnt_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                """,
                key + [
                    .int(number), .int(change.version.revision), .int(change.version.stateVersion),
                    .text(String(decoding: payload, as: UTF8.self)), .timestamp(order.updatedAt),
                    .timestamp(change.learntAt),
                ]))
        return statements
    }
}

/// Keeps how far each shop's orders are known, and wakes the reports that wait for it.
struct FeedHandler: BatchHandler {
    let progress: ReportProgress

    func apply(_ events: [Event<OrdersCollected>], in work: UnitOfWork) throws {
        for event in events.map(\.payload).sorted(by: { $0.shop < $1.shop }) {
            try work.transaction.execute(
                """
                INSERT INTO feeds AS f (shop, complete_up_to, collected_at, placed_today) VALUES ($1, $2, $3, $4)
                ON CONFLICT (shop) DO UPDATE SET complete_up_to = greatest(f.complete_up_to, excluded.complete_up_to),
                    collected_at = greatest(f.collected_at, excluded.collected_at),
                    placed_today = CASE WHEN f.collected_at <= excluded.collected_at THEN excluded.placed_today
                        ELSE f.placed_today END
                """,
                [
                    .text(event.shop.rawValue), .timestamp(event.completeUpTo), .timestamp(event.collectedAt),
                    .int(event.placedToday),
                ])
        }
        try progress.advance(in: work)
    }
}
