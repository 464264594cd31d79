import Contracts
import Domain
import Foundation
import PostgreSQL
import ServiceKit

/// Gathers the chain of one shelf, under the operator's role.
struct ExplainStore: Sendable {
    /// So many versions and pushes at most.
    private static let shown = 10

    let database: OperatorDatabase

    /// - Parameters:
    ///   - key: The shop's SKU, the listing's id, or the ERP's code.
    ///   - past: An earlier time to tell it for; nil for now.
    /// - Returns: nil if the shop lists nothing of that name.
    func explain(shop: String, key: String, past: Date?) async throws -> Explanation? {
        try await database.pool.transaction { transaction in
            try transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            let listings = try Self.listings(shop, key, transaction)
            guard let listing = listings.first else { return nil }
            let state = try transaction.query(
                """
                SELECT clock_timestamp() AS now,
                    coalesce((SELECT shadow FROM publishing.shops WHERE shop = $1), true) AS shadow
                """, [.text(shop)])
            guard let row = state.first else { return nil }
            // A demonstration shifts the services' clock, and with it the times that they write.
            let now = try ProcessClock.offsetFile == nil ? row.decode("now") : OperatorClock.now
            let at = past ?? now
            var explanation = Explanation(
                shop: shop, asked: key, at: at, isPast: past != nil, shadow: try row.decode("shadow"),
                listing: listing, otherMatches: listings.dropFirst().map(\.listing))
            if let code = listing.erpCode {
                explanation.files =
                    try past.map { try Self.filesThen(code, $0, transaction) }
                    ?? Self.filesNow(code, transaction)
                if let past { explanation.filesWithoutRows = try Self.filesWithoutRows(past, transaction) }
                explanation.setAside = try Self.setAside(code, transaction)
                explanation.holds = try Self.holds(code, at, transaction)
            }
            explanation.versions = try Self.versions(shop, listing.shelf, at, transaction)
            explanation.pushes = try Self.pushes(shop, listing.shelf, at, transaction)
            let next = try Self.versionAfter(at, shop, listing.shelf, transaction)
            explanation.noteWhatIsMissing(next: next, atMost: Self.shown, now: now)
            if past == nil { explanation.shelf = try Self.shelf(shop, listing.shelf, transaction) }
            return explanation
        }
    }

    private static func listings(
        _ shop: String, _ key: String, _ transaction: Transaction
    ) throws -> [Explanation.Listing] {
        try transaction.query(
            """
            SELECT l.listing, l.shelf, l.sku, l.title, l.stock_managed, l.published,
                trim_scale(l.observed)::text AS observed, l.observed_at, l.mapping, l.erp_code, l.units_per_pack, l.via,
                l.candidates, a.set_by, a.set_at
            FROM publishing.listings l
            LEFT JOIN LATERAL (
                SELECT set_by, set_at FROM publishing.aliases a
                WHERE a.shop = l.shop AND (a.listing = l.listing OR a.shop_sku = l.sku) AND a.erp_code = l.erp_code
                ORDER BY a.listing NULLS LAST LIMIT 1) a ON l.via = 'alias'
            WHERE l.shop = $1 AND (l.listing = $2 OR l.sku = $2 OR l.erp_code = $2
                                   OR lower(btrim(l.sku)) = lower(btrim($2)))
            ORDER BY CASE WHEN l.listing = $2 THEN 0 WHEN l.sku = $2 THEN 1 WHEN l.erp_code = $2 THEN 2 ELSE 3 END,
                l.listing LIMIT 10
            """, [.text(shop), .text(key)]
        ).map { row in
            Explanation.Listing(
                listing: try row.decode("listing"), shelf: try row.decode("shelf"), sku: try row.decode("sku"),
                title: try row.decode("title"), stockManaged: try row.decode("stock_managed"),
                published: try row.decode("published"), observed: try row.decode("observed"),
                observedAt: try row.decode("observed_at"), mapping: try row.decode("mapping"),
                erpCode: try row.decode("erp_code"), unitsPerPack: try row.decode("units_per_pack"),
                via: try row.decode("via"), candidates: try row.decode("candidates", as: [String]?.self),
                aliasSetBy: try row.decode("set_by"), aliasSetAt: try row.decode("set_at"))
        }
    }

