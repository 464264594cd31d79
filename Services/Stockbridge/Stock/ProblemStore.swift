import Foundation
import PostgreSQL

/// A listing that does not show what it should, and why.
struct ProblemListing: Sendable, Encodable {
    var listing: String
    var sku: String?
    var title: String
    /// `unmapped`, `held`, `rejected`, `failed`, `waiting`, `no level`.
    var state: String
    var wanted: Int?
    var expectedAtShop: Int?
    var why: String

    static func text(_ list: [ProblemListing], shop: String, style: TextStyle) -> String {
        guard !list.isEmpty else { return "Every listing of \(shop) shows what it should." }
        return list.map { entry in
            let numbers = entry.wanted.map { wanted in
                ", wanted \(Wording.grouped(wanted)), there \(entry.expectedAtShop.map(Wording.grouped) ?? "unknown")"
            }
            let head = "\(entry.listing)  \(entry.sku ?? "no SKU")  \(style.dim(entry.title.cut(to: 50)))"
            return head + "\n  " + style.warning(entry.state) + (numbers ?? "") + ": "
                + StatusText.wrap(entry.why, indent: 4)
        }.joined(separator: "\n")
    }
}

/// Finds listings that are not as wanted.
struct ProblemStore: Sendable {
    let database: OperatorDatabase

    func problems(of shop: String, limit: Int) async throws -> [ProblemListing] {
        try await database.pool.query(
            """
            SELECT l.listing, l.sku, l.title, s.wanted, s.expected_at_shop,
                CASE WHEN l.mapping <> 'mapped' THEN 'unmapped' WHEN s.held IS NOT NULL THEN 'held'
                     WHEN s.rejected_version = s.version AND s.due IS FALSE THEN 'rejected'
                     WHEN s.wanted IS NULL THEN 'no level' WHEN s.failure IS NOT NULL THEN 'failed'
                     ELSE 'waiting' END AS state,
                CASE WHEN l.mapping = 'blank' THEN 'it has no SKU, and a blank never matches'
                     WHEN l.mapping = 'ambiguous' THEN 'several ERP codes fit: ' || array_to_string(l.candidates, ', ')
                     WHEN l.mapping <> 'mapped' THEN 'no ERP code fits its SKU'
                     WHEN s.wanted IS NULL THEN 'no stock file has said anything about ' || coalesce(l.erp_code, 'it')
                     ELSE coalesce(s.held, CASE WHEN s.rejected_version = s.version THEN s.rejection END, s.failure,
                          s.deferral, 'it is waiting to be pushed') END AS why
            FROM publishing.listings l
            LEFT JOIN publishing.shelves s ON s.shop = l.shop AND s.shelf = l.shelf
            WHERE l.shop = $1 AND (l.mapping <> 'mapped' OR s.wanted IS NULL OR s.due OR s.held IS NOT NULL
                                   OR s.rejected_version = s.version)
            ORDER BY state, l.listing LIMIT $2
            """, [.text(shop), .int(limit)]
        ).map { row in
            ProblemListing(
                listing: try row.decode("listing"), sku: try row.decode("sku"), title: try row.decode("title"),
                state: try row.decode("state"), wanted: try row.decode("wanted"),
                expectedAtShop: try row.decode("expected_at_shop"), why: try row.decode("why"))
        }
    }
}
