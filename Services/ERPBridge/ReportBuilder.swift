import Contracts
import Crypto
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Builds a batch in one transaction: chooses the orders, gives every revision its fate, writes the workbook and
/// stores it.
struct ReportBuilder: Sendable {
    let settings: BridgeSettings

    /// ``ReportSelection/place(of:)`` for the row `o` of orders that is open.
    static let place = """
        CASE WHEN o.carried IS NULL AND (o.withdrawn OR o.cancelled) THEN 'counted'
            WHEN o.carried >= o.statement THEN NULL
            WHEN o.carried IS NOT NULL AND o.cancelled THEN 'changes'
            WHEN o.held OR o.awaits_payment THEN 'held'
            WHEN o.carried IS NULL OR o.repeats THEN 'lines'
            ELSE 'changes' END
        """

    /// The report's row is locked, and its state is `ready`.
    func build(_ report: ReportRow, in work: UnitOfWork) throws {
        guard let shop = settings.shops[report.shop] else { return }
        let head = try head(of: report, shop, in: work)
        let superseded = try select(head, in: work.transaction)
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("report-\(UUID().uuidString.lowercased())", isDirectory: true)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // Only a copy of what is stored; a folder that stays costs room, not correctness.
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("report.xlsx").path
        let (summary, checksum) = try ReportWorkbook(head: head, settings: settings, transaction: work.transaction)
            .write(to: path, superseded: superseded)
        let content = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let (fileID, name) = (UUID(), "\(settings.erpName)-orders-\(head.batch).xlsx")
        let digest = SHA256.hash(data: content).hexadecimal
        try work.storeFile(id: fileID, service: .erpBridge, name: name, digest: digest, content: content)
        try record(head, summary, fileID: fileID, name: name, digest: digest, checksum: checksum, in: work)
        try tell(head, in: work)
    }

    private func head(
        of report: ReportRow, _ shop: BridgeSettings.Shop, in work: UnitOfWork
    ) throws -> ReportHead {
        let previous = try work.transaction.query(
            """
            SELECT id, due FROM reports WHERE shop = $1 AND due < $2 AND file_id IS NOT NULL
            ORDER BY due DESC LIMIT 1
            """, [.text(shop.name.rawValue), .timestamp(report.due)]
        ).first
        let feed = try work.transaction.query(
            "SELECT complete_up_to FROM feeds WHERE shop = $1", [.text(shop.name.rawValue)]
        ).first
        return ReportHead(
            batch: report.id, build: report.build + 1, shop: shop, due: report.due, madeAt: work.startedAt,
            previousBatch: try previous?.decode("id"), windowFrom: try previous?.decode("due"),
            completeUpTo: try feed?.decode("complete_up_to"))
    }

    /// Chooses the orders and marks what they carry.
    ///
    /// - Returns: How many revisions are superseded by it.
    private func select(_ head: ReportHead, in transaction: Transaction) throws -> Int {
        let key: [PostgresValue] = [.text(head.batch), .int(head.build)]
        // Locks in key order, as the ledger does.
        try transaction.execute(
            """
            INSERT INTO entries (batch_id, build, shop, external_id, place, statement, revision, state_version,
                previous, repeats, awaits_payment, holds, held_since)
            SELECT $1, $2, c.* FROM (
                SELECT o.shop, o.external_id, \(Self.place) AS place, o.statement, o.revision, o.state_version,
                    o.carried, o.repeats, o.awaits_payment, o.holds, o.held_since
                FROM orders o WHERE o.shop = $3 AND o.open ORDER BY o.shop, o.external_id FOR UPDATE) c
            WHERE c.place IS NOT NULL
            """, key + [.text(head.shop.name.rawValue)])
        try transaction.execute(Self.marking("batch_id", "e.place IN ('lines', 'changes')", "="), key)
        try transaction.execute(Self.marking("counted_by", "e.place = 'counted'", "="), key)
        let superseded = try transaction.execute(Self.marking("superseded_by", "e.place <> 'held'", "<"), key)
        try transaction.execute(
            """
            UPDATE orders o SET carried = CASE WHEN e.place = 'counted' THEN o.carried ELSE e.statement END,
                repeats = false, open = false
            FROM entries e WHERE e.batch_id = $1 AND e.build = $2 AND e.place <> 'held'
                AND (o.shop, o.external_id) = (e.shop, e.external_id)
            """, key)
        return superseded
    }

    private static func marking(_ column: String, _ place: String, _ comparison: String) -> String {
        """
        UPDATE statements s SET \(column) = $1
        FROM entries e WHERE e.batch_id = $1 AND e.build = $2 AND \(place)
            AND (s.shop, s.external_id) = (e.shop, e.external_id) AND s.statement \(comparison) e.statement
            AND num_nonnulls(s.batch_id, s.superseded_by, s.counted_by) = 0
        """
    }

    private func record(
        _ head: ReportHead, _ summary: ReportSummary, fileID: UUID, name: String, digest: String, checksum: String,
        in work: UnitOfWork
    ) throws {
        let totals = String(decoding: try ContractCoding.encode(summary.totals), as: UTF8.self)
        try work.transaction.execute(
            """
            UPDATE reports SET state = 'built', build = $2, file_id = $3, file_name = $4, digest = $5, checksum = $6,
                built_at = $7, previous_batch = $8, window_from = $9, feed_complete_up_to = $10,
                feed_is_complete = $11, orders = $12, lines = $13, changes = $14, held = $15, cancelled_unsent = $16,
                superseded = $17, units = $18::text::numeric, totals = $19, message_id = $20
            WHERE id = $1
            """,
            [
                .text(head.batch), .int(head.build), .uuid(fileID), .text(name), .text(digest), .text(checksum),
                .timestamp(head.madeAt), .maybe(head.previousBatch) { .text($0) },
                .maybe(head.windowFrom) { .timestamp($0) }, .maybe(head.completeUpTo) { .timestamp($0) },
                .boolean(head.isComplete), .int(summary.orders), .int(summary.lines), .int(summary.changes),
                .int(summary.held), .int(summary.cancelledUnsent), .int(summary.superseded),
                .text(summary.units.description), .text(totals),
                .text(BatchName.messageID(batch: head.batch, repetition: 0, sender: settings.sender)),
            ])
    }

    /// Tells people of a report that cannot be complete, and of one that is again.
    private func tell(_ head: ReportHead, in work: UnitOfWork) throws {
        let shop = head.shop.name
        if head.isComplete {
            return try ReportAlerts.clear(
                [.incomplete], shop: shop, text: "Report \(head.batch) is complete up to its due time.",
                batch: head.batch, in: work)
        }
        try ReportAlerts.raise(
            .incomplete, shop: shop, severity: .critical, title: "Order report of shop \(shop) is not complete",
            text: """
                \(head.completeness) Report \(head.batch) was made all the same after its wait, and says so on Control \
                and in its mail.
                """,
            whatToDo: """
                Look at why the shop's orders cannot be collected. What is missing stands in the next report by \
                itself; 'stockbridge run report --shop \(shop)' makes one earlier.
                """, batch: head.batch, in: work)
    }
}
