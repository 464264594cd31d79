import Domain
import Foundation
import SpreadsheetWriting
import Testing

@testable import ERPBridge

@Suite("Rows of an order report")
struct ReportRowsTests {
    private func rows(nameLimit: Int = 20) throws -> ReportRows {
        ReportRows(batch: "saigon-20261122-1200", shop: try testShop(), nameLimit: nameLimit)
    }

    private func value(_ title: String, in row: [Cell]) throws -> Cell {
        let titles = (ReportRows.columns + ReportRows.changeColumns).map(\.title)
        let index = try #require(titles.firstIndex(of: title), "no column \(title)")
        return row.indices.contains(index) ? row[index] : .empty
    }

    @Test("every row has a cell for every column")
    func width() throws {
        let said = testStatement([testLine("1", units: 2), testLine("2", units: 1)])
        #expect(try rows().lines(said, revision: 3).allSatisfy { $0.count == ReportRows.columns.count })
        let width = ReportRows.columns.count + ReportRows.changeColumns.count
        let changes = try rows().changes(
            from: testStatement([testLine("9", units: 1)]), to: said, revision: 3, previousBatch: "before")
        #expect(changes.count == 3 && changes.allSatisfy { $0.count == width })
        let empty = try rows().changes(from: nil, to: testStatement([]), revision: 1, previousBatch: nil)
        #expect(empty.count == 1 && empty[0].count == width)
        #expect(try value("currency", in: empty[0]) == .text("VND"))
    }

    @Test("a line says what the shop sold and what that is in the ERP")
    func line() throws {
        let row = try #require(try rows().lines(testStatement([testLine("1", units: 2)]), revision: 3).first)
        #expect(try value("batch", in: row) == .text("saigon-20261122-1200"))
        #expect(try value("placed at (local)", in: row) == .dateTime(noon - 3_600, offsetSeconds: 25_200))
        #expect(try value("placed at (UTC)", in: row) == .dateTime(noon - 3_600, offsetSeconds: 0))
        #expect(try value("shop SKU", in: row) == .text("00123"))
        #expect(try value("ERP code", in: row) == .text("00123-E"))
        #expect(try value("name", in: row) == .text("Kem dưỡng da ban đêm"))
        #expect(try value("name in full", in: row) == .text("Kem dưỡng da ban đêm cho da khô"))
        #expect(try value("quantity", in: row) == .decimal("2"))
        #expect(try value("ERP quantity", in: row) == .decimal("12"))
        #expect(try value("unit", in: row) == .text("pack of 6"))
        #expect(try value("phone", in: row) == .text("+84901234567"))
        #expect(try value("shipping postcode", in: row) == .text("070000"))
        #expect(try value("shipping street", in: row) == .text("1 Lê Lợi, Tầng 2"))
        #expect(try value("billing name", in: row) == .empty)
        #expect(try value("carrier", in: row) == .text("GHN"))
        #expect(try value("note", in: row) == .text("Giao buổi sáng 🌸"))
    }

    @Test("charges and the note stand on an order's first line only, so that columns add up to its total")
    func charges() throws {
        let lines = try rows().lines(
            testStatement([testLine("1", units: 2), testLine("2", units: 1)]), revision: 1)
        #expect(try lines.map { try value("shipping", in: $0) } == [.decimal("25"), .empty])
        #expect(try lines.map { try value("other charges", in: $0) } == [.decimal("5"), .empty])
        #expect(try lines.map { try value("order total", in: $0) } == [.decimal("330"), .decimal("330")])
        #expect(try lines.map { try value("line no.", in: $0) } == [.integer(1), .integer(2)])
        #expect(try value("note", in: lines[1]) == .empty)
    }

    @Test("a name is cut between characters, never inside one")
    func cutName() throws {
        let name = "👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦 gia đình"
        let row = try #require(
            try rows(nameLimit: 2).lines(testStatement([testLine("1", units: 1, name: name)]), revision: 1).first)
        #expect(try value("name", in: row) == .text("👨‍👩‍👧‍👦👨‍👩‍👧‍👦"))
    }

    @Test("a change says old and new quantity of each line, gone ones too")
    func changes() throws {
        let old = testStatement([testLine("1", units: 2), testLine("2", units: 1)])
        let new = testStatement([testLine("1", units: 5), testLine("3", units: 4)])
        let changes = try rows().changes(from: old, to: new, revision: 2, previousBatch: "saigon-20261121-1200")
        #expect(try changes.map { try value("old quantity", in: $0) } == ["2", "0", "1"].map { .decimal($0) })
        #expect(try changes.map { try value("new quantity", in: $0) } == ["5", "4", "0"].map { .decimal($0) })
        #expect(try changes.map { try value("old ERP quantity", in: $0) } == ["12", "0", "6"].map { .decimal($0) })
        #expect(try changes.allSatisfy { try value("change", in: $0) == .text("edited") })
        #expect(try value("previous batch", in: changes[0]) == .text("saigon-20261121-1200"))
        #expect(try value("what changed", in: changes[0]) == .text("line added, line removed, quantity, total"))
    }

    @Test("a cancelled order has nothing left on it")
    func cancelled() throws {
        let lines = [testLine("1", units: 2)]
        let changes = try rows().changes(
            from: testStatement(lines), to: testStatement(lines, cancellation: .cancelled), revision: 2,
            previousBatch: "saigon-20261121-1200")
        #expect(try value("change", in: changes[0]) == .text("cancelled"))
        #expect(try value("quantity", in: changes[0]) == .decimal("0"))
        #expect(try value("old quantity", in: changes[0]) == .decimal("2"))
        #expect(try value("new ERP quantity", in: changes[0]) == .decimal("0"))
    }

    @Test("only a final cancellation is one; an order that was never sent needs no more than the wish")
    func wishes() {
        #expect(!testStatement([], cancellation: .requested).isCancelled)
        #expect(testStatement([], cancellation: .requested).isWithdrawn)
        #expect(testStatement([], cancellation: .cancelled).isCancelled)
        #expect(!testStatement([], cancellation: .refused).isCancelled)
        #expect(!testStatement([], cancellation: .refused).isWithdrawn)
        #expect(testStatement([testLine("1", units: 1)], cancellation: .cancelled).erpQuantities.isEmpty)
    }
}
