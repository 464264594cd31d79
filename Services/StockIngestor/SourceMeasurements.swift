import Concurrency
import Domain
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// How old the live numbers of each source are, and what is wrong with the file that should replace them.
enum SourceMeasurements {
    static func all(_ parts: ServiceParts) -> [MetricSource] {
        let (pool, clock) = (parts.database.pool, parts.clock)
        let sources = PostgresValue.textArray(parts.configuration.sources.map(\.name.rawValue))
        return [
            MetricSource(name: "sources") { try await query.read(from: pool, [sources, .timestamp(clock.now())]) }
        ]
    }

    // A run that looks for its file for longer than a day has been replaced by the next one.
    private static let query = ReadingQuery(
        """
        SELECT w.source, extract(epoch FROM $2::timestamptz - l.live_as_of)::float8, s.skus, s.rows_set_aside,
            (SELECT count(*) FROM snapshots h WHERE h.source = w.source AND h.state = 'held'),
            coalesce((
                SELECT greatest(0, extract(epoch FROM $2::timestamptz - min(p.due))) FROM pickups p
                WHERE p.source = w.source AND p.state = 'looking'
                  AND p.began_at > $2::timestamptz - interval '2 days'), 0)::float8
        FROM unnest($1::text[]) AS w (source)
        LEFT JOIN sources l ON l.source = w.source LEFT JOIN snapshots s ON s.id = l.live_snapshot
        """, dimensions: ["source"],
        readings: [
            "stockbridge.stock.age.seconds", "stockbridge.stock.skus", "stockbridge.stock.rows_set_aside",
            "stockbridge.stock.held", "stockbridge.stock.late.seconds",
        ])
}
