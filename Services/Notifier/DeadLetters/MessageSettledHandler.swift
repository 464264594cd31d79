import Contracts
import DeadLetters
import Foundation
import Messaging
import PostgreSQL

/// Follows replayed messages to their end. The first outcome of an item stands; what no job knows is ignored.
struct MessageSettledHandler: BatchHandler {
    func apply(_ events: [Event<MessageSettled>], in work: UnitOfWork) throws {
        let outcomes = Self.first(events.map(\.payload))
        guard !outcomes.isEmpty else { return }
        let settled = try work.transaction.query(
            """
            WITH said AS (
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
                    AS s (job, queue, identity, outcome)
            ), mine AS (
                SELECT i.job, i.letter, s.outcome
                FROM said s JOIN dead_letters.letters l ON l.queue = s.queue AND l.identity = s.identity
                    JOIN dead_letters.job_items i ON i.job = s.job AND i.letter = l.id
                WHERE i.state IN ('requested', 'published') ORDER BY i.job, i.letter FOR UPDATE OF i
            )
            UPDATE dead_letters.job_items i SET state = mine.outcome, settled_at = $5
            FROM mine WHERE i.job = mine.job AND i.letter = mine.letter AND i.state IN ('requested', 'published')
            RETURNING i.job, i.letter, i.state
            """,
            [
                .uuidArray(outcomes.map(\.job)), .textArray(outcomes.map(\.queue)),
                .textArray(outcomes.map(\.identity)), .textArray(outcomes.map(\.outcome.rawValue)),
                .timestamp(work.startedAt),
            ])
        try record(settled, in: work)
    }

    private func record(_ settled: Rows, in work: UnitOfWork) throws {
        guard !settled.isEmpty else { return }
        try work.transaction.execute(
            """
            WITH settled AS (
                SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS s (job, letter, outcome)
            ), mine AS (
                SELECT l.id, s.outcome
                FROM settled s JOIN dead_letters.letters l ON l.id = s.letter AND l.job = s.job
                WHERE l.state = 'replaying' ORDER BY l.id FOR UPDATE OF l
            ), moved AS (
                UPDATE dead_letters.letters l SET state_at = $4::timestamptz,
                    state = CASE mine.outcome WHEN 'superseded' THEN 'superseded' ELSE 'processed' END
                FROM mine WHERE mine.id = l.id
            )
            INSERT INTO dead_letters.history (letter, at, step, who, detail)
            SELECT letter, $4::timestamptz, outcome, 'notifier', 'Replay job ' || job || '.' FROM settled
            ORDER BY letter
            """,
            [
                .uuidArray(try settled.map { try $0.decode(at: 0) }),
                .integerArray(try settled.map { try $0.decode(at: 1) }),
                .textArray(try settled.map { try $0.decode(at: 2) }), .timestamp(work.startedAt),
            ])
    }

    /// One outcome of one message.
    struct Said: Sendable, Equatable {
        var job: UUID
        var queue: String
        var identity: String
        var outcome: MessageSettled.Outcome
        var at: Date
    }

    /// The earliest outcome of each message; a message that was sent twice has two in one batch. Sorted.
    static func first(_ events: [MessageSettled]) -> [Said] {
        struct Key: Hashable {
            var job: UUID
            var queue: String
            var identity: String
        }
        var first: [Key: Said] = [:]
        for event in events {
            guard let job = UUID(uuidString: event.replayID) else { continue }
            let said = Said(
                job: job, queue: event.queue, identity: event.messageID.uuidString.lowercased(),
                outcome: event.outcome, at: event.settledAt)
            let key = Key(job: said.job, queue: said.queue, identity: said.identity)
            // The effect is made before anybody can find it made, whatever two clocks say.
            if let known = first[key],
                known.outcome == .processed || (said.outcome != .processed && known.at <= said.at)
            {
                continue
            }
            first[key] = said
        }
        return first.values.sorted { ($0.identity, $0.queue) < ($1.identity, $1.queue) }
    }
}
