import Contracts
import Foundation
import Messaging
import PostgreSQL
import Settings

/// The right to look, for one replica at a time.
struct WatchTurn: Sendable {
    /// Now, by the database server's clock.
    var moment: Date
    /// Since when looks were taken without a gap, by the same clock.
    var lookingSince: Date
}

/// What the watch reads and remembers.
struct WatchStore: Sendable {
    /// A replica that does not look for so long loses its turn.
    static let leaseSeconds = 45
    /// What was seen before a gap of so many seconds says nothing about now.
    static let gapSeconds = 90

    let database: ServiceDatabase
    let replica: UUID
    let limits: AlertLimits

    /// Takes or keeps the turn; nil if another replica has it.
    func takeTurn() async throws -> WatchTurn? {
        let rows = try await database.pool.query(
            """
            UPDATE watch SET owner = $1, lease_until = statement_timestamp() + make_interval(secs => $2),
                last_look_at = statement_timestamp(),
                looking_since = CASE WHEN last_look_at > statement_timestamp() - make_interval(secs => $3)
                    THEN looking_since ELSE statement_timestamp() END
            WHERE owner IS NOT DISTINCT FROM $1 OR lease_until < statement_timestamp()
            RETURNING last_look_at, looking_since
            """, [.uuid(replica), .int(Self.leaseSeconds), .int(Self.gapSeconds)])
        return try rows.first.map { row in
            WatchTurn(moment: try row.decode("last_look_at"), lookingSince: try row.decode("looking_since"))
        }
    }

    /// Lets another replica look at once.
    func giveTurn() async {
        _ = try? await database.pool.query(
            "UPDATE watch SET lease_until = '-infinity' WHERE owner = $1", [.uuid(replica)])
    }

    /// Whether any service says that the broker takes nothing from it.
    func anyServiceIsBlocked() async throws -> Bool {
        let rows = try await database.pool.query(
            """
            SELECT 1 AS one FROM shared.replica_states()
            WHERE state = 'blocked' AND heartbeat_at > clock_timestamp() - make_interval(secs => $1)
            """, [.int(limits.silenceSeconds)])
        return !rows.isEmpty
    }

    /// Everything but what only the broker knows.
    func facts(now: Date, turn: WatchTurn, services: [ServiceName], broker: WatchFacts.Broker) async throws
        -> WatchFacts
    {
        let limits = limits
        return try await database.pool.transaction { transaction in
            var facts = WatchFacts(now: now, broker: broker, services: services)
            facts.watchedSeconds = turn.moment.timeIntervalSince(turn.lookingSince)
            try Self.readLetters(into: &facts, limits, transaction)
            facts.outboxes = try transaction.query("SELECT * FROM shared.outbox_states()").map { row in
                WatchFacts.Outbox(
                    service: try row.decode("service"), seconds: try row.decode("oldest_seconds"),
                    lastError: try row.decode("last_error"))
            }
            facts.replicas = try transaction.query(
                """
                SELECT service, host, state = 'blocked' AS blocked,
                    extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS silent
                FROM shared.replica_states()
                """
            ).map { row in
                WatchFacts.Replica(
                    service: try row.decode("service"), host: try row.decode("host"),
                    silentSeconds: try row.decode("silent"), isBlocked: try row.decode("blocked"))
            }
            facts.schedules = try transaction.query(
                "SELECT service, name, next_due FROM shared.schedule_states()"
            ).map { row in
                WatchFacts.Schedule(
                    service: try row.decode("service"), name: try row.decode("name"),
                    nextDue: try row.decode("next_due"))
            }
            return facts
        }
    }

    private static func readLetters(
        into facts: inout WatchFacts, _ limits: AlertLimits, _ transaction: Transaction
    ) throws {
        let begin = facts.now.addingTimeInterval(Double(-60 * limits.newDeadLettersMinutes))
        // Counted only as far as it needs to be known; by queue only if there are too many.
        let many = try transaction.query(
            """
            SELECT count(*) > $2 AS many FROM (
                SELECT 1 FROM dead_letters.letters WHERE archived_at > $1 LIMIT $2::bigint + 1) AS l
            """, [.timestamp(begin), .int(limits.newDeadLetters)])
        if try many.first?.decode("many") ?? false {
            facts.newLetters = try transaction.query(
                """
                SELECT queue, count(*) AS letters FROM dead_letters.letters WHERE archived_at > $1
                GROUP BY queue ORDER BY letters DESC, queue
                """, [.timestamp(begin)]
            ).map { .init(queue: try $0.decode("queue"), letters: try $0.decode("letters")) }
        }
        let oldest = try transaction.query(
            "SELECT min(archived_at) AS oldest FROM dead_letters.letters WHERE state = 'waiting'")
        facts.oldestLetter = try oldest.first?.decode("oldest", as: Date?.self)
        let limit = facts.now.addingTimeInterval(Double(-3_600 * limits.deadLetterAgeHours))
        guard let since = facts.oldestLetter, since < limit else { return }
        let waiting = try transaction.query(
            "SELECT count(*) AS waiting FROM dead_letters.letters WHERE state = 'waiting'")
        facts.waitingLetters = try waiting.first?.decode("waiting") ?? 0
    }

    // MARK: What was told

    /// Whether this replica still has the turn; keeps others from taking it until the transaction ends.
    func hasTurn(in transaction: Transaction) throws -> Bool {
        let rows = try transaction.query("SELECT owner FROM watch FOR UPDATE")
        return try rows.first?.decode("owner", as: UUID?.self) == replica
    }

    static func memory(in transaction: Transaction) throws -> [WatchMemory] {
        try transaction.query("SELECT condition, is_open, differs_since FROM watch_conditions").map { row in
            WatchMemory(
                condition: try row.decode("condition"), isOpen: try row.decode("is_open"),
                differsSince: try row.decode("differs_since"))
        }
    }

    static func remember(_ memory: WatchMemory, in transaction: Transaction) throws {
        guard memory.isOpen || memory.differsSince != nil else {
            try transaction.execute("DELETE FROM watch_conditions WHERE condition = $1", [.text(memory.condition)])
            return
        }
        try transaction.execute(
            """
            INSERT INTO watch_conditions (condition, is_open, differs_since) VALUES ($1, $2, $3)
            ON CONFLICT (condition) DO UPDATE SET is_open = excluded.is_open, differs_since = excluded.differs_since
            """,
            [.text(memory.condition), .boolean(memory.isOpen), .maybe(memory.differsSince) { .timestamp($0) }])
    }
}
