import Domain
import Foundation
import PostgreSQL
import ServiceKit

/// The history of each shelf leaves some time after it: versions of its wanted level, and what was sent to the shop.
///
/// What tells why the shelf is as it is stays however old it is: the newest version, those that were sent and confirmed
/// last, the last push and the last that the shop confirmed. A shelf that nobody has bought from for a year keeps these
/// few rows, and by an index on time they would be found first at every look. So the rules go from shelf to shelf, by
/// the indexes that are there, and look at the oldest rows of each.
enum ShelfRetention {
    /// For a hundred thousand shelves a walk takes some seconds.
    static let everySeconds = 3_600
    static let rules = [
        RetentionRule("old versions of shelves", step: { try walk($0, $1, $2, removing: oldVersions) }),
        RetentionRule("old pushes", step: { try walk($0, $1, $2, removing: oldPushes) }),
    ]

    private static let shelvesAtOnce = 500
    /// Of each shelf; what is left of a shelf after that is looked at once more before the next shelves.
    private static let rowsOfEach = 5

    /// Looks at the next shelves, and goes on beyond them once none of them has anything to give.
    private static func walk(
        _ transaction: Transaction, _ now: Date, _ position: RetentionRule.Position, removing statement: String
    ) throws -> RetentionRule.Position? {
        let limit = RetentionPeriod.limit(days: RetentionPeriod.detailDays, before: now)
        let (shop, shelf) = position.count == 2 ? (position[0], position[1]) : ("", "")
        let rows = try transaction.query(
            """
            WITH walked AS MATERIALIZED (
                SELECT shop, shelf, version, sent_version, confirmed_version FROM shelves
                WHERE (shop, shelf) > ($1, $2) ORDER BY shop, shelf LIMIT \(shelvesAtOnce)
            ), removed AS (\(statement) RETURNING 1)
            SELECT (SELECT count(*) FROM walked) = \(shelvesAtOnce) AS goes_on,
                (SELECT count(*) FROM removed) AS removed,
                w.shop, w.shelf
            FROM walked w ORDER BY w.shop DESC, w.shelf DESC LIMIT 1
            """, [.text(shop), .text(shelf), .timestamp(limit)])
        guard let row = rows.first else { return nil }
        if try row.decode("removed", as: Int.self) > 0 { return position }
        return try row.decode("goes_on") ? [try row.decode("shop"), try row.decode("shelf")] : nil
    }

    /// Looks at the oldest by their number, and locks only what is to leave: a lock is a write.
    private static let oldVersions = """
        DELETE FROM shelf_versions WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM shelf_versions WHERE ctid = ANY (ARRAY(
                SELECT old.ctid FROM walked w CROSS JOIN LATERAL (
                    SELECT v.ctid, v.decided_at FROM shelf_versions v
                    WHERE v.shop = w.shop AND v.shelf = w.shelf AND v.version < w.version
                        AND v.version NOT IN (w.sent_version, w.confirmed_version)
                    ORDER BY v.version LIMIT \(rowsOfEach)) AS old
                WHERE old.decided_at < $3))
            FOR UPDATE SKIP LOCKED))
        """

    private static let oldPushes = """
        DELETE FROM pushes WHERE ctid = ANY (ARRAY(
            SELECT old.ctid FROM walked w CROSS JOIN LATERAL (
                SELECT p.ctid FROM pushes p
                WHERE p.shop = w.shop AND p.shelf = w.shelf AND p.ended_at < $3
                    AND p.ended_at < (\(lastPush()))
                    AND p.ended_at IS DISTINCT FROM (\(lastPush("AND l.result = 'confirmed'")))
                ORDER BY p.ended_at LIMIT \(rowsOfEach) FOR UPDATE SKIP LOCKED) AS old))
        """

    private static func lastPush(_ condition: String = "") -> String {
        """
        SELECT l.ended_at FROM pushes l WHERE l.shop = w.shop AND l.shelf = w.shelf \(condition)
        ORDER BY l.ended_at DESC LIMIT 1
        """
    }
}
