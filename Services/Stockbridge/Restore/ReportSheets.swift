import Contracts
import Crypto
import Foundation
import SpreadsheetWriting
import Spreadsheets

/// The worksheets of an order report, each cell as it was given to the workbook.
struct ReportSheets {
    /// A worksheet: the titles of its first row, and the rows below that hold anything.
    struct Sheet {
        let titles: [String]
        let rows: [[String]]

        /// What a row holds under a title; empty if there is nothing.
        func text(_ title: String, of row: [String]) -> String {
            guard let index = titles.firstIndex(of: title), row.indices.contains(index) else { return "" }
            return row[index]
        }
    }

    /// Those whose rows the checksum on *Control* counts, in its order.
    static let counted = ["Lines", "Changes", "Held"]

    private var sheets: [String: Sheet] = [:]

    init(path: String) throws {
        let reader = try WorkbookReader(path: path)
        for sheet in reader.sheets {
            var titles: [String]?
            var rows: [[String]] = []
            try reader.forEachRow(of: sheet.name) { row in
                let texts = row.texts.indices.map { index in
                    let text = String(decoding: row.texts[index], as: UTF8.self)
                    return row.kinds[index] == .number ? Self.plain(text) : CellText.unescaped(text)
                }
                if titles == nil {
                    titles = texts
                } else if texts.contains(where: { !$0.isEmpty }) {
                    rows.append(texts)
                }
                return true
            }
            sheets[sheet.name] = Sheet(titles: titles ?? [], rows: rows)
        }
    }

    subscript(name: String) -> Sheet? { sheets[name] }

    /// The checksum over the rows, as erp-bridge works it out (docs/reports.md); 64 lower-case hexadecimal digits.
    var checksum: String {
        var hash = SHA256()
        func add(_ texts: [String]) { hash.update(data: Data((texts.joined(separator: "\u{1F}") + "\n").utf8)) }
        for name in Self.counted {
            guard let sheet = sheets[name] else { continue }
            add([name])
            add(sheet.titles)
            for row in sheet.rows {
                var cells = row
                while cells.count > sheet.titles.count, cells.last?.isEmpty == true { cells.removeLast() }
                add(cells + Array(repeating: "", count: max(0, sheet.titles.count - cells.count)))
            }
        }
        return hash.finalize().hexadecimal
    }

    /// A number of a cell as plain decimal text. None has more than fifteen significant digits, for what has more is
    /// written as a text; so rounding to fifteen gives back what was written, whatever notation a program chose.
    private static func plain(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E }
        if isPlain, text.utf8.count <= 15, !(text.contains(".") && text.hasSuffix("0")) { return text }
        guard let number = Double(text), number.isFinite,
            let decimal = Decimal(
                string: String(format: "%.14e", number), locale: Locale(identifier: "en_US_POSIX"))
        else { return text }
        return "\(decimal)"
    }
}
