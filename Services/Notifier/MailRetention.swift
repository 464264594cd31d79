import Domain
import Foundation
import PostgreSQL
import ServiceKit

/// What people were told long ago leaves: mails that were sent, conditions that are over, orders that were let go.
///
/// A mail that was never sent stays, and so does what still lasts.
enum MailRetention {
    /// The tables are small enough to be read through, but not every minute.
    static let everySeconds = 3_600
    private static let rowsAtOnce = 500

    static let rules = [
        rule("old mails", "mails", "sent_at < $1"), rule("old alerts", "alerts", "cleared_at < $1"),
        rule("orders that are held no longer", "held_orders", "reasons = '{}' AND held_at < $1"),
    ]

    private static func rule(_ rows: String, _ table: String, _ condition: String) -> RetentionRule {
        RetentionRule(rows, atOnce: rowsAtOnce) { transaction, now, atMost in
            try transaction.execute(
                """
                DELETE FROM \(table) WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM \(table) WHERE \(condition) LIMIT $2 FOR UPDATE SKIP LOCKED))
                """,
                [
                    .timestamp(RetentionPeriod.limit(days: RetentionPeriod.recordDays, before: now)), .int(atMost),
                ])
        }
    }
}
