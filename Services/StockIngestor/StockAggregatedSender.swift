import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import Settings

/// Writes a snapshot's header and chunks to the outbox, streaming them from `live`.
struct StockAggregatedSender: Sendable {
    let source: SourceName
    let quantities: StockbridgeConfiguration.QuantityKind
    let zeroAfterFiles: Int?

    /// Codes whose every row is missing from the newest file and is kept. Parameters: source, files until zero.
    static let missingCodes = """
        SELECT sku FROM live WHERE source = $1
        GROUP BY sku HAVING bool_and(missing_for > 0 AND ($2::int IS NULL OR missing_for < $2::int))
        """

    /// Sends what this snapshot changed: all warehouses of each code of which a row differs.
    ///
    /// - Parameter base: The sequence it builds on; nil for a source's first, which is sent whole.
    func sendChange(to id: UUID, base: Int64?, changed: Int, missing: Int, in work: UnitOfWork) throws {
        let header = try self.header(
            of: id, kind: base == nil ? .whole : .difference, base: base, codes: changed + missing, missing: missing,
            in: work.transaction)
        try send(
            header, codes: changed + missing,
            rows: """
                SELECT l.sku, l.warehouse, l.on_hand, l.reserved, r.line
                FROM live AS l LEFT JOIN snapshot_rows AS r
                    ON r.snapshot_id = $2 AND r.sku = l.sku AND r.warehouse = l.warehouse
                WHERE l.source = $1
                  AND l.sku IN (SELECT c.sku FROM live AS c WHERE c.source = $1 AND c.snapshot_id = $2)
                ORDER BY l.sku, l.warehouse
                """, sendsMissing: missing > 0, in: work)
    }

    /// Sends everything that is live again, under the identity and the number it has: a consumer that came later
    /// learns all of it, one that has it already finds nothing newer.
    ///
    /// Codes that are missing from the newest file and are kept go with their stock, since a new consumer has none.
    /// - Returns: How many codes were sent.
    func sendAll(of live: SourceRow.Live, in work: UnitOfWork) throws -> Int {
        let count = try work.transaction.query(
            "SELECT count(DISTINCT sku) AS codes FROM live WHERE source = $1", [.text(source.rawValue)])
        let codes = try count[0].decode("codes", as: Int.self)
        let header = try self.header(
            of: live.id, kind: .whole, base: nil, codes: codes, missing: 0, in: work.transaction)
        try send(
            header, codes: codes,
            rows: """
                SELECT l.sku, l.warehouse, l.on_hand, l.reserved, r.line
                FROM live AS l LEFT JOIN snapshot_rows AS r
                    ON r.snapshot_id = $2 AND r.sku = l.sku AND r.warehouse = l.warehouse
                WHERE l.source = $1 ORDER BY l.sku, l.warehouse
                """, sendsMissing: false, in: work)
        return codes
    }

    private func header(
        of id: UUID, kind: StockAggregated.Kind, base: Int64?, codes: Int, missing: Int, in transaction: Transaction
    ) throws -> StockAggregated.Header {
        let rows = try transaction.query(
            "SELECT sequence, as_of, received_at, skus, file_name, run_id FROM snapshots WHERE id = $1", [.uuid(id)])
        guard let row = rows.first, let run = UUID(uuidString: try row.decode("run_id", as: String.self)) else {
            throw PostgresError.wrongState("snapshot \(id) has no row with a run")
        }
        return StockAggregated.Header(
            snapshot: StockAggregated.SnapshotIdentity(
                id: id, source: source, sequence: try row.decode("sequence"), asOf: try row.decode("as_of")),
            receivedAt: try row.decode("received_at"), kind: kind, baseSequence: base,
            chunks: ChunkBuilder.parts(of: codes), codes: try row.decode("skus"), missing: missing,
            quantities: quantities == .gross ? .gross : .net, fileName: try row.decode("file_name"), runID: run)
    }

    private func send(
        _ header: StockAggregated.Header, codes: Int, rows: String, sendsMissing: Bool, in work: UnitOfWork
    ) throws {
        let run = header.runID.uuidString.lowercased()
        func emit(_ payload: StockAggregated) throws {
            try work.emit(
                Event(payload, subject: source.rawValue, correlation: run, occurredAt: work.startedAt))
        }
        try emit(.header(header))
        var builder = ChunkBuilder(snapshot: header.snapshot, codes: codes)
        try work.transaction.forEachRow(rows, [.text(source.rawValue), .uuid(header.snapshot.id)]) { row in
            let stated = StockAggregated.Row(
                warehouse: WarehouseName(rawValue: try row.decode(at: 1)), onHand: try Self.quantity(row, 2) ?? .zero,
                reserved: try Self.quantity(row, 3), line: try row.decode(at: 4))
            if let full = builder.add(ERPCode(rawValue: try row.decode(at: 0)), stated) { try emit(.chunk(full)) }
        }
        if sendsMissing {
            let parameters: [PostgresValue] = [.text(source.rawValue), .maybe(zeroAfterFiles, PostgresValue.int)]
            try work.transaction.forEachRow(Self.missingCodes + " ORDER BY sku", parameters) { row in
                if let full = builder.add(missing: ERPCode(rawValue: try row.decode(at: 0))) {
                    try emit(.chunk(full))
                }
            }
        }
        if let last = builder.finish() { try emit(.chunk(last)) }
    }

    private static func quantity(_ row: Row, _ column: Int) throws -> Quantity? {
        guard let text = try row.decode(at: column, as: String?.self) else { return nil }
        guard let quantity = Quantity(text) else {
            throw PostgresError.undecodable(
                column: "number \(column)", row: row.index, expected: "Quantity", wasNull: false)
        }
        return quantity
    }
}
