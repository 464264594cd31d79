import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Finds the place of orders that stand in a report which a restore of the database has made us forget: as soon as the
/// order is heard of again, what the report said counts as said, or goes out once more as a change.
enum RestoredOrders {
    /// What a forgotten report said of an order.
    private struct Told {
        var reference: OrderReference
        var batch: String
        var version: OrderVersion
        var content: ReportedContent
        var knownUpTo: Date?
        var sentAt: Date
    }

    /// Settles those of these orders that stand in a forgotten report; their rows in `orders` are locked and up to
    /// date.
    static func settle(_ changes: [OrderChanged], in work: UnitOfWork) throws {
        guard !changes.isEmpty else { return }
        let newest = Dictionary(changes.map { ($0.order.reference, $0) }) { _, last in last }
        for told in try read(Array(newest.keys), in: work.transaction) {
            guard let change = newest[told.reference] else { continue }
            let said = OrderStatement(order: change.order, lines: change.lines, cancellation: change.cancellation)
            let holds = told.content.stillHolds(
                ReportedContent(said), updatedAt: change.order.updatedAt, knownUpTo: told.knownUpTo)
            if holds {
                try carry(told, in: work.transaction)
            } else {
                try restate(told, in: work.transaction)
            }
            try tell(told, holds ? (change.version, said.erpQuantities) : (told.version, [:]), in: work)
            try work.transaction.execute(
                "DELETE FROM restored WHERE shop = $1 AND external_id = $2", key(told.reference))
        }
    }

    private static func key(_ order: OrderReference) -> [PostgresValue] {
        [.text(order.shop.rawValue), .text(order.externalID)]
    }

    private static func read(_ orders: [OrderReference], in transaction: Transaction) throws -> [Told] {
        try transaction.query(
            """
            SELECT shop, external_id, batch_id, revision, content, known_up_to, sent_at FROM restored
            WHERE (shop, external_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
            ORDER BY shop, external_id
            """, [.textArray(orders.map(\.shop.rawValue)), .textArray(orders.map(\.externalID))]
        ).map { row in
            Told(
                reference: OrderReference(
                    shop: ShopName(rawValue: try row.decode("shop")), externalID: try row.decode("external_id")),
                batch: try row.decode("batch_id"),
                version: OrderVersion(revision: try row.decode("revision"), stateVersion: 0),
                content: try ContractCoding.decode(from: Array(try row.decode("content", as: String.self).utf8)),
                knownUpTo: try row.decode("known_up_to"), sentAt: try row.decode("sent_at"))
        }
    }

    /// The newest statement is what the report said: it carries it, as if we had never forgotten.
    private static func carry(_ told: Told, in transaction: Transaction) throws {
        let values = key(told.reference) + [.text(told.batch)]
        for (column, comparison) in [("batch_id", "="), ("superseded_by", "<")] {
            try transaction.execute(
                """
                UPDATE statements s SET \(column) = $3 FROM orders o
                WHERE (o.shop, o.external_id) = ($1, $2) AND (s.shop, s.external_id) = ($1, $2)
                    AND s.statement \(comparison) o.statement
                    AND num_nonnulls(s.batch_id, s.superseded_by, s.counted_by) = 0
                """, values)
        }
        try transaction.execute(
            """
            INSERT INTO entries (batch_id, build, shop, external_id, place, statement, revision, state_version,
                previous, repeats, awaits_payment, holds, held_since)
            SELECT r.batch_id, b.build, o.shop, o.external_id, r.place, o.statement, o.revision, o.state_version,
                o.carried, false, o.awaits_payment, o.holds, o.held_since
            FROM restored r JOIN orders o USING (shop, external_id) JOIN reports b ON b.id = r.batch_id
            WHERE r.shop = $1 AND r.external_id = $2 ON CONFLICT DO NOTHING
            """, key(told.reference))
        try transaction.execute(
            """
            UPDATE orders SET carried = statement, repeats = false, open = false
            WHERE shop = $1 AND external_id = $2
            """, key(told.reference))
    }

    /// What exactly the report said is not known, or has changed since: the order stands on *Changes* of the next one.
    private static func restate(_ told: Told, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO statements (shop, external_id, statement, revision, state_version, payload, updated_at,
                learnt_at, repeated_by, repeat_reason)
            SELECT s.shop, s.external_id, s.statement + 1, o.revision, o.state_version, s.payload, s.updated_at,
                s.learnt_at, 'stockbridge after-restore', $3
            FROM statements s JOIN orders o USING (shop, external_id, statement)
            WHERE s.shop = $1 AND s.external_id = $2 AND o.carried = o.statement
            """,
            key(told.reference) + [
                .text("Report \(told.batch) may have said something else; it was mailed before a restore.")
            ])
        // Statement 0 stands for what that report said, of which there is no row.
        try transaction.execute(
            """
            UPDATE orders SET statement = statement + CASE WHEN carried = statement THEN 1 ELSE 0 END,
                carried = coalesce(carried, 0), open = true
            WHERE shop = $1 AND external_id = $2
            """, key(told.reference))
    }

    /// Others have forgotten too that the report was sent.
    private static func tell(
        _ told: Told, _ what: (version: OrderVersion, quantities: [String: Quantity]), in work: UnitOfWork
    ) throws {
        let entry = OrderReported.Entry(
            externalID: told.reference.externalID, version: what.version, quantities: what.quantities,
            isCancellation: told.content.isCancelled)
        let chunk = OrderReported(
            batchID: told.batch, shop: told.reference.shop, sentAt: told.sentAt, part: 1, parts: 1, orders: [entry])
        try work.emit(
            Event(
                chunk, subject: told.reference.shop.rawValue, correlation: told.batch, occurredAt: work.startedAt))
    }
}
