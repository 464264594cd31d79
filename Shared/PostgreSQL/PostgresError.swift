/// What the server said about a failed statement, without the values that were sent.
public struct PostgresServerError: Error, Sendable, Equatable {
    /// Five characters, see appendix A of the PostgreSQL manual.
    public var sqlState: String
    /// The primary message. The detail is never kept and quoted data are cut, for both can contain values.
    public var message: String
    /// The constraint that was violated, if one was.
    public var constraint: String?
    /// The table concerned, if the server names one.
    public var table: String?
    /// The column concerned, if the server names one.
    public var column: String?
    /// Position in the pipeline of the statement that failed, from 0.
    public var statementIndex: Int?

    /// Gathers the fields of an error.
    public init(
        sqlState: String, message: String, constraint: String? = nil, table: String? = nil, column: String? = nil,
        statementIndex: Int? = nil
    ) {
        self.sqlState = sqlState
        self.message = message
        self.constraint = constraint
        self.table = table
        self.column = column
        self.statementIndex = statementIndex
    }

    /// Serialization failure and deadlock: the same transaction succeeds when it is simply run again.
    var isConflict: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// `message` without what the server quotes from the data. Class 22 (data exception) does so.
    static func redacted(_ message: String, sqlState: String) -> String {
        // 22P04 (bad COPY file format) names columns only.
        guard sqlState.hasPrefix("22"), sqlState != "22P04" else { return message }
        let beforeColon = message.firstRange(of: ": ").map { message[..<$0.lowerBound] } ?? message[...]
        guard let first = beforeColon.firstIndex(of: "\""), let last = beforeColon.lastIndex(of: "\"") else {
            return String(beforeColon)
        }
        return beforeColon[..<first] + "(value)" + beforeColon[beforeColon.index(after: last)...]
    }
}

/// Everything that can go wrong between this library and a PostgreSQL server.
public enum PostgresError: Error, Sendable, Equatable {
    /// No connection could be opened: unreachable, refused, or the role was not let in.
    case connectionFailed(host: String, port: Int, detail: String)
    /// The connection broke before COMMIT was sent: nothing of the transaction was kept.
    case connectionLost(detail: String)
    /// The connection broke while COMMIT was on its way: the transaction is either wholly kept or wholly undone.
    case commitOutcomeUnknown(detail: String)
    /// The server refused a statement.
    case server(PostgresServerError)
    /// The body let a failed statement pass and returned; the server undid the transaction instead of committing it.
    case transactionAborted(cause: PostgresServerError?)
    /// A value cannot be read as the type asked for. The value itself is left out.
    case undecodable(column: String, row: Int, expected: String, wasNull: Bool)
    /// The result has no column of this name.
    case noSuchColumn(String)
    /// A parameter cannot be sent; `position` counts from 1 like `$1`.
    case invalidParameter(position: Int, reason: String)
    /// The call does not fit the state of the connection; a mistake in the calling code.
    case wrongState(String)
    /// The server answered something this library did not ask for; the connection is given up.
    case unexpectedReply(String)
    /// The pool, connection or listener was closed.
    case poolClosed
    /// The task was cancelled while it waited.
    case cancelled
}

extension PostgresError {
    /// The fields of the server's error, if the server refused something.
    public var serverError: PostgresServerError? {
        switch self {
        case .server(let error): error
        case .transactionAborted(let cause): cause
        default: nil
        }
    }

    /// The SQLSTATE, if the server refused something.
    public var sqlState: String? { serverError?.sqlState }

    /// Whether the same call may succeed later without anybody changing anything.
    ///
    /// ``commitOutcomeUnknown(detail:)`` counts: repeat it only if the transaction is safe to repeat.
    public var isTransient: Bool {
        switch self {
        case .connectionFailed, .connectionLost, .commitOutcomeUnknown: true
        case .server(let error): Self.transientStates.contains { error.sqlState.hasPrefix($0) }
        case .transactionAborted(let cause):
            cause.map { error in Self.transientStates.contains { error.sqlState.hasPrefix($0) } } ?? false
        case .undecodable, .noSuchColumn, .invalidParameter, .wrongState, .unexpectedReply, .poolClosed, .cancelled:
            false
        }
    }

