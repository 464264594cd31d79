import Foundation
import PostgreSQL

/// One file of a source, and what became of it.
struct SnapshotSummary: Sendable, Encodable {
    var id: UUID
    var source: String
    var sequence: Int?
    var file: String
    var state: String
    var asOf: Date
    var receivedAt: Date
    var message: String
    var reasons: [String]
    var rowsRead: Int
    var rowsAggregated: Int
    var rowsSetAside: Int
    var rowsMerged: Int
    var skus: Int
    var units: String
    var changedSkus: Int
    var decidedBy: String?
    var decidedAt: Date?
    var decisionReason: String?
    /// When its rows left; its figures stay.
    var rowsRemovedAt: Date?
}

/// A snapshot with what a person needs to decide about it.
struct SnapshotDetail: Sendable, Encodable {
    struct SetAsideRow: Sendable, Encodable {
        var line: Int
        var raw: String
        var reason: String
    }

    var snapshot: SnapshotSummary
    var notes: [String]
    /// The live snapshot of the same source, to compare with.
    var live: SnapshotSummary?
    var setAside: [SetAsideRow]
}

/// Reads snapshots.
struct SnapshotStore: Sendable {
    let database: OperatorDatabase

    private static let columns = """
        n.id, n.source, n.sequence, n.file_name, n.state, n.as_of, n.received_at, n.message, n.reasons, n.rows_read,
        n.rows_aggregated, n.rows_set_aside, n.rows_merged, n.skus, trim_scale(n.units)::text AS units, n.changed_skus,
        n.decided_by, n.decided_at, n.decision_reason, n.rows_removed_at
        """

    func list(source: String?, heldOnly: Bool, limit: Int) async throws -> [SnapshotSummary] {
        try await database.pool.query(
            """
            SELECT \(Self.columns) FROM stock.snapshots n
            WHERE ($1::text IS NULL OR n.source = $1) AND (NOT $2 OR n.state = 'held')
            ORDER BY n.received_at DESC LIMIT $3
            """, [.maybe(source, PostgresValue.text), .boolean(heldOnly), .int(limit)]
        ).map(Self.summary)
    }

    /// - Throws: ``ToolError`` if there is no such snapshot, or several begin like this.
    func detail(_ id: IDPrefix, rows: Int) async throws -> SnapshotDetail {
        let found = try await database.pool.query(
            "SELECT \(Self.columns), n.notes FROM stock.snapshots n WHERE n.id::text LIKE $1 || '%' LIMIT 2",
            [.text(id.text)])
        let snapshot = try id.only(found, of: "snapshot", list: "stockbridge stock list")
        let summary = try Self.summary(found[0])
        let live = try await database.pool.query(
            """
            SELECT \(Self.columns) FROM stock.sources s JOIN stock.snapshots n ON n.id = s.live_snapshot
            WHERE s.source = $1
            """, [.text(summary.source)])
        let setAside = try await database.pool.query(
            "SELECT line, raw, reason FROM stock.set_aside_rows WHERE snapshot_id = $1 ORDER BY line LIMIT $2",
            [.uuid(snapshot), .int(rows)])
        return SnapshotDetail(
            snapshot: summary, notes: StoredReasons.sentences(in: try found[0].decode("notes")),
            live: try live.first.map(Self.summary),
            setAside: try setAside.map { row in
                SnapshotDetail.SetAsideRow(
                    line: try row.decode("line"), raw: try row.decode("raw"), reason: try row.decode("reason"))
            })
    }

    private static func summary(_ row: Row) throws -> SnapshotSummary {
        SnapshotSummary(
            id: try row.decode("id"), source: try row.decode("source"), sequence: try row.decode("sequence"),
            file: try row.decode("file_name"), state: try row.decode("state"), asOf: try row.decode("as_of"),
            receivedAt: try row.decode("received_at"), message: try row.decode("message"),
            reasons: StoredReasons.sentences(in: try row.decode("reasons")), rowsRead: try row.decode("rows_read"),
            rowsAggregated: try row.decode("rows_aggregated"), rowsSetAside: try row.decode("rows_set_aside"),
            rowsMerged: try row.decode("rows_merged"), skus: try row.decode("skus"), units: try row.decode("units"),
            changedSkus: try row.decode("changed_skus"), decidedBy: try row.decode("decided_by"),
            decidedAt: try row.decode("decided_at"), decisionReason: try row.decode("decision_reason"),
            rowsRemovedAt: try row.decode("rows_removed_at"))
    }
}
