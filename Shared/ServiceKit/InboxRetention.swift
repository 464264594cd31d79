import PostgreSQL

/// Old inbox rows leave, so that the table stays small however many messages there were.
enum InboxRetention {
    /// Rows live longer than any retry (hours) or replay (days) of their message can come.
    static let days = 30
    static let rowsAtOnce = 5_000

    static let rule = RetentionRule("old inbox rows", atOnce: rowsAtOnce) { transaction, _, atMost in
        // By the server's clock, which wrote the times.
        try transaction.execute(
            """
            DELETE FROM inbox WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM inbox WHERE received_at < clock_timestamp() - make_interval(days => $1)
                LIMIT $2 FOR UPDATE SKIP LOCKED))
            """, [.int(days), .int(atMost)])
    }
}
