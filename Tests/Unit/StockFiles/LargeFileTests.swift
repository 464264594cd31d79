import DelimitedText
import Domain
import Foundation
import StockFiles
import Testing

/// What only shows once a file outgrows the tables and buffers that it starts with.
@Suite struct LargeFileTests {
    /// 12,000 SKUs in two warehouses; the second ones in another order.
    static let rows: [String] = {
        let count = 12_000
        let first = (0..<count).map { "S\($0 * 7),\"Tên \($0)\",HN,\($0)" }
        let second = (0..<count).map { $0 * 7_919 % count }.map { "S\($0 * 7),x,HCM,\($0 * 2)" }
        return first + second
    }()

    @Test func `every SKU is found again in whatever order it comes`() throws {
        let file = try parse("SKU,Name,Kho,Qty\n" + Self.rows.joined(separator: "\n"))
        #expect(file.skuCount == 12_000 && file.counts.accepted == 24_000)
        let totals = StockTotals(of: file)
        #expect((0..<12_000).allSatisfy { totals[ERPCode(rawValue: "S\($0 * 7)")] == Quantity($0 * 3) })
        #expect(totals["S1"] == nil)
        var codes: [String] = []
        totals.forEach { sku, _ in codes.append(String(decoding: sku, as: UTF8.self)) }
        #expect(codes.count == 12_000 && codes[11_999] == "S\(11_999 * 7)")
    }

    @Test(arguments: [TextEncoding.utf8, .utf16LittleEndian], [false, true])
    func `the text of a row that is taken back late is found again`(encoding: TextEncoding, marked: Bool) throws {
        var rows = Self.rows
        rows += ["S77,again,HN,999", "S83993,\"x\ny\",HN,1"]
        let text = (marked ? "\u{FEFF}" : "") + "SKU,Name,Kho,Qty\r\n" + rows.joined(separator: "\r\n")
        let bytes =
            encoding == .utf8
            ? Array(text.utf8) : text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let file = try parse(bytes)
        #expect(file.layout.encoding == encoding)
        let expected = ["S77,\"Tên 11\",HN,11", "S83993,\"Tên 11999\",HN,11999", rows[24_000], rows[24_001]]
        #expect(file.setAside.map(\.rawText) == expected)
        #expect(file.setAside.map(\.line) == [13, 12_001, 24_002, 24_003])
        #expect(file.counts.addUp)
    }
}
