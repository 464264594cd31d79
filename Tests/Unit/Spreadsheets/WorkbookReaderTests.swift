import Foundation
import Spreadsheets
import Testing
import WorkbookBuilder

/// A file that is gone when the test is.
final class ScratchFile {
    let path = NSTemporaryDirectory() + "workbook-" + UUID().uuidString + ".xlsx"
    init(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

struct CopiedRow: Equatable {
    var number: Int
    var texts: [String]
    var kinds: [SheetCellKind]
    init(_ number: Int, _ texts: [String], _ kinds: [SheetCellKind]) {
        self.number = number
        self.texts = texts
        self.kinds = kinds
    }
}

func rows(
    _ bytes: [UInt8], sheet: String? = nil, limits: WorkbookLimits = WorkbookLimits()
) throws -> [CopiedRow] {
    let file = try ScratchFile(bytes)
    let reader = try WorkbookReader(path: file.path, limits: limits)
    var rows: [CopiedRow] = []
    try reader.forEachRow(of: sheet) { row in
        rows.append(
            CopiedRow(row.number, row.texts.map { String(decoding: $0, as: UTF8.self) }, Array(row.kinds)))
        return true
    }
    return rows
}

@Suite struct WorkbookReaderTests {
    @Test func `a shared string inside another does no harm`() throws {
        // The inner one's escapes would be decoded twice, and its text would end before it begins.
        let strings = "<si><si><t>_x005F_x0041_</t></si></si><si><t>second</t></si>"
        let book = WorkbookBuilder(
            sheetData: "<row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c></row>", sharedStrings: strings)
        #expect(try rows(book.archive()) == [CopiedRow(1, ["_x0041_", "second"], [.text, .text])])
    }

    @Test func `texts keep leading zeros, numbers keep their digits`() throws {
        let book = WorkbookBuilder(
            sheetData: "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\"><v>12.10</v></c>"
                + "<c r=\"C1\"><v>9007199254740993</v></c><c r=\"D1\" t=\"inlineStr\"><is><t>007</t></is></c></row>",
            sharedStrings: "<si><t>00123</t></si>")
        #expect(
            try rows(book.archive())
                == [CopiedRow(1, ["00123", "12.10", "9007199254740993", "007"], [.text, .number, .number, .text])])
    }

    @Test func `rich text is joined and reading aids are left out`() throws {
        let shared =
            "<si><r><rPr><b/></rPr><t>Dầu </t></r><r><t xml:space=\"preserve\"> gội &amp; xả</t></r>"
            + "<rPh><t>x</t></rPh></si><si><t>line_x000D_break_x00</t></si><si><t/></si>"
        let book = WorkbookBuilder(
            sheetData: "<row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c><c t=\"s\"><v>2</v></c></row>",
            sharedStrings: shared)
        #expect(
            try rows(book.archive())
                == [CopiedRow(1, ["Dầu  gội & xả", "line\rbreak_x00", ""], [.text, .text, .empty])])
    }

