import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit

/// Does what time brings about: shops that are waited for no longer, verdicts that are ripe, reports, and tidying up.
struct Keeper: Sendable {
    private static let tidyEverySeconds: Double = 60
    /// After so many failures in a row somebody is told.
    private static let alertAfterFailures = 3

    let parts: ServiceParts
    let settings: ReconcilerSettings
    let conductor: Conductor
    let verdicts: Verdicts

    func run() async {
        var tidiedAt = ContinuousClock.now - .seconds(Self.tidyEverySeconds)
        while !parts.stop.isStopping {
            do {
                try await wake()
                while try await reportOnce() {}
                if ContinuousClock.now - tidiedAt > .seconds(Self.tidyEverySeconds) {
                    try await Retention.tidy(parts.database)
                    tidiedAt = ContinuousClock.now
                }
            } catch {
                parts.logger.warning("runs not looked at, trying again", metadata: ["problem": "\(error)"])
            }
            await parts.stop.sleep(for: .milliseconds(500))
        }
    }

    // MARK: Timers

    private func wake() async throws {
        let (conductor, verdicts, settings) = (conductor, verdicts, settings)
        try await parts.database.unitOfWork { work in
            let now = work.startedAt
            for shop in try RunStore.due([.asked], at: now, in: work.transaction) {
                try conductor.readAgain(shop, in: work)
            }
            for shop in try Self.settling(in: work.transaction) {
                let isOver = shop.waitUntil <= now
                guard try isOver || verdicts.hasSettled(shop.shop, in: work.transaction) else { continue }
                try verdicts.finish(shop.shop, in: work)
            }
            try Self.askForLate(conductor, settings, at: now, in: work)
            try Self.markReports(at: now, in: work.transaction)
        }
    }

    private static func settling(in transaction: Transaction) throws -> [(shop: RunShop, waitUntil: Date)] {
        let rows = try transaction.query(
            """
            SELECT s.run, s.shop, s.wait_until FROM run_shops s JOIN runs r ON r.id = s.run
            WHERE r.state = 'open' AND s.state = 'settling' ORDER BY s.run, s.position FOR UPDATE OF s SKIP LOCKED
            """, [])
        return try rows.compactMap { row in
            let shop = try RunStore.shop(
                ShopName(rawValue: try row.decode(at: 1)), of: try row.decode(at: 0), in: transaction)
            return try shop.map { ($0, try row.decode(at: 2, as: Date?.self) ?? .distantPast) }
        }
    }

    /// A shop that has not published by the deadline is stated on request, once.
    private static func askForLate(
        _ conductor: Conductor, _ settings: ReconcilerSettings, at now: Date, in work: UnitOfWork
    ) throws {
        let rows = try work.transaction.query(
            """
            SELECT s.run, s.shop FROM run_shops s JOIN runs r ON r.id = s.run
            WHERE r.state = 'open' AND r.cause LIKE 'snapshot %' AND r.deadline_at <= $1
            AND s.state = 'waiting' AND s.request IS NULL
            ORDER BY s.run, s.position FOR UPDATE OF s SKIP LOCKED
            """, [.timestamp(now)])
        for row in rows {
            let shop = ShopName(rawValue: try row.decode(at: 1))
            guard settings.shop(shop) != nil else { continue }
            try conductor.ask(shop, run: try row.decode(at: 0), in: work)
        }
    }

    private static func markReports(at now: Date, in transaction: Transaction) throws {
        // A shop that could not be compared may still be before the mail is due, as when it is let out of shadow: the
        // day's mail waits for it until then.
        try transaction.execute(
            """
            UPDATE runs r SET report_due = 'settled' WHERE state = 'open' AND report_due IS NULL AND cause <> 'mail'
            AND NOT EXISTS (
                SELECT 1 FROM run_shops s WHERE s.run = r.id AND s.state <> 'done'
                AND (s.state <> 'skipped' OR r.cause LIKE 'snapshot %'))
            """, [])
        // Nobody waits for an operator's run for ever.
        try transaction.execute(
            """
            UPDATE runs SET report_due = 'time'
            WHERE state = 'open' AND report_due IS NULL AND cause LIKE 'command %' AND deadline_at <= $1
            """, [.timestamp(now)])
    }

    // MARK: Reports

    /// Makes one report that is due; false if none is. The run's row is locked meanwhile, so that one replica makes it,
    /// and everything becomes true in one transaction.
    private func reportOnce() async throws -> Bool {
        let (settings, logger) = (settings, parts.logger)
        let due = try await parts.database.pool.query(
            """
            SELECT id FROM runs WHERE report_due IS NOT NULL AND state <> 'superseded'
            AND (report_not_before IS NULL OR report_not_before <= $1) ORDER BY opened_at LIMIT 1
            """, [.timestamp(parts.clock.now())])
        guard let row = due.first else { return false }
        let run = try row.decode(at: 0, as: UUID.self)
        do {
            let outcome = try await parts.database.unitOfWork { work in
                try ReportMaker(settings: settings).make(run, in: work)
            }
            guard let outcome else { return false }
            logger.notice("reconciliation reported", metadata: ["run": "\(run)", "outcome": "\(outcome)"])
            return true
        } catch {
            try await postpone(run, because: error)
            return false
        }
    }

