import Foundation
import PostgreSQL

/// What letting a shop out of shadow would change there.
struct ShadowReport: Sendable, Encodable {
    struct Difference: Sendable, Encodable {
        var listing: String
        var sku: String?
        var title: String
        /// What the shop had when its catalogue was read; nil where the platform did not say.
        var observed: String?
        var wanted: Int
    }

    var shop: String
    var shadow: Bool
    var catalogueReadAt: Date?
    var listed = 0
    /// Listings with a level that differs from what the shop has.
    var wouldChange = 0
    var wouldGoToZero = 0
    var wouldRise = 0
    var wouldFall = 0
    /// Listings without an ERP code, and such of which no file has said anything.
    var unmapped = 0
    var withoutLevel = 0
    var biggest: [Difference] = []

    func text(_ style: TextStyle, _ wording: Wording, now: Date) -> String {
        var lines = [
            style.bold("Shop \(shop)") + (shadow ? " is in shadow: nothing is written." : " is live."),
            " \(Wording.count(listed, "listing"))"
                + (catalogueReadAt.map { ", catalogue read \(wording.shortMoment($0, now: now))" }
                    ?? ", catalogue never read"),
            " would change: \(Wording.grouped(wouldChange)) (\(Wording.grouped(wouldRise)) up, "
                + "\(Wording.grouped(wouldFall)) down, \(Wording.grouped(wouldGoToZero)) of them to zero)",
            " left alone: \(Wording.grouped(unmapped)) without an ERP code, "
                + "\(Wording.grouped(withoutLevel)) that no file has spoken of",
        ]
        guard !biggest.isEmpty else { return lines.joined(separator: "\n") }
        var table = TextTable([
            ("listing", .left), ("SKU", .left), ("title", .left), ("shop has", .right), ("would be", .right),
        ])
        for entry in biggest {
            table.add([
                entry.listing.cut(to: 16), (entry.sku ?? "-").cut(to: 20), entry.title.cut(to: 34),
                entry.observed ?? "not tracked", Wording.grouped(entry.wanted),
            ])
        }
        lines += ["", " The biggest differences:", table.text(indent: 1, style: style)]
        return lines.joined(separator: "\n")
    }
}

/// Reads what a shop would show beside what it shows.
struct ShadowStore: Sendable {
    let database: OperatorDatabase

    func report(of shop: String, limit: Int) async throws -> ShadowReport? {
        try await database.pool.transaction { transaction in
            let shops = try transaction.query(
                "SELECT shadow, catalogue_read_at FROM publishing.shops WHERE shop = $1", [.text(shop)])
            guard let row = shops.first else { return nil }
            var report = ShadowReport(
                shop: shop, shadow: try row.decode("shadow"), catalogueReadAt: try row.decode("catalogue_read_at"))
            try Self.count(&report, transaction)
            report.biggest = try Self.biggest(shop, limit, transaction)
            return report
        }
    }

    private static func count(_ report: inout ShadowReport, _ transaction: Transaction) throws {
        let rows = try transaction.query(
            """
            SELECT count(*) AS listed,
                count(*) FILTER (WHERE l.mapping <> 'mapped') AS unmapped,
                count(*) FILTER (WHERE l.mapping = 'mapped' AND s.wanted IS NULL) AS without_level,
                count(*) FILTER (WHERE s.wanted IS DISTINCT FROM l.observed AND s.wanted IS NOT NULL) AS changes,
                count(*) FILTER (WHERE s.wanted > coalesce(l.observed, 0)) AS rises,
                count(*) FILTER (WHERE s.wanted < l.observed) AS falls,
                count(*) FILTER (WHERE s.wanted = 0 AND l.observed > 0) AS zeroes
            FROM publishing.listings l
            LEFT JOIN publishing.shelves s
                ON s.shop = l.shop AND s.shelf = l.shelf AND l.mapping = 'mapped'
            WHERE l.shop = $1
            """, [.text(report.shop)])
        guard let row = rows.first else { return }
        report.listed = try row.decode("listed")
        report.unmapped = try row.decode("unmapped")
        report.withoutLevel = try row.decode("without_level")
        report.wouldChange = try row.decode("changes")
        report.wouldRise = try row.decode("rises")
        report.wouldFall = try row.decode("falls")
        report.wouldGoToZero = try row.decode("zeroes")
    }

    private static func biggest(
        _ shop: String, _ limit: Int, _ transaction: Transaction
    ) throws -> [ShadowReport.Difference] {
        try transaction.query(
            """
            SELECT l.listing, l.sku, l.title, trim_scale(l.observed)::text AS observed, s.wanted
            FROM publishing.listings l
            JOIN publishing.shelves s ON s.shop = l.shop AND s.shelf = l.shelf
            WHERE l.shop = $1 AND l.mapping = 'mapped' AND s.wanted IS NOT NULL
              AND s.wanted IS DISTINCT FROM l.observed
            ORDER BY abs(s.wanted - coalesce(l.observed, 0)) DESC, l.listing LIMIT $2
            """, [.text(shop), .int(limit)]
        ).map { row in
            ShadowReport.Difference(
                listing: try row.decode("listing"), sku: try row.decode("sku"), title: try row.decode("title"),
                observed: try row.decode("observed"), wanted: try row.decode("wanted"))
        }
    }
}
