import Contracts
import Domain
import Foundation
import PostgreSQL
import SpreadsheetWriting

/// Writes the workbook of a run, streaming the listings out of the tables: memory does not grow with them.
struct WorkbookMaker {
    let settings: ReconcilerSettings
    let data: ReportData
    let now: Date

    /// The workbook's bytes.
    func make(in transaction: Transaction) throws -> [UInt8] {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("reconciliation-\(UUID().uuidString.lowercased()).xlsx").path
        defer { try? FileManager.default.removeItem(atPath: path) }  // it is in the database by then, or worthless
        let book = try WorkbookWriter(path: path)
        book.setDocumentProperties(
            title: "Reconciliation \(data.day)", author: "Stockbridge", company: settings.company, createdAt: now)
        try writeSummary(in: book)
        let differences = try book.addSheet("Differences", columns: ReportRow.columns, autofilter: true)
        let offset = settings.timeZone.secondsFromGMT(for: now)
        for shop in data.shops where shop.isComplete {
            guard let statement = shop.statement, let reading = shop.reading else { continue }
            let sheet = try book.addSheet(
                book.freeSheetName(shop.name.rawValue), columns: ReportRow.columns, autofilter: true)
            let rows = ReportRows(run: data.run, shop: shop.name, statement: statement, reading: reading)
            try rows.forEach(in: transaction) { row in
                let cells = row.cells(offsetSeconds: offset)
                try sheet.append(cells)
                if row.category != .ok { try differences.append(cells) }
            }
        }
        try writeOrders(in: book, transaction, offset: offset)
        try book.close()
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    // MARK: Summary

    private func writeSummary(in book: WorkbookWriter) throws {
        let shown = [ReconciliationCategory.ok] + ReconciliationCategory.allCases.filter { $0 != .ok }
        var columns = [Column("Shop", width: 18), Column("State", width: 14), Column("Listed", kind: .integer)]
        columns += shown.map { Column($0.rawValue, width: 13, kind: .integer) }
        columns += [Column("Differences", kind: .integer), Column("Remark", width: 80)]
        let sheet = try book.addSheet("Summary", columns: columns)
        for shop in data.shops {
            var cells: [Cell] = [
                .text(shop.name.rawValue),
                .text(shop.isComplete ? "compared" : "missing", style: shop.isComplete ? .good : .bad),
                .integer(Int64(shop.compared)),
            ]
            cells += shown.map { .integer(Int64(shop.categories[$0.rawValue] ?? 0)) }
            cells += [
                .integer(Int64(shop.differences), style: shop.differences > 0 ? .warning : .normal),
                .text(shop.problem ?? ""),
            ]
            try sheet.append(cells)
        }
        try sheet.append(totals(shown))
        if !data.shops.isEmpty {
            let series = shown.enumerated().filter { _, category in
                data.shops.contains { ($0.categories[category.rawValue] ?? 0) > 0 }
            }.map { StackedChart.Series(column: 3 + $0.offset) }
            if !series.isEmpty {
                try book.addChart(
                    StackedChart(
                        title: "Listings by category", isHorizontal: true, categoryColumn: 0, series: series,
                        rows: 2...(data.shops.count + 1), cornerRow: data.shops.count + 8 + data.sources.count,
                        cornerColumn: 0), to: sheet)
            }
        }
        try sheet.append([])
        try sheet.appendHeading("Sources")
        for source in data.sources { try sheet.append([.text(source)]) }
        try sheet.append([.text("Made \(settings.localText(now)), times in \(settings.timeZone.identifier).")])
    }

    private func totals(_ shown: [ReconciliationCategory]) -> [Cell] {
        func sum(_ value: (ReportData.Shop) -> Int) -> Cell {
            .integer(Int64(data.shops.map(value).reduce(0, +)), style: .bold)
        }
        return [.text("All shops", style: .bold), .empty, sum(\.compared)]
            + shown.map { category in sum { $0.categories[category.rawValue] ?? 0 } } + [sum(\.differences)]
    }

    // MARK: Orders

    private func writeOrders(in book: WorkbookWriter, _ transaction: Transaction, offset: Int) throws {
        let sheet = try book.addSheet(
            "Orders",
            columns: [
                Column("Shop", width: 18), Column("From", width: 18, kind: .dateTime),
                Column("To", width: 18, kind: .dateTime), Column("Currency"), Column("In the shop", kind: .integer),
                Column("With us", kind: .integer), Column("In the ERP", kind: .integer), Column("Held", kind: .integer),
                Column("Value in the shop", width: 18, kind: .money(places: 2)),
                Column("Value with us", width: 18, kind: .money(places: 2)), Column("Remark", width: 60),
            ])
        for shop in data.shops { try writeCounts(of: shop, to: sheet, offset: offset) }
        try sheet.append([])
        try sheet.appendHeading("Orders that differ")
        try sheet.append(["Shop", "Order", "What", "Detail"].map { .text($0, style: .bold) })
        try transaction.forEachRow(
            """
            SELECT shop, external_id, kind, detail FROM order_findings WHERE run = $1 ORDER BY 1, 2, 3
            """, [.uuid(data.run)]
        ) { row in
            try sheet.append((0..<4).map { .text(try row.decode(at: $0)) })
        }
        try writeDuplicates(to: sheet, transaction)
    }

    private func writeCounts(of shop: ReportData.Shop, to sheet: SheetWriter, offset: Int) throws {
        guard let orders = shop.orders, let from = shop.ordersFrom, let to = shop.ordersTo else {
            try sheet.append(
                [.text(shop.name.rawValue)] + Array(repeating: Cell.empty, count: 9) + [.text("Not counted.")])
            return
        }
        let currencies = Set(orders.value.keys).union(shop.shopOrders?.value.keys.map { $0 } ?? []).sorted()
        for (index, currency) in (currencies.isEmpty ? [""] : currencies).enumerated() {
            let isFirst = index == 0
            func count(_ value: Int?) -> Cell { isFirst ? value.map { .integer(Int64($0)) } ?? .empty : .empty }
            func amount(_ value: Amount?) -> Cell { value.map { .decimal($0.description) } ?? .empty }
            try sheet.append([
                .text(shop.name.rawValue), .dateTime(from, offsetSeconds: offset), .dateTime(to, offsetSeconds: offset),
                .text(currency), count(orders.inShop), count(orders.inHub), count(orders.inERP), count(orders.held),
                amount(shop.shopOrders?.value[currency]), amount(orders.value[currency]),
                .text(isFirst && orders.inShop == nil ? "The shop did not say how many it has." : ""),
            ])
        }
    }

    /// The same revision of an order in two batches: it would be shipped twice.
    private func writeDuplicates(to sheet: SheetWriter, _ transaction: Transaction) throws {
        for shop in data.shops {
            guard let from = shop.ordersFrom else { continue }
            try transaction.forEachRow(
                """
                SELECT external_id, string_agg(batch_id, ', ' ORDER BY batch_id) FROM reported_orders
                WHERE shop = $1 AND sent_at >= $2 AND NOT is_cancellation
                GROUP BY external_id, revision, state_version HAVING count(*) > 1 ORDER BY 1
                """, [.text(shop.name.rawValue), .timestamp(from)]
            ) { row in
                try sheet.append([
                    .text(shop.name.rawValue), .text(try row.decode(at: 0)), .text("duplicate"),
                    .text(
                        "The same revision went to the ERP in the batches \(try row.decode(at: 1, as: String.self))."),
                ])
            }
        }
    }
}
