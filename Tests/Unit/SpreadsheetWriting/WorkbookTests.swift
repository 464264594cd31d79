import Foundation
import SpreadsheetWriting
import Spreadsheets
import Testing

@Suite struct WorkbookTests {
    private let columns = [Column("SKU", width: 18), Column("Quantity", kind: .integer)]

    @Test func `titles, headings, gaps and rows stand where they were put`() throws {
        let folder = try ScratchFolder()
        let writer = try WorkbookWriter(path: folder.book)
        let sheet = try writer.addSheet("Lines", columns: columns, autofilter: true)
        #expect(sheet.nextRowNumber == 2)
        try sheet.append([.text("A"), .integer(1)])
        try sheet.append([])
        try sheet.appendHeading("Second shop")
        try sheet.append([.empty, .integer(2)])
        #expect(sheet.rowCount == 4)
        let size = try writer.close()
        #expect(size == (try Data(contentsOf: URL(fileURLWithPath: folder.book)).count))
        #expect(
            try readRows(folder.book) == [
                1: [.text("SKU"), .text("Quantity")], 2: [.text("A"), .number("1")], 4: [.text("Second shop")],
                5: [.empty, .number("2")],
            ])
        #expect(folder.files == ["book.xlsx"])
    }

    @Test func `worksheets are written in turns and stand in the order of their adding`() throws {
        let folder = try ScratchFolder()
        let writer = try WorkbookWriter(path: folder.book)
        let lines = try writer.addSheet("Lines", columns: columns)
        let held = try writer.addSheet("Held", columns: columns)
        _ = try writer.addSheet("Empty", columns: [Column("")])
        for number in 0..<100 {
            try (number % 2 == 0 ? lines : held).append([.text("S\(number)"), .integer(Int64(number))])
        }
        try writer.close()
        #expect(try WorkbookReader(path: folder.book).sheets.map(\.name) == ["Lines", "Held", "Empty"])
        #expect(try readRows(folder.book, sheet: "Held")[51] == [.text("S99"), .number("99")])
        #expect(try readRows(folder.book, sheet: "Lines").count == 51)
        #expect(try readRows(folder.book, sheet: "Empty").isEmpty)
    }

    @Test func `the same content gives the same bytes`() throws {
        let folder = try ScratchFolder()
        let paths = [folder.path + "/a.xlsx", folder.path + "/b.xlsx"]
        for path in paths {
            let writer = try WorkbookWriter(path: path, temporaryDirectory: NSTemporaryDirectory())
            writer.setDocumentProperties(
                title: "Orders", author: "Stockbridge", company: "Thơm & Co", comments: "batch 7",
                createdAt: Date(timeIntervalSince1970: 1_795_237_200))
            let sheet = try writer.addSheet("Summary", columns: columns + [Column("Bad", kind: .integer)])
            for shop in 1...5 { try sheet.append([.text("shop \(shop)"), .integer(Int64(shop)), .integer(1)]) }
            let chart = StackedChart(
                title: "Stock", categoryColumn: 0, series: [.init(column: 1), .init(column: 2, colour: 0xC0_0000)],
                rows: 2...6, cornerRow: 9, cornerColumn: 0)
            try writer.addChart(chart, to: sheet)
            try writer.close()
        }
        let files = try paths.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        #expect(files[0] == files[1])
        #expect(try readRows(paths[0]).count == 6)
    }

    @Test(arguments: [
        "", "a[b", "a]b", "a:b", "a*b", "a?b", "a/b", "a\\b", "'a", "a'", "History", "a\nb", "lines", "LINES",
        "12345678901234567890123456789012", "1234567890123456789012345678 😀😀",
    ])
    func `a name that spreadsheet programs refuse is refused here`(name: String) throws {
        let folder = try ScratchFolder()
        let writer = try WorkbookWriter(path: folder.book)
        _ = try writer.addSheet("Lines", columns: columns)
        #expect(throws: WorkbookWritingError.self) { try writer.addSheet(name, columns: columns) }
        _ = try writer.addSheet(writer.freeSheetName(name), columns: columns)
        try writer.close()
        #expect(try WorkbookReader(path: folder.book).sheets.count == 2)
    }

    @Test func `a name of a worksheet can be made of any text`() throws {
        let folder = try ScratchFolder()
        let writer = try WorkbookWriter(path: folder.book)
        let long = String(repeating: "Cửa hàng ", count: 6)
        var names: [String] = []
        for text in ["Hà Nội / web", "Hà Nội ? web", long, long, "'", ""] {
            names.append(try writer.addSheet(writer.freeSheetName(text), columns: columns).name)
        }
        #expect(names[0] == "Hà Nội   web" && names[1] == "Hà Nội   web (2)")
        #expect(names[2].utf16.count <= 31 && names[3].hasSuffix("(2)"))
        #expect(names[4...] == ["Sheet", "Sheet (2)"])
    }

    @Test func `the row after the last one is an error`() throws {
        let folder = try ScratchFolder()
        let writer = try WorkbookWriter(path: folder.book)
        let sheet = try writer.addSheet("Lines", columns: columns)
        for _ in 2..<SheetWriter.maximumRows { try sheet.append([]) }
        try sheet.append([.text("last")])
        #expect(throws: WorkbookWritingError.tooManyRows(sheet: "Lines", limit: 1_048_576)) {
            try sheet.append([.text("one more")])
        }
        try writer.close()
        #expect(try readRows(folder.book)[1_048_576] == [.text("last")])
    }

    @Test func `a row with more cells than columns is an error`() throws {
        let folder = try ScratchFolder()
        let writer = try WorkbookWriter(path: folder.book)
        let sheet = try writer.addSheet("Lines", columns: columns)
        #expect(throws: WorkbookWritingError.tooManyCells(sheet: "Lines", row: 2, columns: 2)) {
            try sheet.append([.empty, .empty, .empty])
        }
        #expect(throws: WorkbookWritingError.invalidColumns(sheet: "None", count: 0)) {
            try writer.addSheet("None", columns: [])
        }
    }

    @Test func `a closed workbook takes nothing more`() throws {
        let folder = try ScratchFolder()
        let writer = try WorkbookWriter(path: folder.book)
        #expect(throws: WorkbookWritingError.noSheet) { try writer.close() }
        let sheet = try writer.addSheet("Lines", columns: columns)
        try writer.close()
        #expect(throws: WorkbookWritingError.closed) { try sheet.append([.text("late")]) }
        #expect(throws: WorkbookWritingError.closed) { try writer.close() }
        #expect(throws: WorkbookWritingError.closed) { try writer.addSheet("Late", columns: columns) }
    }

    @Test func `a writer that is given up leaves no file`() throws {
        let folder = try ScratchFolder()
        let before = try openFiles(in: folder)
        do {
            let writer = try WorkbookWriter(path: folder.book)
            let sheet = try writer.addSheet("Lines", columns: columns)
            try sheet.append([.text("A")])
            _ = try writer.addSheet("Empty", columns: [Column("")])
            #expect(try openFiles(in: folder) == before + 2)
        }
        #expect(folder.files.isEmpty)
        #expect(try openFiles(in: folder) == before)
    }

    @Test func `a folder that is missing or no folder is told at once`() throws {
        let folder = try ScratchFolder()
        try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
        for path in ["/missing", "/file"] {
            #expect(throws: WorkbookWritingError.self) { try WorkbookWriter(path: folder.path + path + "/book.xlsx") }
            #expect(throws: WorkbookWritingError.self) {
                try WorkbookWriter(path: folder.book, temporaryDirectory: folder.path + path)
            }
        }
    }

    @Test func `a workbook that cannot be put in place leaves the older one and no open file`() throws {
        let folder = try ScratchFolder()
        try FileManager.default.createDirectory(atPath: folder.book + "/inside", withIntermediateDirectories: true)
        let blocked = try WorkbookWriter(path: folder.book)
        try blocked.addSheet("Lines", columns: columns).append([.text("A")])
        #expect(throws: WorkbookWritingError.self) { try blocked.close() }
        #expect(folder.files == ["book.xlsx"])

        let gone = try ScratchFolder()
        let homeless = try WorkbookWriter(path: gone.book, temporaryDirectory: folder.path)
        try homeless.addSheet("Lines", columns: columns).append([.text("A")])
        try FileManager.default.removeItem(atPath: gone.path)
        #expect(throws: WorkbookWritingError.self) { try homeless.close() }
        #expect(try openFiles(in: folder) == 0)
    }

    @Test func `100,000 rows take no more memory than a few`() throws {
        let folder = try ScratchFolder()
        let writer = try WorkbookWriter(path: folder.book)
        let sheet = try writer.addSheet("Lines", columns: (0..<10).map { Column("c\($0)") })
        let text = String(repeating: "Dầu gội bưởi ", count: 5)
        func append(_ count: Int) throws {
            for number in 0..<count { try sheet.append((0..<10).map { .text("\(number) \($0) \(text)") }) }
        }
        try append(1_000)
        let before = try residentBytes()
        try append(99_000)
        let written = try residentBytes()
        try writer.close()
        let closed = try residentBytes()
        // A library that kept the cells would hold 200 MB; other tests run beside this one.
        #expect(written - before < 80_000_000)
        #expect(closed - before < 80_000_000)
    }

    private func residentBytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return (try #require(Int(pages[1]))) * 4_096
    }

    /// Files that have no name any more but are open, of this test's folder.
    private func openFiles(in folder: ScratchFolder) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { descriptor in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + descriptor)
            return target?.hasPrefix(folder.path) == true
        }
    }
}
