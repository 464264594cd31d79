internal import Concurrency
import Foundation

/// An exclusive connection on a thread of its own, whose holder may do other things between statements.
///
/// Opens itself on first use. Once lost it stays lost, because what the session held (locks, temporary tables) is gone;
/// ``open()`` connects anew. Calls block the connection's own thread, never one of the cooperative pool.
public actor PostgresConnection {
    private enum State {
        case unopened
        case open(Session)
        case closed
    }

    private let configuration: PostgresConfiguration
    private let executor: DedicatedThreadExecutor
    private var state = State.unopened

    /// The connection's own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Starts the thread; connects on first use.
    public init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
        executor = DedicatedThreadExecutor(name: "postgres")
    }

    // Not `isolated deinit`: with it, Swift 6.3's release builds of other modules fail. Nobody else can hold the
    // session any more, and libpq does not mind which thread closes it.
    deinit { executor.close() }

    /// Connects, anew if the connection was lost. Does nothing while it stands.
    public func open() throws(PostgresError) {
        switch state {
        case .closed: throw .poolClosed
        case .open(let session) where session.isStillConnected() && session.answersAfterPause(): return
        case .open, .unopened:
            state = .unopened
            state = .open(try Session(connecting: configuration))
        }
    }

    private func session() throws(PostgresError) -> Session {
        switch state {
        case .closed: throw .poolClosed
        case .open(let session): return session
        case .unopened:
            let session = try Session(connecting: configuration)
            state = .open(session)
            return session
        }
    }

    /// Begins a transaction; the server hears of it with the first statement.
    public func begin() throws(PostgresError) { try session().begin() }

    /// Commits what was begun.
    ///
    /// - Throws: `transactionAborted` if a statement had failed; `commitOutcomeUnknown` if the connection broke.
    public func commit() throws(PostgresError) { try session().commit() }

    /// Undoes what was begun. Does nothing if nothing was, or if the connection is lost, which undoes it as well.
    public func rollback() {
        if case .open(let session) = state { session.rollback() }
    }

    /// Runs one statement and returns all its rows.
    public func query(_ sql: String, _ parameters: [PostgresValue] = []) throws(PostgresError) -> Rows {
        try session().run(Statement(sql, parameters))
    }

    /// Runs one statement.
    ///
    /// - Returns: The number of rows inserted, updated, deleted or selected.
    @discardableResult
    public func execute(_ sql: String, _ parameters: [PostgresValue] = []) throws(PostgresError) -> Int {
        try session().run(Statement(sql, parameters)).affectedRows
    }

    /// Runs several statements in one round trip, outside a transaction as one implicit transaction.
    @discardableResult
    public func pipeline(_ statements: [Statement]) throws(PostgresError) -> [Rows] {
        if statements.isEmpty { return [] }
        return try session().run(statements)
    }

    /// Runs several statements separated by semicolons, without parameters.
    public func script(_ sql: String) throws(PostgresError) { try session().script(sql) }

    /// Runs `body` between BEGIN and COMMIT on the connection's thread.
    ///
    /// Repeated like ``PostgresPool/transaction(_:)``.
    @discardableResult
    public func transaction<R: Sendable>(_ body: @Sendable (Transaction) throws -> R) throws -> R {
        let session = try session()
        var repetitions = 0
        while true {
            do {
                return try session.transaction(body)
            } catch let error as Session.Repeatable {
                repetitions += 1
                guard repetitions <= Session.maximumRepetitions, !Task.isCancelled else { throw error.underlying }
                // Jitter, so that two that met do not meet again; on the connection's own thread.
                Thread.sleep(forTimeInterval: Double.random(in: 0...0.005) * Double(repetitions))
            }
        }
    }

    /// Disconnects, which undoes what was begun; the next use connects anew.
    public func disconnect() {
        if case .open = state { state = .unopened }
    }

    /// Disconnects; every later call throws `poolClosed`.
    public func close() {
        if case .open(let session) = state { session.rollback() }
        state = .closed
    }
}

extension PostgresConnection {
    /// A transaction for the pool, on a connection that is replaced if it broke since its last use.
    func pooledTransaction<R: Sendable>(_ body: @Sendable (Transaction) throws -> R) throws -> R {
        try open()
        return try transaction(body)
    }

    /// A query for the pool, on a connection that is replaced if it broke since its last use.
    func pooledQuery(_ sql: String, _ parameters: [PostgresValue]) throws(PostgresError) -> Rows {
        try open()
        return try query(sql, parameters)
    }
}
