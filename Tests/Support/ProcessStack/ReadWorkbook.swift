public import Foundation
import SpreadsheetWriting
import Spreadsheets

/// A workbook as somebody finds it who opens it: texts as they were given to the writer.
public struct ReadWorkbook: Sendable {
    /// By worksheet: its rows, each by the titles of the first row.
    public private(set) var sheets: [String: [[String: String]]] = [:]

    /// Reads a workbook that a mail carried.
    public init(_ content: Data) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).xlsx")
        try content.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }  // Of no use to anybody any more.
        let reader = try WorkbookReader(path: file.path())
        for sheet in reader.sheets {
            var titles: [String]?
            var rows: [[String: String]] = []
            try reader.forEachRow(of: sheet.name) { row in
                let texts = row.texts.map { CellText.unescaped(String(decoding: $0, as: UTF8.self)) }
                guard let titles else {
                    titles = texts
                    return true
                }
                rows.append(Dictionary(zip(titles, texts)) { first, _ in first })
                return true
            }
            sheets[sheet.name] = rows
        }
    }

    /// The rows of a worksheet; none if there is no such worksheet.
    public func rows(_ sheet: String) -> [[String: String]] { sheets[sheet] ?? [] }

    /// What stands beside an item of *Control*.
    public func control(_ item: String) -> String? { rows("Control").first { $0["item"] == item }?["value"] }
}
