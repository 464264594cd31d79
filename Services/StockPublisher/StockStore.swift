import Contracts
import Domain
import Foundation
import PostgreSQL

/// What the sources said, as this service learnt it from events.
enum StockStore {
    /// Applies a chunk; a statement that is not newer than the one we have changes nothing.
    ///
    /// - Returns: Whether it named codes that nobody had named before, which listings may have been waiting for.
    static func apply(_ chunk: StockAggregated.Chunk, in transaction: Transaction) throws -> Bool {
        // Only counted here. A chunk that comes again, or a republished one of another division, is applied all the
        // same:
        // the sequence of each row decides.
        try transaction.execute(
            "INSERT INTO chunks (snapshot_id, part) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [.uuid(chunk.snapshot.id), .integer(Int64(chunk.part))])
        try remember(chunk.snapshot, in: transaction)
        try markMissing(chunk, in: transaction)
        guard !chunk.skus.isEmpty else { return false }
        let rows = chunk.skus.flatMap { sku in sku.rows.map { (sku.sku, $0) } }
        let written = try transaction.query(
            """
            INSERT INTO stock AS s
                (source, sku, warehouse, on_hand, reserved, line, snapshot_id, sequence, as_of)
            SELECT $1, sku, warehouse, on_hand, reserved, line, $2, $3, $4
            FROM unnest($5::text[], $6::text[], $7::text[]::numeric[], $8::text[]::numeric[], $9::text[]::bigint[])
                AS r (sku, warehouse, on_hand, reserved, line)
            ORDER BY sku, warehouse
            ON CONFLICT (source, sku, warehouse) DO UPDATE
            SET on_hand = excluded.on_hand, reserved = excluded.reserved, line = excluded.line,
                snapshot_id = excluded.snapshot_id, sequence = excluded.sequence, as_of = excluded.as_of,
                missing_from = CASE WHEN s.missing_at > excluded.sequence THEN s.missing_from END,
                missing_at = CASE WHEN s.missing_at > excluded.sequence THEN s.missing_at END
            WHERE s.sequence < excluded.sequence
            RETURNING xmax = 0 AS inserted
            """,
            [
                .text(chunk.snapshot.source.rawValue), .uuid(chunk.snapshot.id), .integer(chunk.snapshot.sequence),
                .timestamp(chunk.snapshot.asOf), .textArray(rows.map(\.0.rawValue)),
                .textArray(rows.map(\.1.warehouse.rawValue)), .textArray(rows.map(\.1.onHand.description)),
                .nullableTextArray(rows.map { $0.1.reserved?.description }),
                .nullableTextArray(rows.map { $0.1.line.map(String.init) }),
            ])
        return try written.contains { try $0.decode(at: 0, as: Bool.self) }
    }

    /// When a snapshot was taken; its messages may come in any order.
    private static func remember(
        _ snapshot: StockAggregated.SnapshotIdentity, in transaction: Transaction
    ) throws {
        try transaction.execute(
            "INSERT INTO snapshots (source, sequence, as_of) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            [.text(snapshot.source.rawValue), .integer(snapshot.sequence), .timestamp(snapshot.asOf)])
    }

    /// Codes that the snapshot no longer names: their stock stands, as of the last one that stated them.
    private static func markMissing(_ chunk: StockAggregated.Chunk, in transaction: Transaction) throws {
        guard !chunk.missing.isEmpty else { return }
        try transaction.execute(
            """
            UPDATE stock SET missing_from = least(missing_from, $2::bigint),
                missing_at = greatest(missing_at, $2::bigint)
            WHERE source = $1 AND sku = ANY($3) AND sequence < $2::bigint
            """,
            [
                .text(chunk.snapshot.source.rawValue), .integer(chunk.snapshot.sequence),
                .textArray(chunk.missing.map(\.rawValue)),
            ])
    }

    /// Remembers a snapshot's header, unless a newer one is known. False if it was older.
    static func apply(_ header: StockAggregated.Header, in transaction: Transaction) throws -> Bool {
        try remember(header.snapshot, in: transaction)
        let changed = try transaction.execute(
            """
            INSERT INTO sources AS s (source, snapshot_id, sequence, as_of, received_at, file_name, chunks, run_id,
                quantities)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (source) DO UPDATE
            SET snapshot_id = excluded.snapshot_id, sequence = excluded.sequence, as_of = excluded.as_of,
                received_at = excluded.received_at, file_name = excluded.file_name, chunks = excluded.chunks,
                run_id = excluded.run_id, quantities = excluded.quantities
            WHERE s.sequence < excluded.sequence
            """,
            [
                .text(header.snapshot.source.rawValue), .uuid(header.snapshot.id), .integer(header.snapshot.sequence),
                .timestamp(header.snapshot.asOf), .timestamp(header.receivedAt), .text(header.fileName ?? ""),
                .integer(Int64(header.chunks)), .text(header.runID.uuidString.lowercased()),
                .text(header.quantities.rawValue),
            ])
        return changed == 1
    }

    /// Notes that the newest snapshot of a source has been applied whole, if it just has: what it did not name counts
    /// as restated from now on, and what it did not name as missing is not.
    ///
    /// - Returns: When the snapshot was taken, if it became complete in this transaction.
    static func complete(_ source: SourceName, in transaction: Transaction) throws -> Date? {
        let rows = try transaction.query(
            """
            UPDATE sources s SET complete_sequence = sequence, complete_as_of = as_of
            WHERE source = $1 AND complete_sequence IS DISTINCT FROM sequence
              AND chunks <= (SELECT count(*) FROM chunks c WHERE c.snapshot_id = s.snapshot_id)
            RETURNING as_of, sequence
            """, [.text(source.rawValue)])
        guard let row = rows.first else { return nil }
        try transaction.execute(
            """
            UPDATE stock SET missing_from = NULL, missing_at = NULL
            WHERE source = $1 AND missing_from IS NOT NULL AND missing_at < $2
            """, [.text(source.rawValue), .integer(try row.decode(at: 1))])
        return try row.decode(at: 0)
    }

    /// What a source states about a code in one warehouse.
    struct Entry: Sendable {
        var stock: WarehouseStock
        var statement: StockAsOf
        /// The newest snapshot no longer names the code.
        var isMissing: Bool
    }

    /// When a row of `stock t` was stated last, with `sources src` joined: by its own snapshot or by the newest that is
    /// complete; one that is missing was stated last by the snapshot before it went missing.
    static let statedAt = """
        CASE WHEN t.missing_from IS NULL THEN greatest(t.as_of, src.complete_as_of)
             ELSE greatest(t.as_of, (SELECT max(n.as_of) FROM snapshots n WHERE n.source = t.source
                                     AND n.sequence >= t.sequence AND n.sequence < t.missing_from)) END
        """

    /// The rows of these codes in all warehouses of all sources.
    static func stock(of codes: [ERPCode], in transaction: Transaction) throws -> [ERPCode: [Entry]] {
        guard !codes.isEmpty else { return [:] }
        let rows = try transaction.query(
            """
            SELECT t.sku, t.warehouse, t.on_hand, t.reserved, \(statedAt) AS stated_at,
                coalesce(src.quantities = 'net', false), t.missing_from IS NOT NULL
            FROM stock t LEFT JOIN sources src ON src.source = t.source
            WHERE t.sku = ANY($1) ORDER BY t.sku, t.warehouse, t.source
            """, [.textArray(codes.map(\.rawValue))])
        var result: [ERPCode: [Entry]] = [:]
        result.reserveCapacity(codes.count)
        for row in rows {
            result[ERPCode(rawValue: try row.decode(at: 0)), default: []].append(
                Entry(
                    stock: WarehouseStock(
                        warehouse: WarehouseName(rawValue: try row.decode(at: 1)),
                        onHand: try Self.quantity(row.decode(at: 2)) ?? .zero,
                        reserved: try Self.quantity(row.decode(at: 3))),
                    statement: StockAsOf(asOf: try row.decode(at: 4), isNet: try row.decode(at: 5)),
                    isMissing: try row.decode(at: 6)))
        }
        return result
    }

    /// All codes that any source has named.
    static func codes(in transaction: Transaction) throws -> [ERPCode] {
        var codes: [ERPCode] = []
        try transaction.forEachRow("SELECT DISTINCT sku FROM stock", []) { row in
            codes.append(ERPCode(rawValue: try row.decode(at: 0)))
        }
        return codes
    }

    /// Reads a number as PostgreSQL writes it.
    static func quantity(_ text: String?) throws -> Quantity? {
        guard let text else { return nil }
        guard let quantity = Quantity(text) else {
            throw PostgresError.undecodable(column: "quantity", row: 0, expected: "Quantity", wasNull: false)
        }
        return quantity
    }
}

/// Quantities that a person took off sale.
enum HoldStore {
    /// What is on hold for these codes.
    static func open(for codes: [ERPCode], in transaction: Transaction) throws -> [ERPCode: Quantity] {
        guard !codes.isEmpty else { return [:] }
        let rows = try transaction.query(
            """
            SELECT erp_code, sum(quantity) AS quantity FROM holds
            WHERE erp_code = ANY($1) AND ended_at IS NULL GROUP BY erp_code
            """, [.textArray(codes.map(\.rawValue))])
        var result: [ERPCode: Quantity] = [:]
        for row in rows {
            result[ERPCode(rawValue: try row.decode(at: 0))] = try StockStore.quantity(row.decode(at: 1))
        }
        return result
    }
}
