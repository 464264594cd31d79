import Foundation
import SpreadsheetWriting

/// Writes an order report: the rows of infra/bench/xlsx_write.c, a pool of 1,000, made before the clock starts.
enum ReportRow {
    private static let pool = 1_000
    private static let start = Date(timeIntervalSince1970: 1_795_237_200)
    private static let columns = [
        Column("Batch"), Column("Shop"), Column("Order"), Column("Revision", kind: .integer),
        Column("Placed", kind: .dateTime), Column("Status"), Column("Customer"), Column("Phone"), Column("City"),
        Column("SKU"), Column("Name"), Column("Quantity", kind: .integer), Column("Price", kind: .money(places: 2)),
        Column("Total", kind: .money(places: 2)), Column("Note"),
    ]

    static func write(path: String, rows: Int) throws -> Measurement {
        let orders = (0..<pool).map(cells)
        let clock = ContinuousClock.now
        let writer = try WorkbookWriter(path: path)
        writer.setDocumentProperties(title: "Orders", author: "Stockbridge", createdAt: start)
        let sheet = try writer.addSheet("Lines", columns: columns)
        for row in 0..<rows {
            var cells = orders[row % pool]
            cells[4] = .dateTime(start + Double(row), offsetSeconds: 0)
            try sheet.append(cells)
        }
        try writer.close()
        return Measurement(seconds: (ContinuousClock.now - clock).inSeconds, count: sheet.rowCount)
    }

    private static func cells(_ number: Int) -> [Cell] {
        let names = [
            "Dầu gội", "Sữa tắm", "Kem dưỡng", "Nước hoa", "Xà phòng", "Son môi", "Mặt nạ", "Serum", "Toner", "Lotion",
        ]
        let cities = ["Hà Nội", "Đà Nẵng", "Cần Thơ", "Huế"]
        let (cents, units) = (number * 25 + 1_995, number % 9 + 1)
        return [
            .text("hanoi-20261121-1200"), .text("shop-\(number % 5)"), .text("WC-\(1_000_000 + number * 37)"),
            .integer(Int64(number % 3 + 1)), .empty, .text("processing"),
            .text("Nguyễn Văn \(number * 7_919 % 1_000)"), .text("0\(901_000_000 + number * 7_919)"),
            .text(cities[number % 4]), .text("0" + padded(number * 104_729 % 10_000_000, 7)),
            .text("\(names[number % 10]) \(number * 31 % 900 + 100) ml"), .integer(Int64(units)),
            .decimal(amount(cents)), .decimal(amount(cents * units)),
            .text("Giao giờ hành chính, gọi trước \(number % 60) phút"),
        ]
    }

    private static func amount(_ cents: Int) -> String { "\(cents / 100).\(padded(cents % 100, 2))" }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
