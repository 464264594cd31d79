import Concurrency
import Domain
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// How old the order feeds are, and how many orders wait.
enum OrderMeasurements {
    static func all(_ parts: ServiceParts, _ settings: CollectorSettings) -> [MetricSource] {
        let (pool, clock) = (parts.database.pool, parts.clock)
        let shops = PostgresValue.textArray(settings.collecting.map(\.name.rawValue))
        return [
            MetricSource(name: "orders") { try await query.read(from: pool, [shops, .timestamp(clock.now())]) }
        ]
    }

    // What waits for the ERP is in open_lines, which stays small however large the ledger is.
    private static let query = ReadingQuery(
        """
        SELECT shop, extract(epoch FROM $2::timestamptz - complete_up_to)::float8,
            (SELECT count(*) FROM orders o WHERE o.shop = f.shop AND o.held_at IS NOT NULL),
            (SELECT count(DISTINCT l.external_id) FROM open_lines l WHERE l.shop = f.shop),
            (SELECT count(*) FROM unreadable u WHERE u.shop = f.shop)
        FROM feeds f WHERE shop = ANY($1)
        """, dimensions: ["shop"],
        readings: [
            "stockbridge.feed.age.seconds", "stockbridge.orders.held", "stockbridge.orders.waiting",
            "stockbridge.orders.unreadable",
        ])
}
