import Crypto
import Domain
import Foundation
import SpreadsheetWriting
import Spreadsheets

/// An order report as the ERP got it, read back from its workbook.
struct ReportFile: Sendable {
    /// What it says of one order.
    struct Entry: Sendable {
        let externalID: String
        /// `lines` or `changes`.
        let place: String
        let revision: Int
        let content: ReportedContent
    }

    /// The file's name.
    let name: String
    let bytes: [UInt8]
    /// SHA-256 in lower-case hexadecimal.
    let digest: String
    let batch: String
    let shop: String
    let due: Date
    let madeAt: Date
    let knownUpTo: Date?
    let windowFrom: Date?
    /// The batch before it; nil if it was the shop's first.
    let previousBatch: String?
    let checksum: String
    let entries: [Entry]

    /// - Throws: ``ToolError`` with a sentence about the file if it is no order report.
    init(path: String) throws {
        name = URL(filePath: path).lastPathComponent
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ToolError.failed("\(path) cannot be read; nothing was changed.")
        }
        bytes = [UInt8](data)
        digest = SHA256.hash(data: data).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let sheets: [String: [[String: String]]]
        do {
            sheets = try Self.sheets(path)
        } catch {
            throw ToolError.failed("\(name) is no order report: \(error) Nothing was changed.")
        }
        let items = (sheets["Control"] ?? []).map { ($0["item"] ?? "", $0["value"] ?? "") }
        let control = Dictionary(items) { first, _ in first }
        func moment(_ item: String) -> Date? { control[item].flatMap { UTCTimestamp.parse($0) } }
        guard let batch = control["batch"], let shop = control["shop"],
            let due = moment("window to (UTC, not included)"), let madeAt = moment("made at (UTC)")
        else {
            throw ToolError.failed(
                "\(name) is no order report of Stockbridge: its sheet Control does not say batch, shop, window and "
                    + "when it was made. Take it out of the folder; nothing was changed.")
        }
        (self.batch, self.shop, self.due, self.madeAt) = (batch, shop, due, madeAt)
        knownUpTo = moment("orders known up to (UTC)")
        windowFrom = moment("window from (UTC, included)")
        previousBatch = control["previous batch"].flatMap { $0 == "none" ? nil : $0 }
        checksum = control["checksum"] ?? ""
        entries =
            try Self.entries("lines", sheets["Lines"] ?? [], name)
            + Self.entries(
                "changes", sheets["Changes"] ?? [], name)
    }

    /// By worksheet: its rows, each by the titles of the first row.
    private static func sheets(_ path: String) throws -> [String: [[String: String]]] {
        let reader = try WorkbookReader(path: path)
        var sheets: [String: [[String: String]]] = [:]
        for sheet in reader.sheets {
            var titles: [String]?
            var rows: [[String: String]] = []
            try reader.forEachRow(of: sheet.name) { row in
                let texts = row.texts.map { CellText.unescaped(String(decoding: $0, as: UTF8.self)) }
                if let titles {
                    rows.append(Dictionary(zip(titles, texts)) { first, _ in first })
                } else {
                    titles = texts
                }
                return true
            }
            sheets[sheet.name] = rows
        }
        return sheets
    }

    private static func entries(_ place: String, _ rows: [[String: String]], _ name: String) throws -> [Entry] {
        let byOrder = Dictionary(grouping: rows) { $0["order id"] ?? "" }
        return try byOrder.sorted { $0.key < $1.key }.map { id, rows in
            guard !id.isEmpty, let first = rows.first, let revision = first["revision"].flatMap({ Int($0) }),
                let total = first["order total"].flatMap({ Amount($0) })
            else {
                throw ToolError.failed(
                    "\(name) has rows without order id, revision or total, so that it is not known what the ERP was "
                        + "told. Take the file from the mail again; nothing was changed.")
            }
            let lines = rows.map { row in
                ReportedContent.Line(
                    sku: row["shop SKU"] ?? "", code: row["ERP code"] ?? "",
                    quantity: Quantity(row["quantity"] ?? "") ?? .zero,
                    units: Quantity(row["ERP quantity"] ?? "") ?? .zero)
            }
            let content = ReportedContent(lines: lines, total: total, isCancelled: first["change"] == "cancelled")
            return Entry(externalID: id, place: place, revision: revision, content: content)
        }
    }
}

/// Whether a folder of reports can be all that was mailed since a moment. Pure.
struct ReportChain {
    /// What is wrong, as sentences; empty if each report's predecessor is known.
    ///
    /// - Parameters:
    ///   - files: The reports.
    ///   - shops: Those of the configuration.
    ///   - sent: The batches that the database knows to have been sent.
    static func problems(
        _ files: [(name: String, batch: String, shop: String, previous: String?, digest: String)], shops: Set<String>,
        sent: Set<String>
    ) -> [String] {
        var found: [String] = []
        var digests: [String: String] = [:]
        for file in files {
            if !shops.contains(file.shop) {
                found.append("\(file.name) is of shop '\(file.shop)', which the configuration does not have.")
            }
            if let other = digests.updateValue(file.digest, forKey: file.batch), other != file.digest {
                found.append("Two files say different things under the batch id \(file.batch).")
            }
        }
        let known = sent.union(files.map(\.batch))
        for file in files {
            guard let previous = file.previous, !known.contains(previous) else { continue }
            found.append("\(file.name) names \(previous) as the report before it, which is not in the folder.")
        }
        return found
    }
}
