import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Asks for a shop's mapping to be worked out anew; several wishes before it is done are one.
struct RemapRequests: Sendable {
    /// Until this transaction ends no remap begins: one whose wish we find pending must see what we have written, and
    /// so must not read before we commit. One that runs now is waited for, and then there is no wish.
    func request(shops: [ShopName], cause: String, id: String, at: Date, in work: UnitOfWork) throws {
        try MappingLock.share(in: work.transaction)
        let rows = try work.transaction.query(
            """
            UPDATE shops SET remap_pending = true WHERE shop IN (
                SELECT shop FROM shops WHERE shop = ANY($1) AND NOT remap_pending ORDER BY shop FOR UPDATE)
            RETURNING shop
            """, [.textArray(shops.map(\.rawValue))])
        for row in rows {
            let shop = ShopName(rawValue: try row.decode(at: 0))
            let payload = RemapWork(shop: shop, cause: cause, causeID: id, causedAt: at)
            try work.enqueue(
                Event(payload, subject: shop.rawValue, correlation: id, occurredAt: work.startedAt),
                queue: "stock-publisher")
        }
    }
}

/// Maps all listings of a shop to ERP codes, makes shelves of them and works out their levels.
struct RemapHandler: BatchHandler {
    let settings: PublisherSettings
    let levels: LevelWriter

    func apply(_ events: [Event<RemapWork>], in work: UnitOfWork) throws {
        for event in events { try remap(event.payload, in: work) }
    }

    private struct ListingRow {
        let id: ListingID
        let shelf: ListingID
        let sku: String?
        let stored: Stored
    }

    private struct Stored: Equatable {
        var label: String
        var code: String?
        var units: Int?
        var via: String?
        var candidates: [String]?
    }

    private func remap(_ wish: RemapWork, in work: UnitOfWork) throws {
        guard let shop = settings.shops[wish.shop] else { return }
        try MappingLock.hold(in: work.transaction)
        // Cleared first, under the row lock: who changes something from now on asks again.
        try work.transaction.execute(
            "UPDATE shops SET remap_pending = false WHERE shop = $1", [.text(shop.name.rawValue)])
        let index = MappingIndex(
            codes: try StockStore.codes(in: work.transaction), rules: shop.rules,
            aliases: try AliasStore.aliases(of: shop.name, in: work.transaction))
        var changed: [(ListingRow, Stored)] = []
        var shelves: [ListingID: (code: ERPCode, units: Int)] = [:]
        for listing in try listings(of: shop.name, in: work.transaction) {
            let result =
                listing.sku.map { index.result(for: ShopSKU(rawValue: $0), listing: listing.id) }
                ?? index.result(for: "", listing: listing.id)
            let stored = Self.columns(result)
            if stored != listing.stored { changed.append((listing, stored)) }
            if case .mapped(let code, let units, _) = result, shelves[listing.shelf] == nil {
                shelves[listing.shelf] = (code, units)
            }
        }
        try store(changed, of: shop.name, in: work.transaction)
        try MappingAnnouncer.announceChanges(of: shop.name, in: work)
        let cause = LevelCause(kind: wish.cause, id: wish.causeID, at: wish.causedAt)
        try updateShelves(shelves, of: shop.name, because: cause, in: work)
    }

    private func listings(of shop: ShopName, in transaction: Transaction) throws -> [ListingRow] {
        var result: [ListingRow] = []
        try transaction.forEachRow(
            """
            SELECT listing, shelf, sku, mapping, erp_code, units_per_pack, via, candidates FROM listings
            WHERE shop = $1 ORDER BY listing
            """, [.text(shop.rawValue)]
        ) { row in
            result.append(
                ListingRow(
                    id: ListingID(rawValue: try row.decode(at: 0)), shelf: ListingID(rawValue: try row.decode(at: 1)),
                    sku: try row.decode(at: 2),
                    stored: Stored(
                        label: try row.decode(at: 3), code: try row.decode(at: 4), units: try row.decode(at: 5),
                        via: try row.decode(at: 6), candidates: try row.decode(at: 7))))
        }
        return result
    }

