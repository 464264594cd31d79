import Foundation
import SpreadsheetWriting
import Spreadsheets
import Testing

@Suite struct CellTests {
    @Test func `digits in a text stay a text with their zeros`() throws {
        #expect(
            try roundTrip(["00123", "1E5", "700000", "https://example.org", "TRUE"])
                == ["00123", "1E5", "700000", "https://example.org", "TRUE"].map { .text($0) })
    }

    @Test(arguments: [
        ("=1+1", "'=1+1"), ("+84901234567", "'+84901234567"), ("-5", "'-5"), ("@x", "'@x"), ("\t=1", "'\t=1"),
        ("\n=1", "'\n=1"), ("\r=1", "'\n=1"), ("'=1", "''=1"), ("'quoted", "'quoted"), (" =1", " =1"), ("a=1", "a=1"),
        ("'", "'"),
    ])
    func `a text that a spreadsheet program might run gets an apostrophe`(given: String, found: String) throws {
        #expect(try roundTrip([given]) == [.text(found)])
        #expect(CellText.written(given) == found)
    }

    @Test(arguments: ["=1+1", "+84", "'=1", "''@", "'a", "plain", "", "'", "-"])
    func `the apostrophe can be taken away without doubt`(text: String) {
        #expect(CellText.unescaped(CellText.written(text)) == text)
    }

    @Test func `letters of all kinds come back`() throws {
        let texts = [
            "Dầu gội đầu", "👩‍👩‍👧 gia đình", "𝄞", "<a href=\"x\">&amp;</a>", " both ends ", "two\nlines\tand more",
        ]
        #expect(try roundTrip(texts) == texts.map { .text($0) })
    }

    @Test func `characters that XML cannot hold are replaced`() throws {
        #expect(
            try roundTrip(["a\0b", "\u{1}\u{8}\u{1F}x", "a\r\nb\rc", "\u{FFFE}\u{FFFF}|\u{FFFD}", "\u{7F}"])
                == ["a\u{FFFD}b", "\u{FFFD}\u{FFFD}\u{FFFD}x", "a\nb\nc", "\u{FFFD}\u{FFFD}|\u{FFFD}", "\u{7F}"].map {
                    .text($0)
                })
    }

    @Test func `a text that looks like an escaped character stays what it is`() throws {
        let texts = ["_x0041_", "a_x000D__x000a_", "_x004_", "__x0041", "_X0041_", "_x0041"]
        #expect(try roundTrip(texts) == texts.map { .text($0) })
    }

    @Test func `32767 UTF-16 units fit, one more is cut and counted`() throws {
        let letters = String(repeating: "ầ", count: 32_767)
        let emoji = String(repeating: "😀", count: 16_383)
        let folder = try ScratchFolder()
        let writer = try WorkbookWriter(path: folder.book)
        let sheet = try writer.addSheet("Lines", columns: [Column(""), Column("")])
        #expect(try sheet.append([.text(letters), .text(emoji + "x")]) == 0)
        #expect(try sheet.append([.text(letters + "x"), .text(emoji + "😀")]) == 2)
        #expect(try sheet.append([.text("=" + letters.dropLast()), .text("short")]) == 1)
        #expect(sheet.cutCells == 3)
        try writer.close()
        let rows = try readRows(folder.book)
        #expect(rows[1] == [.text(letters), .text(emoji + "x")])
        for cell in try #require(rows[2]) + [try #require(rows[3]?.first)] {
            #expect(cell.text.hasSuffix(CellText.cutMark))
            #expect((32_766...32_767).contains(cell.text.utf16.count))
            #expect(!cell.text.unicodeScalars.contains("\u{FFFD}"))
        }
        #expect(try #require(rows[2])[1].text.hasPrefix(String(repeating: "😀", count: 16_370)))
    }

    @Test(arguments: [
        ("0", 0), ("12.50", 12.5), ("-0.01", -0.01), ("9.95", 9.95), ("123456789012.345", 123_456_789_012.345),
        ("0012.3400", 12.34), ("1000000000000000000", 1e18), ("-0.00", 0), ("999999999999999", 999_999_999_999_999),
        ("0.0000000123456789012345", 0.0000000123456789012345),
    ])
    func `a decimal of at most 15 digits is a number`(text: String, value: Double) throws {
        let cell = try #require(try roundTrip([[.decimal(text)]], kinds: [.money(places: 2)])[1]?.first)
        #expect(cell.kind == .number)
        #expect(Double(cell.text) == value)
    }

    @Test(arguments: ["1234567890123.456", "-0.1234567890123456", "10000000000000001", "-1234567890123456"])
    func `a decimal of more digits is a text, whole and without an apostrophe`(text: String) throws {
        #expect(try roundTrip([[.decimal(text)]], kinds: [.decimal(places: 2)])[1] == [.text(text)])
    }

    @Test(arguments: ["", "-", ".", "1.", ".5", "1,5", "1e5", "1.2.3", " 1", "--1", "NaN", "=1"])
    func `what is no decimal is a text`(text: String) throws {
        let cell = try roundTrip([[.decimal(text), .integer(1)]], kinds: [.decimal(places: 2), .integer])[1]?.first
        #expect(cell == (text.isEmpty ? .empty : .text(CellText.written(text))))
    }

    @Test func `whole numbers beyond 15 digits are texts`() throws {
        let row: [Cell] = [
            .integer(-999_999_999_999_999), .integer(1_000_000_000_000_001), .integer(.min), .integer(7),
        ]
        #expect(
            try roundTrip([row], kinds: Array(repeating: .integer, count: 4))[1]
                == [
                    .number("-999999999999999"), .text("1000000000000001"), .text("-9223372036854775808"),
                    .number("7"),
                ])
    }

    @Test func `a time stands as the clock on the wall shows it`() throws {
        // 2026-11-21T05:00:00.750Z
        let noon = Date(timeIntervalSince1970: 1_795_237_200.75)
        let old = Date(timeIntervalSince1970: -2_208_988_800)
        let row: [Cell] = [
            .dateTime(noon, offsetSeconds: 0), .dateTime(noon, offsetSeconds: 25_200),
            .dateTime(noon, offsetSeconds: -12_600, style: .bad), .dateTime(old, offsetSeconds: 0),
        ]
        let kinds: [Column.Kind] = [.dateTime, .dateTime, .text, .dateTime]
        #expect(
            try roundTrip([row], kinds: kinds)[1]
                == [
                    .date("2026-11-21T05:00:00"), .date("2026-11-21T12:00:00"), .date("2026-11-21T01:30:00"),
                    .text("1900-01-01T00:00:00Z"),
                ])
    }

    @Test func `cells of every kind may stand in every column`() throws {
        let row: [Cell] = [
            .text("x", style: .bad), .integer(5, style: .good), .decimal("1.5", style: .bold), .boolean(true),
            .blank(style: .warning), .empty,
        ]
        let expected: [ReadCell] = [.text("x"), .number("5"), .number("1.5"), ReadCell(kind: .boolean, text: "TRUE")]
        for kind in [Column.Kind.text, .integer, .decimal(places: 3), .money(places: 0), .dateTime] {
            let found = try roundTrip([row], kinds: Array(repeating: kind, count: 6))[1]
            #expect(found == expected + [.empty], "column \(kind)")
        }
    }
}
