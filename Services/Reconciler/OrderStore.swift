import Contracts
import Domain
import Foundation
import PostgreSQL

/// The SQL of orders, as far as they explain stock and are counted.
enum OrderStore {
    /// Keeps what an order says now; an older statement about it changes nothing.
    static func save(_ event: OrderChanged, in transaction: Transaction) throws {
        let order = event.order
        let isCancelled = order.status.isCancelled || event.cancellation == .cancelled
        let key: [PostgresValue] = [.text(order.shop.rawValue), .text(order.externalID)]
        let known = try transaction.query(
            "SELECT revision, state_version, moved_at, learnt_at FROM orders WHERE shop = $1 AND external_id = $2 "
                + "FOR UPDATE", key
        ).first
        if let known {
            let version = OrderVersion(
                revision: try known.decode(at: 0), stateVersion: try known.decode(at: 1))
            guard event.version > version else { return }
        }
        let before = try quantities(key, in: transaction)
        let after = Dictionary(
            order.lines.map { ($0.id, isCancelled ? 0 : $0.quantity.micro) }, uniquingKeysWith: { $0 &+ $1 })
        // Paid, shipped or annotated is no movement: the shop's stock stays as it is.
        let moved = before.filter { $0.value != 0 } != after.filter { $0.value != 0 }
        let movedAt = moved ? (known == nil ? order.placedAt : order.updatedAt) : try known?.decode(at: 2)
        let learntAt = moved ? event.learntAt : try known?.decode(at: 3)
        try transaction.execute(
            """
            INSERT INTO orders (shop, external_id, revision, state_version, placed_at, updated_at, currency, total,
                is_held, is_cancelled, moved_at, learnt_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (shop, external_id) DO UPDATE SET
                revision = excluded.revision, state_version = excluded.state_version, placed_at = excluded.placed_at,
                updated_at = excluded.updated_at, currency = excluded.currency, total = excluded.total,
                is_held = excluded.is_held, is_cancelled = excluded.is_cancelled, moved_at = excluded.moved_at,
                learnt_at = excluded.learnt_at
            """,
            key + [
                .int(event.version.revision), .int(event.version.stateVersion), .timestamp(order.placedAt),
                .timestamp(order.updatedAt), .text(order.currency.rawValue), .integer(order.totals.total.micro),
                .boolean(!event.holds.isEmpty), .boolean(isCancelled), .timestamp(movedAt ?? order.placedAt),
                .timestamp(learntAt ?? event.learntAt),
            ])
        try save(order.lines, codes: event.lines, quantities: after, key, in: transaction)
    }

    private static func quantities(_ key: [PostgresValue], in transaction: Transaction) throws -> [String: Int64] {
        let rows = try transaction.query(
            "SELECT line_id, quantity FROM order_lines WHERE shop = $1 AND external_id = $2", key)
        return Dictionary(try rows.map { (try $0.decode(at: 0), try $0.decode(at: 1)) }) { $1 }
    }

    /// A line that an edit removed stays with 0: its listing has moved too.
    private static func save(
        _ lines: [OrderLine], codes: [OrderLineMapping], quantities: [String: Int64], _ key: [PostgresValue],
        in transaction: Transaction
    ) throws {
        let byLine = Dictionary(codes.map { ($0.lineID, $0.erpCode?.rawValue) }) { first, _ in first }
        var seen: Set<String> = []
        let unique = lines.filter { seen.insert($0.id).inserted }
        try transaction.pipeline([
            Statement(
                "UPDATE order_lines SET quantity = 0 WHERE shop = $1 AND external_id = $2 AND line_id <> ALL ($3)",
                key + [.textArray(unique.map(\.id))]),
            Statement(
                """
                INSERT INTO order_lines (shop, external_id, line_id, listing, sku, erp_code, quantity)
                SELECT $1, $2, l.* FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) l
                ON CONFLICT (shop, external_id, line_id) DO UPDATE SET
                    listing = excluded.listing, sku = excluded.sku, erp_code = excluded.erp_code,
                    quantity = excluded.quantity
                """,
                key + [
                    .textArray(unique.map(\.id)), .nullableTextArray(unique.map { $0.listing?.rawValue }),
                    .nullableTextArray(unique.map { $0.sku?.rawValue }),
                    .nullableTextArray(unique.map { byLine[$0.id] ?? nil }),
                    .integerArray(unique.map { quantities[$0.id] ?? 0 }),
                ]),
        ])
    }

    static func save(_ event: OrderReported, in transaction: Transaction) throws {
        var seen: Set<String> = []
        let orders = event.orders.filter { seen.insert($0.externalID).inserted }
        guard !orders.isEmpty else { return }
        try transaction.execute(
            """
            INSERT INTO reported_orders (shop, external_id, batch_id, revision, state_version, is_cancellation, sent_at)
            SELECT $1, o.id, $2, o.revision, o.state, o.cancelled, $3
            FROM unnest($4::text[], $5::int[], $6::int[], $7::boolean[]) o (id, revision, state, cancelled)
            ON CONFLICT DO NOTHING
            """,
            [
                .text(event.shop.rawValue), .text(event.batchID), .timestamp(event.sentAt),
                .textArray(orders.map(\.externalID)), .intArray(orders.map(\.version.revision)),
                .intArray(orders.map(\.version.stateVersion)), .booleanArray(orders.map(\.isCancellation)),
            ])
    }

    /// How far a feed is complete never goes back.
    static func save(_ event: OrdersCollected, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO feeds AS f (shop, complete_up_to) VALUES ($1, $2)
            ON CONFLICT (shop) DO UPDATE SET complete_up_to = greatest(f.complete_up_to, excluded.complete_up_to)
            """, [.text(event.shop.rawValue), .timestamp(event.completeUpTo)])
    }

    /// Up to when the shop's orders are known; nil if nobody has said so.
    static func completeUpTo(_ shop: ShopName, in transaction: Transaction) throws -> Date? {
        try transaction.query("SELECT complete_up_to FROM feeds WHERE shop = $1", [.text(shop.rawValue)]).first
            .map { try $0.decode(at: 0) }
    }

    /// Listings and SKUs of a shop whose units moved by orders that were learnt of since.
    static func moved(
        in shop: ShopName, since: Date, in transaction: Transaction
    ) throws -> (listings: Set<String>, skus: Set<String>) {
        let rows = try transaction.query(
            """
            SELECT DISTINCT l.listing, l.sku FROM orders o JOIN order_lines l USING (shop, external_id)
            WHERE o.shop = $1 AND o.learnt_at >= $2
            """, [.text(shop.rawValue), .timestamp(since)])
        var found: (listings: Set<String>, skus: Set<String>) = ([], [])
        for row in rows {
            if let listing = try row.decode(at: 0, as: String?.self) {
                found.listings.insert(listing)
            }
            // A line without a listing is of a deleted one: its SKU is all there is.
            else if let sku = try row.decode(at: 1, as: String?.self) {
                found.skus.insert(sku)
            }
        }
        return found
    }
}
