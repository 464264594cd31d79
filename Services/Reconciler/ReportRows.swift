import Domain
import Foundation
import PostgreSQL
import SpreadsheetWriting

/// One listing of the report.
struct ReportRow {
    var shop: String
    var sku: String?
    var erpCode: String?
    var listing: String
    var title: String
    var category: ReconciliationCategory
    var expected: Int?
    var observed: Quantity?
    var breakdown: String
    var lastPushedAt: Date?
    var answer: String?
    var statedAt: Date?
    var readAt: Date?
    var ageDays: Int
    var action: String

    static let columns = [
        Column("Shop", width: 14), Column("SKU", width: 18), Column("ERP code", width: 18),
        Column("Listing", width: 14), Column("Name", width: 34), Column("Category", width: 18),
        Column("Expected", width: 10, kind: .integer), Column("Observed", width: 10, kind: .decimal(places: 0)),
        Column("Difference", width: 10, kind: .decimal(places: 0)), Column("How expected came about", width: 60),
        Column("Last push", width: 19, kind: .dateTime), Column("Its answer", width: 24),
        Column("Stated at", width: 19, kind: .dateTime), Column("Read at", width: 19, kind: .dateTime),
        Column("Age in days", width: 10, kind: .integer), Column("What to do", width: 60),
    ]

    func cells(offsetSeconds: Int) -> [Cell] {
        let style: CellStyle =
            switch category {
            case .ok: .normal
            case .inFlight: .good
            case .tooHigh, .editedOnSite, .pushFailed, .missingOnSite, .disabled, .tooLow: .bad
            default: .warning
            }
        func text(_ value: String?) -> Cell { value.map { $0.isEmpty ? .empty : .text($0) } ?? .empty }
        func time(_ value: Date?) -> Cell { value.map { .dateTime($0, offsetSeconds: offsetSeconds) } ?? .empty }
        var difference = Cell.empty
        if let expected, let observed { difference = .decimal((observed - Quantity(expected)).description) }
        return [
            .text(shop), text(sku), text(erpCode), .text(listing), text(title), .text(category.rawValue, style: style),
            expected.map { .integer(Int64($0)) } ?? .empty, observed.map { .decimal($0.description) } ?? .empty,
            difference, text(breakdown), time(lastPushedAt), text(answer), time(statedAt), time(readAt),
            category == .ok ? .empty : .integer(Int64(ageDays)), category == .ok ? .empty : text(action),
        ]
    }
}

/// All listings of a shop in a run: what was stated, what was read, and the verdicts, merged as they come.
struct ReportRows {
    let run: UUID
    let shop: ShopName
    let statement: Int64
    let reading: UUID

    private struct Stated {
        let sku: String?
        let erpCode: String?
        let title: String
        let wanted: Int?
        let breakdown: String
        let lastPushedAt: Date?
        let answer: String?
    }

    /// Calls `body` with every listing once, in order of listing.
    func forEach(in transaction: Transaction, _ body: (ReportRow) throws -> Void) throws {
        let takenAt = try StatementStore.origin(of: statement, in: transaction)?.takenAt
        let stated = statedRows(in: transaction)
        let seen = SortedRows(
            """
            SELECT listing, quantity, read_to FROM readings WHERE reading = $1 AND listing > $2
            ORDER BY listing LIMIT \(SortedRowsLimit.rows)
            """, [.uuid(reading)], in: transaction
        ) { row in
            (try row.decode(at: 1, as: Int64?.self).map { Quantity(micro: $0) }, try row.decode(at: 2, as: Date.self))
        }
        let verdicts = verdictRows(in: transaction)
        let name = shop.rawValue
        while let listing = try earlier(earlier(stated.key(), seen.key()), verdicts.key()) {
            let (expected, found) = (try stated.take(listing), try seen.take(listing))
            if let verdict = try verdicts.take(listing) {
                try body(verdict)
            } else {
                try body(
                    ReportRow(
                        shop: name, sku: expected?.sku, erpCode: expected?.erpCode, listing: listing.rawValue,
                        title: expected?.title ?? "", category: .ok, expected: expected?.wanted, observed: found?.0,
                        breakdown: expected?.breakdown ?? "", lastPushedAt: expected?.lastPushedAt,
                        answer: expected?.answer, statedAt: takenAt, readAt: found?.1, ageDays: 0, action: ""))
            }
        }
    }

    private func statedRows(in transaction: Transaction) -> SortedRows<Stated> {
        SortedRows(
            """
            SELECT listing, sku, erp_code, title, wanted, breakdown, last_pushed_at, answer FROM statement_listings
            WHERE statement = $1 AND listing > $2 ORDER BY listing LIMIT \(SortedRowsLimit.rows)
            """, [.integer(statement)], in: transaction
        ) { row in
            Stated(
                sku: try row.decode(at: 1), erpCode: try row.decode(at: 2), title: try row.decode(at: 3),
                wanted: try row.decode(at: 4), breakdown: try row.decode(at: 5), lastPushedAt: try row.decode(at: 6),
                answer: try row.decode(at: 7))
        }
    }

    private func verdictRows(in transaction: Transaction) -> SortedRows<ReportRow> {
        let name = shop.rawValue
        return SortedRows(
            """
            SELECT listing, sku, erp_code, title, category, expected, observed, breakdown, last_pushed_at, answer,
                stated_at, read_to, age_days, action
            FROM differences WHERE run = $1 AND shop = $2 AND listing > $3
            ORDER BY listing LIMIT \(SortedRowsLimit.rows)
            """, [.uuid(run), .text(name)], in: transaction
        ) { row in
            ReportRow(
                shop: name, sku: try row.decode(at: 1), erpCode: try row.decode(at: 2),
                listing: try row.decode(at: 0), title: try row.decode(at: 3),
                category: ReconciliationCategory(rawValue: try row.decode(at: 4)) ?? .ok,
                expected: try row.decode(at: 5),
                observed: try row.decode(at: 6, as: Int64?.self).map { Quantity(micro: $0) },
                breakdown: try row.decode(at: 7), lastPushedAt: try row.decode(at: 8), answer: try row.decode(at: 9),
                statedAt: try row.decode(at: 10), readAt: try row.decode(at: 11), ageDays: try row.decode(at: 12),
                action: try row.decode(at: 13))
        }
    }
}
