import DelimitedText
import Domain
import Foundation
import StockFiles
import Testing
import WorkbookBuilder

extension FuzzTests {
    @Suite("Whatever a stock file holds, every row of it is accounted for or the file is refused")
    struct StockFileFuzz {
        private static let corpus = Fuzz.bytes([
            "Report\nSKU,Name,Kho,Qty\nA,\"x, \"\"y\"\"\",HN,1\nA,x,HCM,2\nB,\"l\nm\",HN,1.5\nÁ,z,HN,7\nTotal,,,11\n",
            "SKU\tWarehouse\tOn hand\tReserved\r\n00123\tHN\t-3\t1\r\n1\tHCM\t1,234\t0\r\nSỮA-TẮM/500\tHN\t12.5\t2\n",
            "SKU;HN;HCM\r\nA;1;2\r\nB;1,5;1.234\r\nC;0;4\r\n",
            "Mã hàng|Kho|Số lượng|Ngày\nA|HN|1 234,5|21/11/2026 06:00\nA|HN|1 234,5|2026-11-21T06:00:00+07:00\n",
            "SKU,Qty\nA,1\nA,1\nA,2\n\n,\nSKU,Qty\nB,1e3\n",
        ])

        private static func format(_ random: inout SeededBytes) -> StockFileFormat {
            var format = StockFileFormat()
            format.type = random.pick([.auto, .auto, .csv, .tsv], or: .auto)
            if random.once(in: 3) { format.encoding = TextEncoding.allCases.randomElement(using: &random) }
            format.separator = random.pick([nil, nil, ",", ";", "\t", "|"], or: nil)
            format.decimal = random.pick([.auto, .point, .comma], or: .auto)
            format.duplicates = random.pick(StockFileFormat.Duplicates.allCases, or: .reject)
            if random.once(in: 4) { format.wideWarehouses = ["HN": "HN", "HCM": "HCM"] }
            if random.once(in: 3) { format.defaultWarehouse = "HN" }
            if random.once(in: 4) { format.skipPatterns = ["^Tot", "x+y", "(a|b)*c"] }
            format.asOfFromColumn = random.once(in: 5)
            format.limits.badRows = random.pick([0, 3, 100, 1_000], or: 100)
            format.limits.rowBytes = random.pick([60, 65_536], or: 60)
            format.limits.cellBytes = random.pick([20, 32_768], or: 20)
            format.limits.rows = random.pick([3, 10_000], or: 3)
            format.limits.warehouses = random.pick([1, 1_000], or: 1)
            return format
        }

