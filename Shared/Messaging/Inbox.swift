import Foundation
import PostgreSQL

/// Claims of messages in a service's inbox.
enum Inbox {
    /// Claims ids set-wise for a batch that commits with its effects; returns those nobody has applied before.
    ///
    /// Sorted, so that two replicas that hold the same ids wait for each other instead of deadlocking.
    static func claim(_ ids: [UUID], consumer: String, in transaction: Transaction) throws -> Set<UUID> {
        let rows = try transaction.query(
            """
            INSERT INTO inbox (consumer, message_id)
            SELECT $1, id FROM unnest($2::uuid[]) AS id ORDER BY id
            ON CONFLICT DO NOTHING RETURNING message_id
            """, [.text(consumer), .uuidArray(ids)])
        return Set(try rows.map { try $0.decode("message_id", as: UUID.self) })
    }

    /// What became of a claim for work outside.
    enum WorkClaim: Sendable, Equatable {
        case claimed
        case alreadyDone
        /// Somebody works on it; the lease ends in so many milliseconds at the latest.
        case leased(milliseconds: Int)
    }

    /// Claims one id with a lease. Only `done` blocks a repetition; a lease that ran out is taken over.
    static func claimWork(_ claim: InboxClaim, consumer: String, leaseSeconds: Int, in transaction: Transaction)
        throws -> WorkClaim
    {
        let taken = try transaction.query(
            """
            INSERT INTO inbox AS i (consumer, message_id, done, lease_until, owner)
            VALUES ($1, $2, false, clock_timestamp() + make_interval(secs => $3), $4)
            ON CONFLICT (consumer, message_id) DO UPDATE
            SET lease_until = excluded.lease_until, owner = excluded.owner
            WHERE NOT i.done AND (i.lease_until <= clock_timestamp() OR i.lease_until IS NULL)
            RETURNING 1 AS taken
            """, [.text(consumer), .uuid(claim.messageID), .integer(Int64(leaseSeconds)), .text(claim.owner)])
        if !taken.isEmpty { return .claimed }
        let rows = try transaction.query(
            """
            SELECT done, greatest(0, ceil(1000 * extract(epoch FROM lease_until - clock_timestamp())))::bigint AS rest
            FROM inbox WHERE consumer = $1 AND message_id = $2
            """, [.text(consumer), .uuid(claim.messageID)])
        guard let row = rows.first else { return .leased(milliseconds: 0) }
        if try row.decode("done", as: Bool.self) { return .alreadyDone }
        return .leased(milliseconds: try row.decode("rest", as: Int.self))
    }
}

/// One claim of one message by one attempt.
struct InboxClaim: Sendable {
    let messageID: UUID
    /// Names the attempt, so that one that lost its lease cannot give back the next one's.
    let owner: String

    /// - Returns: Whether it was not done before.
    @discardableResult
    func markDone(consumer: String, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            "UPDATE inbox SET done = true, lease_until = NULL WHERE consumer = $1 AND message_id = $2 AND NOT done",
            [.text(consumer), .uuid(messageID)]) == 1
    }

    /// Ends the lease so that a retry need not wait for it.
    func release(consumer: String, in transaction: Transaction) throws {
        try transaction.execute(
            """
            UPDATE inbox SET lease_until = NULL
            WHERE consumer = $1 AND message_id = $2 AND NOT done AND owner = $3
            """, [.text(consumer), .uuid(messageID), .text(owner)])
    }
}
