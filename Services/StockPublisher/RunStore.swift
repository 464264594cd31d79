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
        return try rows.map { row in
            Run(
                id: try row.decode(at: 0), shop: ShopName(rawValue: try row.decode(at: 1)),
                cause: try row.decode(at: 2),
                source: try row.decode(at: 3, as: String?.self).map(SourceName.init(rawValue:)),
                snapshot: try row.decode(at: 4), beganAt: try row.decode(at: 5), deadlineAt: try row.decode(at: 6))
        }
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

    /// Counts the listings of a shop by what became of them in the run. The rule is Domain's.
    static func count(_ run: Run, in transaction: Transaction) throws -> OutcomeCounts {
        var outcomes: [ListingID: ShelfState] = [:]
        try ShelfStore.forEach(of: run.shop, in: transaction) { outcomes[$0.shelf] = $0.state }
        var counts = OutcomeCounts()
        try transaction.forEachRow(
            "SELECT shelf, mapping, erp_code, units_per_pack FROM listings WHERE shop = $1", [.text(run.shop.rawValue)]
        ) { row in
            let shelf = ListingID(rawValue: try row.decode(at: 0))
            let mapping = try MappingColumns.result(
                label: row.decode(at: 1), code: row.decode(at: 2), units: row.decode(at: 3))
            counts.add(ShelfOutcome(mapping: mapping, shelf: outcomes[shelf], runBegan: run.beganAt))
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
