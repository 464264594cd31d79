import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Takes in what the shops' listings are in the ERP, and asks for the orders concerned to be assessed again.
struct MappingHandler: BatchHandler {
    let settings: CollectorSettings

    func apply(_ events: [Event<MappingChanged>], in work: UnitOfWork) throws {
        for event in events where settings.shops[event.payload.shop] != nil { try apply(event.payload, in: work) }
    }

    private func apply(_ chunk: MappingChanged, in work: UnitOfWork) throws {
        let transaction = work.transaction
        // Whoever assesses orders of the shop holds this row shared: the mapping does not change under it.
        try transaction.execute(
            """
            INSERT INTO mapping_states AS m (shop, sequence) VALUES ($1, $2)
            ON CONFLICT (shop) DO UPDATE SET sequence = greatest(m.sequence, excluded.sequence)
            """, [.text(chunk.shop.rawValue), .integer(chunk.sequence)])
        let entries = Dictionary(chunk.entries.map { ($0.listing, $0) }) { _, last in last }.values
            .sorted { $0.listing < $1.listing }
        guard !entries.isEmpty else { return }
        let changed = try transaction.query(
            Self.upsert,
            [
                .text(chunk.shop.rawValue), .integer(chunk.sequence), .textArray(entries.map(\.listing.rawValue)),
                .nullableTextArray(entries.map { entry in entry.sku.flatMap { $0.isBlank ? nil : $0.rawValue } }),
                .textArray(entries.map { OrderMapping.Entry.State(rawValue: $0.state)?.rawValue ?? "unmapped" }),
                .nullableTextArray(entries.map { $0.erpCode?.rawValue }), .intArray(entries.map(\.unitsPerPack)),
            ])
        guard !changed.isEmpty else { return }
        let listings = try changed.map { try $0.decode(at: 0, as: String.self) }
        let names = Set(listings)
        let skus = entries.filter { names.contains($0.listing.rawValue) }.compactMap { $0.sku?.rawValue }
        let affected = try transaction.query(
            """
            SELECT DISTINCT external_id FROM open_lines WHERE shop = $1 AND (listing = ANY($2) OR sku = ANY($3))
            ORDER BY external_id
            """, [.text(chunk.shop.rawValue), .textArray(listings), .textArray(skus)])
        try Self.askAgain(
            chunk.shop, try affected.map { try $0.decode(at: 0) }, because: "Its mapping has changed.", in: work)
    }

    /// Entries of a lower sequence lose; one that says nothing new changes no row. A listing that is gone keeps the
    /// code it had, which tells what its old orders are.
    private static let upsert = """
        INSERT INTO mapping AS m (shop, listing, sku, state, erp_code, units_per_pack, sequence)
        SELECT $1, listing, sku, state, code, units, $2
        FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::int[]) AS e (listing, sku, state, code, units)
        ON CONFLICT (shop, listing) DO UPDATE
        SET sku = coalesce(excluded.sku, CASE WHEN excluded.state = 'gone' THEN m.sku END), state = excluded.state,
            erp_code = coalesce(excluded.erp_code, CASE WHEN excluded.state = 'gone' THEN m.erp_code END),
            units_per_pack = CASE WHEN excluded.state = 'gone' AND excluded.erp_code IS NULL
                                  THEN m.units_per_pack ELSE excluded.units_per_pack END,
            sequence = excluded.sequence
        WHERE m.sequence <= excluded.sequence
            AND (m.sku, m.state, m.erp_code, m.units_per_pack)
                IS DISTINCT FROM (excluded.sku, excluded.state, excluded.erp_code, excluded.units_per_pack)
        RETURNING listing
        """

    /// Asks for orders to be assessed again, some at a time, so that no transaction grows with the ledger.
    static func askAgain(_ shop: ShopName, _ ids: [String], because reason: String, in work: UnitOfWork) throws {
        for start in stride(from: 0, to: ids.count, by: ReassessWork.maximumOrders) {
            let group = Array(ids[start..<min(start + ReassessWork.maximumOrders, ids.count)])
            try work.enqueue(
                Event(
                    ReassessWork(shop: shop, externalIDs: group, reason: reason), subject: shop.rawValue,
                    correlation: "orders \(shop)", occurredAt: work.startedAt),
                queue: OrderCollectorService.queue)
        }
    }
}

/// Assesses orders again.
struct ReassessHandler: BatchHandler {
    let settings: CollectorSettings

    func apply(_ events: [Event<ReassessWork>], in work: UnitOfWork) throws {
        for event in events {
            guard let shop = settings.shops[event.payload.shop] else { continue }
            _ = try OrderLedger(shop: shop).reassess(
                event.payload.externalIDs, because: event.payload.reason, in: work)
        }
    }
}

/// Says again what is known of a shop's orders, a piece at a time.
struct RepublishHandler: BatchHandler {
    func apply(_ events: [Event<RepublishWork>], in work: UnitOfWork) throws {
        for event in events { try republish(event.payload, in: work) }
    }

    private func republish(_ wish: RepublishWork, in work: UnitOfWork) throws {
        let rows = try OrderStore.page(
            of: wish.shop, after: wish.after, placedSince: wish.placedSince, limit: RepublishWork.maximumOrders,
            in: work.transaction)
        for row in rows { try OrderEvents.emitOrder(row, .updated, in: work) }
        guard rows.count == RepublishWork.maximumOrders, let last = rows.last else { return }
        try Self.enqueue(
            RepublishWork(shop: wish.shop, after: last.record.order.externalID, placedSince: wish.placedSince),
            in: work)
    }

    static func enqueue(_ wish: RepublishWork, in work: UnitOfWork) throws {
        try work.enqueue(
            Event(
                wish, subject: wish.shop.rawValue, correlation: "republish \(wish.shop)", occurredAt: work.startedAt),
            queue: OrderCollectorService.queue)
    }
}
