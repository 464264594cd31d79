import Contracts
import Domain
import Foundation
import PostgreSQL

/// A statement whose parts are all here.
struct CompleteStatement: Sendable {
    let number: Int64
    let shop: ShopName
    let request: UUID?
    let takenAt: Date
    let cause: String
    let snapshot: UUID?
    let isWhole: Bool
    let isShadow: Bool
}

/// The SQL of what stock-publisher says.
enum StatementStore {
    /// The statement's number; a row is made for it when its first part comes.
    static func number(of statement: StockPublished.Statement, in transaction: Transaction) throws -> Int64 {
        let rows = try transaction.query(
            """
            INSERT INTO statements (shop, id, request, taken_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (shop, id, taken_at) DO UPDATE SET request = excluded.request RETURNING number
            """,
            [
                .text(statement.shop.rawValue), .uuid(statement.id), .maybe(statement.request) { .uuid($0) },
                .timestamp(statement.takenAt),
            ])
        guard let row = rows.first else { throw PostgresError.noSuchColumn("number") }
        return try row.decode(at: 0)
    }

    static func save(_ header: StockPublished.Header, as number: Int64, in transaction: Transaction) throws {
        let sources = header.sources.map {
            SourceStatement(source: $0.source, asOf: $0.asOf, receivedAt: $0.receivedAt)
        }
        try transaction.execute(
            """
            UPDATE statements SET cause = $2, snapshot_id = $3, sources = $4, is_whole = $5, is_shadow = $6, chunks = $7
            WHERE number = $1
            """,
            [
                .integer(number), .text(header.cause), .maybe(header.snapshotID) { .uuid($0) },
                .text(try JSONText.encode(sources)), .boolean(header.counts != nil), .boolean(header.isShadow),
                .int(header.chunks),
            ])
    }

    static func save(_ chunk: StockPublished.Chunk, as number: Int64, in transaction: Transaction) throws {
        let isNew = try transaction.execute(
            "INSERT INTO statement_parts (statement, part) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [.integer(number), .int(chunk.part)])
        guard isNew == 1 else { return }
        try transaction.copy(into: "statement_listings", columns: columns) { writer in
            for listing in chunk.listings { try write(listing, number, to: &writer) }
        }
        try transaction.execute(
            "UPDATE statements SET received = received + 1 WHERE number = $1", [.integer(number)])
    }

    private static let columns = [
        "statement", "listing", "shelf", "sku", "title", "mapping", "candidates", "erp_code", "units_per_pack",
        "wanted",
        "breakdown", "as_of", "is_missing_in_file", "confirmed", "expected_at_shop", "is_pending", "last_pushed_at",
        "outcome", "answer",
    ]

    private static func write(
        _ listing: PublishedListing, _ number: Int64, to writer: inout CopyWriter
    ) throws(PostgresError) {
        writer.integer(number)
        writer.text(listing.listing.rawValue)
        writer.text(listing.shelf.rawValue)
        writer.text(listing.sku?.rawValue)
        writer.text(listing.title)
        writer.text(listing.mapping)
        writer.text(listing.candidates.map(\.rawValue).joined(separator: ", "))
        writer.text(listing.erpCode?.rawValue)
        writer.integer(listing.unitsPerPack)
        writer.integer(listing.wanted)
        writer.text(listing.breakdown.map(BreakdownText.text) ?? "")
        writer.timestamp(listing.asOf)
        writer.boolean(listing.isMissingInFile)
        writer.integer(listing.confirmed)
        writer.integer(listing.expectedAtShop)
        writer.boolean(listing.isPending)
        writer.timestamp(listing.lastPushedAt)
        writer.text(listing.outcome)
        writer.text(listing.answer)
        try writer.endRow()
    }

    /// Marks those of the statements that have become complete.
    static func complete(_ numbers: [Int64], in transaction: Transaction) throws -> [CompleteStatement] {
        try transaction.query(
            """
            UPDATE statements SET is_complete = true
            WHERE number = ANY ($1) AND NOT is_complete AND chunks IS NOT NULL AND received >= chunks
            RETURNING number, shop, request, taken_at, cause, snapshot_id, is_whole, is_shadow
            """, [.integerArray(numbers)]
        ).map { row in
            CompleteStatement(
                number: try row.decode(at: 0), shop: ShopName(rawValue: try row.decode(at: 1)),
                request: try row.decode(at: 2), takenAt: try row.decode(at: 3),
                cause: try row.decode(at: 4, as: String?.self) ?? "", snapshot: try row.decode(at: 5),
                isWhole: try row.decode(at: 6), isShadow: try row.decode(at: 7))
        }.sorted { $0.number < $1.number }
    }

    /// When a statement was taken, and what it says about its sources.
    static func origin(of number: Int64, in transaction: Transaction) throws -> (
        takenAt: Date, sources: [SourceStatement]
    )? {
        let rows = try transaction.query(
            "SELECT taken_at, sources FROM statements WHERE number = $1", [.integer(number)])
        return try rows.first.map {
            (try $0.decode(at: 0), try JSONText.decode([SourceStatement].self, from: try $0.decode(at: 1)))
        }
    }
}

/// Values that are kept as JSON text.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> String {
        String(decoding: try ContractCoding.encoder().encode(value), as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
        try ContractCoding.decoder().decode(type, from: Data(text.utf8))
    }
}

/// How a level came about, on one line for a cell.
enum BreakdownText {
    static func text(_ breakdown: LevelBreakdown) -> String {
        var parts = breakdown.warehouses.map { stock in
            stock.safety == .zero
                ? "\(stock.warehouse) \(stock.onHand)"
                : "\(stock.warehouse) \(stock.onHand) less safety \(stock.safety) = \(stock.counted)"
        }
        parts.append("gross \(breakdown.gross)")
        parts.append("open \(breakdown.open)")
        if breakdown.holds != .zero { parts.append("held \(breakdown.holds)") }
        if breakdown.buffer != .zero { parts.append("buffer \(breakdown.buffer)") }
        if breakdown.staleReserve != .zero { parts.append("stale reserve \(breakdown.staleReserve)") }
        parts.append("available \(breakdown.atp)")
        if breakdown.share != .whole { parts.append("share \(breakdown.share)") }
        if breakdown.unitsPerPack != 1 { parts.append("\(breakdown.unitsPerPack) a pack") }
        if let reason = breakdown.whyZero { parts.append("0 because \(reason.sentence)") }
        return parts.joined(separator: "; ")
    }
}
