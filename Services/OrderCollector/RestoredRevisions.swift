import Domain
import PostgreSQL

/// Revisions that were handed out and that a restore of the database has made us forget.
enum RestoredRevisions {
    /// The highest revision that was ever handed out of each of these orders, where a restore has noted one.
    static func handedOut(
        _ ids: [String], of shop: ShopName, in transaction: Transaction
    ) throws -> [String: Int] {
        guard !ids.isEmpty else { return [:] }
        let rows = try transaction.query(
            "SELECT external_id, revision FROM restored WHERE shop = $1 AND external_id = ANY($2)",
            [.text(shop.rawValue), .textArray(ids)])
        var revisions: [String: Int] = [:]
        for row in rows { revisions[try row.decode(at: 0)] = try row.decode(at: 1, as: Int.self) }
        return revisions
    }
}
