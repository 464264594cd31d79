import Contracts
import Domain
import Foundation
import PostgreSQL

/// Gathers what happened to one order, under the operator's role.
struct OrderExplanationStore: Sendable {
    let database: OperatorDatabase

    func explain(_ reference: OrderReference) async throws -> OrderExplanation? {
        try await database.pool.transaction { transaction in
            try transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            let key: [PostgresValue] = [.text(reference.shop.rawValue), .text(reference.externalID)]
            let rows = try transaction.query(
                """
                SELECT number, placed_at, facts, lines, holds, held_at, cancellation, sent_batch, unreadable
                FROM orders.orders WHERE shop = $1 AND external_id = $2
                """, key)
            guard let row = rows.first else { return nil }
            let facts = try Self.json(Order.self, row, "facts")
            let holds = try Self.json([OrderHold].self, row, "holds")
            let cancellation = try row.decode("cancellation", as: String?.self)
            let word = OrderStateWord(
                isHeld: try row.decode("held_at", as: Date?.self) != nil,
                cancellation: cancellation.flatMap(OrderCancellation.init),
                awaitsPayment: facts.status.awaitsPayment, batch: try row.decode("sent_batch"),
                isUnreadable: try row.decode("unreadable", as: String?.self) != nil)
            return OrderExplanation(
                shop: reference.shop.rawValue, externalID: reference.externalID, number: try row.decode("number"),
                placedAt: try row.decode("placed_at"), currency: facts.currency.rawValue, state: word.word,
                cancellation: cancellation, holds: holds.map(\.text),
                revisions: try Self.revisions(key, transaction),
                lines: Self.lines(facts, try Self.json([OrderLineMapping].self, row, "lines")),
                happenings: try Self.happenings(key, transaction), batches: try Self.batches(key, transaction),
                reserved: try Self.reserved(key, transaction))
        }
    }

    private static func json<Value: Decodable>(_ type: Value.Type, _ row: Row, _ column: String) throws -> Value {
        try ContractCoding.decode(type, from: Array(row.decode(column, as: String.self).utf8))
    }

    private static func revisions(
        _ key: [PostgresValue], _ transaction: Transaction
    ) throws -> [OrderExplanation.Revision] {
        var before: OrderStatement?
        return try transaction.query(
            """
            SELECT revision, updated_at, learnt_at, via, facts FROM orders.revisions
            WHERE shop = $1 AND external_id = $2 ORDER BY revision
            """, key
        ).map { row in
            let facts = try json(Order.self, row, "facts")
            let now = OrderStatement(order: facts, lines: [])
            defer { before = now }
            return OrderExplanation.Revision(
                revision: try row.decode("revision"), updatedAt: try row.decode("updated_at"),
                learntAt: try row.decode("learnt_at"), via: try row.decode("via"),
                shopStatus: facts.status.shopStatus, payment: facts.status.payment.rawValue, lines: facts.lines.count,
                total: facts.totals.total.description,
                changes: before.map { OrderComparison.differences(from: $0, to: now) } ?? [])
        }
    }

    private static func lines(_ order: Order, _ mappings: [OrderLineMapping]) -> [OrderExplanation.Line] {
        let byLine = Dictionary(mappings.map { ($0.lineID, $0) }) { first, _ in first }
        return order.lines.map { line in
            OrderExplanation.Line(
                line: line.id, sku: line.sku?.rawValue, listing: line.listing?.rawValue,
                quantity: line.quantity.description, erpCode: byLine[line.id]?.erpCode?.rawValue,
                erpQuantity: (byLine[line.id]?.erpQuantity ?? line.quantity).description)
        }
    }

    private static func happenings(
        _ key: [PostgresValue], _ transaction: Transaction
    ) throws -> [OrderExplanation.Happening] {
        try transaction.query(
            """
            SELECT at, revision, state_version, what, detail FROM orders.history
            WHERE shop = $1 AND external_id = $2 ORDER BY position LIMIT 500
            """, key
        ).map { row in
            OrderExplanation.Happening(
                at: try row.decode("at"), revision: try row.decode("revision"),
                stateVersion: try row.decode("state_version"), what: try row.decode("what"),
                detail: try row.decode("detail"))
        }
    }

    private static func batches(
        _ key: [PostgresValue], _ transaction: Transaction
    ) throws -> [OrderExplanation.Batch] {
        try transaction.query(
            """
            SELECT e.batch_id, e.place, e.revision, r.sent_at, r.answer, r.message_id
            FROM erp.entries e JOIN erp.reports r ON r.id = e.batch_id AND r.build = e.build
            WHERE e.shop = $1 AND e.external_id = $2 ORDER BY r.due
            """, key
        ).map { row in
            OrderExplanation.Batch(
                batch: try row.decode("batch_id"), place: try row.decode("place"),
                revision: try row.decode("revision"), sentAt: try row.decode("sent_at"),
                answer: try row.decode("answer"), messageID: try row.decode("message_id"))
        }
    }

    private static func reserved(
        _ key: [PostgresValue], _ transaction: Transaction
    ) throws -> [OrderExplanation.Reserved] {
        try transaction.query(
            """
            SELECT erp_code, trim_scale(quantity)::text AS quantity, report_sent_at FROM publishing.order_lines
            WHERE shop = $1 AND external_id = $2 AND is_open AND erp_code IS NOT NULL ORDER BY line_id
            """, key
        ).map { row in
            OrderExplanation.Reserved(
                erpCode: try row.decode("erp_code"), quantity: try row.decode("quantity"),
                reportSentAt: try row.decode("report_sent_at"))
        }
    }
}
