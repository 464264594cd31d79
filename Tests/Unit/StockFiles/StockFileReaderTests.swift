import DelimitedText
import Domain
import Foundation
import StockFiles
import Testing
import WorkbookBuilder

@Suite struct StockFileReaderTests {
    static let header = "SKU,Name,Warehouse,Quantity\n"

    @Test(.timeLimit(.minutes(1)))
    func `a careless pattern is not tried on all of a long row`() throws {
        let row = "A," + String(repeating: "x", count: 30_000) + ",HN,1\n"
        let file = try parse(Self.header + String(repeating: row, count: 40)) {
            $0.skipPatterns = ["x+y"]
            $0.duplicates = .sum
        }
        #expect(file.counts.rowsRead == 40)
    }

    @Test func `rows are read, leading zeros and all`() throws {
        let file = try parse(Self.header + "007,\"Sữa, 1 l\",HN,5\n007,Sữa,HCM,2.5\n B1 ,x, HN ,0\n")
        #expect(file.listing == ["007@HN=5", "007@HCM=2.5", "B1@HN=0"])
        #expect(file.counts.rowsRead == 3 && file.counts.accepted == 3 && file.counts.addUp)
        #expect(file.skuCount == 2)
        #expect(file.warehouses == ["HN", "HCM"])
        #expect(file.totalUnits == Quantity("7.5"))
        #expect(file.layout.separator == "," && file.layout.encoding == .utf8 && file.layout.headerLine == 1)
        #expect(file.row("007", "HCM")?.line == 3)
        #expect(file.row("007", "DN") == nil)
        #expect(file.notes.map(\.kind) == [.fractional])
    }

    @Test func `titles, repeated headers, blank lines and totals are counted apart`() throws {
        let text =
            "Stock report\n,,,\n21/11/2026\n" + Self.header + "A,x,HN,1\n\n   ,,,\n" + Self.header
            + "B,x,HN,2\nTotal,,,3\n,,Tổng cộng:,3\nPage 1 of 2\n"
        let file = try parse(text) { $0.skipPatterns = ["^Page [0-9]+"] }
        #expect(file.listing == ["A@HN=1", "B@HN=2"])
        let counts = file.counts
        #expect(counts.titles == 2 && counts.blankLines == 3 && counts.repeatedHeaders == 1 && counts.totals == 3)
        #expect(counts.rowsRead == 2 && counts.addUp)
        #expect(file.layout.headerLine == 4)
    }

