internal import CPostgreSQL

/// Rows in, by COPY, and rows out, by cursor, both with flat memory.
extension Session {
    /// Rows fetched at a time.
    static let fetchCount = 1000

    func copy(
        into table: String, columns: [String], _ write: (inout CopyWriter) throws -> Void
    ) throws -> Int {
        if progress == .wanted { _ = try run([]) }
        let name = table.split(separator: ".").map { quotedIdentifier(String($0)) }.joined(separator: ".")
        let list = columns.isEmpty ? "" : " (" + columns.map(quotedIdentifier).joined(separator: ", ") + ")"
        let opening = try simple("COPY \(name)\(list) FROM STDIN")
        guard PQresultStatus(opening.raw) == PGRES_COPY_IN else {
            abandon()
            throw PostgresError.unexpectedReply(String(cString: PQresStatus(PQresultStatus(opening.raw))))
        }
        isCopying = true
        defer { isCopying = false }
        var writer = CopyWriter(self)
        do {
            try write(&writer)
            try writer.finish()
        } catch {
            abortCopy()
            throw error
        }
        return try endCopy()
    }

    /// Hands bytes to libpq, which blocks while the server does not keep up.
    func putCopyData(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard PQputCopyData(raw, start, Int32(bytes.count)) == 1 else { throw lost() }
    }

    private func endCopy() throws(PostgresError) -> Int {
        guard PQputCopyEnd(raw, nil) == 1, let result = try nextResult() else { throw lost() }
        let storage = ResultStorage(adopting: result)
        let problem = PQresultStatus(result) == PGRES_COMMAND_OK ? nil : failure(of: result)
        drain()
        if let problem { throw problem }
        return Rows(storage).affectedRows
    }

    /// Makes the server forget what was sent; the transaction can then only be rolled back.
    private func abortCopy() {
        guard isHealthy, PQputCopyEnd(raw, "the writer failed") == 1 else { return abandon() }
        drain()
    }

    private func drain() {
        while isHealthy, let result = try? nextResult() {
            let isStuck = [PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH].contains(PQresultStatus(result))
            PQclear(result)
            if isStuck { abandon() }
        }
    }

    func forEachRow(_ statement: Statement, _ body: (Row) throws -> Void) throws {
        guard progress != .none else { throw PostgresError.wrongState("a cursor needs a transaction") }
        openCursors += 1
        defer { openCursors -= 1 }
        let cursor = "cursor_\(openCursors)"
        let fetch = Statement.once("FETCH FORWARD \(Self.fetchCount) FROM \(cursor)")
        let declare = Statement.once("DECLARE \(cursor) NO SCROLL CURSOR FOR \(statement.sql)", statement.parameters)
        var rows = try run([declare, fetch])[1]
        do {
            while true {
                for row in rows { try body(row) }
                if rows.count < Self.fetchCount { break }
                rows = try run(fetch)
            }
        } catch {
            // The transaction may go on if the caller catches this, so the name must become free.
            if isHealthy && !isTransactionFailed { _ = try? run(.once("CLOSE \(cursor)")) }
            throw error
        }
        _ = try run(.once("CLOSE \(cursor)"))
    }
}

/// Notifications.
extension Session {
    /// The descriptor that becomes readable when the server has sent something.
    var socket: Int32 { PQsocket(raw) }

    /// What has arrived, without waiting.
    func takeNotifications() -> [PostgresNotification] {
        guard isHealthy, PQconsumeInput(raw) == 1 else { return [] }
        var heard: [PostgresNotification] = []
        while let notification = PQnotifies(raw) {
            heard.append(
                .received(
                    channel: String(cString: notification.pointee.relname),
                    payload: String(cString: notification.pointee.extra)))
            PQfreemem(notification)
        }
        return heard
    }
}
