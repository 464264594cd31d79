import Contracts
import Domain
import Foundation
import PostgreSQL
import Transfer

/// The mail that carries a report to the ERP.
struct ReportMail: Sendable {
    var batch: String
    var shop: ShopName
    var message: MailMessage

    /// The mail of a report that is built.
    ///
    /// - Parameters:
    ///   - messageID: That of a repetition; nil for the first mail, which has its own in the table.
    ///   - repetition: Counts the times that it was mailed again; 0 is the first mail.
    static func read(
        _ batch: String, messageID: String?, repetition: Int, settings: BridgeSettings, date: Date,
        in transaction: Transaction
    ) throws -> ReportMail {
        let rows = try transaction.query(
            """
            SELECT r.shop, r.due, r.message_id, r.file_name, r.orders, r.lines, r.changes, r.held, r.totals,
                r.feed_complete_up_to, r.previous_batch, r.window_from, r.checksum, r.build, r.built_at, f.content
            FROM reports r CROSS JOIN LATERAL shared.read_file(r.file_id) f WHERE r.id = $1
            """, [.text(batch)])
        guard let row = rows.first, let shop = settings.shops[ShopName(rawValue: try row.decode("shop"))] else {
            throw ReportProblem.fileMissing(batch: batch)
        }
        var summary = ReportSummary()
        summary.orders = try row.decode("orders")
        summary.lines = try row.decode("lines")
        summary.changes = try row.decode("changes")
        summary.held = try row.decode("held")
        summary.totals = try ContractCoding.decode(from: Array(try row.decode("totals", as: String.self).utf8))
        let head = ReportHead(
            batch: batch, build: try row.decode("build"), shop: shop, due: try row.decode("due"),
            madeAt: try row.decode("built_at"), previousBatch: try row.decode("previous_batch"),
            windowFrom: try row.decode("window_from"), completeUpTo: try row.decode("feed_complete_up_to"))
        let attachment = MailMessage.Attachment(
            filename: try row.decode("file_name"),
            contentType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            bytes: try row.decode("content"))
        let message = MailMessage(
            from: settings.sender, to: settings.mailbox,
            subject: subject(head, summary, isRepetition: repetition > 0),
            messageID: try messageID ?? row.decode("message_id"), date: date,
            text: text(
                head, summary, settings, checksum: try row.decode("checksum"), isRepetition: repetition > 0),
            attachments: [attachment],
            headers: [
                .init("X-Stockbridge-Batch", batch), .init("X-Stockbridge-Repetition", "\(repetition)"),
            ])
        return ReportMail(batch: batch, shop: shop.name, message: message)
    }

    private static func subject(_ head: ReportHead, _ summary: ReportSummary, isRepetition: Bool) -> String {
        let what =
            summary.orders + summary.changes == 0 && head.isComplete
            ? "nothing new" : "\(summary.orders) orders, \(summary.changes) changes"
        return "Orders \(head.batch): \(what)" + (head.isComplete ? "" : " (NOT COMPLETE)")
            + (isRepetition ? " (sent again)" : "")
    }

    private static func text(
        _ head: ReportHead, _ summary: ReportSummary, _ settings: BridgeSettings, checksum: String, isRepetition: Bool
    ) -> String {
        """
        Orders of shop \(head.shop.name) of \(settings.company), batch \(head.batch), due \(head.localText(head.due)).
        \(isRepetition ? "Sent again: the same file under the same batch id. Do not enter it twice.\n" : "")
        \(head.completeness)

        Lines: \(summary.orders) orders in \(summary.lines) rows, \(summary.totalsText)
        Changes: \(summary.changes) orders
        Held: \(summary.held) orders
        Previous batch: \(head.previousBatch ?? "none")
        Checksum: \(checksum)

        """
    }
}

/// What keeps a report from going out, besides the mail server.
enum ReportProblem: Error, CustomStringConvertible {
    case fileMissing(batch: String)

    var description: String {
        switch self {
        case .fileMissing(let batch):
            "The stored file of report \(batch), or its shop in the configuration, is missing; nothing was sent. "
                + "Restore it from a backup, or enter the orders by hand."
        }
    }
}