    private func postpone(_ run: UUID, because error: any Error) async throws {
        parts.logger.error("reconciliation not reported", metadata: ["run": "\(run)", "problem": "\(error)"])
        let sentence = "\(error)"
        try await parts.database.unitOfWork { work in
            let rows = try work.transaction.query(
                """
                UPDATE runs SET report_failures = report_failures + 1,
                    report_not_before = $2::timestamptz + make_interval(secs => least(60, 2 ^ report_failures))
                WHERE id = $1 RETURNING report_failures
                """, [.uuid(run), .timestamp(work.startedAt)])
            guard let row = rows.first, try row.decode(at: 0, as: Int.self) == Self.alertAfterFailures else { return }
            let alert = AlertRaised(
                condition: "reconciliation-report", service: .reconciler, severity: .critical,
                title: "The reconciliation's report cannot be made", text: sentence,
                whatToDo: "Make room on the disk of temporary files; it is tried again every minute.",
                raisedAt: work.startedAt)
            try work.emit(
                Event(
                    alert, subject: "reconciler", correlation: run.uuidString.lowercased(), occurredAt: work.startedAt))
        }
    }
}

/// What is no longer needed leaves.
enum Retention {
    /// A run `r` whose numbers may be written into a workbook yet: it is open, or a shop that was skipped may follow.
    private static let isNeeded = """
        (r.state = 'open' OR r.report_due IS NOT NULL OR r.state = 'closed' AND r.opened_at >= $1::timestamptz
            AND EXISTS (SELECT 1 FROM run_shops k WHERE k.run = r.id AND k.state = 'skipped'))
        """

    static func tidy(_ database: ServiceDatabase) async throws {
        try await database.unitOfWork { work in
            let transaction = work.transaction
            func days(_ count: Double) -> PostgresValue {
                .timestamp(work.startedAt.addingTimeInterval(-count * 86_400))
            }
            // One replica at a time is enough.
            let lock = try transaction.query(
                "SELECT pg_try_advisory_xact_lock(hashtext('reconciliation tidying'))", [])
            guard let row = lock.first, try row.decode(at: 0, as: Bool.self) else { return }
            let rows = try transaction.query(
                """
                SELECT s.reading FROM run_shops s JOIN runs r ON r.id = s.run
                WHERE s.reading IS NOT NULL AND NOT \(isNeeded)
                """, [days(0.8)])
            let readings = try rows.map { try $0.decode(at: 0, as: UUID.self) }
            if !readings.isEmpty {
                try transaction.execute("DELETE FROM readings WHERE reading = ANY ($1)", [.uuidArray(readings)])
                try transaction.execute(
                    "UPDATE run_shops SET reading = NULL WHERE reading = ANY ($1)", [.uuidArray(readings)])
            }
            try dropStatements(before: [days(0.8), days(2)], in: transaction)
            for statement in [
                "DELETE FROM differences d USING runs r WHERE r.id = d.run AND r.opened_at < $1",
                "DELETE FROM order_findings f USING runs r WHERE r.id = f.run AND r.opened_at < $1",
            ] { try transaction.execute(statement, [days(30)]) }
            try transaction.execute("DELETE FROM runs WHERE opened_at < $1", [days(90)])
            try transaction.execute(
                """
                DELETE FROM orders WHERE (shop, external_id) IN (
                    SELECT shop, external_id FROM orders WHERE placed_at < $1 AND updated_at < $1 LIMIT 2000)
                """, [days(45)])
            try transaction.execute("DELETE FROM reported_orders WHERE sent_at < $1", [days(45)])
        }
    }

    /// Statements that a newer one of their shop has replaced, answers that were used, and parts that never became
    /// whole; none that an open run needs.
    private static func dropStatements(before limits: [PostgresValue], in transaction: Transaction) throws {
        let rows = try transaction.query(
            """
            SELECT number FROM statements t
            WHERE NOT EXISTS (
                SELECT 1 FROM run_shops s JOIN runs r ON r.id = s.run
                WHERE (s.statement = t.number OR s.fresh_statement = t.number OR s.request = t.request)
                AND \(isNeeded))
            AND (t.taken_at < $2::timestamptz AND NOT t.is_complete
                OR t.is_complete AND (NOT t.is_whole OR EXISTS (
                    SELECT 1 FROM statements n
                    WHERE n.shop = t.shop AND n.is_whole AND n.is_complete AND n.number > t.number)))
            ORDER BY number LIMIT 20
            """, limits)
        let numbers = try rows.map { try $0.decode(at: 0, as: Int64.self) }
        guard !numbers.isEmpty else { return }
        try transaction.execute(
            "DELETE FROM statement_listings WHERE statement = ANY ($1)", [.integerArray(numbers)])
        try transaction.execute("DELETE FROM statements WHERE number = ANY ($1)", [.integerArray(numbers)])
    }
}
