import Domain
import Foundation
import SpreadsheetWriting
import Testing

@testable import ERPBridge
@testable import Stockbridge

/// 2026-11-22 12:00 in Viet Nam.
private let noon = Date(timeIntervalSince1970: 1_795_323_600)

@Suite("An order report that is read back from its mail's attachment")
struct ReportFileTests {
    /// Writes a report with the means of erp-bridge; each closure falsifies a part of it.
    private struct Sample {
        var lines: (inout [[Cell]]) -> Void = { _ in }
        var control: (inout [[Cell]]) -> Void = { _ in }
        var without: String?
        /// The checksum is one of all rows that there were before `lines` changed them.
        var keepsChecksum = false
        var note = "Giao buổi sáng"
        var quantity = Quantity(2)

        private func order(_ id: String, isCancelled: Bool = false) -> OrderStatement {
            let line = OrderLine(
                id: "1", listing: "1", sku: "00123", name: "=1+1", quantity: quantity, orderedQuantity: quantity,
                unitNet: Amount(micro: 90_500_000), unitGross: Amount(100), taxRate: Quantity(micro: 10),
                tax: Amount(10),
                total: Amount(200))
            let order = Order(
                shop: "hanoi", externalID: id, number: "#\(id)", placedAt: noon - 3_600, updatedAt: noon,
                utcOffsetSeconds: 25_200,
                status: OrderStatus(shopStatus: "processing", payment: .pending, isCancelled: isCancelled),
                currency: "VND", lines: [line, line], charges: [], totals: OrderTotals(total: Amount(200)),
                payment: OrderPayment(method: "cod"), customer: OrderCustomer(name: "@SUM(1)", phone: "+84901234567"),
                note: note)
            let mapping = OrderLineMapping(
                lineID: "1", erpCode: "00123-E", unitsPerPack: 6, erpQuantity: quantity.multiplied(by: 6))
            return OrderStatement(order: order, lines: [mapping], cancellation: isCancelled ? .cancelled : nil)
        }

        /// Two orders of two lines each on *Lines*, one on *Changes*.
        func write(to path: String) throws {
            let zone = try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh"))
            let shop = BridgeSettings.Shop(
                name: "hanoi", timeZone: zone, report: Schedule(cron: try CronExpression("0 12 * * *"), timeZone: zone),
                isCollected: true)
            let rows = ReportRows(batch: "hanoi-20261122-1200", shop: shop, nameLimit: 20)
            let original = rows.lines(order("71"), revision: 3) + rows.lines(order("72"), revision: 1)
            var lines = original
            self.lines(&lines)
            let changes = rows.changes(
                from: order("60"), to: order("60", isCancelled: true), revision: 2, previousBatch: "hanoi-20261121-1200"
            )
            let sheets = [
                ("Lines", ReportRows.columns, lines),
                ("Changes", ReportRows.columns + ReportRows.changeColumns, changes), ("Held", HeldRows.columns, []),
            ]
            var asMailed = RowChecksum()
            let book = try ReportWorkbookWriter(path: path, title: "Order report", company: "Hoa Sen", createdAt: noon)
            for (name, columns, rows) in sheets where name != without {
                let sheet = try book.addSheet(name, columns)
                for row in rows { try book.append(row, to: sheet) }
            }
            for (name, columns, rows) in sheets {
                asMailed.add([name])
                asMailed.add(columns.map(\.title))
                for row in name == "Lines" ? original : rows { asMailed.add(row.map(RowChecksum.canonical)) }
            }
            let checksum = keepsChecksum ? asMailed.text : book.checksum.text
            var control: [[Cell]] = [
                [.text("batch"), .text("hanoi-20261122-1200")], [.text("shop"), .text("hanoi")],
                [.text("window to (UTC, not included)"), .text("2026-11-22T05:00:00Z")],
                [.text("orders on Lines"), .integer(2)], [.text("rows on Lines"), .integer(4)],
                [.text("orders on Changes"), .integer(1)], [.text("previous batch"), .text("hanoi-20261121-1200")],
                [.text("checksum"), .text(checksum)], [.text("made at (UTC)"), .text("2026-11-22T05:00:01Z")],
            ]
            self.control(&control)
            try book.addControlSheet(control, ControlRows.columns)
            try book.close()
        }

