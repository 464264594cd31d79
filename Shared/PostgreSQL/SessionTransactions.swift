internal import CPostgreSQL

extension Session {
    /// How often a transaction is run again after it lost against another one.
    static let maximumRepetitions = 5

    /// Begins a transaction; the server hears of it with the first statement.
    func begin() throws(PostgresError) {
        try checkUsable()
        guard progress == .none else { throw .wrongState("a transaction is open already") }
        progress = .wanted
        abortedBy = nil
        hasStaleStatements = false
    }

    /// Commits. Afterwards no transaction is open, whatever happened.
    func commit() throws(PostgresError) {
        switch progress {
        case .none: throw .wrongState("no transaction is open")
        case .wanted:
            // Nothing was done, so there is nothing to commit.
            progress = .none
            return
        case .open: break
        }
        guard isHealthy else {
            progress = .none
            throw .connectionLost(detail: "it broke before COMMIT")
        }
        if isTransactionFailed {
            let cause = abortedBy
            rollback()
            throw .transactionAborted(cause: cause)
        }
        guard !isOutsideTransaction else {
            progress = .none
            throw .wrongState("the body ended the transaction by a statement of its own")
        }
        try sendCommit()
    }

    private func sendCommit() throws(PostgresError) {
        defer { progress = .none }
        let result: ResultStorage
        do {
            result = try simple("COMMIT")
        } catch .connectionLost(let detail) {
            throw .commitOutcomeUnknown(detail: detail)
        }
        // The server answers COMMIT with ROLLBACK if it could not commit.
        guard String(cString: PQcmdStatus(result.raw)) == "COMMIT" else {
            throw .transactionAborted(cause: abortedBy)
        }
    }

    /// Undoes the transaction. A connection on which that fails is given up, which undoes it as well.
    func rollback() {
        defer { progress = .none }
        guard progress == .open, isHealthy else { return }
        do {
            _ = try simple("ROLLBACK")
        } catch {
            abandon()
        }
    }

    /// Runs `body` between BEGIN and COMMIT, once.
    func transaction<R>(_ body: (Transaction) throws -> R) throws -> R {
        try begin()
        let transaction = Transaction(self)
        defer { transaction.end() }
        let result: R
        do {
            result = try body(transaction)
        } catch {
            let isRepeatable = isRepeatable
            rollback()
            throw isRepeatable ? Repeatable(underlying: error) : error
        }
        do {
            try commit()
        } catch let error where error.isConflict {
            throw Repeatable(underlying: error)
        }
        return result
    }

    /// Whether the transaction failed for a reason that running it again removes. Asked of the session and not of the
    /// error, because a body may wrap what it catches.
    private var isRepeatable: Bool {
        isHealthy && isTransactionFailed && (hasStaleStatements || abortedBy?.isConflict == true)
    }

    /// Wraps the error of a transaction that may be run again at once.
    struct Repeatable: Error {
        let underlying: any Error
    }
}
