import Contracts
import Domain
import Foundation
import PostgreSQL
import SpreadsheetWriting

/// Writes the workbook of a batch from its entries. Memory does not grow with their number.
struct ReportWorkbook {
    let head: ReportHead
    let settings: BridgeSettings
    let transaction: Transaction

    /// - Returns: What is in it, and the checksum that stands on *Control*.
    func write(to path: String, superseded: Int) throws -> (summary: ReportSummary, checksum: String) {
        let book = try ReportWorkbookWriter(
            path: path, title: "Order report \(head.batch)", company: settings.company, createdAt: head.madeAt)
        var summary = ReportSummary()
        summary.superseded = superseded
        let rows = ReportRows(batch: head.batch, shop: head.shop, nameLimit: settings.nameLimit)
        try writeLines(rows, to: book, &summary)
        try writeChanges(rows, to: book, &summary)
        try writeHeld(to: book, &summary)
        summary.cancelledUnsent =
            try transaction.query(
                "SELECT count(*) FROM entries WHERE batch_id = $1 AND build = $2 AND place = 'counted'", key
            ).first.map { try $0.decode(at: 0) } ?? 0
        let checksum = book.checksum.text
        try book.addControlSheet(
            ControlRows.rows(head, summary, settings, checksum: checksum), ControlRows.columns)
        try book.close()
        return (summary, checksum)
    }

    private var key: [PostgresValue] { [.text(head.batch), .int(head.build)] }

    private func statement(_ row: Row, _ column: String) throws -> OrderStatement {
        try ContractCoding.decode(from: Array(try row.decode(column, as: String.self).utf8))
    }

    private func writeLines(
        _ rows: ReportRows, to book: ReportWorkbookWriter, _ summary: inout ReportSummary
    ) throws {
        let sheet = try book.addSheet("Lines", ReportRows.columns)
        try transaction.forEachRow(Self.entries(at: "lines"), key) { row in
            let said = try statement(row, "payload")
            for cells in rows.lines(said, revision: try row.decode("revision")) {
                try book.append(cells, to: sheet)
                summary.lines += 1
            }
            summary.orders += 1
            summary.units = said.erpQuantities.values.reduce(summary.units, +)
            summary.totals[said.order.currency.rawValue, default: .zero] += said.order.totals.total
        }
    }

    private func writeChanges(
        _ rows: ReportRows, to book: ReportWorkbookWriter, _ summary: inout ReportSummary
    ) throws {
        let sheet = try book.addSheet("Changes", ReportRows.columns + ReportRows.changeColumns)
        try transaction.forEachRow(Self.entries(at: "changes"), key) { row in
            let old: OrderStatement? =
                try row.decode("previous_payload", as: String?.self) == nil
                ? nil : try statement(row, "previous_payload")
            let cells = rows.changes(
                from: old, to: try statement(row, "payload"), revision: try row.decode("revision"),
                previousBatch: try row.decode("previous_batch"))
            for cells in cells { try book.append(cells, to: sheet) }
            summary.changes += 1
        }
    }

    private func writeHeld(to book: ReportWorkbookWriter, _ summary: inout ReportSummary) throws {
        let sheet = try book.addSheet("Held", HeldRows.columns)
        try transaction.forEachRow(Self.entries(at: "held"), key) { row in
            let holds: [OrderHold] = try ContractCoding.decode(
                from: Array(try row.decode("holds", as: String.self).utf8))
            let cells = HeldRows.row(
                try statement(row, "payload").order, revision: try row.decode("revision"), holds: holds,
                awaitsPayment: try row.decode("awaits_payment"), since: try row.decode("held_since"),
                previousBatch: try row.decode("previous_batch"), head)
            try book.append(cells, to: sheet)
            summary.held += 1
        }
    }

