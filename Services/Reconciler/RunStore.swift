import Domain
import Foundation
import PostgreSQL

/// Where a shop's part of a run stands.
enum ShopState: String, Sendable {
    /// For its statement.
    case waiting
    /// Its catalogue is being read.
    case reading
    /// A fresh statement about what differs was asked for.
    case asked
    /// What differs is read once more.
    case rereading
    /// Its orders are waited for.
    case settling
    /// Compared.
    case done
    /// Cannot be compared; the problem says why.
    case skipped
}

/// A shop's part of a run, as its row says.
struct RunShop: Sendable {
    let run: UUID
    let shop: ShopName
    let state: ShopState
    let problem: String?
    let statement: Int64?
    let fresh: Int64?
    let cursor: String?
    let reading: UUID?
    let readFrom: Date?
    let readTo: Date?
    let ordersFrom: Date?
    let ordersTo: Date?
    let runIsOpen: Bool

    /// The fresh statement where there is one.
    var statements: [Int64] { [statement, fresh].compactMap { $0 } }
}

/// The SQL of runs and of the shops in them.
enum RunStore {
    private static let columns = """
        s.run, s.shop, s.state, s.problem, s.statement, s.fresh_statement, s.cursor, s.reading, s.read_from, s.read_to,
        s.orders_from, s.orders_to, r.state = 'open' AS is_open
        """

    static func shop(
        _ shop: ShopName, of run: UUID, locked: Bool = true, in transaction: Transaction
    ) throws -> RunShop? {
        let lock = locked ? "FOR UPDATE OF s" : ""
        return try transaction.query(
            """
            SELECT \(columns) FROM run_shops s JOIN runs r ON r.id = s.run WHERE s.run = $1 AND s.shop = $2 \(lock)
            """, [.uuid(run), .text(shop.rawValue)]
        ).first.map(decode)
    }

    /// Who waits for the answer to a request.
    static func shop(awaiting request: UUID, in transaction: Transaction) throws -> RunShop? {
        try transaction.query(
            """
            SELECT \(columns) FROM run_shops s JOIN runs r ON r.id = s.run WHERE s.request = $1 FOR UPDATE OF s
            """, [.uuid(request)]
        ).first.map(decode)
    }

    /// Shops of open runs in a state whose time has come.
    static func due(_ states: [ShopState], at now: Date, in transaction: Transaction) throws -> [RunShop] {
        try transaction.query(
            """
            SELECT \(columns) FROM run_shops s JOIN runs r ON r.id = s.run
            WHERE r.state = 'open' AND s.state = ANY ($1) AND s.wait_until <= $2
            ORDER BY s.run, s.position FOR UPDATE OF s SKIP LOCKED
            """, [.textArray(states.map(\.rawValue)), .timestamp(now)]
        ).map(decode)
    }

    private static func decode(_ row: Row) throws -> RunShop {
        RunShop(
            run: try row.decode(at: 0), shop: ShopName(rawValue: try row.decode(at: 1)),
            state: ShopState(rawValue: try row.decode(at: 2)) ?? .waiting, problem: try row.decode(at: 3),
            statement: try row.decode(at: 4), fresh: try row.decode(at: 5), cursor: try row.decode(at: 6),
            reading: try row.decode(at: 7), readFrom: try row.decode(at: 8), readTo: try row.decode(at: 9),
            ordersFrom: try row.decode(at: 10), ordersTo: try row.decode(at: 11), runIsOpen: try row.decode(at: 12))
    }

    /// What a run is opened with.
    struct Opening {
        var day: String
        var cause: String
        var openedAt: Date
        var statementAt: Date
        var deadlineAt: Date
        var commandID: UUID?
    }

    /// Opens a run unless there is one for the day and cause; returns its id and whether it is new.
    static func open(
        _ opening: Opening, shops: [ShopName], in transaction: Transaction
    ) throws -> (id: UUID, isNew: Bool) {
        let rows = try transaction.query(
            """
            INSERT INTO runs (id, day, cause, opened_at, statement_at, deadline_at, command_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (day, cause) DO NOTHING RETURNING id
            """,
            [
                .uuid(UUID()), .text(opening.day), .text(opening.cause), .timestamp(opening.openedAt),
                .timestamp(opening.statementAt), .timestamp(opening.deadlineAt),
                .maybe(opening.commandID) { .uuid($0) },
            ])
        guard let row = rows.first else {
            let found = try transaction.query(
                "SELECT id FROM runs WHERE day = $1 AND cause = $2", [.text(opening.day), .text(opening.cause)])
            guard let row = found.first else { throw PostgresError.noSuchColumn("id") }
            return (try row.decode(at: 0), false)
        }
        let id = try row.decode(at: 0, as: UUID.self)
        try transaction.execute(
            """
            INSERT INTO run_shops (run, shop, position)
            SELECT $1, shop, position FROM unnest($2::text[]) WITH ORDINALITY AS s (shop, position)
            """, [.uuid(id), .textArray(shops.map(\.rawValue))])
        return (id, true)
    }

    /// Ends older runs of the same kind: their numbers are no longer what should be. A report that one of them owed by
    /// the set time passes to the new one.
    static func supersede(by run: UUID, in transaction: Transaction) throws {
        let rows = try transaction.query(
            """
            UPDATE runs SET state = 'superseded', closed_at = opened_at
            WHERE state = 'open' AND id <> $1 AND cause NOT LIKE 'command %' RETURNING report_due
            """, [.uuid(run)])
        let owes = try rows.contains { try $0.decode(at: 0, as: String?.self) == "time" }
        guard owes else { return }
        try transaction.execute("UPDATE runs SET report_due = 'time' WHERE id = $1", [.uuid(run)])
    }

    /// Whether a newer run than a statement of that time has been opened for a snapshot.
    static func hasNewer(than statementAt: Date, in transaction: Transaction) throws -> Bool {
        try !transaction.query(
            "SELECT 1 FROM runs WHERE cause LIKE 'snapshot %' AND statement_at > $1 LIMIT 1", [.timestamp(statementAt)]
        ).isEmpty
    }

    /// Moves a shop on; false if it was not in one of the states any more.
    @discardableResult
    static func move(
        _ shop: RunShop, to state: ShopState, waitUntil: Date? = nil, in transaction: Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE run_shops SET state = $3, wait_until = $4, problem = NULL
            WHERE run = $1 AND shop = $2 AND state = $5
            """,
            [
                .uuid(shop.run), .text(shop.shop.rawValue), .text(state.rawValue), .maybe(waitUntil) { .timestamp($0) },
                .text(shop.state.rawValue),
            ]) == 1
    }
}
