import Domain
import Foundation
import PostgreSQL

/// A source's row: what is live, under the lock that keeps two changes of one source apart.
struct SourceRow: Sendable {
    /// The live snapshot's own figures.
    struct Live: Sendable, Equatable {
        let id: UUID
        let sequence: Int64
        let asOf: Date
        let digest: String
        let rows: Int
        let units: Quantity
    }

    let source: SourceName
    let lastSequence: Int64
    let live: Live?

    /// Locks the row until the transaction ends; makes it for a new source.
    static func lock(_ source: SourceName, in transaction: Transaction) throws -> SourceRow {
        try transaction.execute(
            "INSERT INTO sources (source) VALUES ($1) ON CONFLICT DO NOTHING", [.text(source.rawValue)])
        let rows = try transaction.query(
            "SELECT last_sequence, live_snapshot FROM sources WHERE source = $1 FOR UPDATE", [.text(source.rawValue)])
        guard let row = rows.first else { return SourceRow(source: source, lastSequence: 0, live: nil) }
        let live = try row.decode("live_snapshot", as: UUID?.self).flatMap { try read($0, in: transaction) }
        return SourceRow(source: source, lastSequence: try row.decode("last_sequence"), live: live)
    }

    private static func read(_ id: UUID, in transaction: Transaction) throws -> Live? {
        let rows = try transaction.query(
            "SELECT sequence, as_of, digest, rows_aggregated, units FROM snapshots WHERE id = $1", [.uuid(id)])
        return try rows.first.map { row in
            Live(
                id: id, sequence: try row.decode("sequence"), asOf: Moment.toMicroseconds(try row.decode("as_of")),
                digest: try row.decode("digest"), rows: try row.decode("rows_aggregated"),
                units: Quantity(try row.decode("units", as: String.self)) ?? .zero)
        }
    }
}

/// Statements over a million rows, with settings for this transaction alone.
enum BulkWork {
    static func prepare(_ transaction: Transaction) throws {
        try transaction.execute("SET LOCAL statement_timeout = 0")
        // Rows that were loaded in this transaction are unknown to the planner's statistics; taken for few, they would
        // be searched once for every row of the other side.
        try transaction.execute("SET LOCAL enable_nestloop = off")
        try transaction.execute("SET LOCAL work_mem = '64MB'")
    }
}
