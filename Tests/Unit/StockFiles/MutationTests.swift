import Domain
import Foundation
import StockFiles
import Testing
import WorkbookBuilder

/// A small generator whose seed repeats a run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// Spoils good files at random. Set `STOCKBRIDGE_TEST_SEED` to repeat a run.
@Suite struct MutationTests {
    static let fragments: [[UInt8]] =
        [
            "\"", "\"\"", ",", ";", "\n", "\r\n", "\r", "\t", "Total", "-", "1,234", "1.5", "\u{0}", "A,HN,5\n",
            "SKU,Kho,Qty\n",
            "\u{FEFF}", "é", "e\u{301}", "8.9E+12", " ",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xFF, 0xFE], [0xE1, 0xBA]]

    fileprivate static func mutate(_ original: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1 where place < bytes.count:
                let end = min(bytes.count, place + Int.random(in: 1...20, using: &random))
                bytes.removeSubrange(place..<end)
            case 2:
                let from = Int.random(in: 0...place, using: &random)
                bytes.insert(contentsOf: bytes[from..<min(place, from + 30)], at: place)
            case 3: bytes = Array(bytes.prefix(max(place, 1)))
            default:
                if let fragment = fragments.randomElement(using: &random) {
                    bytes.insert(contentsOf: fragment, at: place)
                }
            }
        }
        return bytes
    }

    static func seed() -> UInt64 {
        let seed = ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_SEED"].flatMap { UInt64($0) }
        return seed ?? UInt64.random(in: 0...UInt64.max)
    }

    /// Reads one spoiled file and checks the books.
    static func check(_ bytes: [UInt8], _ format: StockFileFormat, path: String, seed: UInt64, round: Int) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
            let file = try StockFileReader(format: format).read(path: path)
            let counts = file.counts
            #expect(counts.addUp && counts.setAside == file.setAside.count, "seed \(seed), round \(round): \(counts)")
            var rows = 0
            var units = Quantity.zero
            file.forEachRow { row in
                rows += 1
                units += row.onHand
            }
            var sorted = 0
            file.forEachRowSortedBySKU { _ in sorted += 1 }
            #expect(
                rows == counts.accepted && sorted == rows && units == file.totalUnits, "seed \(seed), round \(round)")
        } catch {
            #expect(!error.description.isEmpty)
        }
    }

    @Test func `no spoiled text crashes the reader, and the books always balance`() throws {
        let seed = Self.seed()
        print("mutation seed: \(seed)")
        var random = SplitMix(state: seed)
        let long =
            "Report\nSKU,Name,Kho,Qty\nA,\"x, \"\"y\"\"\",HN,1\nA,x,HCM,2\nB,\"l\nm\",HN,1.5\nÁ,z,HN,7\nTotal,,,11\n"
        let wide = "SKU;HN;HCM\r\nA;1;2\r\nB;1,5;1.234\r\nC;0;4\r\n"
        let scratch = try ScratchFile([])
        for round in 0..<2_500 {
            var format = StockFileFormat()
            format.limits.rowBytes = 60
            format.limits.badRows = [0, 3, 100].randomElement(using: &random) ?? 3
            format.duplicates = StockFileFormat.Duplicates.allCases.randomElement(using: &random) ?? .sum
            let isWide = Bool.random(using: &random)
            if isWide { format.wideWarehouses = ["HN": "HN", "HCM": "HCM"] }
            let bytes = Self.mutate(Array((isWide ? wide : long).utf8), &random)
            try Self.check(bytes, format, path: scratch.path, seed: seed, round: round)
        }
    }

    @Test func `no spoiled workbook crashes the reader`() throws {
        let seed = Self.seed()
        print("workbook mutation seed: \(seed)")
        var random = SplitMix(state: seed)
        let data =
            "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c><c t=\"s\"><v>2</v></c></row>"
            + "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>3</v></c><c t=\"s\"><v>4</v></c><c r=\"C2\"><v>5</v></c></row>"
        let shared = ["SKU", "Kho", "Qty", "A_x000D_", "HN"].map { "<si><t>\($0)</t></si>" }.joined()
        let scratch = try ScratchFile([])
        for round in 0..<600 {
            let spoilParts = Bool.random(using: &random)
            var book = WorkbookBuilder(
                sheetData: spoilParts ? String(decoding: Self.mutate(Array(data.utf8), &random), as: UTF8.self) : data,
                sharedStrings: shared)
            if spoilParts, let index = book.parts.indices.randomElement(using: &random) {
                book.parts[index].content = Self.mutate(book.parts[index].content, &random)
            }
            let bytes = spoilParts ? book.archive() : Self.mutate(book.archive(), &random)
            try Self.check(bytes, StockFileFormat(), path: scratch.path, seed: seed, round: round)
        }
    }
}
