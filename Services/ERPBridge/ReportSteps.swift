import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import Transfer

/// Takes a report one step further in the tables; what the handler does next is the answer.
struct ReportSteps: Sendable {
    enum Next: Sendable {
        /// There is nothing to do: it is sent, or waits for something else.
        case nothing
        /// Another replica has it in hand.
        case busy
        /// It went a step; look again.
        case again
        /// Its sending is recorded; mail it.
        case send(ReportMail)
        /// There is no such report.
        case unknown
    }

    let settings: BridgeSettings
    let builder: ReportBuilder
    /// While one replica waits for the mail server no other one mails the same report; after a crash another one may.
    static let leaseSeconds = 90
    /// An order that changed after the build voids it so often; a cancelled one always does.
    static let maximumBuilds = 4

    func next(of batch: String, in work: UnitOfWork) throws -> Next {
        guard let report = try ReportRow.lock(batch, in: work.transaction) else { return .unknown }
        switch report.state {
        case "ready":
            guard settings.shops[report.shop] != nil else {
                try fail(report, "The configuration no longer has the shop \(report.shop).", in: work)
                return .nothing
            }
            try builder.build(report, in: work)
            return .again
        case "built", "sending":
            if report.isLeased { return .busy }
            if settings.mailbox.isEmpty {
                try store(report, in: work)
                return .nothing
            }
            if report.attempts == 0, !report.wasStored, let reason = try staleness(of: report, in: work) {
                try void(report, because: reason, in: work)
                return .again
            }
            return .send(try beginSending(report, in: work))
        default:
            return .nothing
        }
    }

    /// Why a batch that never went out must not go out as it is; nil if it may (domain.md: a cancelled order is checked
    /// again at the moment of sending).
    private func staleness(of report: ReportRow, in work: UnitOfWork) throws -> String? {
        let rows = try work.transaction.query(
            """
            SELECT o.external_id, o.withdrawn OR o.cancelled AS ended
            FROM entries e JOIN orders o ON (o.shop, o.external_id) = (e.shop, e.external_id)
            WHERE e.batch_id = $1 AND e.build = $2 AND e.place IN ('lines', 'changes')
                AND (o.statement <> e.statement OR (o.held OR o.awaits_payment) AND NOT o.cancelled)
            ORDER BY 2 DESC, 1 LIMIT 1
            """, [.text(report.id), .int(report.build)])
        guard let row = rows.first else { return nil }
        let (id, hasEnded) = (try row.decode("external_id", as: String.self), try row.decode("ended", as: Bool.self))
        if hasEnded { return "order \(report.shop):\(id) was cancelled after the build" }
        return report.build < Self.maximumBuilds ? "order \(report.shop):\(id) changed after the build" : nil
    }

    /// Takes back what a build that never went out had marked, so that the next build chooses anew.
    private func void(_ report: ReportRow, because reason: String, in work: UnitOfWork) throws {
        let key: [PostgresValue] = [.text(report.id), .int(report.build)]
        try work.transaction.execute(
            """
            INSERT INTO voided_builds (batch_id, build, file_id, digest, built_at, voided_at, reason)
            SELECT id, build, file_id, digest, built_at, $3, $4 FROM reports WHERE id = $1 AND build = $2
            """, key + [.timestamp(work.startedAt), .text(reason)])
        // Locks in key order, as the ledger does.
        try work.transaction.execute(
            """
            WITH locked AS (
                SELECT o.shop, o.external_id FROM orders o JOIN entries e USING (shop, external_id)
                WHERE e.batch_id = $1 AND e.build = $2 AND e.place <> 'held'
                ORDER BY o.shop, o.external_id FOR UPDATE OF o)
            UPDATE orders o SET carried = e.previous, repeats = o.repeats OR e.repeats, open = true
            FROM entries e, locked l
            WHERE e.batch_id = $1 AND e.build = $2 AND e.place <> 'held'
                AND (o.shop, o.external_id) = (e.shop, e.external_id)
                AND (l.shop, l.external_id) = (e.shop, e.external_id)
            """, key)
        for column in ["batch_id", "superseded_by", "counted_by"] {
            try work.transaction.execute(
                "UPDATE statements SET \(column) = NULL WHERE \(column) = $1", [.text(report.id)])
        }
        try work.transaction.execute(
            "UPDATE reports SET state = 'ready', file_id = NULL, last_problem = $2 WHERE id = $1",
            [.text(report.id), .text("Build \(report.build) was voided: \(reason).")])
    }

    private func beginSending(_ report: ReportRow, in work: UnitOfWork) throws -> ReportMail {
        try work.transaction.execute(
            """
            UPDATE reports SET state = 'sending', sending_at = $2, asked_at = $2, attempts = attempts + 1,
                first_sending_at = coalesce(first_sending_at, $2),
                lease_until = clock_timestamp() + make_interval(secs => \(Self.leaseSeconds))
            WHERE id = $1
            """, [.text(report.id), .timestamp(work.startedAt)])
        return try ReportMail.read(
            report.id, messageID: nil, repetition: 0, settings: settings, date: work.startedAt, in: work.transaction)
    }

    /// Without a mailbox a report is made and kept; it goes out once there is one.
    private func store(_ report: ReportRow, in work: UnitOfWork) throws {
        try work.transaction.execute(
            "UPDATE reports SET state = 'stored', stored_at = coalesce(stored_at, $2) WHERE id = $1",
            [.text(report.id), .timestamp(work.startedAt)])
        try ReportAlerts.raise(
            .noMailbox, shop: report.shop, severity: .warning,
            title: "Order reports of shop \(report.shop) are not sent",
            text: """
                Report \(report.id) was made and kept, but the configuration names no mailbox of the ERP, so that it \
                was not sent.
                """,
            whatToDo: """
                Set erp.mailbox and restart erp-bridge; what is kept goes out with the next report, or at once with \
                'stockbridge report resend \(report.id)'.
                """, batch: report.id, in: work)
    }

    /// The report cannot go out as it is; people are told.
    func fail(_ report: ReportRow, _ problem: String, in work: UnitOfWork) throws {
        try work.transaction.execute(
            "UPDATE reports SET state = 'failed', lease_until = NULL, last_problem = $2 WHERE id = $1",
            [.text(report.id), .text(problem)])
        try ReportAlerts.raise(
            .refused, shop: report.shop, severity: .critical,
            title: "Order report \(report.id) could not be sent",
            text: "Report \(report.id) of shop \(report.shop) is made and kept, but did not go out: \(problem)",
            whatToDo: """
                Check erp.mailbox and the mail server. It is tried again when the next report is due, or at once with \
                'stockbridge report resend \(report.id)'.
                """, batch: report.id, in: work)
    }
}
