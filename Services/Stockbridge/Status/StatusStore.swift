import Contracts
import Domain
import Foundation
import PostgreSQL
import ServiceKit
import Settings

/// Reads what `status` shows, under the operator's role.
struct StatusStore: Sendable {
    let database: OperatorDatabase

    /// The whole status with what needs attention.
    func status(_ configuration: StockbridgeConfiguration) async throws -> StatusReport {
        let names = configuration.shops.map { (name: $0.name.rawValue, platform: $0.platform.rawValue) }
        let sources = configuration.sources.map(\.name.rawValue)
        let company = configuration.company
        let waiting = await QueueLook(configuration).waiting()
        let loads = LoadStore(configuration)
        var status = try await database.pool.transaction { transaction in
            try transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            let machineTime = try Self.now(transaction)
            // A demonstration shifts the services' clock, and with it the times that they write.
            let isShifted = ProcessClock.offsetFile != nil
            var status = StatusReport(company: company, at: isShifted ? OperatorClock.now : machineTime)
            status.shops = try Self.shops(names, transaction)
            status.sources = try Self.sources(sources, transaction)
            status.orders = try Self.orders(names.map(\.name), transaction)
            status.held = try Self.held(transaction)
            status.schedules = try Self.schedules(transaction)
            status.replicas = try Self.replicas(transaction, at: machineTime)
            status.breakers = try Self.breakers(transaction)
            status.alerts = try Self.alerts(transaction)
            status.outboxes = try Self.outboxes(transaction)
            status.mails = try Self.mails(transaction)
            status.deadLetters = try Self.deadLetters(transaction)
            status.unansweredCommands = try Self.unansweredCommands(transaction)
            try loads.add(to: &status, waiting, transaction)
            return status
        }
        let services = ServiceName.allCases.filter { $0 != .stockbridge }.map(\.rawValue)
        status.attention = StatusAttention.of(status, services: services)
        return status
    }

    private static func now(_ transaction: Transaction) throws -> Date {
        let rows = try transaction.query("SELECT clock_timestamp() AS now")
        guard let row = rows.first else { throw ToolError.failed("The database did not tell the time.") }
        return try row.decode("now")
    }

    // MARK: Shops

    private static func shops(
        _ wanted: [(name: String, platform: String)], _ transaction: Transaction
    ) throws -> [StatusReport.Shop] {
        let rows = try transaction.query(
            """
            SELECT s.shop, s.shadow, s.remap_pending, s.catalogue_read_at, s.catalogue_problem,
                (SELECT count(*) FROM publishing.listings l WHERE l.shop = s.shop) AS listings,
                (SELECT count(*) FROM publishing.shelves d WHERE d.shop = s.shop AND d.due) AS due,
                ended.cause AS ended_cause, ended.began_at AS ended_began, ended.ended_at,
                open.cause AS open_cause, open.began_at AS open_began, open.deadline_at AS open_deadline,
                coalesce(ended.listed, open.listed, 0) AS listed,
                coalesce(ended.confirmed, open.confirmed, 0) AS confirmed,
                coalesce(ended.unchanged, open.unchanged, 0) AS unchanged,
                coalesce(ended.deferred, open.deferred, 0) AS deferred,
                coalesce(ended.unmapped, open.unmapped, 0) AS unmapped,
                coalesce(ended.rejected, open.rejected, 0) AS rejected,
                coalesce(ended.failed, open.failed, 0) AS failed
            FROM publishing.shops s
            LEFT JOIN LATERAL (
                SELECT * FROM publishing.runs r WHERE r.shop = s.shop AND r.ended_at IS NOT NULL
                ORDER BY r.began_at DESC, r.ended_at DESC LIMIT 1) ended ON true
            LEFT JOIN LATERAL (
                SELECT * FROM publishing.runs r WHERE r.shop = s.shop AND r.ended_at IS NULL
                ORDER BY r.began_at DESC LIMIT 1) open ON true
            """)
        var found: [String: StatusReport.Shop] = [:]
        for row in rows {
            let shop = try shop(row)
            found[shop.name] = shop
        }
        return wanted.map { name, platform in
            var shop = found[name] ?? StatusReport.Shop(name: name, platform: platform, known: false)
            shop.platform = platform
            return shop
        }
    }