    private static func columns(_ result: MappingResult) -> Stored {
        switch result {
        case .mapped(let code, let units, let via):
            Stored(label: result.label, code: code.rawValue, units: units, via: via.rawValue)
        case .ambiguous(let candidates): Stored(label: result.label, candidates: candidates.map(\.rawValue))
        case .unmapped, .blank: Stored(label: result.label)
        }
    }

    private func store(
        _ changed: [(listing: ListingRow, stored: Stored)], of shop: ShopName, in transaction: Transaction
    ) throws {
        guard !changed.isEmpty else { return }
        let candidates = changed.map { $0.stored.candidates.map { $0.joined(separator: "\u{1F}") } }
        try transaction.execute(
            """
            UPDATE listings l SET mapping = r.mapping, erp_code = r.code, units_per_pack = r.units, via = r.via,
                candidates = string_to_array(r.candidates, E'\\x1F')
            FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]::int[], $6::text[], $7::text[])
                AS r (listing, mapping, code, units, via, candidates)
            WHERE l.shop = $1 AND l.listing = r.listing
            """,
            [
                .text(shop.rawValue), .textArray(changed.map(\.listing.id.rawValue)),
                .textArray(changed.map(\.stored.label)), .nullableTextArray(changed.map(\.stored.code)),
                .nullableTextArray(changed.map { $0.stored.units.map(String.init) }),
                .nullableTextArray(changed.map(\.stored.via)), .nullableTextArray(candidates),
            ])
    }

    /// Makes new shelves, moves shelves to another code, and takes the wish away from those no longer mapped.
    private func updateShelves(
        _ mapped: [ListingID: (code: ERPCode, units: Int)], of shop: ShopName, because cause: LevelCause,
        in work: UnitOfWork
    ) throws {
        let known = try work.transaction.query(
            "SELECT shelf, erp_code, units_per_pack FROM shelves WHERE shop = $1", [.text(shop.rawValue)])
        let all = cause.kind == "settings"
        var moved: [ListingID] = []
        var seen = Set<ListingID>()
        for row in known {
            let shelf = ListingID(rawValue: try row.decode(at: 0))
            seen.insert(shelf)
            let target = mapped[shelf]
            let (code, units) = (try row.decode(at: 1, as: String?.self), try row.decode(at: 2, as: Int.self))
            if all || target?.code.rawValue != code || (target.map { $0.units != units } ?? false) {
                moved.append(shelf)
            }
        }
        var rows = try ShelfStore.lock(.shelves(shop, moved), in: work.transaction)
        for index in rows.indices {
            rows[index].code = mapped[rows[index].shelf]?.code
            rows[index].unitsPerPack = mapped[rows[index].shelf]?.units ?? 1
        }
        for (shelf, target) in mapped.sorted(by: { $0.key < $1.key }) where !seen.contains(shelf) {
            rows.append(
                ShelfRow(shop: shop, shelf: shelf, code: target.code, unitsPerPack: target.units, state: ShelfState()))
        }
        try ShelfStore.save(rows, in: work.transaction)
        try levels.recompute(rows, because: cause, in: work)
    }
}

/// Explicit mappings that a person set.
enum AliasStore {
    static func aliases(of shop: ShopName, in transaction: Transaction) throws -> [MappingAlias] {
        let rows = try transaction.query(
            "SELECT shop_sku, listing, erp_code, units_per_pack FROM aliases WHERE shop = $1", [.text(shop.rawValue)])
        return try rows.map { row in
            MappingAlias(
                shopSKU: try row.decode(at: 0, as: String?.self).map(ShopSKU.init(rawValue:)),
                listing: try row.decode(at: 1, as: String?.self).map(ListingID.init(rawValue:)),
                code: ERPCode(rawValue: try row.decode(at: 2)), unitsPerPack: try row.decode(at: 3))
        }
    }
}
