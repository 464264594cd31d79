import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// What a run knows of itself: one row for each source it looks at.
struct Pickup: Sendable {
    enum State: String, Sendable, PostgresDecodable { case looking, done, failed, superseded }

    let run: UUID
    let source: SourceName
    let due: Date?
    let looks: Int
    let failures: Int
    let state: State
    let seen: [String: Date]
    let results: [FileResult]

    private var key: [PostgresValue] { [.text(run.uuidString.lowercased()), .text(source.rawValue)] }

    /// Finds the row, or begins one.
    static func open(_ run: UUID, source: SourceName, due: Date?, in work: UnitOfWork) throws -> Pickup {
        let key: [PostgresValue] = [.text(run.uuidString.lowercased()), .text(source.rawValue)]
        try work.transaction.execute(
            """
            INSERT INTO pickups (run_id, source, due, began_at, last_look_at, state)
            VALUES ($1, $2, $3, $4, $4, 'looking') ON CONFLICT DO NOTHING
            """, key + [.maybe(due, PostgresValue.timestamp), .timestamp(work.startedAt)])
        let rows = try work.transaction.query(
            """
            SELECT due, looks, failures, state, seen, results FROM pickups WHERE run_id = $1 AND source = $2 FOR UPDATE
            """, key)
        guard let row = rows.first else { throw PostgresError.wrongState("the pick-up's row is gone") }
        return Pickup(
            run: run, source: source, due: try row.decode("due"), looks: try row.decode("looks"),
            failures: try row.decode("failures"), state: try row.decode("state"),
            seen: try ContractCoding.decode(from: Array(row.decode("seen", as: String.self).utf8)),
            results: try ContractCoding.decode(from: Array(row.decode("results", as: String.self).utf8)))
    }

    /// Notes what became of a file, in the transaction in which it became it.
    func append(_ result: FileResult, in work: UnitOfWork) throws {
        let present = try Self.open(run, source: source, due: due, in: work)
        try work.transaction.execute(
            """
            UPDATE pickups SET results = $3, snapshot_id = coalesce($4, snapshot_id), outcome = $5
            WHERE run_id = $1 AND source = $2
            """,
            key + [
                .text(try Self.json(present.results + [result])), .maybe(result.snapshot, PostgresValue.text),
                .text(result.state.rawValue),
            ])
    }

    /// Ends a look.
    func close(state: State, failures: Int, seen: [String: Date], in work: UnitOfWork) throws {
        try work.transaction.execute(
            """
            UPDATE pickups SET state = $3, looks = looks + 1, failures = $4, seen = $5, last_look_at = $6
            WHERE run_id = $1 AND source = $2
            """,
            key + [
                .text(state.rawValue), .int(failures), .text(try Self.json(seen)), .timestamp(work.startedAt),
            ])
    }

    private static func json(_ value: some Encodable) throws -> String {
        String(decoding: try ContractCoding.encode(value), as: UTF8.self)
    }
}
