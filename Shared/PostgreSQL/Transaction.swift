/// What a transaction's body works with.
///
/// Not Sendable, so it cannot leave the body; after the body every call fails with `wrongState`. Every method blocks
/// the connection's own thread until the server has answered.
public final class Transaction {
    private let session: Session
    private var isEnded = false

    init(_ session: Session) { self.session = session }

    func end() { isEnded = true }

    private func usable() throws(PostgresError) -> Session {
        guard !isEnded else { throw .wrongState("the transaction has ended") }
        return session
    }

    /// Runs one statement.
    ///
    /// - Returns: The number of rows inserted, updated, deleted or selected.
    @discardableResult
    public func execute(_ sql: String, _ parameters: [PostgresValue] = []) throws(PostgresError) -> Int {
        try usable().run(Statement(sql, parameters)).affectedRows
    }

    /// Runs one statement and returns all its rows.
    public func query(_ sql: String, _ parameters: [PostgresValue] = []) throws(PostgresError) -> Rows {
        try usable().run(Statement(sql, parameters))
    }

    /// Runs several statements in one round trip.
    ///
    /// - Returns: One answer a statement, in order.
    /// - Throws: The first error, with the position of its statement; the server has then skipped the rest.
    @discardableResult
    public func pipeline(_ statements: [Statement]) throws(PostgresError) -> [Rows] {
        if statements.isEmpty { return [] }
        return try usable().run(statements)
    }

    /// Loads rows by COPY, streaming them with flat memory. Nothing else can be sent until `write` returns.
    ///
    /// - Parameters:
    ///   - table: Name of the table, with its schema or without: `stock.staging`. Quoted here.
    ///   - columns: The columns each row has, in order; empty for all. Quoted here.
    /// - Returns: The number of rows loaded.
    /// - Throws: What `write` throws, or what the server refuses. None of the rows is then kept, and the transaction
    ///   can only be rolled back.
    @discardableResult
    public func copy(
        into table: String, columns: [String], _ write: (inout CopyWriter) throws -> Void
    ) throws -> Int {
        try usable().copy(into: table, columns: columns, write)
    }

    /// Calls `body` with each row of a SELECT, 1,000 at a time in memory. Other statements may be run in `body`.
    ///
    /// - Parameter sql: A SELECT or VALUES, for it is read through a cursor.
    /// - Throws: What `body` throws, after which the transaction is as usable as before, or what the server refuses.
    public func forEachRow(
        _ sql: String, _ parameters: [PostgresValue] = [], _ body: (Row) throws -> Void
    ) throws {
        try usable().forEachRow(Statement(sql, parameters), body)
    }

    /// Runs several statements separated by semicolons, without parameters.
    public func script(_ sql: String) throws(PostgresError) {
        try usable().script(sql)
    }
}
