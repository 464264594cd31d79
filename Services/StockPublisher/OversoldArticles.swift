import Domain
import Foundation
import PostgreSQL

/// Articles of which the open orders take more than there is, by the same figures as the levels.
struct OversoldArticles: Sendable {
    /// Codes with open orders that are looked at in one transaction: all are looked at, however many there are.
    private static let page = 1_000

    let settings: PublisherSettings
    let levels: LevelWriter

    /// How many each shop shows.
    func count(in pool: PostgresPool, at now: Date) async throws -> [ShopName: Int] {
        var counts = settings.shops.mapValues { _ in 0 }
        var last = ERPCode(rawValue: "")
        while true {
            let after = last
            let (codes, oversold) = try await pool.transaction { transaction in
                let codes = try Self.codes(after: after, in: transaction)
                return (codes, try shops(oversell: codes, at: now, in: transaction))
            }
            for shop in oversold { counts[shop, default: 0] += 1 }
            guard let end = codes.last, codes.count == Self.page else { return counts }
            last = end
        }
    }

    /// The next codes that orders are open of, in their order.
    private static func codes(after last: ERPCode, in transaction: Transaction) throws -> [ERPCode] {
        try transaction.query(
            """
            SELECT DISTINCT erp_code FROM order_lines WHERE is_open AND erp_code > $1
            ORDER BY erp_code LIMIT \(page)
            """, [.text(last.rawValue)]
        ).map { ERPCode(rawValue: try $0.decode(at: 0)) }
    }

    /// The shops that oversell these codes, each once for every code. Only shelves that show 0 can be among them, and
    /// one stands for all of a shop that show the code.
    private func shops(
        oversell codes: [ERPCode], at now: Date, in transaction: Transaction
    ) throws -> [ShopName] {
        let rows = try transaction.query(
            """
            SELECT DISTINCT ON (shop, erp_code) \(ShelfStore.columns) FROM shelves
            WHERE erp_code = ANY($1) AND wanted = 0 AND shop = ANY($2)
            ORDER BY shop, erp_code
            """, [.textArray(codes.map(\.rawValue)), .textArray(settings.shops.keys.map(\.rawValue))]
        ).map { try ShelfStore.decode($0) }
        let inputs = try levels.inputs(of: rows, reserved: [], at: now, in: transaction)
        return rows.filter { inputs[$0.key]?.level.breakdown().isOversold == true }.map(\.shop)
    }
}
