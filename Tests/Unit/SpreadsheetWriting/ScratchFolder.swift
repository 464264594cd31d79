import Foundation
import SpreadsheetWriting
import Spreadsheets

/// A folder that is gone when the test is.
final class ScratchFolder {
    let path = NSTemporaryDirectory() + "workbooks-" + UUID().uuidString
    var book: String { path + "/book.xlsx" }

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}

/// A cell as our reader gives it.
struct ReadCell: Equatable, CustomStringConvertible {
    var kind: SheetCellKind
    var text: String
    var description: String { "\(kind) \(text.prefix(60))" }

    static func text(_ text: String) -> ReadCell { ReadCell(kind: .text, text: text) }
    static func number(_ text: String) -> ReadCell { ReadCell(kind: .number, text: text) }
    static func date(_ text: String) -> ReadCell { ReadCell(kind: .date, text: text) }
    static let empty = ReadCell(kind: .empty, text: "")
}

/// The rows of a worksheet by their numbers.
func readRows(_ path: String, sheet: String? = nil) throws -> [Int: [ReadCell]] {
    var rows: [Int: [ReadCell]] = [:]
    try WorkbookReader(path: path).forEachRow(of: sheet) { row in
        rows[row.number] = zip(row.kinds, row.texts).map { kind, text in
            ReadCell(kind: kind, text: String(decoding: text, as: UTF8.self))
        }
        return true
    }
    return rows
}

/// Writes one worksheet without a header and reads its rows.
func roundTrip(_ rows: [[Cell]], kinds: [Column.Kind] = [.text, .text, .text, .text]) throws -> [Int: [ReadCell]] {
    let folder = try ScratchFolder()
    let writer = try WorkbookWriter(path: folder.book)
    let sheet = try writer.addSheet("Lines", columns: kinds.map { Column("", kind: $0) })
    for row in rows { try sheet.append(row) }
    try writer.close()
    return try readRows(folder.book)
}

/// The texts of the first column.
func roundTrip(_ texts: [String]) throws -> [ReadCell?] {
    let rows = try roundTrip(texts.map { [.text($0)] })
    return texts.indices.map { rows[$0 + 1]?.first }
}
