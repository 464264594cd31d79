import Concurrency
import Domain
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// What the last comparison of each shop found.
enum ComparisonMeasurements {
    static func all(_ parts: ServiceParts) -> [MetricSource] {
        let (pool, clock) = (parts.database.pool, parts.clock)
        let shops = PostgresValue.textArray(parts.configuration.shops.map(\.name.rawValue))
        let categories = PostgresValue.textArray(ReconciliationCategory.allCases.map(\.rawValue))
        return [
            MetricSource(name: "comparisons") {
                try await ages.read(from: pool, [shops, .timestamp(clock.now())])
                    + listings.read(from: pool, [shops, categories])
            }
        ]
    }

    private static let ages = ReadingQuery(
        """
        SELECT shop, extract(epoch FROM $2::timestamptz - max(done_at))::float8 FROM run_shops
        WHERE shop = ANY($1) AND state = 'done' GROUP BY shop
        """, dimensions: ["shop"], readings: ["stockbridge.reconciliation.age.seconds"])

    private static let listings = ReadingQuery(
        """
        SELECT w.shop, c.category, coalesce((r.categories::json ->> c.category)::float8, 0)
        FROM unnest($1::text[]) AS w (shop)
        CROSS JOIN LATERAL (
            SELECT categories FROM run_shops s WHERE s.shop = w.shop AND s.state = 'done'
            ORDER BY s.done_at DESC LIMIT 1) r
        CROSS JOIN unnest($2::text[]) AS c (category)
        """, dimensions: ["shop", "category"], readings: ["stockbridge.reconciliation.listings"])
}
