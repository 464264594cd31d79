import Domain
import Foundation
import PostgreSQL
import ServiceKit

/// Dead letters that are settled leave after a long time, with their history; before them the replay jobs that ended.
///
/// What waits for a person or is being replayed stays however old it is. A job leaves whole, so that its counts add up
/// as long as it can be looked at, and a letter stays as long as a job that names it.
enum LetterRetention {
    private static let jobsAtOnce = 20
    private static let lettersAtOnce = 500

    /// In this order: jobs hold letters.
    static let rules = [
        RetentionRule("old replay jobs", atOnce: jobsAtOnce, remove: removeJobs),
        RetentionRule("old dead letters", atOnce: lettersAtOnce, remove: removeLetters),
    ]

    private static func removeJobs(_ transaction: Transaction, _ now: Date, _ atMost: Int) throws -> Int {
        let limit = RetentionPeriod.limit(days: RetentionPeriod.recordDays, before: now)
        let rows = try transaction.query(
            """
            SELECT id FROM dead_letters.jobs WHERE state IN ('done', 'cancelled') AND ended_at < $1
            ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED
            """, [.timestamp(limit), .int(atMost)])
        let jobs = PostgresValue.uuidArray(try rows.map { try $0.decode(at: 0) })
        try transaction.execute("DELETE FROM dead_letters.job_items WHERE job = ANY ($1)", [jobs])
        return try transaction.execute("DELETE FROM dead_letters.jobs WHERE id = ANY ($1)", [jobs])
    }

    private static func removeLetters(_ transaction: Transaction, _ now: Date, _ atMost: Int) throws -> Int {
        let limit = RetentionPeriod.limit(days: RetentionPeriod.recordDays, before: now)
        let rows = try transaction.query(
            """
            SELECT l.id FROM dead_letters.letters l
            WHERE l.state IN ('processed', 'superseded', 'archived') AND l.state_at < $1
                AND NOT EXISTS (SELECT FROM dead_letters.job_items i WHERE i.letter = l.id)
            ORDER BY l.state_at LIMIT $2 FOR UPDATE OF l SKIP LOCKED
            """, [.timestamp(limit), .int(atMost)])
        let letters = PostgresValue.integerArray(try rows.map { try $0.decode(at: 0) })
        try transaction.execute("DELETE FROM dead_letters.history WHERE letter = ANY ($1)", [letters])
        return try transaction.execute("DELETE FROM dead_letters.letters WHERE id = ANY ($1)", [letters])
    }
}