        func read() throws -> ReportFile {
            let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }  // scratch file only
            let path = folder.appending(path: "mailed.xlsx").path()
            try write(to: path)
            return try ReportFile(path: path)
        }

        /// Why it is not taken; nil if it is.
        func refusal() throws -> String? {
            do {
                _ = try read()
                return nil
            } catch let error as ToolError {
                return error.description
            }
        }
    }

    private func refused(_ sample: Sample, _ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let sentence = try #require(try sample.refusal(), "it was taken", sourceLocation: sourceLocation)
        #expect(sentence.hasPrefix("mailed.xlsx is not as it was mailed: \(what)"), sourceLocation: sourceLocation)
        #expect(sentence.hasSuffix("nothing was changed."), sourceLocation: sourceLocation)
    }

    @Test("As it was mailed it says of each order what the ERP was told")
    func whole() throws {
        let file = try Sample().read()
        #expect(file.batch == "hanoi-20261122-1200" && file.previousBatch == "hanoi-20261121-1200")
        #expect(file.due == noon && file.entries.map(\.externalID) == ["71", "72", "60"])
        let first = try #require(file.entries.first)
        #expect(first.revision == 3 && first.place == "lines" && first.content.total == Amount(200))
        #expect(first.content.lines.map(\.units) == [12, 12] && first.content.lines.first?.code == "00123-E")
        #expect(file.entries.last?.place == "changes" && file.entries.last?.content.isCancelled == true)
    }

    @Test("What a workbook cannot hold as it was given still gives the same checksum: breaks, long and strange texts")
    func exactness() throws {
        let long = String(repeating: "dài ", count: 10_000)
        for note in ["a\r\nb\rc\n", "\u{1}\u{FFFE}", "'=1", "-", " ", "_x0041_", long] {
            #expect(try Sample(note: note).refusal() == nil, "\(note.prefix(20).debugDescription)")
        }
        for micro in [1, 10, 1_500_000, 123_456_789, 999_999_999_999_999, 1_234_567_890_123_456] {
            let quantity = Quantity(micro: Int64(micro))
            let file = try Sample(quantity: quantity).read()
            #expect(file.entries.first?.content.lines.first?.quantity == quantity)
        }
    }

    @Test("Rows that are gone are noticed by the numbers on Control")
    func rowsGone() throws {
        try refused(Sample { $0.removeLast(2) }, "its sheet Control says 2 orders on Lines, and there are 1")
        try refused(Sample { $0.removeLast() }, "its sheet Control says 4 rows on Lines, and there are 3")
        try refused(
            Sample(control: { $0.removeAll { $0.first == .text("orders on Changes") } }),
            "its sheet Control says nothing of the orders on Changes, and there are 1")
    }

    @Test("A sheet that is gone is no empty sheet", arguments: ["Lines", "Changes", "Held"])
    func sheetGone(name: String) throws {
        try refused(Sample(without: name), "it has no sheet \(name)")
    }

    @Test("A cell that was changed is noticed by the checksum, whichever it is")
    func cellChanged() throws {
        for title in ["quantity", "order id", "placed at (UTC)", "customer", "unit net"] {
            let column = try #require(ReportRows.columns.firstIndex { $0.title == title })
            func edit(_ lines: inout [[Cell]]) {
                for row in lines.indices where row < 2 { lines[row][column] = .text("7") }
            }
            try refused(Sample(lines: edit, keepsChecksum: true), "its rows do not give the checksum")
        }
    }

    @Test("A quantity that is no number is not taken for none")
    func strangeQuantity() throws {
        let column = try #require(ReportRows.columns.firstIndex { $0.title == "quantity" })
        try refused(Sample(lines: { $0[0][column] = .text("two") }), "a row of its sheet Lines has no order id, or")
    }

    @Test("Another workbook is no order report")
    func stranger() throws {
        let sentence = try Sample(control: { $0.removeAll() }).refusal()
        #expect(sentence?.hasPrefix("mailed.xlsx is no order report of Stockbridge") == true)
    }
}
