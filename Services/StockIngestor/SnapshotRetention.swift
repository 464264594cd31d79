import Contracts
import Domain
import Foundation
import PostgreSQL
import ServiceKit

/// The rows of a file leave some time after it stopped to count; the snapshot itself stays, and says when they left.
///
/// A file counts as long as it is live, and as long as somebody may still accept it. So its age is told from the moment
/// when another replaced it, or somebody rejected it: a file that was live for a whole year answers `explain` a day
/// later.
enum SnapshotRetention {
    static let rules = [
        rows,
        // What is live, and what was not taken: that file is all there is of it.
        StoredFileRetention.rule(except: "SELECT file_id FROM snapshots WHERE state <> 'replaced'"),
    ]

    /// One file at a time and whole: whoever reads its rows finds all of them or none.
    static let rows = RetentionRule("rows of old files") { transaction, now, _ in
        let limit = RetentionPeriod.limit(days: RetentionPeriod.detailDays, before: now)
        guard let snapshot = try next(before: limit, in: transaction) else { return nil }
        try transaction.execute("SET LOCAL statement_timeout = 0")
        try transaction.execute("DELETE FROM snapshot_rows WHERE snapshot_id = $1", [.uuid(snapshot)])
        try transaction.execute("DELETE FROM set_aside_rows WHERE snapshot_id = $1", [.uuid(snapshot)])
        try transaction.execute(
            "UPDATE snapshots SET rows_removed_at = $2 WHERE id = $1", [.uuid(snapshot), .timestamp(now)])
        return []
    }

    private static func next(before limit: Date, in transaction: Transaction) throws -> UUID? {
        let rows = try transaction.query(
            """
            SELECT s.id FROM snapshots s
            WHERE s.rows_removed_at IS NULL AND s.received_at < $1 AND CASE s.state
                WHEN 'replaced' THEN EXISTS (
                    SELECT FROM snapshots n WHERE n.source = s.source AND n.sequence > s.sequence
                        AND coalesce(n.decided_at, n.received_at) < $1)
                WHEN 'rejected' THEN coalesce(s.decided_at, s.received_at) < $1
                ELSE s.state IN ('refused', 'unreadable') END
            ORDER BY s.received_at LIMIT 1 FOR NO KEY UPDATE OF s SKIP LOCKED
            """, [.timestamp(limit)])
        return try rows.first?.decode(at: 0)
    }
}
