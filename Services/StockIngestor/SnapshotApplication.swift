import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import Settings

/// Makes a loaded snapshot the live one: the difference into `live`, and out to whoever consumes stock.
struct SnapshotApplication: Sendable {
    let source: SourceName
    let quantities: StockbridgeConfiguration.QuantityKind
    /// See ``SourceFormat/zeroAfterFiles``.
    let zeroAfterFiles: Int?

    struct Applied: Sendable, Equatable {
        let sequence: Int64
        let changedCodes: Int
        let missingCodes: Int
    }

    /// Applies and emits; the caller holds the source's row lock and has looked at `as_of`.
    func apply(_ id: UUID, over row: SourceRow, in work: UnitOfWork) throws -> Applied {
        let transaction = work.transaction
        let sequence = row.lastSequence + 1
        try writeDifference(id, in: transaction)
        if let live = row.live {
            try transaction.execute("UPDATE snapshots SET state = 'replaced' WHERE id = $1", [.uuid(live.id)])
        }
        let changed = try count(
            "SELECT count(DISTINCT sku) FROM live WHERE source = $1 AND snapshot_id = $2",
            [.text(source.rawValue), .uuid(id)], in: transaction)
        let missing = try count(
            "SELECT count(*) FROM (\(StockAggregatedSender.missingCodes)) AS codes", missingParameters, in: transaction)
        try transaction.execute(
            "UPDATE snapshots SET state = 'live', sequence = $2, changed_skus = $3 WHERE id = $1",
            [.uuid(id), .integer(sequence), .int(changed)])
        try transaction.execute(
            """
            UPDATE sources SET last_sequence = $2, live_snapshot = $3,
                (live_as_of, live_digest) = (SELECT as_of, digest FROM snapshots WHERE id = $3)
            WHERE source = $1
            """, [.text(source.rawValue), .integer(sequence), .uuid(id)])
        try StockAggregatedSender(source: source, quantities: quantities, zeroAfterFiles: zeroAfterFiles)
            .sendChange(to: id, base: row.live?.sequence, changed: changed, missing: missing, in: work)
        return Applied(sequence: sequence, changedCodes: changed, missingCodes: missing)
    }

    private var missingParameters: [PostgresValue] {
        [.text(source.rawValue), .maybe(zeroAfterFiles, PostgresValue.int)]
    }

    private func count(_ sql: String, _ parameters: [PostgresValue], in transaction: Transaction) throws -> Int {
        try transaction.query(sql, parameters).first?.decode(at: 0) ?? 0
    }

    /// Writes only rows that differ. A row that changed carries the id of the snapshot that changed it, which is how
    /// the difference is found again.
    private func writeDifference(_ id: UUID, in transaction: Transaction) throws {
        let name = PostgresValue.text(source.rawValue)
        try transaction.execute(
            """
            UPDATE live AS l SET on_hand = r.on_hand, reserved = r.reserved, line = r.line, snapshot_id = $2,
                missing_for = 0
            FROM snapshot_rows AS r
            WHERE l.source = $1 AND r.snapshot_id = $2 AND r.sku = l.sku AND r.warehouse = l.warehouse
              AND (l.on_hand, l.reserved) IS DISTINCT FROM (r.on_hand, r.reserved)
            """, [name, .uuid(id)])
        // Back again with the number it had.
        try transaction.execute(
            """
            UPDATE live AS l SET missing_for = 0 FROM snapshot_rows AS r
            WHERE l.source = $1 AND l.missing_for > 0 AND r.snapshot_id = $2 AND r.sku = l.sku
              AND r.warehouse = l.warehouse
            """, [name, .uuid(id)])
        try transaction.execute(
            """
            UPDATE live AS l SET missing_for = l.missing_for + 1,
                on_hand = CASE WHEN l.missing_for + 1 >= $3::int THEN 0 ELSE l.on_hand END,
                line = CASE WHEN l.missing_for + 1 >= $3::int THEN NULL ELSE l.line END,
                snapshot_id = CASE WHEN l.missing_for + 1 >= $3::int AND l.on_hand <> 0 THEN $2 ELSE l.snapshot_id END
            WHERE l.source = $1
              AND (l.missing_for < coalesce($3::int, 1) OR ($3::int IS NOT NULL AND l.on_hand <> 0))
              AND NOT EXISTS (SELECT FROM snapshot_rows AS r
                              WHERE r.snapshot_id = $2 AND r.sku = l.sku AND r.warehouse = l.warehouse)
            """, [name, .uuid(id), .maybe(zeroAfterFiles, PostgresValue.int)])
        try transaction.execute(
            """
            INSERT INTO live (source, sku, warehouse, on_hand, reserved, line, snapshot_id)
            SELECT $1, r.sku, r.warehouse, r.on_hand, r.reserved, r.line, $2 FROM snapshot_rows AS r
            WHERE r.snapshot_id = $2
              AND NOT EXISTS (SELECT FROM live AS l
                              WHERE l.source = $1 AND l.sku = r.sku AND l.warehouse = r.warehouse)
            """, [name, .uuid(id)])
    }
}
