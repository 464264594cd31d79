import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ShopAccounts
import ShopConnectors

/// The shop's own count of orders for one stretch, as it is kept until the report.
struct ShopOrders: Codable, Sendable {
    /// Orders the shop named.
    var count = 0
    /// Their value by currency.
    var value: [String: Amount] = [:]
}

/// Counts a shop's orders by the shop's own word, and compares each with ours. What the shop does not answer in time is
/// left out; stock is what the run waits for.
struct OrderAudit {
    /// A shop is asked no longer than this.
    static let boundSeconds: Double = 90
    /// Without a reconciliation before, the stretch is a day; after a long pause it is bounded.
    static let firstStretchSeconds: Double = 86_400
    static let longestStretchSeconds: Double = 7 * 86_400

    let account: ShopAccount
    let database: ServiceDatabase
    let logger: Logger

    func run(_ shop: RunShop, now: Date) async {
        do {
            guard let stretch = try await stretch(shop, now: now), stretch.from < stretch.to else { return }
            try await database.pool.transaction { transaction in
                try transaction.execute(
                    """
                    UPDATE run_shops SET orders_from = $3, orders_to = $4, orders = NULL WHERE run = $1 AND shop = $2
                    """,
                    [
                        .uuid(shop.run), .text(shop.shop.rawValue), .timestamp(stretch.from), .timestamp(stretch.to),
                    ])
                try transaction.execute(
                    "DELETE FROM order_findings WHERE run = $1 AND shop = $2",
                    [.uuid(shop.run), .text(shop.shop.rawValue)])
            }
            let orders = try await count(shop, stretch)
            let text = try orders.map { try JSONText.encode($0) }
            _ = try await database.pool.query(
                "UPDATE run_shops SET orders = $3 WHERE run = $1 AND shop = $2",
                [.uuid(shop.run), .text(shop.shop.rawValue), .maybe(text) { .text($0) }])
        } catch {
            logger.warning(
                "the shop's orders were not counted", metadata: ["shop": "\(shop.shop)", "problem": "\(error)"])
        }
    }

    /// Since the last reconciliation, up to where the shop's orders are known to us; nil where nobody collects them.
    private func stretch(_ shop: RunShop, now: Date) async throws -> (from: Date, to: Date)? {
        let found = try await database.pool.transaction { transaction in
            let last = try transaction.query(
                "SELECT max(orders_to) FROM run_shops WHERE shop = $1 AND state = 'done'", [.text(shop.shop.rawValue)]
            ).first.flatMap { try $0.decode(at: 0, as: Date?.self) }
            return (try OrderStore.completeUpTo(shop.shop, in: transaction), last)
        }
        guard let completeUpTo = found.0 else { return nil }
        let to = min(now, completeUpTo)
        let from = found.1.map { max($0, now.addingTimeInterval(-Self.longestStretchSeconds)) }
        return (from ?? now.addingTimeInterval(-Self.firstStretchSeconds), to)
    }

    /// Nil if the shop was not through in time.
    private func count(_ shop: RunShop, _ stretch: (from: Date, to: Date)) async throws -> ShopOrders? {
        let capabilities = try await account.capabilities()
        guard let reading = capabilities.orderReading else { return nil }
        let end = ContinuousClock.now + .seconds(Self.boundSeconds)
        let window = OrderWindow(.placed, from: stretch.from, upTo: stretch.to)
        var orders = ShopOrders()
        var seen: Set<String> = []
        var cursor: OrderCursor?
        repeat {
            guard ContinuousClock.now < end else { return nil }
            let page = try await reading.page(in: window, after: cursor)
            let new = page.orders.filter { seen.insert($0.externalID).inserted }
            for case .order(let order) in new {
                orders.value[order.currency.rawValue, default: .zero] += order.totals.total
            }
            orders.count += new.count
            try await compare(new, of: shop)
            cursor = page.next
        } while cursor != nil
        return orders
    }

    private func compare(_ orders: [OrderReadingResult], of shop: RunShop) async throws {
        guard !orders.isEmpty else { return }
        try await database.pool.transaction { transaction in
            let rows = try transaction.query(
                """
                SELECT external_id, currency, total, is_cancelled FROM orders
                WHERE shop = $1 AND external_id = ANY ($2)
                """, [.text(shop.shop.rawValue), .textArray(orders.map(\.externalID))])
            var hub: [String: HubOrder] = [:]
            for row in rows { hub[try row.decode(at: 0)] = try HubOrder(row) }
            for order in orders {
                for finding in Self.findings(order, hub[order.externalID]) {
                    try transaction.execute(
                        "INSERT INTO order_findings VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                        [
                            .uuid(shop.run), .text(shop.shop.rawValue), .text(order.externalID), .text(finding.kind),
                            .text(finding.detail),
                        ])
                }
            }
        }
    }

    /// An order as we hold it.
    struct HubOrder: Sendable {
        let currency: String
        let total: Amount
        let isCancelled: Bool

        init(_ row: Row) throws {
            currency = try row.decode(at: 1)
            total = Amount(micro: try row.decode(at: 2))
            isCancelled = try row.decode(at: 3)
        }

        init(currency: String, total: Amount, isCancelled: Bool) {
            (self.currency, self.total, self.isCancelled) = (currency, total, isCancelled)
        }
    }

    /// What is not the same in the shop and with us.
    static func findings(_ order: OrderReadingResult, _ hub: HubOrder?) -> [(kind: String, detail: String)] {
        guard let hub else { return [("missing", "The shop has the order, and we do not.")] }
        guard case .order(let order) = order else { return [] }
        var found: [(kind: String, detail: String)] = []
        if hub.total != order.totals.total || hub.currency != order.currency.rawValue {
            found.append(
                (
                    "total_mismatch",
                    "The shop says \(order.totals.total) \(order.currency), we hold \(hub.total) \(hub.currency)."
                ))
        }
        if order.status.isCancelled && !hub.isCancelled {
            found.append(("status_not_propagated", "It is cancelled in the shop, and not with us."))
        }
        return found
    }
}