    @Test func `sparse rows and missing references find their places`() throws {
        let book = WorkbookBuilder(
            sheetData: "<row r=\"3\"><c r=\"B3\"><v>1</v></c><c r=\"D3\"><v>2</v></c><c><v>3</v></c></row>"
                + "<row><c><v>4</v></c></row><row r=\"9\"/>")
        #expect(
            try rows(book.archive()) == [
                CopiedRow(3, ["", "1", "", "2", "3"], [.empty, .number, .empty, .number, .number]),
                CopiedRow(4, ["4"], [.number]), CopiedRow(9, [], []),
            ])
    }

    @Test func `booleans, errors and stored results of formulas are told apart`() throws {
        let book = WorkbookBuilder(
            sheetData: "<row><c t=\"b\"><v>1</v></c><c t=\"b\"><v>0</v></c><c t=\"e\"><v>#N/A</v></c>"
                + "<c t=\"str\"><f>A1&amp;B1</f><v>00x</v></c><c><f>1+1</f><v>2</v></c><c><f>NOW()</f></c></row>")
        #expect(
            try rows(book.archive()) == [
                CopiedRow(
                    1, ["TRUE", "FALSE", "#N/A", "00x", "2", ""],
                    [.boolean, .boolean, .error, .text, .number, .empty])
            ])
    }

    static let dateFormats =
        "<numFmts><numFmt numFmtId=\"164\" formatCode=\"dd/mm/yyyy\\ hh:mm\"/>"
        + "<numFmt numFmtId=\"165\" formatCode=\"0.00&quot; days&quot;;[Red]-0\"/></numFmts>"
        + "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
        + "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/></cellXfs>"

    @Test func `numbers in date formats become dates, others stay numbers`() throws {
        let data =
            "<row><c s=\"2\"><v>46347.25</v></c><c s=\"1\"><v>61</v></c><c s=\"1\"><v>59</v></c>"
            + "<c s=\"3\"><v>46347.25</v></c><c s=\"1\"><v>0.5</v></c><c t=\"d\"><v>2026-11-21</v></c></row>"
        let book = WorkbookBuilder(sheetData: data, cellFormats: Self.dateFormats)
        #expect(
            try rows(book.archive()) == [
                CopiedRow(
                    1,
                    [
                        "2026-11-21T06:00:00", "1900-03-01T00:00:00", "1900-02-28T00:00:00", "46347.25", "0.5",
                        "2026-11-21",
                    ], [.date, .date, .date, .number, .number, .date])
            ])
    }

    @Test func `dates of the 1904 system are right too`() throws {
        let book = WorkbookBuilder(
            sheetData: "<row><c s=\"2\"><v>44885.25</v></c></row>", cellFormats: Self.dateFormats, uses1904: true)
        #expect(try rows(book.archive()) == [CopiedRow(1, ["2026-11-21T06:00:00"], [.date])])
    }

    @Test func `the first visible sheet is read unless one is named`() throws {
        let book = WorkbookBuilder(sheetData: "<row><c><v>1</v></c></row>").archive()
        #expect(try rows(book) == [CopiedRow(1, ["1"], [.number])])
        #expect(try rows(book, sheet: "Notes").first?.texts == ["hidden"])
        #expect(throws: WorkbookError.noSuchSheet(name: "Nope", available: ["Notes", "Stock"])) {
            try rows(book, sheet: "Nope")
        }
    }

    @Test func `a sheet can be read again, and reading can stop early`() throws {
        let file = try ScratchFile(
            WorkbookBuilder(sheetData: "<row><c><v>1</v></c></row><row><c><v>2</v></c></row>").archive())
        let reader = try WorkbookReader(path: file.path)
        for _ in 0..<2 {
            var count = 0
            try reader.forEachRow { _ in
                count += 1
                return false
            }
            #expect(count == 1)
        }
    }

    @Test func `entities and document types are refused`() throws {
        var book = WorkbookBuilder(sheetData: "")
        book.replace(
            "xl/worksheets/sheet1.xml",
            "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><worksheet><sheetData><row><c t=\"str\"><v>&a;</v>"
                + "</c></row></sheetData></worksheet>")
        #expect { try rows(book.archive()) } throws: { "\($0)".contains("document type") }
    }

    @Test func `every limit holds`() throws {
        let book = WorkbookBuilder(
            sheetData: "<row><c t=\"str\"><v>0123456789</v></c><c t=\"str\"><v>0123456789</v></c></row>",
            sharedStrings: "<si><t>0123456789</t></si>"
        ).archive()
        func error(_ change: (inout WorkbookLimits) -> Void) -> String {
            var limits = WorkbookLimits()
            change(&limits)
            do {
                _ = try rows(book, limits: limits)
                return "none"
            } catch {
                return "\(error)"
            }
        }
        #expect(error { $0.cellBytes = 10 } == "none")
        #expect(error { $0.cellBytes = 9 }.contains("bytes in a cell of row 1"))
        #expect(error { $0.rowBytes = 19 }.contains("bytes in row 1"))
        #expect(error { $0.columns = 1 }.contains("columns"))
        #expect(error { $0.sharedStringBytes = 9 }.contains("shared strings"))
        #expect(error { $0.entries = 3 }.contains("parts"))
        #expect(error { $0.inflatedBytes = 500 }.contains("bytes unpacked"))
    }

    @Test func `what is no workbook is named for what it is`() throws {
        let whole = WorkbookBuilder(sheetData: "<row><c><v>1</v></c></row>")
        #expect(throws: WorkbookError.incomplete) { try rows(Array(whole.archive().dropLast(30))) }
        #expect(throws: WorkbookError.incomplete) { try rows(Array(whole.archive().prefix(400))) }
        #expect(throws: WorkbookError.notAWorkbook) { try rows(Array("SKU,Qty".utf8)) }
        #expect(throws: WorkbookError.notAWorkbook) {
            try rows(WorkbookBuilder(parts: [("readme.txt", [0x61])]).archive())
        }
        #expect(throws: WorkbookError.encrypted) { try rows(whole.archive(flags: 1)) }
        let ole: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1] + [UInt8](repeating: 0, count: 600)
        #expect(throws: WorkbookError.legacy) { try rows(ole) }
        let name = "EncryptedPackage".utf8.flatMap { [$0, 0] as [UInt8] }
        #expect(throws: WorkbookError.encrypted) { try rows(ole + name) }
    }

    @Test func `damaged parts are reported`() throws {
        var book = WorkbookBuilder(sheetData: "<row><c><v>1</v></row>")
        #expect { try rows(book.archive()) } throws: { "\($0)".contains("xl/worksheets/sheet1.xml") }
        book = WorkbookBuilder(sheetData: "<row><c t=\"s\"><v>5</v></c></row>")
        #expect { try rows(book.archive()) } throws: { "\($0)".contains("refers to a text that is not there") }
        var bytes = WorkbookBuilder(sheetData: "<row><c><v>1234567</v></c></row>").archive()
        let place = try #require(bytes.firstRange(of: Array("1234567".utf8)))
        bytes[place.lowerBound] = UInt8(ascii: "9")
        #expect(throws: WorkbookError.incomplete) { try rows(bytes) }
    }
}
