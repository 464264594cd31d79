import Foundation
import StockFiles
import Testing

@Suite struct AsOfParserTests {
    static let parser = AsOfParser(timeZone: TimeZone(identifier: "Asia/Ho_Chi_Minh") ?? .gmt)

    @Test(arguments: [
        ("2026-11-21 06:00", "2026-11-20T23:00:00Z"), ("2026-11-21T06:00:30", "2026-11-20T23:00:30Z"),
        ("2026-11-21T06:00:30.250Z", "2026-11-21T06:00:30Z"), ("2026-11-21T06:00+00:00", "2026-11-21T06:00:00Z"),
        ("21/11/2026 06:00", "2026-11-20T23:00:00Z"), ("21.11.2026", "2026-11-20T17:00:00Z"),
        ("20261121-0600", "2026-11-20T23:00:00Z"), ("20261121060015", "2026-11-20T23:00:15Z"),
        ("2026-11-21", "2026-11-20T17:00:00Z"),
    ])
    func `times are read in the source's zone unless they state one`(text: String, expected: String) throws {
        #expect(Self.parser.date(text) == ISO8601DateFormatter().date(from: expected))
    }

    @Test(arguments: [
        "", "soon", "2026-13-01", "2026-02-30", "31/02/2026", "2026-11-21 25:00", "2026-11-21 06:00 x", "11/21/2026",
        "2026-11", "2026-11-21T06:60",
    ])
    func `what is no time is not read`(text: String) {
        #expect(Self.parser.date(text) == nil)
    }

    @Test func `a file name tells the time by its pattern`() {
        let pattern = "stock-(\\d{8}-\\d{4})"
        let expected = ISO8601DateFormatter().date(from: "2026-11-20T23:00:00Z")
        #expect(Self.parser.date(inFileName: "stock-20261121-0600.csv", pattern: pattern) == expected)
        #expect(Self.parser.date(inFileName: "stock.csv", pattern: pattern) == nil)
        #expect(Self.parser.date(inFileName: "stock-20261121-0600.csv", pattern: "(") == nil)
    }
}
