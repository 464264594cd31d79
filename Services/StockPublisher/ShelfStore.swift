import Contracts
import Domain
import Foundation
import PostgreSQL

/// A row of the push table: which shelf, what it shows, and the state that `Domain` decides over.
struct ShelfRow: Sendable {
    let shop: ShopName
    let shelf: ListingID
    var code: ERPCode?
    var unitsPerPack: Int
    var state: ShelfState

    var key: ShelfKey { ShelfKey(shop: shop, shelf: shelf) }
}

/// Which shelf.
struct ShelfKey: Sendable, Hashable {
    let shop: ShopName
    let shelf: ListingID
}

/// Which shelves to load.
enum ShelfSelection: Sendable {
    /// All shelves, at any shop, that show one of these codes.
    case codes([ERPCode])
    /// These shelves of one shop.
    case shelves(ShopName, [ListingID])
    /// All shelves that show one of these codes, and these.
    case codesAndShelves([ERPCode], [ShelfKey])
}

/// Loads and stores rows of the push table. Rows are locked in key order, so that two replicas cannot deadlock.
enum ShelfStore {
    private static let key = ["shop", "shelf"]

    /// The columns that ``decode(_:from:)`` reads.
    static let columns = qualifiedColumns("shelves")

    /// The columns that ``decode(_:from:)`` reads, of a table under this alias.
    static func qualifiedColumns(_ alias: String) -> String {
        (key + ShelfColumn.decoded.map(\.name)).map { "\(alias).\($0)" }.joined(separator: ", ")
    }

    /// Loads rows under their locks.
    static func lock(_ selection: ShelfSelection, in transaction: Transaction) throws -> [ShelfRow] {
        try MappingLock.share(in: transaction)
        let rows: Rows
        switch selection {
        case .codes(let codes):
            rows = try transaction.query(
                "SELECT \(columns) FROM shelves WHERE erp_code = ANY($1) ORDER BY shop, shelf FOR UPDATE",
                [.textArray(codes.map(\.rawValue))])
        case .shelves(let shop, let shelves):
            rows = try transaction.query(
                "SELECT \(columns) FROM shelves WHERE shop = $1 AND shelf = ANY($2) ORDER BY shelf FOR UPDATE",
                [.text(shop.rawValue), .textArray(shelves.map(\.rawValue))])
        case .codesAndShelves(let codes, let shelves):
            rows = try transaction.query(
                """
                SELECT \(columns) FROM shelves WHERE (shop, shelf) IN (
                    SELECT shop, shelf FROM shelves WHERE erp_code = ANY($1)
                    UNION SELECT * FROM unnest($2::text[], $3::text[]))
                ORDER BY shop, shelf FOR UPDATE
                """,
                [
                    .textArray(codes.map(\.rawValue)), .textArray(shelves.map(\.shop.rawValue)),
                    .textArray(shelves.map(\.shelf.rawValue)),
                ])
        }
        return try rows.map { try decode($0) }
    }

    /// When shelves that wait are looked at again, even if nothing comes.
    static func askAgain(
        _ shelves: [(id: ListingID, at: Date)], of shop: ShopName, in transaction: Transaction
    ) throws {
        guard !shelves.isEmpty else { return }
        try transaction.execute(
            """
            UPDATE shelves s SET ask_at = w.at FROM unnest($2::text[], $3::timestamptz[]) AS w (shelf, at)
            WHERE s.shop = $1 AND s.shelf = w.shelf
            """,
            [
                .text(shop.rawValue), .textArray(shelves.map(\.id.rawValue)), .timestampArray(shelves.map(\.at)),
            ])
    }

    /// Writes rows back; rows that do not exist yet are made.
    ///
    /// - Parameter requestedAt: When a push was asked for, for the rows whose keys are named.
    static func save(_ rows: [ShelfRow], in transaction: Transaction) throws {
        guard !rows.isEmpty else { return }
        var values = [\ShelfRow.shop.rawValue, \.shelf.rawValue].map { key in
            PostgresValue.nullableTextArray(rows.map { $0[keyPath: key] })
        }
        values += try ShelfColumn.all.map { column in .nullableTextArray(try rows.map(column.text)) }
        try transaction.execute(saveStatement, values)
    }

    private static let saveStatement: String = {
        let columns = ShelfColumn.all
        // An array of arrays would have to be of equal lengths: an array inside travels as a text.
        let types = key.map { _ in "text" } + columns.map { $0.type.hasSuffix("[]") ? "text" : $0.type }
        let arrays = types.enumerated().map { "$\($0 + 1)::text[]::\($1)[]" }.joined(separator: ", ")
        let names = (key + columns.map(\.name)).joined(separator: ", ")
        let selected = key + columns.map { $0.type.hasSuffix("[]") ? "\($0.name)::\($0.type)" : $0.name }
        let updates = columns.map { "\($0.name) = excluded.\($0.name)" }.joined(separator: ", ")
        return """
            INSERT INTO shelves (\(names))
            SELECT \(selected.joined(separator: ", ")) FROM unnest(\(arrays)) AS row (\(names))
            ORDER BY shop, shelf
            ON CONFLICT (shop, shelf) DO UPDATE SET \(updates)
            """
    }()

    /// Reads a row whose ``columns`` begin at this place.
    static func decode(_ source: Row, from first: Int = 0) throws -> ShelfRow {
        var row = ShelfRow(
            shop: ShopName(rawValue: try source.decode(at: first)),
            shelf: ListingID(rawValue: try source.decode(at: first + 1)), code: nil, unitsPerPack: 1,
            state: ShelfState())
        for (place, column) in ShelfColumn.decoded.enumerated() {
            try column.read?(&row, source, first + key.count + place)
        }
        return row
    }
}

/// Times as PostgreSQL reads them inside an array of texts; microseconds, UTC.
enum TimeText {
    static func string(_ date: Date) -> String {
        let microseconds = Int64((date.timeIntervalSince1970 * 1e6).rounded())
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let fraction = String(abs(rest) + 1_000_000).dropFirst()
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(fraction)+00"
    }
}

/// Keeps the mapping still while levels are worked out.
///
/// Who changes what a code's level follows from (stock, order lines, holds) works out the shelves that are mapped to
/// the code; who maps a shelf to another code works it out from what there is of that code. If the two ran at once,
/// neither would see what the other has not committed yet, and a level would leave out an order until something else
/// happened to its code.
enum MappingLock {
    /// Of this lock among PostgreSQL's advisory locks.
    private static let key: Int64 = 7_733_020

    /// Until the end of the transaction nobody else maps. Many hold it at once.
    static func share(in transaction: Transaction) throws {
        try transaction.execute("SELECT pg_advisory_xact_lock_shared($1)", [.integer(key)])
    }

    /// Until the end of the transaction nobody else works out levels. Before any shelf is locked.
    static func hold(in transaction: Transaction) throws {
        try transaction.execute("SELECT pg_advisory_xact_lock($1)", [.integer(key)])
    }
}
