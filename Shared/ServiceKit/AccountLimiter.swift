public import PostgreSQL

/// One rate limiter per account, shared by all replicas of all services that call it (domain.md, "Limits").
public struct AccountLimiter: Sendable {
    private let pool: PostgresPool
    private let account: String
    private let perSecond: Double
    private let burst: Int

    /// - Parameters:
    ///   - account: The account's name, such as `shop hanoi`.
    ///   - perSecond: Calls a second, over time.
    ///   - burst: Calls that may go at once after a quiet time.
    public init(pool: PostgresPool, account: String, perSecond: Double, burst: Int) {
        self.pool = pool
        self.account = account
        self.perSecond = perSecond
        self.burst = max(1, burst)
    }

    /// What asking for a turn gave.
    public enum Turn: Sendable, Equatable {
        /// The account's breaker is open: nobody calls.
        case breakerOpen
        /// The turn is the caller's, after so many seconds.
        case after(seconds: Double)
        /// The account was out: the turn is the caller's as the one probe, after so many seconds.
        case probe(seconds: Double)
    }

    /// Asks the breaker and takes turns in one round trip; none is taken while the breaker is open.
    ///
    /// - Parameter probeSeconds: How long nobody calls after this caller was let through as a probe.
    public func takeTurn(calls: Int, probeSeconds: Double) async throws(PostgresError) -> Turn {
        let rows = try await pool.query(
            "SELECT permission, seconds FROM shared.take_turn($1, $2, $3, $4, $5)",
            [.text(account), .int(calls), .double(perSecond), .int(burst), .double(probeSeconds)])
        guard let row = rows.first else { return .after(seconds: 0) }
        let permission = try row.decode("permission", as: String.self)
        if permission == "open" { return .breakerOpen }
        let seconds = try row.decode("seconds", as: Double.self)
        return permission == "probe" ? .probe(seconds: seconds) : .after(seconds: seconds)
    }

    /// The platform asked for a pause: nobody calls this account for so many seconds.
    public func block(seconds: Double) async throws(PostgresError) {
        _ = try await pool.query(
            "SELECT shared.block_calls($1, $2)", [.text(account), .double(min(max(0, seconds), 3_600))])
    }
}

/// One circuit breaker per account, shared by all replicas: a shop that is out is asked by one probe at a time.
public struct CircuitBreaker: Sendable {
    private let pool: PostgresPool
    private let account: String
    private let threshold: Int
    private let probeSeconds: Double

    /// - Parameters:
    ///   - account: The account's name, such as `shop hanoi`.
    ///   - threshold: Failures in a row after which nobody calls.
    ///   - probeSeconds: How long nobody calls before the next probe.
    public init(pool: PostgresPool, account: String, threshold: Int = 5, probeSeconds: Double = 10) {
        self.pool = pool
        self.account = account
        self.threshold = threshold
        self.probeSeconds = probeSeconds
    }

    /// Counts a failure that speaks for an outage. True when this one opened the breaker.
    public func failed(reason: String) async throws(PostgresError) -> Bool {
        let rows = try await pool.query(
            "SELECT shared.breaker_failed($1, $2, $3, $4) AS opened",
            [.text(account), .integer(Int64(threshold)), .double(probeSeconds), .text(String(reason.prefix(500)))])
        return try rows.first?.decode("opened", as: Bool.self) ?? false
    }

    /// A call succeeded. True when the breaker had been open.
    public func succeeded() async throws(PostgresError) -> Bool {
        let rows = try await pool.query("SELECT shared.breaker_succeeded($1) AS closed", [.text(account)])
        return try rows.first?.decode("closed", as: Bool.self) ?? false
    }
}
