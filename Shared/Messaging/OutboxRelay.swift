import Concurrency
public import Contracts
import Foundation
public import Logging
public import PostgreSQL
public import RabbitMQ

/// Publishes what a service's transactions left in its outbox (messaging.md, "Life of a message", 1).
///
/// Rows are claimed by their lock (`FOR UPDATE SKIP LOCKED`), never by a growing number, since rows commit in another
/// order than they are numbered. A row leaves in the transaction that held the lock, after the broker confirmed it: a
/// relay that dies in between leaves the row, and the repetition is recognised by its id. Any number may run at once.
public struct OutboxRelay: Sendable {
    /// At most so many rows a round.
    public static let batchSize = 500

    private let connection: PostgresConnection
    private let listener: PostgresListener
    private let publisher: Publisher
    private let service: ServiceName
    private let stop: StopSignal
    private let faults: FaultInjection
    private let logger: Logger

    /// - Parameters:
    ///   - configuration: The service's role and schema; the relay opens a connection of its own and one to listen.
    ///   - publisher: The service's publisher.
    public init(
        configuration: PostgresConfiguration, publisher: Publisher, service: ServiceName, stop: StopSignal,
        faults: FaultInjection = .none, logger: Logger
    ) {
        connection = PostgresConnection(configuration)
        listener = PostgresListener(configuration, channels: [ServiceDatabase.outboxChannel(service)])
        self.publisher = publisher
        self.service = service
        self.stop = stop
        self.faults = faults
        self.logger = logger
    }

    /// Relays until the service stops, then once more for what was left by the last handlers.
    public func run() async {
        let backoff = Backoff(first: .milliseconds(200), ceiling: .seconds(10))
        var failures = 0
        while !stop.isStopping {
            do {
                let sent = try await relayOnce()
                failures = 0
                // A poll every second backs the notification up.
                if sent < Self.batchSize { _ = try await listener.next(within: .seconds(1)) }
            } catch {
                failures += 1
                logger.warning("outbox not relayed, trying again", metadata: ["problem": "\(error)"])
                // Whatever broke, a new connection is clean; closed for good, the relay would never relay again.
                await connection.disconnect()
                await stop.sleep(for: backoff.delay(afterFailures: failures))
            }
        }
        _ = try? await relayUntilEmpty()
        await connection.close()
        await listener.close()
    }

    /// Relays all there is and returns how many rows left; for short-lived processes.
    @discardableResult
    public func relayUntilEmpty() async throws -> Int {
        var total = 0
        while true {
            let sent = try await relayOnce()
            total += sent
            if sent == 0 { return total }
        }
    }

    /// One round: at most ``batchSize`` rows. Returns how many were confirmed.
    func relayOnce() async throws -> Int {
        if await publisher.isBlocked {
            // The broker is short of memory or disk: rows are safer here than in its socket.
            await stop.sleep(for: .milliseconds(500))
            return 0
        }
        try await connection.begin()
        do {
            let rows = try await connection.query(
                """
                SELECT position, id, exchange, routing_key, headers, body,
                    extract(epoch FROM clock_timestamp() - created_at)::float8 AS age
                FROM outbox
                WHERE not_before <= clock_timestamp()
                ORDER BY position LIMIT \(Self.batchSize) FOR UPDATE SKIP LOCKED
                """, [])
            guard let oldest = rows.first else {
                await connection.rollback()
                MessagingMetrics.outboxLag(service: service.rawValue, seconds: 0)
                return 0
            }
            MessagingMetrics.outboxLag(service: service.rawValue, seconds: try oldest.decode("age"))
            let sent = try await publish(rows)
            try await connection.commit()
            MessagingMetrics.relayed(service: service.rawValue, count: sent)
            return sent
        } catch {
            await connection.rollback()
            throw error
        }
    }

    private func publish(_ rows: Rows) async throws -> Int {
        var positions: [Int64] = []
        var messages: [OutgoingMessage] = []
        for row in rows {
            positions.append(try row.decode("position", as: Int64.self))
            messages.append(
                OutboxMessage(
                    id: try row.decode("id", as: UUID.self), exchange: try row.decode("exchange", as: String.self),
                    routingKey: try row.decode("routing_key", as: String.self),
                    headers: try row.decode("headers", as: String.self), body: try row.decode("body", as: String.self)
                ).outgoing)
        }
        let outcomes = try await outcomes(of: messages)
        faults.reached(.afterPublishBeforeMark)
        var confirmed: [Int64] = []
        var refused: [Int64] = []
        var problem = ""
        for (position, outcome) in zip(positions, outcomes) {
            if case .confirmed = outcome {
                confirmed.append(position)
            } else {
                refused.append(position)
                problem = "\(outcome)"
            }
        }
        try await connection.execute("DELETE FROM outbox WHERE position = ANY($1)", [.integerArray(confirmed)])
        if !refused.isEmpty {
            logger.warning(
                "messages not taken by the broker",
                metadata: ["count": "\(refused.count)", "problem": "\(problem)"])
            try await connection.execute(
                """
                UPDATE outbox SET failures = failures + 1, last_error = $2,
                    not_before = clock_timestamp() + least(60, power(2, least(failures, 6))) * interval '1 second'
                WHERE position = ANY($1)
                """, [.integerArray(refused), .text(problem)])
        }
        return confirmed.count
    }

    /// Publishes, and looks in halves for messages that the broker closes the channel for or that cannot be sent at
    /// all, so that one of them holds up no other.
    private func outcomes(of messages: [OutgoingMessage]) async throws(BrokerError) -> [PublishOutcome] {
        var outcomes: [PublishOutcome]
        do {
            outcomes = try await publisher.publish(messages)
        } catch .headersTooLarge(let bytes) {
            outcomes = messages.map { _ in .unconfirmed(.headersTooLarge(bytes: bytes)) }
        } catch .fieldTooLong(let field, let bytes) {
            outcomes = messages.map { _ in .unconfirmed(.fieldTooLong(field: field, bytes: bytes)) }
        }
        let doubtful = outcomes.indices.filter { index in
            switch outcomes[index] {
            case .unconfirmed(.refused), .unconfirmed(.headersTooLarge), .unconfirmed(.fieldTooLong): true
            default: false
            }
        }
        guard messages.count > 1 else { return outcomes }
        let middle = doubtful.count / 2
        for half in [doubtful[..<middle], doubtful[middle...]] where !half.isEmpty {
            let again = try await self.outcomes(of: half.map { messages[$0] })
            for (index, outcome) in zip(half, again) { outcomes[index] = outcome }
        }
        return outcomes
    }
}