    private static func shop(_ row: Row) throws -> StatusReport.Shop {
        var shop = StatusReport.Shop(name: try row.decode("shop"), platform: "")
        shop.shadow = try row.decode("shadow")
        shop.remapPending = try row.decode("remap_pending")
        shop.catalogueReadAt = try row.decode("catalogue_read_at")
        shop.catalogueProblem = try row.decode("catalogue_problem")
        shop.listings = try row.decode("listings")
        shop.counts = StatusReport.Counts(
            listed: try row.decode("listed"), confirmed: try row.decode("confirmed"),
            unchanged: try row.decode("unchanged"), deferred: try row.decode("deferred"),
            unmapped: try row.decode("unmapped"), rejected: try row.decode("rejected"),
            failed: try row.decode("failed"))
        if let ended = try row.decode("ended_at", as: Date?.self) {
            let began: Date = try row.decode("ended_began")
            shop.lastRun = StatusReport.EndedRun(
                cause: try row.decode("ended_cause"), beganAt: began, endedAt: ended,
                seconds: ended.timeIntervalSince(began))
        }
        if let began = try row.decode("open_began", as: Date?.self) {
            shop.openRun = StatusReport.OpenRun(
                cause: try row.decode("open_cause"), beganAt: began, deadlineAt: try row.decode("open_deadline"),
                due: try row.decode("due"))
        }
        return shop
    }

    // MARK: Sources

    private static func sources(_ wanted: [String], _ transaction: Transaction) throws -> [StatusReport.Source] {
        let rows = try transaction.query(
            """
            SELECT w.source, live.id AS live_id, live.file_name AS live_file, live.sequence, live.as_of,
                live.received_at, live.skus, newest.id AS newest_id, newest.file_name AS newest_file,
                newest.state AS newest_state, newest.received_at AS newest_received, looking.began_at AS looking_since
            FROM unnest($1::text[]) WITH ORDINALITY AS w (source, place)
            LEFT JOIN stock.sources s ON s.source = w.source
            LEFT JOIN stock.snapshots live ON live.id = s.live_snapshot
            LEFT JOIN LATERAL (
                SELECT * FROM stock.snapshots n WHERE n.source = w.source
                ORDER BY n.received_at DESC LIMIT 1) newest ON true
            LEFT JOIN LATERAL (
                SELECT * FROM stock.pickups p WHERE p.source = w.source AND p.state = 'looking'
                ORDER BY p.began_at DESC LIMIT 1) looking ON true
            ORDER BY w.place
            """, [.textArray(wanted)])
        return try rows.map { row in
            var source = StatusReport.Source(
                name: try row.decode("source"), liveSnapshot: try row.decode("live_id"),
                liveFile: try row.decode("live_file"), sequence: try row.decode("sequence"),
                asOf: try row.decode("as_of"), receivedAt: try row.decode("received_at"),
                skus: try row.decode("skus"), lookingSince: try row.decode("looking_since"))
            if let id = try row.decode("newest_id", as: UUID?.self), id != source.liveSnapshot {
                source.newest = StatusReport.Source.Newest(
                    id: id, file: try row.decode("newest_file"), state: try row.decode("newest_state"),
                    receivedAt: try row.decode("newest_received"))
            }
            return source
        }
    }

    private static func held(_ transaction: Transaction) throws -> [StatusReport.HeldSnapshot] {
        let rows = try transaction.query(
            """
            SELECT id, source, file_name, as_of, received_at, reasons FROM stock.snapshots
            WHERE state = 'held' ORDER BY received_at
            """)
        return try rows.map { row in
            StatusReport.HeldSnapshot(
                id: try row.decode("id"), source: try row.decode("source"), file: try row.decode("file_name"),
                asOf: try row.decode("as_of"), receivedAt: try row.decode("received_at"),
                reasons: StoredReasons.sentences(in: try row.decode("reasons")))
        }
    }

    // MARK: What is shared, and what people are told