    @Test func `each kind of bad row is set aside with its line, its text and its reason`() throws {
        let text =
            Self.header
            + [
                "ok,x,HN,1", ",x,HN,1", "a,x,,1", "b,x,HN,", "c,x,HN,many", "d,x,HN,1.2345678", "e,x,HN,1,2",
                "f,x,HN", "g\u{0},x,HN,1", "8.93457E+12,x,HN,1", "\"h\"h,x,HN,1", "i,x,HN,99999999999",
                "\"j\nk\",x,HN,1", "l,x,HN,1.234",
            ].joined(separator: "\n") + "\n"
        let file = try parse(text)
        #expect(file.listing == ["ok@HN=1"])
        #expect(
            file.setAsideListing == [
                "3:blank_sku", "4:blank_warehouse", "5:empty_quantity", "6:not_a_number", "7:number_out_of_range",
                "8:wrong_cell_count", "9:wrong_cell_count", "10:control_character", "11:damaged_sku",
                "12:broken_quotes", "13:number_out_of_range", "14:control_character", "16:ambiguous_number",
            ])
        #expect(file.setAside[3].rawText == "c,x,HN,many")
        #expect(file.setAside[12].rawText == "l,x,HN,1.234")
        #expect("\(file.setAside[3].reason)" == "\"many\" in \"Quantity\" is not a number.")
        #expect(file.counts.rowsRead == 14 && file.counts.setAside == 13 && file.counts.addUp)
    }

    @Test func `too many bad rows refuse the file and name the first few`() throws {
        let bad = (0..<11).map { "S\($0),x,HN,?\n" }.joined()
        let text = Self.header + "A,x,HN,1\n" + bad
        #expect(try parse(text) { $0.limits.badRows = 11 }.counts.setAside == 11)
        guard case .tooManyBadRows("stock.csv", 10, let first) = failure(text, { $0.limits.badRows = 10 }) else {
            Issue.record("not refused")
            return
        }
        #expect(first.map(\.line) == [3, 4, 5, 6, 7])
    }

    @Test func `negative quantities count as 0 and are noted`() throws {
        let file = try parse(Self.header + "A,x,HN,-5\nB,x,HN,7-\nC,x,HN,3\n")
        #expect(file.listing == ["A@HN=0", "B@HN=0", "C@HN=3"])
        #expect(file.counts.negative == 2)
        #expect(file.notes.map(\.quantity) == ["-5", "-7"])
        #expect(file.totalUnits == 3)
    }

    @Test func `the same SKU and warehouse twice counts once if equal and not at all if different`() throws {
        let text = Self.header + "A,x,HN,1\nB,x,HN,2\nA,y,HN,1\nB,x,HN,3\nB,x,HCM,9\nB,z,HN,2\n"
        let file = try parse(text)
        #expect(file.listing == ["A@HN=1", "B@HCM=9"])
        #expect(
            file.setAsideListing == ["3:conflicting_duplicate", "5:conflicting_duplicate", "7:conflicting_duplicate"])
        #expect(file.setAside.map(\.rawText) == ["B,x,HN,2", "B,x,HN,3", "B,z,HN,2"])
        #expect(file.counts.duplicatesMerged == 1 && file.counts.rowsRead == 6 && file.counts.addUp)
        #expect(file.skuCount == 2)
        #expect(file.row("B", "HN") == nil)
    }

    @Test func `duplicates are added up or replaced where the source says so`() throws {
        let text = Self.header + "A,x,HN,1\nA,x,HN,-3\nA,x,HN,10\nA,x,HN,10\n"
        let sum = try parse(text) { $0.duplicates = .sum }
        #expect(sum.listing == ["A@HN=18"])
        #expect(sum.counts.duplicatesMerged == 3 && sum.counts.addUp)
        let last = try parse(text) { $0.duplicates = .last }
        #expect(last.listing == ["A@HN=10"])
        #expect(last.row("A", "HN")?.line == 5)
        #expect(last.counts.duplicatesMerged == 3 && last.counts.addUp)
    }

    @Test func `a number that could mean thousands or decimals is decided by the others of its file`() throws {
        let rows = Self.header.replacing(",", with: ";") + "A;x;HN;1.234\nB;x;HN;%\n"
        func listing(_ other: String, _ decimal: StockFileFormat.DecimalMark = .auto) throws -> [String] {
            try parse(rows.replacing("%", with: other)) { $0.decimal = decimal }.listing
        }
        #expect(try listing("5,5") == ["A@HN=1234", "B@HN=5.5"])
        #expect(try listing("1.234,5") == ["A@HN=1234", "B@HN=1234.5"])
        #expect(try listing("5.5") == ["A@HN=1.234", "B@HN=5.5"])
        #expect(try listing("1,234,567") == ["A@HN=1.234", "B@HN=1234567"])
        #expect(try listing("7") == ["B@HN=7"])
        #expect(try listing("7", .comma) == ["A@HN=1234", "B@HN=7"])
        #expect(try listing("7", .point) == ["A@HN=1.234", "B@HN=7"])
        #expect(try listing("0,250") == ["A@HN=1234", "B@HN=0.25"])
    }

    @Test func `separators, encodings and byte order marks are found out`() throws {
        let text = "Mã hàng;Kho;Tồn kho\nÁO-1;Hà Nội;5\n"
        #expect(try parse(text).listing == ["ÁO-1@Hà Nội=5"])
        #expect(try parse([0xEF, 0xBB, 0xBF] + Array(text.utf8)).listing == ["ÁO-1@Hà Nội=5"])
        let units = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(try parse([0xFF, 0xFE] + units).layout.encoding == .utf16LittleEndian)
        #expect(try parse(units).listing == ["ÁO-1@Hà Nội=5"])
        #expect(try parse("sep=|\nSKU|Kho|Qty\nA|HN|1\n").listing == ["A@HN=1"])
        #expect(try parse("SKU\tKho\tQty\nA\tHN\t1\n").layout.type == .tsv)
        let old: [UInt8] = Array("SKU,Kho,Qty\nA,H".utf8) + [0xE0, 0x20, 0x4E, 0xF4, 0xF2, 0x69] + Array(",1\n".utf8)
        #expect(try parse(old) { $0.encoding = .windows1258 }.listing == ["A@Hà Nội=1"])
        guard case .encoding = failure(old) else {
            Issue.record("bytes without a known encoding were taken")
            return
        }
    }

    @Test func `composed and decomposed letters are the same SKU`() throws {
        let file = try parse(Self.header + "\u{C1}O,x,HN,1\nA\u{301}O,x,HCM,2\n")
        #expect(file.skuCount == 1)
        #expect(StockTotals(of: file)["\u{C1}O"] == 3)
    }

    @Test func `missing columns are named with what was looked for and what was found`() throws {
        let error = try #require(failure("Report\nArticle,Warehouse,Amount\nA,HN,1\n"))
        let text = "\(error)"
        #expect(text.contains("`sku` (looked for \"SKU\""))
        #expect(text.contains("line 2: \"Article\", \"Warehouse\", \"Amount\""))
        #expect(!text.contains("`warehouse`"))
        let one = try parse("Article,Amount\nA,1\n") {
            $0.columns.sku = ["article"]
            $0.columns.onHand = ["AMOUNT"]
            $0.defaultWarehouse = "Main"
        }
        #expect(one.listing == ["A@Main=1"])
        guard case .repeatedColumn(_, 1, "on_hand", _) = failure("SKU,Kho,Qty,Qty\nA,HN,1,2\n") else {
            Issue.record("two columns of one name were taken")
            return
        }
    }

    @Test func `a file with one column per warehouse gives one row per cell`() throws {
        let file = try parse("SKU,Hà Nội,Sài Gòn\nA,1,2\nB,,4\nTotal,1,6\n,1,1\n") {
            $0.wideWarehouses = ["ha noi": "HN", "Sai Gon": "HCM"]
        }
        #expect(file.listing == ["A@HN=1", "A@HCM=2", "B@HCM=4"])
        #expect(file.setAsideListing == ["3:empty_quantity", "5:blank_sku"])
        #expect(file.counts.rowsRead == 5 && file.counts.totals == 1 && file.counts.addUp)
    }

    @Test func `reserved units and the time of extraction come from their columns`() throws {
        let text = "SKU,Kho,Qty,Reserved,As of\nA,HN,5,2,2026-11-21 06:00\nB,HN,5,1,2026-11-21 05:59\nC,HN,1,1,?\n"
        let file = try parse(text) {
            $0.asOfFromColumn = true
            $0.timeZone = TimeZone(identifier: "Asia/Ho_Chi_Minh") ?? .gmt
        }
        #expect(file.asOf == ISO8601DateFormatter().date(from: "2026-11-20T22:59:00Z"))
        #expect(file.asOfVaries)
        #expect(file.row("A", "HN")?.reserved == 2)
        #expect(file.setAsideListing == ["4:unreadable_date"])
        #expect(try parse(Self.header + "A,x,HN,1\n").row("A", "HN")?.reserved == nil)
    }

    @Test func `empty, cut off and foreign files are recognised`() throws {
        #expect(failure("") == .empty(file: "stock.csv"))
        #expect(failure("\n \n") == .empty(file: "stock.csv"))
        #expect(failure(Self.header) == .noRows(file: "stock.csv", setAside: []))
        #expect(failure(Self.header + "A,x,HN,1\nB,x,H") == .halfWritten(file: "stock.csv", line: 3))
        #expect(failure(Self.header + "A,x,HN,1\nB,\"x") == .halfWritten(file: "stock.csv", line: 3))
        #expect(try parse(Self.header + "A,x,HN,1\nB,x,HN,2").counts.accepted == 2)
        #expect(failure("%PDF-1.7\n")?.label == "unsupported")
        #expect(failure("<!DOCTYPE html><html>Login</html>")?.label == "unsupported")
        #expect(failure([0x1F, 0x8B, 8, 0])?.label == "unsupported")
        #expect(failure([0x50, 0x4B, 3, 4, 0, 0, 0, 0]) == .halfWritten(file: "stock.csv", line: nil))
        #expect(failure("SKU,Kho,Qty\nA,HN,1\n", { $0.limits.fileBytes = 5 })?.label == "too_large")
        #expect(failure(Self.header + "A,x,HN,1\n", { $0.skipPatterns = ["("] }) == .badPattern(pattern: "("))
    }

    @Test func `limits on rows and warehouses hold`() throws {
        let text = Self.header + "A,x,W1,1\nA,x,W2,1\nA,x,W3,1\n"
        #expect(failure(text, { $0.limits.rows = 2 })?.label == "too_many")
        #expect(failure(text, { $0.limits.warehouses = 2 })?.label == "too_many")
        #expect(try parse(text) { ($0.limits.rows, $0.limits.warehouses) = (3, 3) }.counts.accepted == 3)
    }

    @Test func `workbooks are read by the same rules`() throws {
        let book = WorkbookBuilder(
            sheetData: "<row><c t=\"s\"><v>0</v></c></row><row><c t=\"s\"><v>1</v></c><c t=\"s\"><v>2</v></c>"
                + "<c t=\"s\"><v>3</v></c></row><row r=\"5\"><c t=\"s\"><v>4</v></c><c t=\"s\"><v>5</v></c>"
                + "<c><v>0.30000000000000004</v></c></row><row><c><v>893.0E1</v></c><c t=\"s\"><v>5</v></c>"
                + "<c><v>1.2E1</v></c></row><row><c t=\"s\"><v>4</v></c><c t=\"str\"><v>HCM</v></c>"
                + "<c t=\"e\"><v>#N/A</v></c></row><row><c><v>12345678901234567</v></c><c t=\"s\"><v>5</v></c>"
                + "<c><v>1</v></c></row>",
            sharedStrings: ["Stock", "SKU", "Kho", "Tồn kho", "007", "HN"].map { "<si><t>\($0)</t></si>" }.joined())
        let file = try parse(book.archive())
        #expect(file.listing == ["007@HN=0.3", "8930@HN=12"])
        #expect(file.setAsideListing == ["7:error_cell", "8:damaged_sku"])
        #expect(file.setAside[0].rawText == "007\tHCM\t#N/A")
        #expect(file.layout.type == .xlsx && file.layout.sheet == "Stock" && file.layout.headerLine == 2)
        #expect(file.counts.titles == 1 && file.counts.addUp)
    }

    @Test func `rows come sorted by SKU, and warehouses add up`() throws {
        let file = try parse(Self.header + "B,x,HN,5\nA,x,HCM,1\nB,x,HCM,2\nA,x,HN,-4\nÁ,x,HN,1\n")
        var sorted: [String] = []
        file.forEachRowSortedBySKU { sorted.append("\($0.erpCode)@\(file.warehouses[$0.warehouseIndex])") }
        #expect(sorted == ["A@HN", "A@HCM", "B@HN", "B@HCM", "Á@HN"])
        #expect(StockTotals(of: file)["B"] == 7)
        #expect(StockTotals(of: file)["A"] == 1)
        #expect(StockTotals(of: file, warehouses: ["HN"])["B"] == 5)
        #expect(StockTotals(of: file, safety: ["HN": 6])["B"] == 2)
        #expect(StockTotals(of: file, warehouses: ["DN"]).count == 0)
        var listed: [String] = []
        StockTotals(of: file).forEach { listed.append("\(String(decoding: $0, as: UTF8.self))=\($1)") }
        #expect(listed == ["B=7", "A=1", "Á=1"])
    }
}