    /// The entries of one sheet, in the order in which the orders were placed.
    private static func entries(at place: String) -> String {
        """
        SELECT e.revision, e.holds, e.awaits_payment, e.held_since, s.payload, p.payload AS previous_payload,
            p.batch_id AS previous_batch
        FROM entries e
        JOIN orders o ON (o.shop, o.external_id) = (e.shop, e.external_id)
        JOIN statements s ON (s.shop, s.external_id, s.statement) = (e.shop, e.external_id, e.statement)
        LEFT JOIN statements p ON (p.shop, p.external_id, p.statement) = (e.shop, e.external_id, e.previous)
        WHERE e.batch_id = $1 AND e.build = $2 AND e.place = '\(place)'
        ORDER BY o.placed_at, e.external_id
        """
    }
}

/// Rows of *Held*: no more about a customer than the order's number.
enum HeldRows {
    static let columns: [Column] = [
        Column("order no."), Column("order id"), Column("revision", width: 9, kind: .integer),
        Column("reasons", width: 40), Column("what is wrong", width: 70),
        Column("since (local)", width: 20, kind: .dateTime), Column("placed at (local)", width: 20, kind: .dateTime),
        Column("placed at (UTC)", width: 20, kind: .dateTime), Column("order total", kind: .money(places: 2)),
        Column("currency", width: 9), Column("sent before in", width: 24),
    ]

    static func row(
        _ order: Order, revision: Int, holds: [OrderHold], awaitsPayment: Bool, since: Date?, previousBatch: String?,
        _ head: ReportHead
    ) -> [Cell] {
        func local(_ moment: Date) -> Cell {
            .dateTime(moment, offsetSeconds: head.shop.timeZone.secondsFromGMT(for: moment))
        }
        let codes = holds.map(\.code.rawValue) + (awaitsPayment ? ["awaits_payment"] : [])
        let texts = holds.map(\.text) + (awaitsPayment ? ["The customer has still to pay."] : [])
        return [
            .text(order.number), .text(order.externalID), .integer(Int64(revision)),
            .text(codes.joined(separator: ", ")), .text(texts.joined(separator: " ")), since.map(local) ?? .empty,
            local(order.placedAt), .dateTime(order.placedAt, offsetSeconds: 0),
            .decimal(order.totals.total.description), .text(order.currency.rawValue), .text(previousBatch ?? ""),
        ]
    }
}

/// Rows of *Control*.
enum ControlRows {
    static let columns = [Column("item", width: 34), Column("value", width: 70)]

    static func rows(
        _ head: ReportHead, _ summary: ReportSummary, _ settings: BridgeSettings, checksum: String
    ) -> [[Cell]] {
        func moment(_ date: Date?) -> Cell { .text(date.map { UTCTimestamp.format($0) } ?? "none") }
        func count(_ number: Int) -> Cell { .integer(Int64(number)) }
        let style: CellStyle = head.isComplete ? .good : .bad
        var rows: [[Cell]] = [
            [.text("batch"), .text(head.batch)], [.text("shop"), .text(head.shop.name.rawValue)],
            [.text("ERP"), .text(settings.erpName)], [.text("due (local)"), .text(head.localText(head.due))],
            [.text("window from (UTC, included)"), moment(head.windowFrom)],
            [.text("window to (UTC, not included)"), moment(head.due)],
            [.text("orders known up to (UTC)"), moment(head.completeUpTo)],
            [.text("completeness"), .text(head.completeness, style: style)],
            [.text("orders on Lines"), count(summary.orders)], [.text("rows on Lines"), count(summary.lines)],
            [.text("ERP units on Lines"), .decimal(summary.units.description)],
            [.text("orders on Changes"), count(summary.changes)], [.text("orders on Held"), count(summary.held)],
            [.text("cancelled before they were sent"), count(summary.cancelledUnsent)],
            [.text("revisions superseded"), count(summary.superseded)],
        ]
        for (currency, total) in summary.totals.sorted(by: { $0.key < $1.key }) {
            rows.append([.text("total \(currency)"), .decimal(total.description)])
        }
        return rows + [
            [.text("previous batch"), .text(head.previousBatch ?? "none")], [.text("checksum"), .text(checksum)],
            [.text("made at (UTC)"), moment(head.madeAt)],
        ]
    }
}