    /// Connection exceptions, conflicts, exhausted resources, lock timeouts, cancellation and shutdown.
    private static let transientStates = ["08", "40", "53", "55P03", "57"]

    /// Whether a row with the same key exists already.
    public var isUniqueViolation: Bool { sqlState == "23505" }
    /// Whether a referenced row is missing or a row is still referenced.
    public var isForeignKeyViolation: Bool { sqlState == "23503" }
    /// Whether a CHECK constraint failed.
    public var isCheckViolation: Bool { sqlState == "23514" }
    /// Whether the role lacks the right.
    public var isInsufficientPrivilege: Bool { sqlState == "42501" }
    /// Whether the statement ran into `statement_timeout` or was cancelled on the server.
    public var isStatementTimeout: Bool { sqlState == "57014" }
    /// Whether the transaction lost against another one and may simply be run again.
    public var isConflict: Bool { serverError?.isConflict ?? false }

    /// From a closed set, so it is safe as a metric dimension.
    public var label: String {
        switch self {
        case .connectionFailed: "connection_failed"
        case .connectionLost: "connection_lost"
        case .commitOutcomeUnknown: "commit_outcome_unknown"
        case .server: isConflict ? "conflict" : "refused"
        case .transactionAborted: "transaction_aborted"
        case .undecodable, .noSuchColumn: "undecodable"
        case .invalidParameter: "invalid_parameter"
        case .wrongState: "wrong_state"
        case .unexpectedReply: "unexpected_reply"
        case .poolClosed: "closed"
        case .cancelled: "cancelled"
        }
    }
}

extension PostgresError: CustomStringConvertible {
    /// What happened, to what, what was done about it, and what to do.
    public var description: String {
        switch self {
        case .connectionFailed(let host, let port, let detail):
            "No connection to PostgreSQL at \(host):\(port) (\(detail)). It is tried again on the next use"
                + (ConnectionAdvice.advice(for: detail) == nil
                    ? "; check that the server runs and lets this role in." : ".")
        case .connectionLost(let detail):
            "The connection to PostgreSQL broke (\(detail)). The transaction was undone; run it again."
        case .commitOutcomeUnknown(let detail):
            "The connection to PostgreSQL broke during COMMIT (\(detail)). The transaction is either wholly kept or "
                + "wholly undone; check before repeating what is not safe to repeat."
        case .server(let error): "PostgreSQL refused a statement: \(error)."
        case .transactionAborted(let cause):
            "The transaction was undone instead of committed, because a statement in it had failed "
                + "(\(cause?.description ?? "cause unknown")). Let the error leave the body."
        case .undecodable(let column, let row, let expected, let wasNull):
            "Column \"\(column)\" of row \(row) " + (wasNull ? "is NULL" : "cannot be read")
                + " where \(expected) is expected. Check the statement against the type it is decoded as."
        case .noSuchColumn(let column): "The result has no column \"\(column)\". Check the statement's column names."
        case .invalidParameter(let position, let reason):
            "Parameter $\(position) cannot be sent: \(reason). Nothing was sent; correct the value."
        case .wrongState(let reason): "The call was refused: \(reason). Correct the calling code."
        case .unexpectedReply(let reply):
            "PostgreSQL answered unexpectedly (\(reply)). The connection was given up; run the transaction again."
        case .poolClosed: "The connection is closed. Nothing was sent."
        case .cancelled: "The task was cancelled while it waited for PostgreSQL. Nothing was sent."
        }
    }
}

extension PostgresServerError: CustomStringConvertible {
    /// SQLSTATE, message, and the names of what was concerned.
    public var description: String {
        var text = "\(sqlState) \(message)"
        if let constraint { text += ", constraint \(constraint)" }
        if let table { text += ", table \(table)" }
        if let column { text += ", column \(column)" }
        if let statementIndex { text += ", statement \(statementIndex) of the pipeline" }
        return text
    }
}
