import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import StockFiles

/// A file as it was fetched, with the ids that a repetition of the same run gives it again.
struct FetchedFile: Sendable {
    let name: String
    /// Its version, see ``Candidate``.
    let version: String
    let digest: String
    let fileID: UUID
    let snapshotID: UUID
    let receivedAt: Date
    let runID: UUID

    /// The snapshot's id as people see it.
    var snapshotText: String { snapshotID.uuidString.lowercased() }

    /// Ties events to the run.
    var correlation: String { runID.uuidString.lowercased() }
}

/// Snapshots, their rows, and what was looked into.
enum SnapshotStore {
    enum State: String, Sendable { case loading, refused, unreadable }

    struct Record: Sendable {
        let source: SourceName
        let file: FetchedFile
        let asOf: Date
        let state: State
        let message: String
    }

    /// Writes the row of a snapshot; `parsed` is nil for a file that could not be read.
    static func insert(_ record: Record, _ parsed: ParsedStockFile?, in transaction: Transaction) throws {
        let notes = (parsed?.notes ?? []).map { note in
            Note(
                line: note.line, sku: note.sku, warehouse: note.warehouse, quantity: note.quantity,
                kind: note.kind.rawValue)
        }
        try transaction.execute(
            """
            INSERT INTO snapshots (id, source, file_name, file_id, digest, as_of, received_at, run_id, state,
                rows_read, rows_aggregated, rows_set_aside, rows_merged, skus, units, rows_negative, rows_fractional,
                notes, message)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::text::numeric, $16, $17, $18, $19)
            """,
            [
                .uuid(record.file.snapshotID), .text(record.source.rawValue), .text(record.file.name),
                .uuid(record.file.fileID), .text(record.file.digest), .timestamp(record.asOf),
                .timestamp(record.file.receivedAt), .text(record.file.correlation), .text(record.state.rawValue),
                .int(parsed?.counts.rowsRead ?? 0), .int(parsed?.counts.accepted ?? 0),
                .int(parsed?.counts.setAside ?? 0), .int(parsed?.counts.duplicatesMerged ?? 0),
                .int(parsed?.skuCount ?? 0), .text((parsed?.totalUnits ?? .zero).description),
                .int(parsed?.counts.negative ?? 0), .int(parsed?.counts.fractional ?? 0),
                .text(String(decoding: try ContractCoding.encode(notes), as: UTF8.self)), .text(record.message),
            ])
    }

    private struct Note: Encodable {
        let line: Int
        let sku: String
        let warehouse: String
        let quantity: String
        let kind: String
    }

    /// Loads all rows by COPY, straight from where the reader keeps them.
    static func load(_ parsed: ParsedStockFile, into id: UUID, in transaction: Transaction) throws {
        let warehouses = parsed.warehouses.map { Array($0.rawValue.utf8) }
        try transaction.copy(
            into: "snapshot_rows", columns: ["snapshot_id", "sku", "warehouse", "on_hand", "reserved", "line"]
        ) { writer in
            try parsed.forEachRow { row in
                writer.uuid(id)
                writer.text(utf8: UnsafeRawBufferPointer(row.skuBytes))
                warehouses[row.warehouseIndex].withUnsafeBytes { writer.text(utf8: $0) }
                writer.text(row.onHand.description)
                writer.text(row.reserved?.description)
                writer.integer(row.line)
                try writer.endRow()
            }
        }
        try transaction.copy(into: "set_aside_rows", columns: ["snapshot_id", "line", "raw", "reason"]) { writer in
            for row in parsed.setAside {
                writer.uuid(id)
                writer.integer(row.line)
                // PostgreSQL keeps no zero byte; the file itself is kept as it came.
                writer.text(row.rawText.replacing("\u{0}", with: "\u{FFFD}"))
                writer.text("\(row.reason)".replacing("\u{0}", with: "\u{FFFD}"))
                try writer.endRow()
            }
        }
    }

    /// Keeps the sentence of what became of a snapshot.
    static func say(_ message: String, of id: UUID, in transaction: Transaction) throws {
        try transaction.execute("UPDATE snapshots SET message = $2 WHERE id = $1", [.uuid(id), .text(message)])
    }

    /// Remembers that this version of a file was looked into.
    static func remember(
        _ source: SourceName, version: String, name: String, digest: String?, snapshot: String?, outcome: String,
        run: String, in work: UnitOfWork
    ) throws {
        try work.transaction.execute(
            """
            INSERT INTO files AS f (source, version, name, digest, snapshot_id, outcome, run_id, taken_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (source, version) DO UPDATE
            SET digest = excluded.digest, snapshot_id = excluded.snapshot_id,
                -- Two runs may read the same file at once; what the first made of it stands.
                outcome = CASE excluded.outcome WHEN 'unchanged' THEN f.outcome ELSE excluded.outcome END,
                run_id = excluded.run_id, taken_at = excluded.taken_at
            """,
            [
                .text(source.rawValue), .text(version), .text(name), .maybe(digest, PostgresValue.text),
                .maybe(snapshot, PostgresValue.text), .text(outcome), .text(run), .timestamp(work.startedAt),
            ])
    }

    /// Which of these versions were looked into before.
    ///
    /// - Parameter rereadsUnreadable: A person who asks again may have corrected the configuration, so what could not
    ///   be read since the last good file is looked at once more.
    static func taken(
        _ source: SourceName, among versions: [String], rereadsUnreadable: Bool, in transaction: Transaction
    ) throws -> Set<String> {
        let rows = try transaction.query(
            """
            SELECT version FROM files
            WHERE source = $1 AND version = ANY($2) AND NOT ($3 AND outcome = 'unreadable' AND taken_at > coalesce(
                (SELECT max(received_at) FROM snapshots WHERE source = $1 AND state IN ('live', 'held')), '-infinity'))
            """, [.text(source.rawValue), .textArray(versions), .boolean(rereadsUnreadable)])
        return Set(try rows.map { try $0.decode("version", as: String.self) })
    }
}
