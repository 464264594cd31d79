import Contracts
import Foundation
import Messaging
import PostgreSQL

/// What became of the messages that were archived.
public struct ArchiveCount: Sendable, Hashable {
    /// Letters that were not known.
    public var new = 0
    /// Letters that were known and have died once more.
    public var again = 0
    /// Deliveries of a death that had been archived before.
    public var unchanged = 0
    /// Messages that the database does not take; they are still in their queue.
    public var refused = 0

    /// Counts; nothing unless told otherwise.
    public init(new: Int = 0, again: Int = 0, unchanged: Int = 0, refused: Int = 0) {
        (self.new, self.again, self.unchanged, self.refused) = (new, again, unchanged, refused)
    }

    /// All that were stored or had been.
    public var archived: Int { new + again + unchanged }

    /// Adds what became of others.
    public static func += (left: inout Self, right: Self) {
        left.new += right.new
        left.again += right.again
        left.unchanged += right.unchanged
        left.refused += right.refused
    }
}

/// Writes batches of letters set-wise.
enum LetterStore {
    /// Who stands in the history.
    static let who = "archiver"

    /// A letter that this batch changed.
    private struct Change {
        let letter: Int64
        let record: LetterRecord
        let isNew: Bool

        /// What went wrong, for the history.
        var sentence: String { "\(record.reason.code): \(record.reason.message)" }
    }

    /// Writes letters, their history, new kinds of errors, and the outcome of the replays that some of them were.
    static func store(
        _ records: [LetterRecord], at time: Date, in transaction: Transaction
    ) throws -> ArchiveCount {
        var records = records
        for index in records.indices { try findEdited(&records[index], in: transaction) }
        let (waves, repeated) = waves(of: records)
        var count = ArchiveCount()
        count.unchanged = repeated
        for wave in waves {
            let changes = try upsert(wave, at: time, in: transaction)
            let new = changes.count(where: \.isNew)
            count.new += new
            count.again += changes.count - new
            count.unchanged += wave.count - changes.count
            try follow(changes, at: time, in: transaction)
        }
        return count
    }

    /// One statement cannot change a letter twice: a second death of a message in the same batch goes into a second
    /// wave. Deliveries of the same death are left out.
    static func waves(of records: [LetterRecord]) -> (waves: [[LetterRecord]], repeated: Int) {
        // Bytes: the database tells spellings apart that are equal as texts here.
        struct Key: Hashable {
            let queue: [UInt8]
            let identity: String
        }
        var deaths: [Key: [[UInt8]]] = [:]
        var waves: [[LetterRecord]] = []
        var repeated = 0
        for record in records {
            let key = Key(queue: Array(record.queue.utf8), identity: record.identity)
            let known = deaths[key] ?? []
            if known.contains(record.death) {
                repeated += 1
                continue
            }
            deaths[key] = known + [record.death]
            if known.count == waves.count { waves.append([]) }
            waves[known.count].append(record)
        }
        return (waves, repeated)
    }

    /// A message without an id is known by its content. If that was edited before the replay, the job's letter is the
    /// one whose edited content this is.
    private static func findEdited(_ record: inout LetterRecord, in transaction: Transaction) throws {
        guard let replay = record.replay, record.identity.hasPrefix("sha256:") else { return }
        let found = try transaction.query(
            """
            SELECT l.identity FROM dead_letters.job_items i JOIN dead_letters.letters l ON l.id = i.letter
            WHERE i.job = $1 AND l.queue = $2 AND l.edited_body = $3 AND l.identity LIKE 'sha256:%' LIMIT 1
            """, [.uuid(replay), .text(record.queue), .bytes(record.body)])
        if let row = found.first { record.identity = try row.decode("identity") }
    }

    // MARK: Letters

    /// Bodies and digests travel as one binary value each, cut up by the server: arrays of bytea would be written and
    /// read as hexadecimal text inside of array text (a quarter more of the server's time). COPY into a temporary table
    /// takes as much of it as this, and a table besides.
    private static let upsertSQL = """
        WITH incoming AS MATERIALIZED (
            SELECT * FROM unnest(
                $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::text[],
                $16::text[], $17::text[], $18::text[], $19::bigint[], $20::timestamptz[], $21::timestamptz[]
            ) WITH ORDINALITY AS n (
                service, queue, identity, topic, data_schema, subject, correlation, shop,
                order_reference, erp, items, properties, body_start, body_length, error_class,
                error_code, error_message, fingerprint, attempts, first_failed_at, failed_at, position)
        ), stored AS (
            INSERT INTO dead_letters.letters AS l (
                service, queue, identity, topic, data_schema, subject, correlation, shop, order_reference, erp, items,
                properties, body, error_class, error_code, error_message, fingerprint, attempts, first_failed_at,
                failed_at, archived_at, state_at, death)
            SELECT service, queue, identity, topic, data_schema, subject, correlation, shop, order_reference, erp,
                string_to_array(items, E'\\x1f'), properties,
                substring($22::bytea FROM body_start::int FOR body_length::int), error_class, error_code,
                error_message, fingerprint, attempts::int, first_failed_at, failed_at, $24::timestamptz,
                $24::timestamptz, substring($23::bytea FROM (position::int - 1) * 32 + 1 FOR 32)
            FROM incoming ORDER BY queue, identity
            ON CONFLICT (queue, identity) DO UPDATE SET
                error_class = EXCLUDED.error_class, error_code = EXCLUDED.error_code,
                error_message = EXCLUDED.error_message, fingerprint = EXCLUDED.fingerprint,
                attempts = EXCLUDED.attempts, first_failed_at = coalesce(l.first_failed_at, EXCLUDED.first_failed_at),
                failed_at = EXCLUDED.failed_at, archived_at = EXCLUDED.archived_at, death = EXCLUDED.death,
                earlier_deaths = array_append(l.earlier_deaths, l.death), times = l.times + 1,
                -- A letter that a job has stays with it until its item has an outcome.
                state = CASE l.state WHEN 'replaying' THEN l.state ELSE 'waiting' END,
                state_at = CASE l.state WHEN 'replaying' THEN l.state_at ELSE EXCLUDED.state_at END
            WHERE l.death <> EXCLUDED.death AND NOT EXCLUDED.death = ANY (l.earlier_deaths)
            RETURNING id, queue, identity, times
        )
        SELECT s.id, n.position, s.times FROM stored s JOIN incoming n USING (queue, identity)
        """

