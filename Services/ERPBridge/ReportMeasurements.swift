import Concurrency
import Domain
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// Whether the ERP got the order reports.
enum ReportMeasurements {
    static func all(_ parts: ServiceParts, _ settings: BridgeSettings) -> [MetricSource] {
        let (pool, clock) = (parts.database.pool, parts.clock)
        let shops = PostgresValue.textArray(settings.shopsInOrder.map(\.name.rawValue))
        return [
            MetricSource(name: "reports") { try await query.read(from: pool, [shops, .timestamp(clock.now())]) }
        ]
    }

    private static let query = ReadingQuery(
        """
        SELECT w.shop,
            coalesce((
                SELECT greatest(0, extract(epoch FROM $2::timestamptz - min(r.due))) FROM reports r
                WHERE r.shop = w.shop AND r.state IN ('requested', 'collecting', 'ready', 'built', 'sending')
            ), 0)::float8,
            coalesce((
                SELECT (r.state = 'failed')::int FROM reports r WHERE r.shop = w.shop ORDER BY r.due DESC LIMIT 1), 0),
            extract(epoch FROM $2::timestamptz - s.sent_at)::float8, s.orders, s.changes
        FROM unnest($1::text[]) AS w (shop)
        LEFT JOIN LATERAL (
            SELECT sent_at, orders, changes FROM reports r WHERE r.shop = w.shop AND r.sent_at IS NOT NULL
            ORDER BY r.due DESC LIMIT 1) s ON true
        """, dimensions: ["shop"],
        readings: [
            "stockbridge.report.open.seconds", "stockbridge.report.failed", "stockbridge.report.age.seconds",
            "stockbridge.report.orders", "stockbridge.report.changes",
        ])
}
