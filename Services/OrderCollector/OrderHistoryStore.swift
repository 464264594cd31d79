import Contracts
import Domain
import Foundation
import PostgreSQL

/// What is written beside the ledger's rows: revisions, history, and the lines that wait for the ERP.
enum OrderHistoryStore {
    static func addRevisions(
        of rows: [LedgerRow], via: ReadVia, at learntAt: Date, in transaction: Transaction
    ) throws {
        guard !rows.isEmpty else { return }
        try transaction.execute(
            """
            INSERT INTO revisions (shop, external_id, revision, digest, updated_at, learnt_at, via, facts)
            SELECT shop, id, revision, digest, updated_at, $6, $7, facts
            FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::timestamptz[], $8::text[])
                AS r (shop, id, revision, digest, updated_at, facts)
            """,
            [
                .textArray(rows.map(\.record.order.shop.rawValue)), .textArray(rows.map(\.record.order.externalID)),
                .intArray(rows.map(\.record.version.revision)), .textArray(rows.map(\.record.digest)),
                .timestampArray(rows.map(\.record.order.updatedAt)), .timestamp(learntAt), .text(via.rawValue),
                .textArray(try rows.map { try StoredJSON.text($0.record.order) }),
            ])
    }

    static func addNotes(
        _ notes: [(row: LedgerRow, note: OrderEffects.Note)], at moment: Date, in transaction: Transaction
    ) throws {
        guard !notes.isEmpty else { return }
        try transaction.execute(
            """
            INSERT INTO history (shop, external_id, at, revision, state_version, what, detail)
            SELECT shop, id, $7, revision, state_version, what, detail
            FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::text[], $6::text[])
                AS n (shop, id, revision, state_version, what, detail)
            """,
            [
                .textArray(notes.map(\.row.record.order.shop.rawValue)),
                .textArray(notes.map(\.row.record.order.externalID)),
                .intArray(notes.map(\.row.record.version.revision)),
                .intArray(notes.map(\.row.record.version.stateVersion)), .textArray(notes.map(\.note.what)),
                .textArray(notes.map { String($0.note.text.prefix(1_000)) }), .timestamp(moment),
            ])
    }

    /// Replaces the lines of these orders that a change of the mapping would concern.
    ///
    /// - Parameter added: Orders that are new, and so have none to take away.
    static func replaceOpenLines(
        of rows: [LedgerRow], added: Set<String>, shop: ShopName, in transaction: Transaction
    ) throws {
        let present = rows.map(\.record.order.externalID).filter { !added.contains($0) }
        if !present.isEmpty {
            try transaction.execute(
                "DELETE FROM open_lines WHERE shop = $1 AND external_id = ANY($2)",
                [.text(shop.rawValue), .textArray(present)])
        }
        var ids: [String] = []
        var lines: [OrderLine] = []
        var codes: [String?] = []
        for row in rows where row.record.isOpen {
            let mapped = Dictionary(row.record.lines.map { ($0.lineID, $0) }) { first, _ in first }
            var seen: Set<String> = []
            for line in row.record.order.lines where seen.insert(line.id).inserted {
                ids.append(row.record.order.externalID)
                lines.append(line)
                codes.append(mapped[line.id]?.erpCode?.rawValue)
            }
        }
        guard !ids.isEmpty else { return }
        try transaction.execute(
            """
            INSERT INTO open_lines (shop, external_id, line, listing, sku, erp_code)
            SELECT $1, id, line, listing, sku, code
            FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
                AS l (id, line, listing, sku, code)
            """,
            [
                .text(shop.rawValue), .textArray(ids), .textArray(lines.map(\.id)),
                .nullableTextArray(lines.map { $0.listing?.rawValue }),
                .nullableTextArray(lines.map { line in line.sku.flatMap { $0.isBlank ? nil : $0.rawValue } }),
                .nullableTextArray(codes),
            ])
    }
}

/// What the shops' listings are in the ERP.
enum MappingStore {
    /// Locks the shop's mapping against changes. Comes before the locks of orders, as for whoever changes the mapping.
    static func lockShared(_ shop: ShopName, in transaction: Transaction) throws {
        try transaction.execute(
            "SELECT 1 FROM mapping_states WHERE shop = $1 FOR SHARE", [.text(shop.rawValue)])
    }

    /// What concerns these lines; under the lock above.
    static func mapping(of lines: [OrderLine], shop: ShopName, in transaction: Transaction) throws -> OrderMapping {
        let listings = Set(lines.compactMap { $0.listing?.rawValue })
        let skus = Set(lines.compactMap { $0.sku }.filter { !$0.isBlank }.map(\.rawValue))
        let rows = try transaction.query(
            """
            SELECT listing, sku, state, erp_code, units_per_pack FROM mapping WHERE shop = $1 AND listing = ANY($2)
            UNION
            SELECT listing, sku, state, erp_code, units_per_pack FROM mapping WHERE shop = $1 AND sku = ANY($3)
            """, [.text(shop.rawValue), .textArray(listings.sorted()), .textArray(skus.sorted())])
        return OrderMapping(
            try rows.map { row in
                OrderMapping.Entry(
                    listing: ListingID(rawValue: try row.decode(at: 0)),
                    sku: try row.decode(at: 1, as: String?.self).map(ShopSKU.init(rawValue:)),
                    state: OrderMapping.Entry.State(rawValue: try row.decode(at: 2)) ?? .unmapped,
                    erpCode: try row.decode(at: 3, as: String?.self).map(ERPCode.init(rawValue:)),
                    unitsPerPack: try row.decode(at: 4))
            })
    }
}
