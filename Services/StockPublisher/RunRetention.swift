import Domain
import Foundation
import PostgreSQL
import ServiceKit

/// Runs of long ago leave, and the notes of which chunks have come.
enum RunRetention {
    private static let rowsAtOnce = 2_000

    static let rules = [
        RetentionRule("old runs", atOnce: rowsAtOnce) { transaction, now, atMost in
            // The newest that has ended is what a shop's state is told by.
            try transaction.execute(
                """
                DELETE FROM runs WHERE id = ANY (ARRAY(
                    SELECT r.id FROM runs r WHERE r.ended_at < $1 AND EXISTS (
                        SELECT FROM runs n WHERE n.shop = r.shop AND n.began_at > r.began_at AND n.ended_at IS NOT NULL)
                    LIMIT $2 FOR UPDATE SKIP LOCKED))
                """,
                [
                    .timestamp(RetentionPeriod.limit(days: RetentionPeriod.recordDays, before: now)), .int(atMost),
                ])
        },
        RetentionRule("old chunks", atOnce: rowsAtOnce) { transaction, now, atMost in
            // Those of a source's newest snapshot say that it is complete.
            try transaction.execute(
                """
                DELETE FROM chunks WHERE ctid = ANY (ARRAY(
                    SELECT c.ctid FROM chunks c WHERE c.applied_at < $1
                        AND NOT EXISTS (SELECT FROM sources s WHERE s.snapshot_id = c.snapshot_id)
                    LIMIT $2 FOR UPDATE SKIP LOCKED))
                """,
                [
                    .timestamp(RetentionPeriod.limit(days: RetentionPeriod.detailDays, before: now)), .int(atMost),
                ])
        },
    ]
}
