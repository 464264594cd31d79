import Contracts
import Crypto
import Domain
import Foundation
import SpreadsheetWriting

/// The checksum over the rows of a report: SHA-256 of their canonical text.
///
/// One line of UTF-8 a row, ended by a line feed, its cells separated by U+001F; each worksheet begins with its name
/// and its titles. A cell counts as a reader finds it, so that the checksum can be worked out from the file alone: a
/// text as it stands there but unescaped, a number as plain decimal text, a time as local `2026-11-21T06:00:00`, an
/// empty cell as nothing.
struct RowChecksum {
    private var hash = SHA256()

    mutating func add(_ texts: some Sequence<String>) {
        hash.update(data: Array((texts.joined(separator: "\u{1F}") + "\n").utf8))
    }

    /// 64 lower-case hexadecimal digits.
    var text: String { hash.finalize().hexadecimal }

    static func canonical(_ cell: Cell) -> String {
        switch cell {
        case .empty, .blank: ""
        case .text(let text, _): CellText.unescaped(CellText.written(text))
        case .decimal(let text, _): text
        case .integer(let value, _): String(value)
        case .boolean(let value, _): value ? "TRUE" : "FALSE"
        case .dateTime(let date, let offset, _):
            String(UTCTimestamp.format(date.addingTimeInterval(Double(offset))).prefix(19))
        }
    }
}

/// A workbook that counts its rows into a checksum as they are written.
final class ReportWorkbookWriter {
    private let writer: WorkbookWriter
    private(set) var checksum = RowChecksum()

    init(path: String, title: String, company: String, createdAt: Date) throws {
        writer = try WorkbookWriter(path: path)
        writer.setDocumentProperties(title: title, author: "Stockbridge", company: company, createdAt: createdAt)
    }

    func addSheet(_ name: String, _ columns: [Column]) throws -> SheetWriter {
        checksum.add([name])
        checksum.add(columns.map(\.title))
        return try writer.addSheet(name, columns: columns, autofilter: true)
    }

    func append(_ row: [Cell], to sheet: SheetWriter) throws {
        checksum.add(row.map(RowChecksum.canonical))
        try sheet.append(row)
    }

    /// The sheet that holds the checksum is not part of it.
    func addControlSheet(_ rows: [[Cell]], _ columns: [Column]) throws {
        let sheet = try writer.addSheet("Control", columns: columns)
        for row in rows { try sheet.append(row) }
    }

    func close() throws { try writer.close() }
}
