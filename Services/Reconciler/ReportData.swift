import Contracts
import Domain
import Foundation
import PostgreSQL
import Settings

/// A run as its report shows it.
struct ReportData {
    /// A shop's part.
    struct Shop {
        let name: ShopName
        let isComplete: Bool
        let problem: String?
        let compared: Int
        let categories: [String: Int]
        let statement: Int64?
        let reading: UUID?
        let shopOrders: ShopOrders?
        let orders: ReconciliationCompleted.OrderCounts?
        let ordersFrom: Date?
        let ordersTo: Date?

        /// Everything but what is right and what is on its way.
        var differences: Int {
            categories.filter { ReconciliationCategory(rawValue: $0.key)?.isDifference ?? true }.values.reduce(0, +)
        }
    }

    let run: UUID
    let day: String
    let cause: String
    let shops: [Shop]
    let sources: [String]

    /// Whether every shop was compared.
    var isComplete: Bool { shops.allSatisfy(\.isComplete) }

    /// Loads everything but the listings.
    init(
        _ run: UUID, day: String, cause: String, settings: ReconcilerSettings, at now: Date, in transaction: Transaction
    )
        throws
    {
        (self.run, self.day, self.cause) = (run, day, cause)
        let rows = try transaction.query(
            """
            SELECT shop, state, problem, compared, categories, statement, reading, orders_from, orders_to, orders
            FROM run_shops WHERE run = $1 ORDER BY position
            """, [.uuid(run)])
        shops = try rows.map { try Self.shop($0, cause: cause, run: run, in: transaction) }
        sources = try Self.sources(shops, settings: settings, at: now, in: transaction)
    }

    private static func shop(_ row: Row, cause: String, run: UUID, in transaction: Transaction) throws -> Shop {
        let name = ShopName(rawValue: try row.decode(at: 0))
        let state = ShopState(rawValue: try row.decode(at: 1)) ?? .waiting
        let isDone = state == .done
        let (from, to) = (try row.decode(at: 7, as: Date?.self), try row.decode(at: 8, as: Date?.self))
        let shopOrders = try row.decode(at: 9, as: String?.self).map { try JSONText.decode(ShopOrders.self, from: $0) }
        var orders: ReconciliationCompleted.OrderCounts?
        if isDone, let from, let to {
            orders = try counts(name, from: from, to: to, inShop: shopOrders?.count, in: transaction)
        }
        return Shop(
            name: name, isComplete: isDone,
            problem: isDone ? nil : problem(state, try row.decode(at: 2), cause: cause),
            compared: isDone ? try row.decode(at: 3) : 0,
            categories: isDone ? try JSONText.decode([String: Int].self, from: try row.decode(at: 4)) : [:],
            statement: try row.decode(at: 5), reading: try row.decode(at: 6), shopOrders: shopOrders, orders: orders,
            ordersFrom: from, ordersTo: to)
    }

    /// Why a shop is missing, as a sentence.
    static func problem(_ state: ShopState, _ known: String?, cause: String) -> String {
        if let known, !known.isEmpty { return known }
        return switch state {
        case .waiting where cause == "mail":
            "No stock file of the day was taken in (it did not come, or is held at the gate), so nothing was pushed."
        case .waiting: "Its stock run has not ended, so what it should show is not known yet."
        case .reading: "It is still being read back."
        case .asked, .rereading: "What differs is still being read once more."
        case .settling: "Its newest orders are still being waited for."
        case .skipped: "It cannot be compared."
        case .done: ""
        }
    }

    private static func counts(
        _ shop: ShopName, from: Date, to: Date, inShop: Int?, in transaction: Transaction
    ) throws -> ReconciliationCompleted.OrderCounts {
        let rows = try transaction.query(
            """
            SELECT o.currency, count(*), sum(o.total)::bigint, count(*) FILTER (WHERE o.is_held),
                count(*) FILTER (WHERE EXISTS (SELECT 1 FROM reported_orders r
                    WHERE r.shop = o.shop AND r.external_id = o.external_id))
            FROM orders o WHERE o.shop = $1 AND o.placed_at >= $2 AND o.placed_at <= $3
            GROUP BY o.currency ORDER BY o.currency
            """, [.text(shop.rawValue), .timestamp(from), .timestamp(to)])
        var counts = ReconciliationCompleted.OrderCounts(inShop: inShop, inHub: 0, inERP: 0, held: 0, value: [:])
        for row in rows {
            counts.inHub += try row.decode(at: 1, as: Int.self)
            counts.value[try row.decode(at: 0)] = Amount(micro: try row.decode(at: 2))
            counts.held += try row.decode(at: 3, as: Int.self)
            counts.inERP += try row.decode(at: 4, as: Int.self)
        }
        return counts
    }

    /// What every source last said, by the newest statements.
    private static func sources(
        _ shops: [Shop], settings: ReconcilerSettings, at now: Date, in transaction: Transaction
    ) throws -> [String] {
        let rows = try transaction.query(
            """
            SELECT DISTINCT ON (shop) sources FROM statements WHERE is_complete AND is_whole ORDER BY shop, number DESC
            """, [])
        var newest: [SourceName: SourceStatement] = [:]
        for row in rows {
            for statement in try JSONText.decode([SourceStatement].self, from: try row.decode(at: 0)) {
                if let known = newest[statement.source], known.receivedAt >= statement.receivedAt { continue }
                newest[statement.source] = statement
            }
        }
        return settings.sources.map { source in
            guard let statement = newest[source.name] else {
                return "\(source.name): no stock file was ever taken in."
            }
            let stands =
                "its newest numbers are of \(settings.localText(statement.asOf)) and came at "
                + "\(settings.localText(statement.receivedAt))"
            let isStale = Freshness.isStale(
                receivedAt: statement.receivedAt, schedule: source.schedule,
                graceSeconds: Double(source.lateAfterMinutes * 60), now: now)
            return isStale
                ? "\(source.name): no newer file was taken in (it did not come, or is held at the gate); \(stands)."
                : "\(source.name): \(stands)."
        }
    }
}
