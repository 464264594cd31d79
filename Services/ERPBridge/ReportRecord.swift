import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Records what became of a mail, and tells everybody.
struct ReportRecord: Sendable {
    let batch: String
    let steps: ReportSteps
    /// So many attempts in a row that came to nothing before people are told.
    static let quietAttempts = 3

    /// The ERP's mail server took it: `order.reported` and `report.ready` leave with the record of it.
    func sent(_ answer: String, in work: UnitOfWork) throws {
        guard let report = try ReportRow.lock(batch, in: work.transaction), report.state == "sending" else { return }
        let now = work.startedAt
        try work.transaction.execute(
            """
            UPDATE reports SET state = 'sent', sent_at = $2, answer = $3, lease_until = NULL, last_problem = NULL
            WHERE id = $1
            """, [.text(batch), .timestamp(now), .text(answer)])
        try emitReported(report, at: now, in: work)
        try emitReady(sentAt: now, isRepetition: false, in: work)
        try ReportAlerts.clear(
            [.delayed, .refused, .noMailbox], shop: report.shop, text: "Report \(batch) was sent.", batch: batch,
            in: work)
    }

    /// The batch went out once more.
    func resent(_ number: Int, _ answer: String, in work: UnitOfWork) throws {
        let updated = try work.transaction.execute(
            """
            UPDATE resendings SET sent_at = $3, answer = $4, last_problem = NULL
            WHERE batch_id = $1 AND number = $2 AND sent_at IS NULL
            """, [.text(batch), .int(number), .timestamp(work.startedAt), .text(answer)])
        guard updated == 1 else { return }
        try emitReady(sentAt: work.startedAt, isRepetition: true, in: work)
    }

    func notSent(_ trouble: SendingTrouble, in work: UnitOfWork) throws {
        guard let report = try ReportRow.lock(batch, in: work.transaction), report.state == "sending" else { return }
        if trouble.isPermanent { return try steps.fail(report, trouble.sentence, in: work) }
        try work.transaction.execute(
            "UPDATE reports SET lease_until = NULL, last_problem = $2 WHERE id = $1",
            [.text(batch), .text(trouble.sentence)])
        guard report.attempts >= Self.quietAttempts else { return }
        try ReportAlerts.raise(
            .delayed, shop: report.shop, severity: .critical,
            title: "Order report \(batch) waits for the mail server",
            text: "Report \(batch) was tried \(report.attempts) times and did not go out: \(trouble.sentence)",
            whatToDo: "Look at the mail server. The report goes out by itself once it is taken.", batch: batch,
            in: work)
    }

    private func emitReported(_ report: ReportRow, at now: Date, in work: UnitOfWork) throws {
        let rows = try work.transaction.query(
            """
            SELECT count(*) FROM entries
            WHERE batch_id = $1 AND build = $2 AND place IN ('lines', 'changes')
            """, [.text(batch), .int(report.build)])
        let count: Int = try rows.first?.decode(at: 0) ?? 0
        let parts = max(1, (count + OrderReported.maximumOrders - 1) / OrderReported.maximumOrders)
        var part = 1
        var orders: [OrderReported.Entry] = []
        func emit() throws {
            let chunk = OrderReported(
                batchID: batch, shop: report.shop, sentAt: now, part: part, parts: parts, orders: orders)
            try work.emit(
                Event(chunk, subject: report.shop.rawValue, correlation: batch, occurredAt: now))
            part += 1
            orders = []
        }
        try work.transaction.forEachRow(
            """
            SELECT e.external_id, e.revision, e.state_version, s.payload
            FROM entries e JOIN statements s
                ON (s.shop, s.external_id, s.statement) = (e.shop, e.external_id, e.statement)
            WHERE e.batch_id = $1 AND e.build = $2 AND e.place IN ('lines', 'changes') ORDER BY e.external_id
            """, [.text(batch), .int(report.build)]
        ) { row in
            let said: OrderStatement = try ContractCoding.decode(
                from: Array(try row.decode("payload", as: String.self).utf8))
            orders.append(
                OrderReported.Entry(
                    externalID: try row.decode("external_id"),
                    version: OrderVersion(
                        revision: try row.decode("revision"), stateVersion: try row.decode("state_version")),
                    quantities: said.erpQuantities, isCancellation: said.isCancelled))
            if orders.count == OrderReported.maximumOrders, part < parts { try emit() }
        }
        try emit()
    }

    private func emitReady(sentAt: Date, isRepetition: Bool, in work: UnitOfWork) throws {
        let rows = try work.transaction.query(
            """
            SELECT shop, due, file_id, file_name, feed_complete_up_to, orders, lines, changes, held, totals
            FROM reports WHERE id = $1
            """, [.text(batch)])
        guard let row = rows.first else { return }
        let ready = ReportReady(
            batchID: batch, shop: ShopName(rawValue: try row.decode("shop")), dueAt: try row.decode("due"),
            sentAt: sentAt, isRepetition: isRepetition, fileID: try row.decode("file_id"),
            fileName: try row.decode("file_name"), completeUpTo: try row.decode("feed_complete_up_to"),
            orders: try row.decode("orders"), lines: try row.decode("lines"), changes: try row.decode("changes"),
            held: try row.decode("held"),
            totals: try ContractCoding.decode(from: Array(try row.decode("totals", as: String.self).utf8)))
        try work.emit(Event(ready, subject: ready.shop.rawValue, correlation: batch, occurredAt: sentAt))
    }
}