    private static func schedules(_ transaction: Transaction) throws -> [StatusReport.Schedule] {
        try transaction.query(
            "SELECT service, name, expression, time_zone, last_due, next_due FROM shared.schedule_states()"
        ).map { row in
            StatusReport.Schedule(
                service: try row.decode("service"), name: try row.decode("name"),
                expression: try row.decode("expression"), timeZone: try row.decode("time_zone"),
                lastDue: try row.decode("last_due"), nextDue: try row.decode("next_due"))
        }
    }

    private static func replicas(_ transaction: Transaction, at now: Date) throws -> [StatusReport.Replica] {
        try transaction.query(
            "SELECT service, host, process, started_at, heartbeat_at FROM shared.replica_states()"
        ).map { row in
            let heartbeat: Date = try row.decode("heartbeat_at")
            return StatusReport.Replica(
                service: try row.decode("service"), host: try row.decode("host"), process: try row.decode("process"),
                startedAt: try row.decode("started_at"), heartbeatAt: heartbeat,
                alive: now.timeIntervalSince(heartbeat) <= StatusAttention.deadAfterSeconds)
        }
    }

    private static func breakers(_ transaction: Transaction) throws -> [StatusReport.Breaker] {
        try transaction.query(
            "SELECT account, failures, opened_at, probe_at, reason FROM shared.breaker_states()"
        ).map { row in
            StatusReport.Breaker(
                account: try row.decode("account"), failures: try row.decode("failures"),
                openedAt: try row.decode("opened_at"), probeAt: try row.decode("probe_at"),
                reason: try row.decode("reason"))
        }
    }

    private static func alerts(_ transaction: Transaction) throws -> [StatusReport.Alert] {
        try transaction.query(
            """
            SELECT condition, severity, title, what_to_do, opened_at, times FROM notifications.alerts
            WHERE cleared_at IS NULL ORDER BY opened_at
            """
        ).map { row in
            StatusReport.Alert(
                condition: try row.decode("condition"), severity: try row.decode("severity"),
                title: try row.decode("title"), whatToDo: try row.decode("what_to_do"),
                openedAt: try row.decode("opened_at"), times: try row.decode("times"))
        }
    }

    private static func outboxes(_ transaction: Transaction) throws -> [StatusReport.Outbox] {
        try ServiceName.allCases.map { service in
            let rows = try transaction.query(
                """
                SELECT count(*) AS waiting, min(created_at) AS oldest,
                    (array_agg(last_error ORDER BY position DESC) FILTER (WHERE last_error IS NOT NULL))[1] AS error
                FROM \(service.schema).outbox
                """)
            guard let row = rows.first else { return StatusReport.Outbox(service: service.rawValue, waiting: 0) }
            return StatusReport.Outbox(
                service: service.rawValue, waiting: try row.decode("waiting"), oldestAt: try row.decode("oldest"),
                lastError: try row.decode("error"))
        }
    }

    private static func mails(_ transaction: Transaction) throws -> StatusReport.Mails {
        let rows = try transaction.query(
            """
            SELECT count(*) AS unsent, min(created_at) AS oldest,
                (array_agg(last_problem ORDER BY created_at DESC) FILTER (WHERE last_problem IS NOT NULL))[1] AS problem
            FROM notifications.mails WHERE sent_at IS NULL
            """)
        guard let row = rows.first else { return StatusReport.Mails() }
        return StatusReport.Mails(
            unsent: try row.decode("unsent"), oldestAt: try row.decode("oldest"), lastProblem: try row.decode("problem")
        )
    }

    private static func unansweredCommands(_ transaction: Transaction) throws -> Int {
        let rows = try transaction.query(
            """
            SELECT count(*) AS waiting FROM shared.commands
            WHERE state = 'requested' AND requested_at < clock_timestamp() - interval '1 minute'
            """)
        return try rows.first?.decode("waiting") ?? 0
    }
}

/// The reasons and notes that stock-ingestor keeps with a snapshot: a JSON list of sentences, or of objects with one.
enum StoredReasons {
    static func sentences(in json: String) -> [String] {
        guard let value = try? ContractCoding.decode(JSONValue.self, from: Array(json.utf8)) else { return [json] }
        return (value.array ?? []).compactMap { entry in
            entry.string ?? entry.object?["text"]?.string ?? entry.object?["message"]?.string
        }
    }
}
