import Contracts
import Domain
import Foundation
import PostgreSQL

/// One order in a list. Without personal data: a list is copied into chats.
struct OrderLineItem: Sendable, Encodable {
    var shop: String
    var externalID: String
    var number: String
    var placedAt: Date
    /// `held`, `awaits payment`, `ready`, `sent`, `cancelled`, `cancellation requested`, `unreadable`.
    var state: String
    var total: String
    var currency: String
    /// Why it is kept back, as sentences.
    var holds: [String]
    var heldAt: Date?
    var batch: String?
}

/// Reads order-collector's ledger under the operator's role.
struct OrderStore: Sendable {
    let database: OperatorDatabase

    func list(shop: String?, heldOnly: Bool, limit: Int) async throws -> [OrderLineItem] {
        let rows = try await database.pool.query(
            """
            SELECT shop, external_id, number, placed_at, facts, holds, held_at, cancellation, reserved_until,
                sent_batch, unreadable
            FROM orders.orders
            WHERE ($1::text IS NULL OR shop = $1::text) AND (NOT $2 OR held_at IS NOT NULL)
            ORDER BY CASE WHEN $2 THEN held_at END, placed_at DESC, shop, external_id LIMIT $3
            """, [.maybe(shop, PostgresValue.text), .boolean(heldOnly), .int(limit)])
        return try rows.map(Self.item)
    }

    private static func item(_ row: Row) throws -> OrderLineItem {
        let facts = try ContractCoding.decode(Order.self, from: Array(row.decode("facts", as: String.self).utf8))
        let holds = try ContractCoding.decode([OrderHold].self, from: Array(row.decode("holds", as: String.self).utf8))
        let state = OrderStateWord(
            isHeld: try row.decode("held_at", as: Date?.self) != nil,
            cancellation: try row.decode("cancellation", as: String?.self).flatMap(OrderCancellation.init),
            awaitsPayment: facts.status.awaitsPayment, batch: try row.decode("sent_batch"),
            isUnreadable: try row.decode("unreadable", as: String?.self) != nil)
        return OrderLineItem(
            shop: try row.decode("shop"), externalID: try row.decode("external_id"), number: try row.decode("number"),
            placedAt: try row.decode("placed_at"), state: state.word, total: facts.totals.total.description,
            currency: facts.currency.rawValue, holds: holds.map(\.text), heldAt: try row.decode("held_at"),
            batch: try row.decode("sent_batch"))
    }

    /// `shop:external_id` of the order with that number or id; an id goes before a number.
    func reference(shop: String, order: String) async throws -> String? {
        let rows = try await database.pool.query(
            """
            SELECT external_id FROM orders.orders
            WHERE shop = $1 AND (external_id = $2 OR number = ANY($3))
            ORDER BY external_id <> $2, placed_at DESC LIMIT 1
            """, [.text(shop), .text(order), .textArray([order, "#" + order])])
        return try rows.first.map { "\(shop):\(try $0.decode("external_id", as: String.self))" }
    }

    static func unknown(shop: String, order: String) -> ToolError {
        .failed(
            "Shop \(shop) has no order '\(order)' in the ledger. If it is in the shop, collect it with "
                + "'stockbridge run orders --shop \(shop)'; 'stockbridge orders list --shop \(shop)' shows what "
                + "there is.")
    }
}

/// Where an order stands, in a word or two.
struct OrderStateWord {
    var isHeld: Bool
    var cancellation: OrderCancellation?
    var awaitsPayment: Bool
    var batch: String?
    var isUnreadable: Bool

    var word: String {
        switch cancellation {
        case .cancelled: return "cancelled"
        case .requested, .pendingERP: return "cancellation requested"
        case .refused, nil: break
        }
        if isHeld { return "held" }
        if batch != nil { return "sent" }
        if isUnreadable { return "unreadable" }
        return awaitsPayment ? "awaits payment" : "ready"
    }
}
