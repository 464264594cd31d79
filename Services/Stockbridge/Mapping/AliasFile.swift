import Contracts
import DelimitedText
import Foundation

/// A person's decision that a listing is an article of the ERP, as import and export write it.
struct AliasEntry: Sendable, Encodable, Equatable {
    var shop: String
    /// One of the two is set.
    var shopSku: String?
    var listing: String?
    var erpCode: String
    var unitsPerPack = 1

    /// The command's arguments for it.
    var arguments: [String: JSONValue] {
        var values: [String: JSONValue] = [
            "shop": .string(shop), "code": .string(erpCode), "units_per_pack": .integer(Int64(unitsPerPack)),
        ]
        if let shopSku { values["shop_sku"] = .string(shopSku) }
        if let listing { values["listing"] = .string(listing) }
        return values
    }
}

/// The file that `mapping import` reads and `mapping export` writes: commas, quotes as in RFC 4180, a header.
enum AliasFile {
    static let header = ["shop", "shop_sku", "listing", "erp_code", "units_per_pack"]

    /// Every problem at once, so that one correction is enough.
    ///
    /// - Throws: ``ToolError/usage(_:)`` with a line per problem.
    static func read(_ text: String, file: String, shops: [String]) throws -> [AliasEntry] {
        let rows = try rows(of: text, file: file)
        guard let head = rows.first else { throw ToolError.usage("\(file) is empty. Nothing was imported.") }
        let names = head.cells.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        for wanted in ["shop", "erp_code"] where !names.contains(wanted) {
            throw ToolError.usage(
                "\(file):1: the column '\(wanted)' is missing; the header is \(header.joined(separator: ",")). "
                    + "Nothing was imported.")
        }
        guard names.contains("shop_sku") || names.contains("listing") else {
            throw ToolError.usage("\(file):1: one of the columns shop_sku and listing is needed. Nothing was imported.")
        }
        var problems: [String] = []
        var entries: [AliasEntry] = []
        for row in rows.dropFirst() where row.cells != [""] {
            do throws(RowProblem) {
                entries.append(try entry(row.cells, names, shops))
            } catch {
                problems.append("\(file):\(row.line): \(error.sentence)")
            }
        }
        guard problems.isEmpty else {
            throw ToolError.usage((problems + ["Nothing was imported."]).joined(separator: "\n"))
        }
        return entries
    }

    private struct RowProblem: Error { let sentence: String }

    private static func entry(
        _ cells: [String], _ names: [String], _ shops: [String]
    ) throws(RowProblem) -> AliasEntry {
        func cell(_ name: String) -> String? {
            guard let index = names.firstIndex(of: name), index < cells.count else { return nil }
            let text = cells[index].trimmingCharacters(in: .whitespaces)
            return text.isEmpty ? nil : text
        }
        guard cells.count == names.count else {
            throw RowProblem(sentence: "\(cells.count) cells instead of \(names.count)")
        }
        guard let shop = cell("shop"), shops.contains(shop) else {
            throw RowProblem(
                sentence: "there is no shop '\(cell("shop") ?? "")'; there are \(shops.joined(separator: ", "))")
        }
        guard let code = cell("erp_code") else { throw RowProblem(sentence: "the ERP code is empty") }
        let (sku, listing) = (cell("shop_sku"), cell("listing"))
        guard (sku == nil) != (listing == nil) else {
            throw RowProblem(sentence: "either the shop's SKU or the listing is needed, and not both")
        }
        let units = cell("units_per_pack").map { Int($0) } ?? 1
        guard let units, (1...1_000_000).contains(units) else {
            throw RowProblem(sentence: "units_per_pack must be a whole number from 1 to 1,000,000")
        }
        return AliasEntry(shop: shop, shopSku: sku, listing: listing, erpCode: code, unitsPerPack: units)
    }

    private struct TextRow {
        var line: Int
        var cells: [String]
    }

    private static func rows(of text: String, file: String) throws -> [TextRow] {
        var scanner = DelimitedScanner(
            TextStream(MemoryByteSource(Array(text.utf8)), encoding: .utf8), separator: UInt8(ascii: ","))
        var rows: [TextRow] = []
        while let record = try scanner.next() {
            if let fault = record.fault {
                throw ToolError.usage("\(file):\(record.line): \(sentence(fault)). Nothing was imported.")
            }
            rows.append(TextRow(line: record.line, cells: record.cells.map { String(decoding: $0, as: UTF8.self) }))
        }
        return rows
    }

    private static func sentence(_ fault: RecordFault) -> String {
        switch fault {
        case .unterminatedQuote: "a quote is opened and not closed"
        case .textAfterQuote: "a closing quote is followed by text"
        case .recordTooLong(let limit): "the row is longer than \(limit) bytes"
        case .cellTooLong(let column, let limit): "cell \(column + 1) is longer than \(limit) bytes"
        case .tooManyCells(let limit): "the row has more than \(limit) cells"
        }
    }

    static func write(_ entries: [AliasEntry]) -> String {
        let lines = entries.map { entry in
            [entry.shop, entry.shopSku ?? "", entry.listing ?? "", entry.erpCode, String(entry.unitsPerPack)]
                .map(quoted).joined(separator: ",")
        }
        return ([header.joined(separator: ",")] + lines).joined(separator: "\n")
    }

    private static func quoted(_ text: String) -> String {
        let isPadded = text.first == " " || text.last == " "
        let needsQuotes = isPadded || text.contains { $0 == "," || $0 == "\"" || $0.isNewline }
        return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}
