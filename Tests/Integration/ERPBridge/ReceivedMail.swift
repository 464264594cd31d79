import Crypto
import Foundation
import SpreadsheetWriting
import Spreadsheets
import Testing

/// A mail as the mailbox got it.
struct ReceivedMail {
    let headers: [String: String]
    /// The part for people.
    let text: String
    /// The attached file.
    let attachment: [UInt8]

    init(_ raw: String) {
        let raw = raw.replacing("\r\n", with: "\n")
        var headers: [String: String] = [:]
        let (head, body) = Self.split(raw)
        for line in head {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[String(line[..<colon])] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        self.headers = headers
        let boundary = headers["Content-Type"]?.split(separator: "boundary=").last.map {
            "--" + $0.trimmingCharacters(in: CharacterSet(charactersIn: "\"; "))
        }
        var text = ""
        var attachment: [UInt8] = []
        for part in boundary.map({ body.components(separatedBy: $0) }) ?? [] {
            let (head, content) = Self.split(part.trimmingCharacters(in: .newlines))
            let joined = head.joined(separator: "\n").lowercased()
            if joined.contains("base64"), joined.contains("attachment") {
                attachment = [UInt8](Data(base64Encoded: content.replacing("\n", with: "")) ?? Data())
            } else if joined.contains("text/plain") {
                text = content.replacing("=\n", with: "")
            }
        }
        self.text = text
        self.attachment = attachment
    }

    /// Header lines with their continuations joined, and what comes after the first empty line.
    private static func split(_ text: String) -> (head: [String], body: String) {
        guard let gap = text.range(of: "\n\n") else { return ([], text) }
        let head = text[..<gap.lowerBound].replacing("\n ", with: " ").replacing("\n\t", with: " ")
        return (head.split(separator: "\n").map(String.init), String(text[gap.upperBound...]))
    }

    /// The checksum that anybody can work out from the rows: see *Control*.
    func checksum() throws -> String {
        var text = ""
        for name in ["Lines", "Changes", "Held"] {
            let sheet = try sheet(name)
            text += name + "\n" + sheet.titles.joined(separator: "\u{1F}") + "\n"
            for row in sheet.rows {
                let cells = sheet.titles.indices.map {
                    row.indices.contains($0) ? CellText.unescaped(row[$0].text) : ""
                }
                text += cells.joined(separator: "\u{1F}") + "\n"
            }
        }
        return SHA256.hash(data: Data(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    func sheet(_ name: String) throws -> ReadSheet {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).xlsx")
        try Data(attachment).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }  // scratch file only
        var rows: [ReadSheet.Row] = []
        try WorkbookReader(path: file.path).forEachRow(of: name) { row in
            rows.append(
                zip(row.kinds, row.texts).map { (kind: $0, text: String(decoding: $1, as: UTF8.self)) })
            return true
        }
        return ReadSheet(rows)
    }
}

/// A worksheet as a reader finds it.
struct ReadSheet {
    typealias Row = [(kind: SheetCellKind, text: String)]

    let titles: [String]
    let rows: [Row]

    init(_ all: [Row]) {
        titles = all.first?.map(\.text) ?? []
        rows = Array(all.dropFirst())
    }

    /// A column's texts, as they were given to the writer.
    func column(_ title: String) throws -> [String] {
        let index = try #require(titles.firstIndex(of: title), "there is no column \(title)")
        return rows.map { $0.indices.contains(index) ? CellText.unescaped($0[index].text) : "" }
    }

    /// A column's kinds of cells.
    func kinds(_ title: String) throws -> [SheetCellKind] {
        let index = try #require(titles.firstIndex(of: title), "there is no column \(title)")
        return rows.map { $0.indices.contains(index) ? $0[index].kind : .empty }
    }

    /// The value beside an item of *Control*.
    func value(_ item: String) throws -> String {
        let row = try #require(rows.first { $0.first?.text == item }, "there is no item \(item)")
        return row.count > 1 ? row[1].text : ""
    }
}
