import Domain
import Foundation
import PostgreSQL

/// One run of one shop, from its cause to its six counts.
struct Run: Sendable {
    var id = UUID()
    var shop: ShopName
    /// `snapshot`, or `release` when an operator let the shop out of shadow.
    var cause: String
    var source: SourceName?
    var snapshot: UUID?
    var beganAt: Date
    var deadlineAt: Date
}

/// The runs of the shops.
enum RunStore {
    /// Opens a run; runs of the shop that are still open end in it, because its cause overtakes theirs.
    static func begin(_ run: Run, in transaction: Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO runs (id, shop, cause, source, snapshot_id, began_at, deadline_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .uuid(run.id), .text(run.shop.rawValue), .text(run.cause), .maybe(run.source) { .text($0.rawValue) },
                .maybe(run.snapshot) { .uuid($0) }, .timestamp(run.beganAt), .timestamp(run.deadlineAt),
            ])
    }

    /// The open runs of all shops, oldest first, locked; those another replica looks at are skipped.
    static func lockOpen(in transaction: Transaction) throws -> [Run] {
        let rows = try transaction.query(
            """
            SELECT id, shop, cause, source, snapshot_id, began_at, deadline_at FROM runs
            WHERE ended_at IS NULL ORDER BY began_at FOR UPDATE SKIP LOCKED
            """, [])
        return try rows.map(decode)
    }

    /// What still has to happen before a run may end.
    struct Progress: Sendable {
        /// Chunks of the snapshot that have not come yet.
        var chunksMissing: Bool
        /// The mapping of the shop is being worked out.
        var remapPending: Bool
        /// The catalogue was never read.
        var catalogueMissing: Bool
        /// Shelves that may still be pushed.
        var due: Int
        /// The shop is in shadow: nothing will be pushed.
        var shadow: Bool

        var isOver: Bool { !chunksMissing && !remapPending && !catalogueMissing && (due == 0 || shadow) }
    }

    static func progress(of run: Run, in transaction: Transaction) throws -> Progress {
        let rows = try transaction.query(
            """
            SELECT coalesce((SELECT s.chunks > (SELECT count(*) FROM chunks c WHERE c.snapshot_id = s.snapshot_id)
                             FROM sources s WHERE s.snapshot_id = $2), false) AS chunks_missing,
                   remap_pending, catalogue_read_at IS NULL AS catalogue_missing, shadow,
                   (SELECT count(*) FROM shelves WHERE shelves.shop = shops.shop AND due) AS due
            FROM shops WHERE shop = $1
            """, [.text(run.shop.rawValue), .maybe(run.snapshot) { .uuid($0) }])
        guard let row = rows.first else {
            return Progress(chunksMissing: false, remapPending: false, catalogueMissing: true, due: 0, shadow: true)
        }
        return Progress(
            chunksMissing: try row.decode("chunks_missing"), remapPending: try row.decode("remap_pending"),
            catalogueMissing: try row.decode("catalogue_missing"), due: try row.decode("due"),
            shadow: try row.decode("shadow"))
    }

    /// The newest run of a shop.
    static func newest(of shop: ShopName, in transaction: Transaction) throws -> Run? {
        let rows = try transaction.query(
            """
            SELECT id, shop, cause, source, snapshot_id, began_at, deadline_at FROM runs
            WHERE shop = $1 ORDER BY began_at DESC LIMIT 1
            """, [.text(shop.rawValue)])
        return try rows.first.map(decode)
    }

    private static func decode(_ row: Row) throws -> Run {
        Run(
            id: try row.decode(at: 0), shop: ShopName(rawValue: try row.decode(at: 1)), cause: try row.decode(at: 2),
            source: try row.decode(at: 3, as: String?.self).map(SourceName.init(rawValue:)),
            snapshot: try row.decode(at: 4), beganAt: try row.decode(at: 5), deadlineAt: try row.decode(at: 6))
    }

    /// Counts the listings of a shop by what became of them since a run began. The rule is Domain's.
    static func count(_ shop: ShopName, since began: Date, in transaction: Transaction) throws -> OutcomeCounts {
        var counts = OutcomeCounts()
        try transaction.forEachRow(
            """
            SELECT l.mapping, l.erp_code, l.units_per_pack, s.shop IS NOT NULL, \(ShelfStore.qualifiedColumns("s"))
            FROM listings l LEFT JOIN shelves s ON s.shop = l.shop AND s.shelf = l.shelf WHERE l.shop = $1
            """, [.text(shop.rawValue)]
        ) { row in
            let mapping = try MappingColumns.result(
                label: row.decode(at: 0), code: row.decode(at: 1), units: row.decode(at: 2))
            let state = try row.decode(at: 3, as: Bool.self) ? try ShelfStore.decode(row, from: 4).state : nil
            counts.add(ShelfOutcome(mapping: mapping, shelf: state, runBegan: began))
        }
        return counts
    }

    static func store(_ counts: OutcomeCounts, of run: Run, ended: Bool, at now: Date, in transaction: Transaction)
        throws
    {
        try transaction.execute(
            """
            UPDATE runs SET listed = $2, confirmed = $3, unchanged = $4, deferred = $5, unmapped = $6, rejected = $7,
                failed = $8, counted_at = $9::timestamptz, ended_at = CASE WHEN $10 THEN $9::timestamptz END
            WHERE id = $1
            """,
            [
                .uuid(run.id), .int(counts.listed), .int(counts.confirmed), .int(counts.unchanged),
                .int(counts.deferred), .int(counts.unmapped), .int(counts.rejected), .int(counts.failed),
                .timestamp(now), .boolean(ended),
            ])
    }
}

/// How a mapping stands in the columns of a listing.
enum MappingColumns {
    static func result(label: String, code: String?, units: Int?) -> MappingResult {
        switch (label, code) {
        case ("mapped", let code?): .mapped(ERPCode(rawValue: code), unitsPerPack: units ?? 1, via: .exact)
        case ("ambiguous", _): .ambiguous([])
        case ("blank", _): .blank
        default: .unmapped
        }
    }
}
