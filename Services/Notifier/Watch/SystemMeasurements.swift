import Concurrency
import Contracts
import Domain
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// What only the database knows about the system as a whole. Every replica of notifier shows the same.
enum SystemMeasurements {
    /// A replica gives a sign of life every five seconds; one that is silent for so long does not run.
    static let silentAfterSeconds = 30

    static func all(_ parts: ServiceParts) -> [MetricSource] {
        let (pool, clock, configuration) = (parts.database.pool, parts.clock, parts.configuration)
        let services = PostgresValue.textArray(
            ServiceCatalogue.services(for: configuration).filter { !$0.queues.isEmpty }.map(\.name.rawValue))
        let accounts = PostgresValue.textArray(configuration.shops.map { "shop \($0.name)" })
        return [
            MetricSource(name: "breakers") { try await breakers.read(from: pool, [accounts]) },
            MetricSource(name: "schedules") { try await schedules.read(from: pool, [.timestamp(clock.now())]) },
            MetricSource(name: "services") {
                let alive = try await replicas.read(from: pool, [services, .int(silentAfterSeconds)])
                return alive + (try await outboxes.read(from: pool, [services]))
            },
            MetricSource(name: "people") {
                let now = PostgresValue.timestamp(clock.now())
                return try await letters.read(from: pool, [services, now]) + mails.read(from: pool, [now])
                    + alerts.read(from: pool, [.textArray(AlertRaised.Severity.allCases.map(\.rawValue))])
            },
        ]
    }

    private static let breakers = ReadingQuery(
        """
        SELECT account, (b.opened_at IS NOT NULL)::int FROM unnest($1::text[]) AS w (account)
        FULL JOIN shared.breaker_states() b USING (account)
        """, dimensions: ["account"], readings: ["stockbridge.breaker.open"])

    private static let schedules = ReadingQuery(
        """
        SELECT service, name, greatest(0, extract(epoch FROM $1::timestamptz - next_due))::float8
        FROM shared.schedule_states()
        """, dimensions: ["service", "schedule"], readings: ["stockbridge.schedule.overdue.seconds"])

    private static let replicas = ReadingQuery(
        """
        WITH alive AS MATERIALIZED (
            SELECT service, state FROM shared.replica_states()
            WHERE heartbeat_at > clock_timestamp() - make_interval(secs => $2))
        SELECT w.service, s.state,
            (SELECT count(*) FROM alive a WHERE a.service = w.service AND a.state = s.state)
        FROM unnest($1::text[]) AS w (service) CROSS JOIN unnest(ARRAY['running', 'blocked']) AS s (state)
        """, dimensions: ["service", "state"], readings: ["stockbridge.replicas"])

    private static let outboxes = ReadingQuery(
        """
        SELECT w.service, coalesce(o.oldest_seconds, 0) FROM unnest($1::text[]) AS w (service)
        LEFT JOIN shared.outbox_states() o USING (service)
        """, dimensions: ["service"], readings: ["stockbridge.outbox.oldest.seconds"])

    private static let letters = ReadingQuery(
        """
        SELECT w.service, count(l.id),
            coalesce(greatest(0, extract(epoch FROM $2::timestamptz - min(l.archived_at))), 0)::float8
        FROM unnest($1::text[]) AS w (service)
        LEFT JOIN dead_letters.letters l ON l.service = w.service AND l.state = 'waiting' GROUP BY w.service
        """, dimensions: ["service"],
        readings: ["stockbridge.dead_letters.waiting", "stockbridge.dead_letters.oldest.seconds"])

    private static let mails = ReadingQuery(
        """
        SELECT count(*), coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(created_at))), 0)::float8
        FROM mails WHERE sent_at IS NULL
        """, dimensions: [], readings: ["stockbridge.mails.unsent", "stockbridge.mails.oldest.seconds"])

    private static let alerts = ReadingQuery(
        """
        SELECT w.severity, (SELECT count(*) FROM alerts a WHERE a.severity = w.severity AND a.cleared_at IS NULL)
        FROM unnest($1::text[]) AS w (severity)
        """, dimensions: ["severity"], readings: ["stockbridge.alerts.open"])
}
