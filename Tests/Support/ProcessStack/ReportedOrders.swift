public import Foundation
import ShopSimulators

/// What the ERP knows of the shops' orders once somebody has typed in every report that arrived, in their order.
public struct ReportedOrders: Sendable {
    /// One order's goods: by the shop's SKU, the ERP's code and the units of both.
    public struct Line: Sendable, Hashable, Comparable, CustomStringConvertible {
        /// As the shop has it.
        public let sku: String
        /// As the ERP has it.
        public let code: String
        /// In the shop's units.
        public let quantity: Decimal
        /// In the ERP's units.
        public let units: Decimal

        /// By SKU.
        public static func < (left: Line, right: Line) -> Bool {
            (left.sku, left.quantity) < (right.sku, right.quantity)
        }

        /// Such as `2 of AB-1 (2 of AB-1)`.
        public var description: String { "\(quantity) of \(sku) (\(units) of \(code))" }
    }

    /// One order.
    public struct Entry: Sendable {
        /// The last batch that said something about it.
        public var batch: String
        /// The revision that it said it of.
        public var revision: Int
        /// Called off.
        public var isCancelled: Bool
        /// What is to be sent to the customer.
        public var lines: [Line]
        /// What the customer pays.
        public var total: Decimal?
    }

    /// By `shop:id`.
    public private(set) var orders: [String: Entry] = [:]
    /// What stands on *Held* in the newest report of each shop: the reasons by `shop:id`.
    public private(set) var held: [String: String] = [:]
    /// The workbooks by batch.
    public private(set) var books: [String: ReadWorkbook] = [:]
    /// Orders that came twice, and other things that nobody could type in.
    public private(set) var duplicated: [String] = []

    /// Types in all reports that arrived at the ERP's mailbox.
    public init(_ stack: ProcessStack) throws {
        var contents: [String: Set<Data>] = [:]
        var identifiers: [String: Set<String>] = [:]
        for mail in try stack.arrivedMails() {
            guard let batch = mail.batch, let file = mail.attachments.first?.content else { continue }
            contents[batch, default: []].insert(file)
            if mail.headers["x-stockbridge-repetition"] == "0" {
                identifiers[batch, default: []].insert(mail.messageID)
            }
        }
        for (batch, files) in contents.sorted(by: { $0.key < $1.key }) {
            if files.count > 1 { duplicated.append("\(batch) arrived with \(files.count) different contents") }
            if identifiers[batch]?.count ?? 0 > 1 { duplicated.append("\(batch) was mailed under several Message-IDs") }
            guard let file = files.first else { continue }
            let book = try ReadWorkbook(file)
            books[batch] = book
            typeIn(book, batch: batch)
        }
    }

    private mutating func typeIn(_ book: ReadWorkbook, batch: String) {
        let shop = book.control("shop") ?? ""
        for (id, rows) in Self.byOrder(book.rows("Lines")) {
            let reference = "\(shop):\(id)"
            if let known = orders[reference] {
                duplicated.append("\(reference) stands on Lines of \(known.batch) and of \(batch)")
            }
            orders[reference] = Self.entry(rows, batch: batch)
        }
        for (id, rows) in Self.byOrder(book.rows("Changes")) {
            let reference = "\(shop):\(id)"
            let entry = Self.entry(rows, batch: batch)
            if let known = orders[reference] {
                if known.batch == batch { duplicated.append("\(reference) stands twice in \(batch)") }
                if known.revision > entry.revision { duplicated.append("\(reference) went back in \(batch)") }
            } else {
                duplicated.append("\(reference) stands on Changes of \(batch) and was never on Lines")
            }
            orders[reference] = entry
        }
        held = held.filter { !$0.key.hasPrefix(shop + ":") }
        for row in book.rows("Held") { held["\(shop):\(row["order id"] ?? "")"] = row["reasons"] ?? "" }
    }

    private static func byOrder(_ rows: [[String: String]]) -> [(String, [[String: String]])] {
        Dictionary(grouping: rows) { $0["order id"] ?? "" }.sorted { $0.key < $1.key }
    }

    private static func entry(_ rows: [[String: String]], batch: String) -> Entry {
        let lines = rows.compactMap { row -> Line? in
            let quantity = Decimal(string: row["quantity"] ?? "") ?? 0
            guard quantity != 0 else { return nil }
            return Line(
                sku: row["shop SKU"] ?? "", code: row["ERP code"] ?? "", quantity: quantity,
                units: Decimal(string: row["ERP quantity"] ?? "") ?? 0)
        }
        return Entry(
            batch: batch, revision: rows.first.flatMap { Int($0["revision"] ?? "") } ?? 0,
            isCancelled: rows.first?["change"] == "cancelled", lines: lines.sorted(),
            total: rows.first.flatMap { Decimal(string: $0["order total"] ?? "") })
    }

    // MARK: - Comparing

    /// Compares with what the shops say, to the last unit. What is missing or different, as sentences.
    ///
    /// - Parameter codes: The ERP's codes by shop and item; the morning's unless something was mapped since.
    public func differences(from stack: ProcessStack, codes: [String: [String: String]] = [:]) -> [String] {
        var found: [String] = []
        var known: Set<String> = []
        for (shop, simulator) in stack.shops.sorted(by: { $0.key < $1.key }) {
            let facts = stack.morning.shops[shop]
            let codes = (facts?.codes ?? [:]).merging(codes[shop] ?? [:]) { _, new in new }
            for order in simulator.orders() {
                let reference = "\(shop):\(order.id)"
                known.insert(reference)
                let lines = order.lines.filter { $0.quantity > 0 }.map { line in
                    let units = Decimal(line.quantity * (facts?.packs?[line.item] ?? 1))
                    return Line(
                        sku: line.sku, code: codes[line.item] ?? "", quantity: Decimal(line.quantity), units: units)
                }
                if let what = difference(of: order, reference, lines.sorted()) { found.append("\(reference) \(what)") }
            }
        }
        return found + orders.keys.filter { !known.contains($0) }.sorted().map { "\($0) is no order of any shop" }
    }

    private func difference(of order: OrderReport, _ reference: String, _ lines: [Line]) -> String? {
        guard let entry = orders[reference] else {
            let isAccountedFor = order.cancelled || order.deleted || held[reference] != nil
            return isAccountedFor ? nil : "was lost: it was neither reported nor held"
        }
        if order.cancelled || order.deleted {
            return entry.isCancelled ? nil : "was cancelled, and the ERP does not know (\(entry.batch))"
        }
        // Something keeps back what has become of it; the ERP knows it as it was.
        if held[reference] != nil { return nil }
        if entry.isCancelled { return "is cancelled in the ERP only (\(entry.batch))" }
        if entry.lines != lines { return "is \(lines) at the shop and \(entry.lines) in the ERP (\(entry.batch))" }
        let total = Decimal(string: order.total)
        return entry.total == total
            ? nil : "costs \(order.total), in the ERP \(entry.total.map { "\($0)" } ?? "nothing")"
    }
}