    private static func upsert(
        _ records: [LetterRecord], at time: Date, in transaction: Transaction
    ) throws -> [Change] {
        let rows = try transaction.query(upsertSQL, parameters(of: records, at: time))
        return try rows.map { row in
            let position = try row.decode("position", as: Int.self)
            return Change(
                letter: try row.decode("id"), record: records[position - 1],
                isNew: try row.decode("times", as: Int.self) == 1)
        }
    }

    private static func parameters(of records: [LetterRecord], at time: Date) -> [PostgresValue] {
        var starts: [Int64] = []
        var bodies: [UInt8] = []
        bodies.reserveCapacity(records.reduce(0) { $0 + $1.body.count })
        for record in records {
            starts.append(Int64(bodies.count + 1))
            bodies += record.body
        }
        return [
            .textArray(records.map(\.service.rawValue)), .textArray(records.map(\.queue)),
            .textArray(records.map(\.identity)), .nullableTextArray(records.map(\.topic)),
            .nullableTextArray(records.map(\.dataSchema)), .nullableTextArray(records.map(\.subject)),
            .nullableTextArray(records.map(\.correlation)), .nullableTextArray(records.map(\.keys.shop)),
            .nullableTextArray(records.map(\.keys.order)), .nullableTextArray(records.map(\.keys.erp)),
            .textArray(records.map { $0.keys.items.joined(separator: KeptText.separator) }),
            .textArray(records.map(\.properties)), .integerArray(starts), .intArray(records.map(\.body.count)),
            .textArray(records.map(\.reason.failureClass.rawValue)), .textArray(records.map(\.reason.code)),
            .textArray(records.map(\.reason.message)), .textArray(records.map(\.fingerprint)),
            .intArray(records.map(\.attempts)), .nullableTimestampArray(records.map(\.firstFailedAt)),
            .timestampArray(records.map(\.failedAt)), .bytes(bodies), .bytes(records.flatMap(\.death)),
            .timestamp(time),
        ]
    }

    // MARK: What follows from them

    private static func follow(_ changes: [Change], at time: Date, in transaction: Transaction) throws {
        guard !changes.isEmpty else { return }
        let settled = try settleReplays(changes.filter { !$0.isNew && $0.record.replay != nil }, time, transaction)
        let again = changes.filter { !$0.isNew }.map(\.letter)
        let steps = changes.map { change in
            change.isNew ? "died" : settled.contains(change.letter) ? "failed_again" : "died_again"
        }
        let kinds = Dictionary(changes.map { ($0.record.fingerprint, $0.record) }) { first, _ in first }
            .values.sorted { $0.fingerprint < $1.fingerprint }
        var statements = [
            Statement(
                """
                INSERT INTO dead_letters.history (letter, at, step, who, detail)
                SELECT letter, $4, step, $5, detail FROM unnest($1::bigint[], $2::text[], $3::text[])
                    AS n (letter, step, detail)
                """,
                [
                    .integerArray(changes.map(\.letter)), .textArray(steps), .textArray(changes.map(\.sentence)),
                    .timestamp(time), .text(who),
                ]),
            Statement(
                """
                INSERT INTO dead_letters.fingerprints (fingerprint, service, queue, first_seen_at)
                SELECT fingerprint, service, queue, $4 FROM unnest($1::text[], $2::text[], $3::text[])
                    AS n (fingerprint, service, queue) ON CONFLICT (fingerprint) DO NOTHING
                """,
                [
                    .textArray(kinds.map(\.fingerprint)), .textArray(kinds.map(\.service.rawValue)),
                    .textArray(kinds.map(\.queue)), .timestamp(time),
                ]),
        ]
        if !again.isEmpty {
            statements.append(
                Statement(
                    """
                    UPDATE dead_letters.letters l SET state = 'waiting', state_at = $2
                    WHERE l.id = ANY ($1) AND l.state = 'replaying' AND NOT EXISTS (
                        SELECT FROM dead_letters.job_items i
                        WHERE i.job = l.job AND i.letter = l.id AND i.state IN ('requested', 'published'))
                    """, [.integerArray(again), .timestamp(time)]))
        }
        try transaction.pipeline(statements)
    }

    /// The first outcome of an item stands; these letters had none yet.
    private static func settleReplays(
        _ changes: [Change], _ time: Date, _ transaction: Transaction
    ) throws -> Set<Int64> {
        guard !changes.isEmpty else { return [] }
        let rows = try transaction.query(
            """
            UPDATE dead_letters.job_items i SET state = 'failed_again', settled_at = $4, detail = n.detail
            FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS n (job, letter, detail)
            WHERE i.job = n.job AND i.letter = n.letter AND i.state IN ('requested', 'published')
            RETURNING i.letter
            """,
            [
                .nullableUUIDArray(changes.map(\.record.replay)), .integerArray(changes.map(\.letter)),
                .textArray(changes.map(\.record.reason.message)), .timestamp(time),
            ])
        return Set(try rows.map { try $0.decode("letter", as: Int64.self) })
    }
}
