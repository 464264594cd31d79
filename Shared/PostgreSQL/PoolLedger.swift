/// Who has which connection of a pool and who waits, without any connection being touched.
struct PoolLedger<Connection> {
    /// The answer to somebody who wants a connection.
    enum Lease {
        case ready(Connection)
        /// There is room: make one.
        case make
        /// All are in use: wait in line.
        case wait
        case closed
    }

    /// What becomes of a connection that was given back.
    enum Return: Equatable {
        case kept
        /// It belongs to this waiter now.
        case passed(to: Int)
        /// The pool is closed: let it go.
        case dropped
    }

    let maximum: Int
    private(set) var idle: [Connection] = []
    /// Connections that exist, idle or in use.
    private(set) var count = 0
    /// First come, first served.
    private(set) var waiters: [Int] = []
    private(set) var isClosed = false

    init(maximum: Int) {
        precondition(maximum >= 1, "a pool needs at least one connection")
        self.maximum = maximum
    }

    mutating func lease(_ waiter: Int) -> Lease {
        if isClosed { return .closed }
        // The one used last: its caches are warm.
        if let connection = idle.popLast() { return .ready(connection) }
        if count < maximum {
            count += 1
            return .make
        }
        waiters.append(waiter)
        return .wait
    }

    mutating func giveBack(_ connection: Connection) -> Return {
        if isClosed {
            count -= 1
            return .dropped
        }
        if !waiters.isEmpty { return .passed(to: waiters.removeFirst()) }
        idle.append(connection)
        return .kept
    }

    /// Takes a waiter out of the line; false if it has its connection already.
    mutating func cancel(_ waiter: Int) -> Bool {
        guard let position = waiters.firstIndex(of: waiter) else { return false }
        waiters.remove(at: position)
        return true
    }

    /// Closes the pool to newcomers; returns whom to turn away and what to disconnect.
    mutating func close() -> (waiters: [Int], idle: [Connection]) {
        defer {
            isClosed = true
            count -= idle.count
            idle = []
            waiters = []
        }
        return (waiters, idle)
    }
}