    private static func filesNow(_ code: String, _ transaction: Transaction) throws -> [Explanation.FileRow] {
        try transaction.query(
            """
            SELECT l.source, l.warehouse, trim_scale(l.on_hand)::text AS on_hand,
                trim_scale(l.reserved)::text AS reserved, l.line, l.missing_for, n.id AS snapshot, n.file_name,
                n.sequence, n.as_of, n.received_at, n.decided_by, n.decision_reason,
                CASE WHEN newest.id <> n.id THEN newest.file_name END AS restated_by
            FROM stock.live l
            JOIN stock.snapshots n ON n.id = l.snapshot_id
            LEFT JOIN stock.sources s ON s.source = l.source
            LEFT JOIN stock.snapshots newest ON newest.id = s.live_snapshot
            WHERE l.sku = $1 ORDER BY l.source, l.warehouse
            """, [.text(code)]
        ).map(fileRow)
    }

    /// Of each source, the snapshot that was live then. What has not changed since stands in the live stock, whether
    /// the rows of its file are still kept or not.
    private static func filesThen(
        _ code: String, _ at: Date, _ transaction: Transaction
    ) throws -> [Explanation.FileRow] {
        try transaction.query(
            """
            SELECT DISTINCT ON (n.source, r.warehouse) n.source, r.warehouse,
                trim_scale(r.on_hand)::text AS on_hand, trim_scale(r.reserved)::text AS reserved, r.line,
                0 AS missing_for, n.id AS snapshot, n.file_name, n.sequence, n.as_of, n.received_at, n.decided_by,
                n.decision_reason, NULL::text AS restated_by
            FROM stock.snapshots n JOIN (
                SELECT k.snapshot_id, k.warehouse, k.on_hand, k.reserved, k.line
                FROM stock.snapshots s JOIN stock.snapshot_rows k ON k.snapshot_id = s.id WHERE k.sku = $1
                UNION ALL
                SELECT l.snapshot_id, l.warehouse, l.on_hand, l.reserved, l.line FROM stock.live l WHERE l.sku = $1
            ) AS r ON r.snapshot_id = n.id
            WHERE n.state IN ('live', 'replaced') AND \(wentLive) <= $2
            ORDER BY n.source, r.warehouse, n.sequence DESC
            """, [.text(code), .timestamp(at)]
        ).map(fileRow)
    }

    /// Of each source, the file that was live then, if its rows are no longer kept.
    private static func filesWithoutRows(_ at: Date, _ transaction: Transaction) throws -> [String] {
        try transaction.query(
            """
            SELECT file_name FROM (
                SELECT DISTINCT ON (n.source) n.source, n.file_name, n.rows_removed_at FROM stock.snapshots n
                WHERE n.state IN ('live', 'replaced') AND \(wentLive) <= $1
                ORDER BY n.source, n.sequence DESC) AS live
            WHERE rows_removed_at IS NOT NULL ORDER BY source
            """, [.timestamp(at)]
        ).map { try $0.decode("file_name") }
    }

    /// When snapshot `n` went live.
    private static let wentLive = "coalesce(n.decided_at, n.received_at)"

    private static func fileRow(_ row: Row) throws -> Explanation.FileRow {
        Explanation.FileRow(
            source: try row.decode("source"), warehouse: try row.decode("warehouse"),
            onHand: try row.decode("on_hand"), reserved: try row.decode("reserved"), line: try row.decode("line"),
            file: try row.decode("file_name"), snapshot: try row.decode("snapshot"),
            sequence: try row.decode("sequence"), asOf: try row.decode("as_of"),
            receivedAt: try row.decode("received_at"), acceptedBy: try row.decode("decided_by"),
            acceptedReason: try row.decode("decision_reason"), missingFor: try row.decode("missing_for"),
            restatedBy: try row.decode("restated_by"))
    }

    private static func setAside(_ code: String, _ transaction: Transaction) throws -> [Explanation.SetAsideRow] {
        try transaction.query(
            """
            SELECT n.file_name, a.line, a.reason
            FROM stock.sources s JOIN stock.snapshots n ON n.id = s.live_snapshot
            JOIN stock.set_aside_rows a ON a.snapshot_id = n.id
            WHERE position($1 IN a.raw) > 0 ORDER BY a.line LIMIT 5
            """, [.text(code)]
        ).map { row in
            Explanation.SetAsideRow(
                file: try row.decode("file_name"), line: try row.decode("line"), reason: try row.decode("reason"))
        }
    }

