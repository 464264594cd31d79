import Synchronization

/// A bounded set of connections, each on a thread of its own, opened when first needed.
///
/// Who finds all in use waits in line, first come, first served; a waiter that is cancelled leaves the line. A
/// connection that broke is replaced on its next use.
public final class PostgresPool: Sendable {
    /// How the pool is used at a moment.
    public struct Statistics: Sendable, Equatable {
        /// Connections that exist.
        public let connections: Int
        /// Of these, the ones nobody uses.
        public let idle: Int
        /// Tasks that wait for one.
        public let waiting: Int
    }

    private typealias Waiting = CheckedContinuation<Result<PostgresConnection, PostgresError>, Never>

    private struct State {
        var ledger: PoolLedger<PostgresConnection>
        var continuations: [Int: Waiting] = [:]
        var nextWaiter = 0
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    private let configuration: PostgresConfiguration
    private let state: Mutex<State>

    /// Connects to nothing yet.
    ///
    /// - Parameter maximumConnections: At least 1.
    public init(_ configuration: PostgresConfiguration, maximumConnections: Int) {
        self.configuration = configuration
        state = Mutex(State(ledger: PoolLedger(maximum: maximumConnections)))
    }

    /// Runs `body` on the connection's own thread between BEGIN and COMMIT; `body` cannot suspend.
    ///
    /// An error thrown by `body` undoes everything and is thrown again. A transaction that lost against another one
    /// (serialization failure, deadlock) or met a statement gone stale by a changed table is run again at once, up to
    /// five times with a few milliseconds of jitter: `body` may run more than once and must not do anything outside.
    ///
    /// - Throws: What `body` throws; `PostgresError`; `CancellationError` if the task is cancelled before it begins.
    @discardableResult
    public func transaction<R: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> R) async throws -> R {
        let connection: PostgresConnection
        do {
            connection = try await lease()
        } catch .cancelled {
            throw CancellationError()
        }
        defer { giveBack(connection) }
        return try await connection.pooledTransaction(body)
    }

    /// Runs one statement outside a transaction, which takes effect at once.
    public func query(_ sql: String, _ parameters: [PostgresValue] = []) async throws(PostgresError) -> Rows {
        let connection = try await lease()
        defer { giveBack(connection) }
        return try await connection.pooledQuery(sql, parameters)
    }

    /// Turns waiters away, lets transactions under way end, and disconnects.
    public func close() async {
        let (turnedAway, idle) = state.withLock { state in
            let (waiters, idle) = state.ledger.close()
            return (waiters.compactMap { state.continuations.removeValue(forKey: $0) }, idle)
        }
        for continuation in turnedAway { continuation.resume(returning: .failure(.poolClosed)) }
        for connection in idle { await connection.close() }
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.ledger.count > 0 { state.closers.append(continuation) }
                return state.ledger.count == 0
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// How the pool is used now.
    public var statistics: Statistics {
        state.withLock { state in
            Statistics(
                connections: state.ledger.count, idle: state.ledger.idle.count, waiting: state.ledger.waiters.count)
        }
    }

    private func lease() async throws(PostgresError) -> PostgresConnection {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let leased = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if let answer = enterLine(waiter, continuation) { continuation.resume(returning: answer) }
            }
        } onCancel: {
            leaveLine(waiter)
        }
        return try leased.get()
    }

    /// - Returns: The answer, or nil if `continuation` waits for one.
    private func enterLine(
        _ waiter: Int, _ continuation: Waiting
    ) -> Result<PostgresConnection, PostgresError>? {
        state.withLock { state in
            // Asked inside the lock: a cancellation after this finds the waiter in line.
            if Task.isCancelled { return .failure(.cancelled) }
            switch state.ledger.lease(waiter) {
            case .closed: return .failure(.poolClosed)
            case .ready(let connection): return .success(connection)
            case .make: return .success(PostgresConnection(configuration))
            case .wait:
                state.continuations[waiter] = continuation
                return nil
            }
        }
    }

    private func leaveLine(_ waiter: Int) {
        let continuation = state.withLock { state in
            state.ledger.cancel(waiter) ? state.continuations.removeValue(forKey: waiter) : nil
        }
        continuation?.resume(returning: .failure(.cancelled))
    }

    private func giveBack(_ connection: PostgresConnection) {
        var next: Waiting?
        var closers: [CheckedContinuation<Void, Never>] = []
        state.withLock { state in
            switch state.ledger.giveBack(connection) {
            case .kept: break
            case .passed(let waiter): next = state.continuations.removeValue(forKey: waiter)
            case .dropped:
                guard state.ledger.count == 0 else { return }
                swap(&closers, &state.closers)
            }
        }
        next?.resume(returning: .success(connection))
        for closer in closers { closer.resume() }
    }
}
