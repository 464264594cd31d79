import Foundation
import PostgreSQL

extension StatusStore {
    /// The order feeds and the newest order report of each shop, in the configuration's order.
    static func orders(_ shops: [String], _ transaction: Transaction) throws -> [StatusReport.Orders] {
        try transaction.query(
            """
            SELECT w.shop, f.complete_up_to, f.problem, r.id AS batch, r.state, r.sent_at, r.orders, r.changes,
                r.last_problem,
                (SELECT count(*) FROM orders.orders o WHERE o.shop = w.shop AND o.held_at IS NOT NULL) AS held
            FROM unnest($1::text[]) WITH ORDINALITY AS w (shop, place)
            LEFT JOIN orders.feeds f ON f.shop = w.shop
            LEFT JOIN LATERAL (SELECT * FROM erp.reports e WHERE e.shop = w.shop ORDER BY e.due DESC LIMIT 1) r ON true
            ORDER BY w.place
            """, [.textArray(shops)]
        ).map { row in
            var orders = StatusReport.Orders(
                shop: try row.decode("shop"), completeUpTo: try row.decode("complete_up_to"),
                held: try row.decode("held"), problem: try row.decode("problem"))
            if let batch = try row.decode("batch", as: String?.self) {
                orders.lastReport = StatusReport.Orders.Report(
                    batch: batch, state: try row.decode("state"), sentAt: try row.decode("sent_at"),
                    orders: try row.decode("orders"), changes: try row.decode("changes"),
                    problem: try row.decode("last_problem"))
            }
            return orders
        }
    }

    /// Messages that failed for good and wait for a person.
    static func deadLetters(_ transaction: Transaction) throws -> StatusReport.DeadLetters {
        let rows = try transaction.query(
            """
            SELECT coalesce(sum(k.letters), 0)::bigint AS waiting, count(*) AS kinds
            FROM (SELECT count(*) AS letters FROM dead_letters.letters WHERE state = 'waiting' GROUP BY fingerprint) k
            """)
        guard let row = rows.first else { return StatusReport.DeadLetters() }
        return StatusReport.DeadLetters(waiting: try row.decode("waiting"), kinds: try row.decode("kinds"))
    }
}