    private static func holds(_ code: String, _ at: Date, _ transaction: Transaction) throws -> [Explanation.Hold] {
        try transaction.query(
            """
            SELECT trim_scale(quantity)::text AS quantity, reason, ends_at, created_by FROM publishing.holds
            WHERE erp_code = $1 AND created_at <= $2 AND coalesce(ended_at, ends_at) > $2 ORDER BY created_at
            """, [.text(code), .timestamp(at)]
        ).map { row in
            Explanation.Hold(
                quantity: try row.decode("quantity"), reason: try row.decode("reason"),
                endsAt: try row.decode("ends_at"), createdBy: try row.decode("created_by"))
        }
    }

    private static func versions(
        _ shop: String, _ shelf: String, _ at: Date, _ transaction: Transaction
    ) throws -> [Explanation.Version] {
        try transaction.query(
            """
            SELECT version, wanted, cause_kind, cause_id, decided_at, breakdown FROM publishing.shelf_versions
            WHERE shop = $1 AND shelf = $2 AND decided_at <= $3 ORDER BY version DESC LIMIT \(shown)
            """, [.text(shop), .text(shelf), .timestamp(at)]
        ).map { row in
            let text: String = try row.decode("breakdown")
            return Explanation.Version(
                version: try row.decode("version"), wanted: try row.decode("wanted"),
                causeKind: try row.decode("cause_kind"), causeID: try row.decode("cause_id"),
                decidedAt: try row.decode("decided_at"),
                breakdown: try? ContractCoding.decode(LevelBreakdown.self, from: Array(text.utf8)))
        }
    }

    /// The first version after a time that is still kept.
    private static func versionAfter(
        _ at: Date, _ shop: String, _ shelf: String, _ transaction: Transaction
    ) throws -> Int? {
        try transaction.query(
            """
            SELECT min(version) FROM publishing.shelf_versions WHERE shop = $1 AND shelf = $2 AND decided_at > $3
            """, [.text(shop), .text(shelf), .timestamp(at)]
        ).first?.decode(at: 0)
    }

    private static func pushes(
        _ shop: String, _ shelf: String, _ at: Date, _ transaction: Transaction
    ) throws -> [Explanation.Push] {
        try transaction.query(
            """
            SELECT version, level, began_at, ended_at, result, answer, replica FROM publishing.pushes
            WHERE shop = $1 AND shelf = $2 AND ended_at <= $3 ORDER BY ended_at DESC LIMIT \(shown)
            """, [.text(shop), .text(shelf), .timestamp(at)]
        ).map { row in
            Explanation.Push(
                version: try row.decode("version"), level: try row.decode("level"),
                beganAt: try row.decode("began_at"), endedAt: try row.decode("ended_at"),
                result: try row.decode("result"), answer: try row.decode("answer"), replica: try row.decode("replica"))
        }
    }

    private static func shelf(
        _ shop: String, _ shelf: String, _ transaction: Transaction
    ) throws -> Explanation.Shelf? {
        let rows = try transaction.query(
            """
            SELECT wanted, version, sent_version, confirmed_version, confirmed_level, confirmed_at, expected_at_shop,
                due, claim IS NOT NULL AS in_flight, unknown_until,
                CASE WHEN rejected_version = version THEN rejection END AS rejection, failure, held, deferral
            FROM publishing.shelves WHERE shop = $1 AND shelf = $2
            """, [.text(shop), .text(shelf)])
        return try rows.first.map { row in
            Explanation.Shelf(
                wanted: try row.decode("wanted"), version: try row.decode("version"),
                sentVersion: try row.decode("sent_version"), confirmedVersion: try row.decode("confirmed_version"),
                confirmedLevel: try row.decode("confirmed_level"), confirmedAt: try row.decode("confirmed_at"),
                expectedAtShop: try row.decode("expected_at_shop"), due: try row.decode("due"),
                inFlight: try row.decode("in_flight"), unknownUntil: try row.decode("unknown_until"),
                rejection: try row.decode("rejection"), failure: try row.decode("failure"),
                held: try row.decode("held"), deferral: try row.decode("deferral"))
        }
    }
}