        @Test func `delimited text in every form`() async throws {
            let scratch = try ScratchFile("stock.csv")
            try await Fuzz.run("stock text", corpus: Self.corpus, cases: 1_500) { one in
                var bytes = one.bytes
                if one.random.once(in: 10) { bytes = one.text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] } }
                try scratch.write(bytes)
                try Self.check(StockFileReader(format: Self.format(&one.random)), scratch, one.label)
            }
        }

        @Test func `workbooks, with damage in their parts and in the archive`() async throws {
            let cells =
                "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c><c t=\"s\"><v>2</v></c></row>"
                + "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>3</v></c><c t=\"s\"><v>4</v></c><c r=\"C2\"><v>5</v></c></row>"
                + "<row r=\"3\"><c t=\"inlineStr\"><is><t>B</t></is></c><c t=\"str\"><v>H</v></c><c s=\"1\"><v>4600</v>"
                + "</c><c t=\"b\"><v>1</v></c><c t=\"e\"><v>#N/A</v></c></row>"
            let strings = ["SKU", "Kho", "Qty", "A_x000D_", "H<rPh><t>n</t></rPh></t><t>N"].map {
                "<si><t>\($0)</t></si>"
            }
            let book = WorkbookBuilder(
                sheetData: cells, sharedStrings: strings.joined(),
                cellFormats: "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs>")
            let scratch = try ScratchFile("stock.xlsx")
            try await Fuzz.run("workbook", corpus: book.parts.map(\.content), cases: 400) { one in
                var spoilt = book
                if one.random.once(in: 3) {
                    try scratch.write(one.random.spoilt(book.archive(), corpus: [book.archive()]))
                } else {
                    let part = one.random.below(spoilt.parts.count)
                    spoilt.parts[part].content = one.random.spoilt(spoilt.parts[part].content, corpus: [one.bytes])
                    try scratch.write(spoilt.archive(flags: one.random.once(in: 40) ? 1 : 0))
                }
                var format = Self.format(&one.random)
                format.type = one.random.pick([.auto, .xlsx], or: .auto)
                format.limits.inflatedBytes = one.random.pick([2_000, 1_000_000], or: 2_000)
                try Self.check(StockFileReader(format: format), scratch, one.label)
            }
        }

        /// Every row adds up, messages stay short, and what was read is read again from its own text.
        private static func check(_ reader: StockFileReader, _ scratch: ScratchFile, _ label: String) throws {
            let file: ParsedStockFile
            do throws(StockFileError) {
                file = try reader.read(path: scratch.path)
            } catch {
                #expect(!error.description.isEmpty && error.description.count < 6_000, "\(label): \(error.label)")
                return
            }
            let counts = file.counts
            #expect(
                counts.rowsRead == counts.accepted + counts.setAside + counts.duplicatesMerged, "\(label): \(counts)")
            #expect(counts.setAside == file.setAside.count, "\(label)")
            for row in file.setAside {
                #expect(row.rawText.count <= SetAsideRow.rawTextLimit + 1 && "\(row.reason)".count < 1_000, "\(label)")
            }
            var text = "SKU,Warehouse,Quantity,Reserved\n"
            var units = Quantity.zero
            var rows = 0
            file.forEachRow { row in
                rows += 1
                units += row.onHand
                let names = ["\(row.erpCode)", "\(file.warehouses[row.warehouseIndex])"]
                let cells = names.map { "\"\($0.replacing("\"", with: "\"\""))\"" }
                text += cells.joined(separator: ",") + ",\(row.onHand),\(row.reserved ?? .zero)\n"
            }
            #expect(rows == counts.accepted && units == file.totalUnits, "\(label)")
            try checkAgain(text, file, label)
        }

        private static func checkAgain(_ text: String, _ file: ParsedStockFile, _ label: String) throws {
            let scratch = try ScratchFile("again.csv")
            try scratch.write(Array(text.utf8))
            var format = StockFileFormat()
            (format.type, format.encoding, format.separator, format.decimal) = (.csv, .utf8, ",", .point)
            do throws(StockFileError) {
                let again = try StockFileReader(format: format).read(path: scratch.path)
                let same =
                    again.counts.accepted == file.counts.accepted && again.totalUnits == file.totalUnits
                    && again.skuCount == file.skuCount && again.counts.setAside == 0
                #expect(same, "\(label): \(again.counts) \(again.setAside)\n\(text.prefix(400))")
            } catch {
                Issue.record("\(label): what was read cannot be read again: \(error.description.prefix(500))")
            }
        }
    }
}

extension FuzzTests {
    @Suite("Archives that unpack to more than they should are refused")
    struct ZipBombTests {
        /// A deflate stream of blanks: one literal, then copies of 258 bytes in 13 bits each (RFC 1951, fixed codes).
        private static func blanks(copies: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            var (held, count) = (UInt32(0), UInt32(0))
            func put(_ bits: UInt32, _ width: UInt32) {
                held |= bits << count
                count += width
                while count >= 8 {
                    bytes.append(UInt8(held & 0xFF))
                    held >>= 8
                    count -= 8
                }
            }
            func code(_ bits: UInt32, _ width: UInt32) {
                put((0..<width).reduce(0) { $0 << 1 | (bits >> $1 & 1) }, width)
            }
            put(0b011, 3)
            code(0x30 + 0x20, 8)
            for _ in 0..<copies {
                code(0b1100_0101, 8)
                code(0, 5)
            }
            code(0, 7)
            put(0, 7)
            return bytes
        }

        private func error(_ name: String, claimed: Int, limit: Int) throws -> StockFileError? {
            var book = WorkbookBuilder(sheetData: "", sharedStrings: "<si><t>x</t></si>")
            book.deflated[name] = (Self.blanks(copies: 20_000), claimed)
            let scratch = try ScratchFile("bomb.xlsx")
            try scratch.write(book.archive())
            var format = StockFileFormat()
            format.limits.inflatedBytes = limit
            do throws(StockFileError) {
                _ = try StockFileReader(format: format).read(path: scratch.path)
                return nil
            } catch {
                return error
            }
        }

        @Test(arguments: ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
        func `whether the directory tells the size or lies about it`(part: String) throws {
            let size = 20_000 * 258 + 1
            let told = try #require(try error(part, claimed: size, limit: 1_000_000))
            #expect("\(told)".contains("1000000") || "\(told)".contains("1,000,000"), "\(told)")
            _ = try #require(try error(part, claimed: 500, limit: 1_000_000))
            _ = try #require(try error(part, claimed: size, limit: 100_000_000))
        }
    }
}
