import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit
import TestStack
import Testing

@testable import Notifier

@Suite("What people were told long ago", .timeLimit(.minutes(20)))
struct MailRetentionTests {
    @Test("leaves once it is over for long; what was never sent and what lasts stays")
    func told() async throws {
        try await ScratchSystem.with(ServiceCatalogue.services(shops: ["hanoi"])) { system in
            try await system.administrate(
                """
                INSERT INTO notifications.mails (id, message_id, about, recipients, subject, plain, html, created_at,
                    sent_at)
                SELECT gen_random_uuid(), about, about, '{}', 's', 'p', 'h', now() - interval '900 days', sent
                FROM (VALUES ('old', now() - interval '401 days'), ('young', now() - interval '399 days'),
                    ('unsent', NULL)) AS m (about, sent);
                INSERT INTO notifications.alerts (condition, service, severity, title, text, what_to_do, opened_at,
                    last_raised_at, cleared_at)
                SELECT condition, 's', 'warning', 't', 't', 'w', now() - interval '900 days',
                    now() - interval '900 days', cleared
                FROM (VALUES ('old', now() - interval '401 days'), ('young', now() - interval '399 days'),
                    ('lasts', NULL)) AS a (condition, cleared);
                INSERT INTO notifications.held_orders (shop, external_id, number, revision, state_version, reasons,
                    held_at)
                SELECT 'hanoi', id, id, 1, 1, reasons, now() - make_interval(days => days)
                FROM (VALUES ('old', '{}'::text[], 401), ('young', '{}', 399), ('held', '{x}', 900))
                    AS o (id, reasons, days);
                """)
            let left = try await withPool(to: system.database(.notifier)) { pool in
                for rule in MailRetention.rules { try await rule.apply(pool, now: Date(), stop: StopSignal()) }
                return try await pool.query(
                    """
                    SELECT string_agg(name, ' ' ORDER BY name) FROM (
                        SELECT 'mail ' || about FROM mails UNION ALL SELECT 'alert ' || condition FROM alerts
                        UNION ALL SELECT 'order ' || external_id FROM held_orders) AS kept (name)
                    """)
            }
            let names: String = try #require(left.first).decode(at: 0)
            #expect(names == "alert lasts alert young mail unsent mail young order held order young")
        }
    }
}
