import Foundation
import Messaging
import PostgreSQL

/// Tells of kinds of errors that were never seen before, once each; those that come together are one mail.
struct NewErrors: Sendable {
    let composer: MailComposer
    let outgoing: Outgoing

    /// - Parameter moment: Now, by the database server's clock.
    func tell(at moment: Date, in work: UnitOfWork) throws {
        let transaction = work.transaction
        try transaction.execute(
            """
            INSERT INTO watch_told (fingerprint, noticed_at)
            SELECT fingerprint, $1 FROM dead_letters.fingerprints f
            WHERE NOT EXISTS (SELECT 1 FROM watch_told t WHERE t.fingerprint = f.fingerprint)
            ON CONFLICT DO NOTHING
            """, [.timestamp(moment)])
        let due = try transaction.query(
            "SELECT count(*) > 0 AS due FROM watch_told WHERE told_at IS NULL AND noticed_at <= $1",
            [.timestamp(moment.addingTimeInterval(-WatchRules.leastSeconds))])
        guard try due.first?.decode("due") ?? false else { return }
        let rows = try transaction.query(
            """
            WITH told AS (UPDATE watch_told SET told_at = $1 WHERE told_at IS NULL RETURNING fingerprint)
            SELECT f.fingerprint, f.service, f.queue, example.error_code, example.error_message,
                (SELECT count(*) FROM dead_letters.letters l
                 WHERE l.fingerprint = f.fingerprint AND l.state = 'waiting') AS waiting
            FROM told JOIN dead_letters.fingerprints f USING (fingerprint)
            LEFT JOIN LATERAL (
                SELECT error_code, error_message FROM dead_letters.letters l
                WHERE l.fingerprint = f.fingerprint AND l.state = 'waiting' ORDER BY l.id LIMIT 1) AS example ON true
            ORDER BY waiting DESC, f.fingerprint
            """, [.timestamp(moment)])
        let errors = try rows.map { row in
            NewError(
                fingerprint: try row.decode("fingerprint"), service: try row.decode("service"),
                queue: try row.decode("queue"), waiting: try row.decode("waiting"),
                code: try row.decode("error_code"), sentence: try row.decode("error_message"))
        }
        guard !errors.isEmpty else { return }
        try outgoing.post(
            composer.newErrors(errors, at: work.startedAt), about: "new-errors-\(UUID().uuidString.lowercased())",
            correlation: "new errors", in: work)
    }
}
