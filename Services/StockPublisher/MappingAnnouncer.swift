import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Tells the other services what a shop's listings are in the ERP: `mapping.changed`.
///
/// Each listing keeps what was said about it last, so that a statement goes out whenever it differs, and only then.
enum MappingAnnouncer {
    /// What is said about a listing of `listings l`, in one text.
    private static let text = """
        concat_ws(E'\\x1F', mapping, coalesce(erp_code, ''), coalesce(units_per_pack, 1), coalesce(sku, ''))
        """

    /// Says what has changed since it was said last.
    static func announceChanges(of shop: ShopName, in work: UnitOfWork) throws {
        let rows = try work.transaction.query(
            """
            UPDATE listings SET announced = \(text) WHERE shop = $1 AND announced IS DISTINCT FROM \(text)
            RETURNING listing, sku, mapping, erp_code, units_per_pack
            """, [.text(shop.rawValue)])
        try emit(try rows.map(entry), of: shop, in: work)
    }

    /// Says what all listings of a shop are, for somebody who does not know yet.
    ///
    /// - Returns: How many there are.
    static func announceAll(of shop: ShopName, in work: UnitOfWork) throws -> Int {
        let sequence = try ShopStore.nextMappingSequence(of: shop, in: work.transaction)
        var (entries, count): ([MappingChanged.Entry], Int) = ([], 0)
        try work.transaction.forEachRow(
            """
            SELECT listing, sku, mapping, erp_code, units_per_pack FROM listings WHERE shop = $1 ORDER BY listing
            """, [.text(shop.rawValue)]
        ) { row in
            entries.append(try entry(row))
            count += 1
            if entries.count == MappingChanged.maximumListings {
                try emit(entries, of: shop, sequence, in: work)
                entries.removeAll(keepingCapacity: true)
            }
        }
        if !entries.isEmpty { try emit(entries, of: shop, sequence, in: work) }
        return count
    }

    /// Says that the shop no longer lists these.
    static func announceGone(
        _ listings: [(id: ListingID, sku: ShopSKU?)], of shop: ShopName, in work: UnitOfWork
    ) throws {
        let entries = listings.map { listing in
            MappingChanged.Entry(
                listing: listing.id, sku: listing.sku, state: "gone", erpCode: nil, unitsPerPack: 1)
        }
        try emit(entries, of: shop, in: work)
    }

    private static func entry(_ row: Row) throws -> MappingChanged.Entry {
        MappingChanged.Entry(
            listing: ListingID(rawValue: try row.decode(at: 0)),
            sku: try row.decode(at: 1, as: String?.self).map(ShopSKU.init(rawValue:)), state: try row.decode(at: 2),
            erpCode: try row.decode(at: 3, as: String?.self).map(ERPCode.init(rawValue:)),
            unitsPerPack: try row.decode(at: 4, as: Int?.self) ?? 1)
    }

    private static func emit(_ entries: [MappingChanged.Entry], of shop: ShopName, in work: UnitOfWork) throws {
        guard !entries.isEmpty else { return }
        let sequence = try ShopStore.nextMappingSequence(of: shop, in: work.transaction)
        for start in stride(from: 0, to: entries.count, by: MappingChanged.maximumListings) {
            let part = entries[start..<min(start + MappingChanged.maximumListings, entries.count)]
            try emit(Array(part), of: shop, sequence, in: work)
        }
    }

    private static func emit(
        _ entries: [MappingChanged.Entry], of shop: ShopName, _ sequence: Int64, in work: UnitOfWork
    ) throws {
        try work.emit(
            Event(
                MappingChanged(shop: shop, sequence: sequence, entries: entries), subject: shop.rawValue,
                correlation: "mapping \(shop) \(sequence)", occurredAt: work.startedAt))
    }
}
