public import Contracts
public import Foundation
public import PostgreSQL

/// One transaction over a service's own tables, with the messages that leave if and only if it commits.
///
/// Not `Sendable`: it lives on the connection's thread between BEGIN and COMMIT and cannot be carried away.
public final class UnitOfWork {
    /// The transaction; statements name tables without a schema, since the connection's search path is the service's.
    public let transaction: Transaction
    /// The time this unit began, by the service's clock.
    public let startedAt: Date
    private let service: ServiceName
    private var staged: [OutboxMessage] = []
    private var stagedBytes = 0
    /// Beyond this, what is staged goes to the table before the end, so that a large set costs no memory.
    private static let stagedLimitBytes = 4 << 20

    init(transaction: Transaction, service: ServiceName, startedAt: Date) {
        self.transaction = transaction
        self.service = service
        self.startedAt = startedAt
    }

    /// Publishes an event to everybody who is bound to its topic, once this unit has committed.
    public func emit(_ event: Event<some EventPayload>) throws {
        try stage(try OutboxMessage(event, from: service))
    }

    /// Puts work into one of this service's own queues, once this unit has committed.
    public func enqueue(_ event: Event<some EventPayload>, queue: String) throws {
        try stage(try OutboxMessage(work: event, for: service, queue: queue))
    }

    /// Sends a message that was built elsewhere, such as a command under its own key.
    public func send(_ message: OutboxMessage) { staged.append(message) }

    private func stage(_ message: OutboxMessage) throws {
        staged.append(message)
        stagedBytes += message.body.utf8.count
        if stagedBytes > Self.stagedLimitBytes { try flush() }
    }

    /// Writes what was staged and wakes the relay at commit, in one round trip.
    func flush() throws {
        guard !staged.isEmpty else { return }
        try transaction.pipeline([
            Statement(
                """
                INSERT INTO outbox (id, exchange, routing_key, headers, body)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
                """,
                [
                    .uuidArray(staged.map(\.id)), .textArray(staged.map(\.exchange)),
                    .textArray(staged.map(\.routingKey)), .textArray(staged.map(\.headers)),
                    .textArray(staged.map(\.body)),
                ]),
            Statement("SELECT pg_notify($1, '')", [.text(ServiceDatabase.outboxChannel(service))]),
        ])
        staged.removeAll()
        stagedBytes = 0
    }
}

/// A service's database: its own schema, with the outbox and the inbox in it.
public struct ServiceDatabase: Sendable {
    /// The pool under the service's own role.
    public let pool: PostgresPool
    /// Whose schema it is.
    public let service: ServiceName
    private let now: @Sendable () -> Date

    /// - Parameters:
    ///   - pool: Connections under the service's role, whose search path is its schema.
    ///   - now: The service's clock.
    public init(pool: PostgresPool, service: ServiceName, now: @escaping @Sendable () -> Date) {
        self.pool = pool
        self.service = service
        self.now = now
    }

    /// Runs `body` in one transaction; what it emits is written to the outbox in the same one.
    ///
    /// - Important: `body` may run more than once (serialization failures and deadlocks are repeated), so it must not
    ///   have effects outside the transaction.
    @discardableResult
    public func unitOfWork<Result: Sendable>(
        _ body: @escaping @Sendable (UnitOfWork) throws -> Result
    ) async throws -> Result {
        let service = self.service
        let now = self.now
        return try await pool.transaction { transaction in
            let work = UnitOfWork(transaction: transaction, service: service, startedAt: now())
            let result = try body(work)
            try work.flush()
            return result
        }
    }

    /// The channel that wakes a service's relay.
    static func outboxChannel(_ service: ServiceName) -> String { "outbox_" + service.rawValue }
}
