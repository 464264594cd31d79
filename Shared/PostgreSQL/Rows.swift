internal import CPostgreSQL

/// Owns one `PGresult`, which is cleared with it.
///
/// Sendable, for a result is never changed after it arrived and libpq allows reading it from any thread.
final class ResultStorage: @unchecked Sendable {
    let raw: OpaquePointer
    let rowCount: Int
    let columnCount: Int

    init(adopting raw: OpaquePointer) {
        self.raw = raw
        rowCount = Int(PQntuples(raw))
        columnCount = Int(PQnfields(raw))
    }

    deinit { PQclear(raw) }

    func columnName(_ index: Int) -> String {
        PQfname(raw, Int32(index)).map { String(cString: $0) } ?? ""
    }

    /// The first column of this name. Compared byte by byte: `PQfnumber` folds case and allocates.
    func columnIndex(_ name: String) -> Int? {
        var name = name
        return name.withUTF8 { wanted in
            (0..<columnCount).first { index in
                guard let found = PQfname(raw, Int32(index)) else { return false }
                for (offset, byte) in wanted.enumerated() where UInt8(bitPattern: found[offset]) != byte {
                    return false
                }
                return found[wanted.count] == 0
            }
        }
    }

    func text(row: Int, column: Int) -> UnsafeRawBufferPointer? {
        guard PQgetisnull(raw, Int32(row), Int32(column)) == 0, let start = PQgetvalue(raw, Int32(row), Int32(column))
        else { return nil }
        return UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(raw, Int32(row), Int32(column))))
    }
}

/// The whole answer to one statement, in memory.
public struct Rows: Sendable, RandomAccessCollection {
    let storage: ResultStorage
    /// Rows inserted, updated, deleted or selected; 0 for other statements.
    public let affectedRows: Int

    init(_ storage: ResultStorage) {
        self.storage = storage
        // A number for a statement that has one, otherwise empty.
        affectedRows = PQcmdTuples(storage.raw).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// Always 0.
    public var startIndex: Int { 0 }
    /// The number of rows.
    public var endIndex: Int { storage.rowCount }
    /// The row at a position counted from 0.
    public subscript(position: Int) -> Row {
        precondition(position >= 0 && position < storage.rowCount, "row \(position) of \(storage.rowCount)")
        return Row(storage: storage, index: position)
    }

    /// The names of the columns, in order.
    public var columnNames: [String] { (0..<storage.columnCount).map(storage.columnName) }
}

/// One row of an answer. Keeps the whole answer in memory as long as it lives.
public struct Row: Sendable {
    let storage: ResultStorage
    /// Position in the answer, from 0.
    public let index: Int

    /// Reads a column by name.
    ///
    /// - Parameters:
    ///   - column: The name exactly as in the answer.
    ///   - type: Inferred where the context says it; an optional reads NULL as nil.
    /// - Throws: `noSuchColumn`; `undecodable` if the value is NULL or of another form.
    public func decode<T: PostgresDecodable>(_ column: String, as type: T.Type = T.self) throws(PostgresError) -> T {
        guard let position = storage.columnIndex(column) else { throw .noSuchColumn(column) }
        return try decode(at: position)
    }

    /// Reads a column by position, from 0; a little faster than by name.
    ///
    /// - Throws: `noSuchColumn`; `undecodable` if the value is NULL or of another form.
    public func decode<T: PostgresDecodable>(at column: Int, as type: T.Type = T.self) throws(PostgresError) -> T {
        guard column >= 0, column < storage.columnCount else { throw .noSuchColumn("number \(column)") }
        let text = storage.text(row: index, column: column)
        let value = text.map { T(postgresText: $0) } ?? T.postgresNull
        guard let value else {
            throw .undecodable(
                column: storage.columnName(column), row: index, expected: "\(T.self)", wasNull: text == nil)
        }
        return value
    }

    /// Calls `body` with the server's text of a column, without copying it; nil for NULL.
    ///
    /// - Throws: `noSuchColumn`, and what `body` throws.
    public func withText<R>(at column: Int, _ body: (UnsafeRawBufferPointer?) throws -> R) throws -> R {
        guard column >= 0, column < storage.columnCount else {
            throw PostgresError.noSuchColumn("number \(column)")
        }
        // The pointer lives as long as the storage, which `self` holds.
        return try withExtendedLifetime(storage) { try body(storage.text(row: index, column: column)) }
    }
}
