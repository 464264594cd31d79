import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// The steps that bring a restored database back in step, in one transaction. Everything in it is of one moment, since
/// a backup is; what has to be put right is what the world learnt after that moment, and what was in the broker then.
struct RestoreSteps: Sendable {
    let files: [ReportFile]
    let configuration: StockbridgeConfiguration
    let acceptsGaps: Bool
    let operatorName: String
    let reason: String

    /// Marks the shops that this command has put into shadow.
    private static let mark = "after-restore"

    /// The administrator's statements may take as long as they need, but nobody waits for ever for somebody's lock.
    private static let lockSeconds = 10

    func run(in work: UnitOfWork) throws -> RestoreReport {
        let transaction = work.transaction
        try transaction.execute("SET LOCAL lock_timeout = '\(Self.lockSeconds)s'")
        try refuseWhileServicesRun(transaction)
        var report = RestoreReport(dryRun: false)
        report.restoredTo = try newestMoment(transaction)
        try forgetMessagesInHand(transaction, &report)
        try forgetWhoWorked(transaction, &report, at: work.startedAt)
        try shadowShops(transaction, &report, at: work.startedAt)
        try distrustShelves(transaction, &report, at: work.startedAt)
        let reports = RestoredReports(steps: self)
        report.reportsSaidAgain = try reports.sayAgain(before: report.restoredTo ?? work.startedAt, in: work)
        try reports.take(in: work, &report)
        try transaction.execute(
            "INSERT INTO operations.audit (id, who, what, arguments, why) VALUES ($1, $2, 'after-restore', $3, $4)",
            [
                .uuid(UUID()), .text(operatorName), .text(try JSONText.of(report)), .text(reason),
            ])
        return report
    }

    /// The newest that the database knows of, whoever ran: services that signed off before the backup left no
    /// heartbeat. A report that an earlier run of this command read back from its file is of after the backup.
    private func newestMoment(_ transaction: Transaction) throws -> Date? {
        let rows = try transaction.query(
            """
            SELECT greatest((SELECT max(heartbeat_at) FROM shared.replicas),
                (SELECT max(sent_at) FROM erp.reports WHERE answer IS DISTINCT FROM $1))
            """, [.text(RestoredReports.answer)])
        return try rows.first.flatMap { try $0.decode(at: 0, as: Date?.self) }
    }

    private func refuseWhileServicesRun(_ transaction: Transaction) throws {
        let roles = ServiceName.allCases.filter { $0 != .stockbridge }.map(\.role)
        let rows = try transaction.query(
            """
            SELECT DISTINCT usename::text FROM pg_stat_activity
            WHERE datname = current_database() AND usename = ANY ($1::text[]) ORDER BY 1
            """, [.textArray(roles)])
        let running = try rows.map { try $0.decode(at: 0, as: String.self).replacing("_", with: "-") }
        guard running.isEmpty else {
            throw ToolError.failed(
                "\(running.joined(separator: ", ")) works on this database: stop all services first. Nothing was "
                    + "changed.")
        }
    }

    // MARK: - What was on its way

    /// Messages that a service had begun with are no longer in the broker; what they were about is asked for again.
    private func forgetMessagesInHand(_ transaction: Transaction, _ report: inout RestoreReport) throws {
        for service in ServiceName.allCases {
            report.messagesForgotten += try transaction.execute(
                "DELETE FROM \(service.schema).inbox WHERE NOT done")
        }
        report.commandsLost = try transaction.execute(
            """
            UPDATE shared.commands SET state = 'failed', answered_at = clock_timestamp(),
                answer = '{"message":"The database was restored before this was carried out; ask again if it matters."}'
            WHERE state = 'requested'
            """)
        report.lettersWaitingAgain = try transaction.execute(
            "UPDATE dead_letters.letters SET state = 'waiting', job = NULL WHERE state = 'replaying'")
    }

    /// Leases, looks and runs of processes that do not exist any more.
    private func forgetWhoWorked(_ transaction: Transaction, _ report: inout RestoreReport, at now: Date) throws {
        try transaction.execute("DELETE FROM shared.replicas")
        try transaction.execute("DELETE FROM orders.leases")
        try transaction.execute("DELETE FROM orders.pass_requests")
        try transaction.execute("UPDATE orders.feeds SET pass_asked_at = NULL, next_pass_at = '-infinity'")
        try transaction.execute("UPDATE stock.pickups SET state = 'superseded' WHERE state = 'looking'")
        try transaction.execute(
            "UPDATE reconciliation.runs SET state = 'superseded', closed_at = $1 WHERE state = 'open'",
            [.timestamp(now)])
        try transaction.execute(
            """
            UPDATE dead_letters.job_items SET state = 'withdrawn', detail = 'The database was restored meanwhile.'
            WHERE state IN ('requested', 'published') AND job IN (
                SELECT id FROM dead_letters.jobs WHERE state IN ('running', 'paused', 'stopped'))
            """)
        try transaction.execute(
            """
            UPDATE dead_letters.jobs SET state = 'cancelled', ended_at = $1, lease_until = NULL,
                state_reason = 'The database was restored meanwhile.'
            WHERE state IN ('running', 'paused', 'stopped')
            """, [.timestamp(now)])
    }

    // MARK: - Shelves

    /// Nothing is written before the newest file and the newest orders are known again.
    private func shadowShops(_ transaction: Transaction, _ report: inout RestoreReport, at now: Date) throws {
        try transaction.execute(
            """
            UPDATE publishing.shops SET shadow = true, shadow_changed_by = $1, shadow_changed_at = $2 WHERE NOT shadow
            """, [.text(Self.mark), .timestamp(now)])
        let rows = try transaction.query(
            "SELECT shop FROM publishing.shops WHERE shadow AND shadow_changed_by = $1 ORDER BY shop",
            [.text(Self.mark)])
        report.shopsInShadow = try rows.map { try $0.decode(at: 0) }
    }

    /// What the shops have was written by versions that are forgotten here: each shelf is read before its next write,
    /// not before a request of a process that ended could still take effect; and nothing is raised before every order
    /// feed has got beyond this moment.
    private func distrustShelves(_ transaction: Transaction, _ report: inout RestoreReport, at now: Date) throws {
        let timeouts = configuration.shops.map(\.limits.requestTimeoutSeconds)
        let until = now.addingTimeInterval((timeouts.max() ?? 30) + 5)
        report.shelvesToRead = try transaction.execute(
            """
            UPDATE publishing.shelves SET claim = NULL, expected_at_shop = NULL, known_from = NULL, known_to = NULL,
                read_back_required = true, unknown_until = $1, wake_at = $1, requested_at = NULL,
                cause = greatest(cause, $2), increase_since = NULL,
                due = wanted IS NOT NULL AND held IS NULL AND rejected_version IS DISTINCT FROM version
            """, [.timestamp(until), .timestamp(now)])
    }
}
