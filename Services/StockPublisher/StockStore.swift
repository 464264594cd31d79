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
                snapshot_id = excluded.snapshot_id, sequence = excluded.sequence, as_of = excluded.as_of
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

    /// Remembers a snapshot's header, unless a newer one is known. False if it was older.
    static func apply(_ header: StockAggregated.Header, in transaction: Transaction) throws -> Bool {
        let changed = try transaction.execute(
            """
            INSERT INTO sources AS s (source, snapshot_id, sequence, as_of, received_at, file_name, chunks, run_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (source) DO UPDATE
            SET snapshot_id = excluded.snapshot_id, sequence = excluded.sequence, as_of = excluded.as_of,
                received_at = excluded.received_at, file_name = excluded.file_name, chunks = excluded.chunks,
                run_id = excluded.run_id
            WHERE s.sequence < excluded.sequence
            """,
            [
                .text(header.snapshot.source.rawValue), .uuid(header.snapshot.id), .integer(header.snapshot.sequence),
                .timestamp(header.snapshot.asOf), .timestamp(header.receivedAt), .text(header.fileName ?? ""),
                .integer(Int64(header.chunks)), .text(header.runID.uuidString.lowercased()),
            ])
        return changed == 1
    }

    /// The rows of these codes in all warehouses of all sources.
    static func stock(of codes: [ERPCode], in transaction: Transaction) throws -> [ERPCode: [WarehouseStock]] {
        guard !codes.isEmpty else { return [:] }
        let rows = try transaction.query(
            "SELECT sku, warehouse, on_hand, reserved FROM stock WHERE sku = ANY($1) ORDER BY sku, warehouse, source",
            [.textArray(codes.map(\.rawValue))])
        var result: [ERPCode: [WarehouseStock]] = [:]
        result.reserveCapacity(codes.count)
        for row in rows {
            result[ERPCode(rawValue: try row.decode(at: 0)), default: []].append(
                WarehouseStock(
                    warehouse: WarehouseName(rawValue: try row.decode(at: 1)),
                    onHand: try Self.quantity(row.decode(at: 2)) ?? .zero,
                    reserved: try Self.quantity(row.decode(at: 3))))
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

/// The shops as this service knows them.
enum ShopStore {
    /// Shops that may be written to: not in shadow.
    static func writableShops(in transaction: Transaction) throws -> Set<ShopName> {
        let rows = try transaction.query("SELECT shop FROM shops WHERE NOT shadow", [])
        return Set(try rows.map { ShopName(rawValue: try $0.decode(at: 0)) })
    }

    /// Makes a row for every shop of the configuration; a new shop is in shadow.
    static func ensureExist(_ shops: [ShopName], in transaction: Transaction) throws {
        try transaction.execute(
            "INSERT INTO shops (shop) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING",
            [.textArray(shops.map(\.rawValue).sorted())])
    }
}
