import Domain
import PostgreSQL

/// Files that a service stored leave after a long time.
public enum StoredFileRetention {
    /// Few: each may be of many megabytes.
    private static let filesAtOnce = 20

    /// A service removes its own: whose they are, the database knows by the role that asks.
    ///
    /// - Parameter kept: SQL that selects the ids of files that stay however old they are.
    public static func rule(except kept: String = "SELECT NULL::uuid LIMIT 0") -> RetentionRule {
        RetentionRule("old files", atOnce: filesAtOnce) { transaction, _, atMost in
            // By the server's clock, which wrote the times.
            try transaction.query(
                "SELECT shared.remove_files($1, ARRAY(\(kept)), $2)",
                [.int(RetentionPeriod.recordDays), .int(atMost)]
            ).first?.decode(at: 0) ?? 0
        }
    }
}
