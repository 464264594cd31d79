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
    static let columns = """
        shop, shelf, erp_code, units_per_pack, wanted, version, cause, increase_since, reserved_for, sent_version, sent,
        confirmed_version, confirmed_level, confirmed_at, last_pushed_at, expected_at_shop, known_from, known_to,
        claim_number, claim, unknown_until, read_back_required, rejected_version, rejection, failures, failure,
        mismatches, held, deferral
        """

    /// The columns that ``decode(_:from:)`` reads, of a table under this alias.
    static func qualifiedColumns(_ alias: String) -> String {
        columns.split(separator: ",").map { "\(alias).\($0.trimmingCharacters(in: .whitespacesAndNewlines))" }
            .joined(separator: ", ")
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
        func texts(_ value: (ShelfRow) -> String?) -> PostgresValue { .nullableTextArray(rows.map(value)) }
        func int(_ value: @escaping (ShelfState) -> Int?) -> PostgresValue { texts { value($0.state).map { "\($0)" } } }
        func long(_ value: @escaping (ShelfState) -> Int64?) -> PostgresValue {
            texts { value($0.state).map { "\($0)" } }
        }
        func time(_ value: @escaping (ShelfState) -> Date?) -> PostgresValue {
            texts { value($0.state).map(TimeText.string) }
        }
        func text(_ value: @escaping (ShelfState) -> String?) -> PostgresValue { texts { value($0.state) } }
        let claims = try rows.map { row in
            try row.state.claim.map { String(decoding: try ContractCoding.encode($0), as: UTF8.self) }
        }
        try transaction.execute(
            saveStatement,
            [
                texts { $0.shop.rawValue }, texts { $0.shelf.rawValue }, texts { $0.code?.rawValue },
                texts { "\($0.unitsPerPack)" }, int(\.wanted), long(\.version), time(\.cause), time(\.increaseSince),
                text { "{" + $0.reservedFor.map { "\"\($0.rawValue)\"" }.joined(separator: ",") + "}" },
                long(\.sentVersion), int(\.sent), long(\.confirmedVersion), int(\.confirmedLevel), time(\.confirmedAt),
                time(\.lastPushedAt), int(\.expectedAtShop), time(\.knownFrom), time(\.knownTo), long(\.claimNumber),
                .nullableTextArray(claims), time(\.unknownUntil), text { $0.readBackRequired ? "t" : "f" },
                long(\.rejectedVersion), text(\.rejection), int(\.failures), text(\.failure), int(\.mismatches),
                text(\.held), text { $0.deferral?.rawValue }, text { $0.isDue ? "t" : "f" }, time(\.wakeAt),
            ])
    }

    private static let types = [
        "text", "text", "text", "int", "int", "bigint", "timestamptz", "timestamptz", "text", "bigint", "int", "bigint",
        "int", "timestamptz", "timestamptz", "int", "timestamptz", "timestamptz", "bigint", "json", "timestamptz",
        "boolean", "bigint", "text", "int", "text", "int", "text", "text", "boolean", "timestamptz",
    ]

    private static let names =
        columns.split(separator: ",").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } + ["due", "wake_at"]

    private static let saveStatement: String = {
        let arrays = types.enumerated().map { "$\($0 + 1)::text[]::\($1)[]" }.joined(separator: ", ")
        let selected = names.map { $0 == "reserved_for" ? "reserved_for::text[]" : $0 }.joined(separator: ", ")
        let updates = names.dropFirst(2).map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        return """
            INSERT INTO shelves (\(names.joined(separator: ", ")))
            SELECT \(selected) FROM unnest(\(arrays)) AS row (\(names.joined(separator: ", ")))
            ORDER BY shop, shelf
            ON CONFLICT (shop, shelf) DO UPDATE SET \(updates)
            """
    }()

    /// Reads a row whose ``columns`` begin at this place.
    static func decode(_ row: Row, from first: Int = 0) throws -> ShelfRow {
        var state = ShelfState()
        state.wanted = try row.decode(at: first + 4)
        state.version = try row.decode(at: first + 5)
        state.cause = try row.decode(at: first + 6)
        state.increaseSince = try row.decode(at: first + 7)
        state.reservedFor = try row.decode(at: first + 8, as: [String].self).map(ShopName.init(rawValue:))
        state.sentVersion = try row.decode(at: first + 9)
        state.sent = try row.decode(at: first + 10)
        state.confirmedVersion = try row.decode(at: first + 11)
        state.confirmedLevel = try row.decode(at: first + 12)
        state.confirmedAt = try row.decode(at: first + 13)
        state.lastPushedAt = try row.decode(at: first + 14)
        state.expectedAtShop = try row.decode(at: first + 15)
        state.knownFrom = try row.decode(at: first + 16)
        state.knownTo = try row.decode(at: first + 17)
        state.claimNumber = try row.decode(at: first + 18)
        if let claim = try row.decode(at: first + 19, as: String?.self) {
            state.claim = try ContractCoding.decode(PushClaim.self, from: Array(claim.utf8))
        }
        state.unknownUntil = try row.decode(at: first + 20)
        state.readBackRequired = try row.decode(at: first + 21)
        state.rejectedVersion = try row.decode(at: first + 22)
        state.rejection = try row.decode(at: first + 23)
        state.failures = try row.decode(at: first + 24)
        state.failure = try row.decode(at: first + 25)
        state.mismatches = try row.decode(at: first + 26)
        state.held = try row.decode(at: first + 27)
        state.deferral = try row.decode(at: first + 28, as: String?.self).flatMap(Deferral.init(rawValue:))
        return ShelfRow(
            shop: ShopName(rawValue: try row.decode(at: first)),
            shelf: ListingID(rawValue: try row.decode(at: first + 1)),
            code: try row.decode(at: first + 2, as: String?.self).map(ERPCode.init(rawValue:)),
            unitsPerPack: try row.decode(at: first + 3), state: state)
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
