import Concurrency
import Domain
import Messaging
import Metrics
import PostgreSQL
import ServiceKit
import Settings

/// What is still to be pushed, how the last runs ended, and what was sold that is not there.
struct PublishingMeasurements: Sendable {
    let parts: ServiceParts
    let settings: PublisherSettings
    let levels: LevelWriter

    func all() -> [MetricSource] {
        let (pool, clock) = (parts.database.pool, parts.clock)
        let shops = PostgresValue.textArray(settings.shops.keys.map(\.rawValue).sorted())
        let oversold = OversoldArticles(settings: settings, levels: levels)
        return [
            MetricSource(name: "shelves") {
                try await Self.shelves.read(from: pool, [shops, .timestamp(clock.now())])
            },
            MetricSource(name: "runs") {
                try await Self.runs.read(from: pool, [shops, .timestamp(clock.now())])
                    + Self.outcomes.read(from: pool, [shops])
            },
            MetricSource(name: "oversold") {
                try await oversold.count(in: pool, at: clock.now()).map { shop, articles in
                    Reading("stockbridge.skus.oversold", ["shop": shop.rawValue], Double(articles))
                }
            },
        ]
    }

    private static let shelves = ReadingQuery(
        """
        SELECT s.shop, s.shadow::int,
            (SELECT count(*) FROM shelves d WHERE d.shop = s.shop AND d.due),
            (SELECT count(*) FROM shelves d WHERE d.shop = s.shop AND d.due AND d.deferral = 'feeds'),
            coalesce((
                SELECT greatest(0, extract(epoch FROM $2::timestamptz - min(r.began_at))) FROM runs r
                WHERE r.shop = s.shop AND r.ended_at IS NULL), 0)::float8
        FROM shops s WHERE s.shop = ANY($1)
        """, dimensions: ["shop"],
        readings: [
            "stockbridge.shop.shadow", "stockbridge.shelves.due", "stockbridge.shelves.waiting_for_feeds",
            "stockbridge.run.open.seconds",
        ])

    private static let newestRuns = """
        unnest($1::text[]) AS w (shop) CROSS JOIN LATERAL (
            SELECT * FROM runs r WHERE r.shop = w.shop AND r.ended_at IS NOT NULL
            ORDER BY r.began_at DESC LIMIT 1) r
        """

    private static let runs = ReadingQuery(
        """
        SELECT w.shop, extract(epoch FROM r.ended_at - r.began_at)::float8,
            extract(epoch FROM $2::timestamptz - r.ended_at)::float8 FROM \(newestRuns)
        """, dimensions: ["shop"], readings: ["stockbridge.run.duration.seconds", "stockbridge.run.age.seconds"])

    private static let outcomes = ReadingQuery(
        """
        SELECT w.shop, o.outcome, o.listings FROM \(newestRuns) CROSS JOIN LATERAL (VALUES
            ('confirmed', r.confirmed), ('unchanged', r.unchanged), ('deferred', r.deferred),
            ('unmapped', r.unmapped), ('rejected', r.rejected), ('failed', r.failed)) AS o (outcome, listings)
        """, dimensions: ["shop", "outcome"], readings: ["stockbridge.run.listings"])
}

/// Counts what was written to the shops.
enum PushMetrics {
    /// Shows every series from the start: of one that appears with its first value, no increase can be seen.
    static func declare(_ shops: some Sequence<ShopName>) {
        let labels = ["confirmed", "rejected", "failed", "lost_answer", "not_sent", "mismatch"]
        for shop in shops { for label in labels { count(shop, label, 0) } }
    }

    static func count(_ shop: ShopName, _ results: [String]) {
        for (label, group) in Dictionary(grouping: results, by: \.self) { count(shop, label, group.count) }
    }

    private static func count(_ shop: ShopName, _ result: String, _ number: Int) {
        Counter(label: "stockbridge.levels.pushed", dimensions: [("shop", shop.rawValue), ("result", result)])
            .increment(by: number)
    }
}
