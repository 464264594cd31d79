import Contracts
import Crypto
import Domain
import Foundation

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

    /// - Throws: ``ToolError`` with a sentence about the file if it is no order report, or not as it was mailed.
    init(path: String) throws {
        name = URL(filePath: path).lastPathComponent
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ToolError.failed("\(path) cannot be read; nothing was changed.")
        }
        bytes = [UInt8](data)
        digest = SHA256.hash(data: data).hexadecimal
        let sheets: ReportSheets
        do {
            sheets = try ReportSheets(path: path)
        } catch {
            throw ToolError.failed("\(name) is no order report: \(error) Nothing was changed.")
        }
        let items = (sheets["Control"]?.rows ?? []).map { ($0.first ?? "", $0.count > 1 ? $0[1] : "") }
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
        entries = try Self.entries(sheets, control, name)
    }

    /// Whoever works in the attachment and saves it leaves less or other than what the ERP was told; what is missing
    /// here would go to the ERP a second time.
    private static func entries(
        _ sheets: ReportSheets, _ control: [String: String], _ name: String
    ) throws -> [Entry] {
        func damaged(_ what: String) -> ToolError {
            .failed("\(name) is not as it was mailed: \(what). Take the file from the mail again; nothing was changed.")
        }
        if let missing = ReportSheets.counted.first(where: { sheets[$0] == nil }) {
            throw damaged("it has no sheet \(missing)")
        }
        var entries: [Entry] = []
        for (place, title) in [("lines", "Lines"), ("changes", "Changes")] {
            guard let sheet = sheets[title] else { continue }
            guard let found = Self.entries(sheet, place) else {
                throw damaged(
                    "a row of its sheet \(title) has no order id, or no proper revision, total or quantity, so that it "
                        + "is not known what the ERP was told")
            }
            entries += found
        }
        func number(_ place: String) -> Int { entries.count { $0.place == place } }
        for (item, found) in [
            ("orders on Lines", number("lines")), ("rows on Lines", sheets["Lines"]?.rows.count ?? 0),
            ("orders on Changes", number("changes")),
        ] where control[item].flatMap({ Int($0) }) != found {
            throw damaged("its sheet Control says \(control[item] ?? "nothing of the") \(item), and there are \(found)")
        }
        guard control["checksum"] == sheets.checksum else {
            throw damaged(
                "its rows do not give the checksum that stands on its sheet Control, so something in them was changed")
        }
        return entries
    }

    /// Nil if a row cannot be understood.
    private static func entries(_ sheet: ReportSheets.Sheet, _ place: String) -> [Entry]? {
        let byOrder = Dictionary(grouping: sheet.rows) { sheet.text("order id", of: $0) }
        var entries: [Entry] = []
        for (id, rows) in byOrder.sorted(by: { $0.key < $1.key }) {
            guard !id.isEmpty, let first = rows.first, let revision = Int(sheet.text("revision", of: first)),
                let total = Amount(sheet.text("order total", of: first))
            else { return nil }
            var lines: [ReportedContent.Line] = []
            for row in rows {
                guard let quantity = Self.quantity(sheet.text("quantity", of: row)),
                    let units = Self.quantity(sheet.text("ERP quantity", of: row))
                else { return nil }
                lines.append(
                    ReportedContent.Line(
                        sku: sheet.text("shop SKU", of: row), code: sheet.text("ERP code", of: row),
                        quantity: quantity, units: units))
            }
            let isCancelled = sheet.text("change", of: first) == "cancelled"
            entries.append(
                Entry(
                    externalID: id, place: place, revision: revision,
                    content: ReportedContent(lines: lines, total: total, isCancelled: isCancelled)))
        }
        return entries
    }

    /// An order that has no goods any more stands on *Changes* without a quantity.
    private static func quantity(_ text: String) -> Quantity? { text.isEmpty ? .zero : Quantity(text) }
}
