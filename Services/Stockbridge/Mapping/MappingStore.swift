import Domain
import Foundation
import PostgreSQL

/// A listing and what it is in the ERP.
struct MappedListing: Sendable, Encodable {
    var shop: String
    var listing: String
    var sku: String?
    var title: String
    /// `mapped`, `unmapped`, `ambiguous`, `blank`.
    var mapping: String
    var erpCode: String?
    var unitsPerPack: Int?
    var via: String?
    var candidates: [String]?
}

/// A page of listings, with how many there are in all.
struct MappingPage: Sendable, Encodable {
    var total: Int
    var listings: [MappedListing]
}

/// Reads listings, aliases and codes.
struct MappingStore: Sendable {
    let database: OperatorDatabase

    func list(shop: String?, unmappedOnly: Bool, limit: Int) async throws -> MappingPage {
        let rows = try await database.pool.query(
            """
            SELECT count(*) OVER () AS total, shop, listing, sku, title, mapping, erp_code, units_per_pack, via,
                candidates
            FROM publishing.listings
            WHERE ($1::text IS NULL OR shop = $1) AND (NOT $2 OR mapping <> 'mapped')
            ORDER BY shop, listing LIMIT $3
            """, [.maybe(shop, PostgresValue.text), .boolean(unmappedOnly), .int(limit)])
        let listings = try rows.map { row in
            MappedListing(
                shop: try row.decode("shop"), listing: try row.decode("listing"), sku: try row.decode("sku"),
                title: try row.decode("title"), mapping: try row.decode("mapping"),
                erpCode: try row.decode("erp_code"), unitsPerPack: try row.decode("units_per_pack"),
                via: try row.decode("via"), candidates: try row.decode("candidates", as: [String]?.self))
        }
        return MappingPage(total: try rows.first?.decode("total") ?? 0, listings: listings)
    }

    func aliases(shop: String?) async throws -> [AliasEntry] {
        try await database.pool.query(
            """
            SELECT shop, shop_sku, listing, erp_code, units_per_pack FROM publishing.aliases
            WHERE $1::text IS NULL OR shop = $1 ORDER BY shop, shop_sku, listing, erp_code
            """, [.maybe(shop, PostgresValue.text)]
        ).map { row in
            AliasEntry(
                shop: try row.decode("shop"), shopSku: try row.decode("shop_sku"), listing: try row.decode("listing"),
                erpCode: try row.decode("erp_code"), unitsPerPack: try row.decode("units_per_pack"))
        }
    }

    /// Every code that a source has named.
    func codes() async throws -> [ERPCode] {
        try await database.pool.transaction { transaction in
            var codes: [ERPCode] = []
            try transaction.forEachRow("SELECT DISTINCT sku FROM publishing.stock") { row in
                codes.append(ERPCode(rawValue: try row.decode(at: 0)))
            }
            return codes
        }
    }
}
