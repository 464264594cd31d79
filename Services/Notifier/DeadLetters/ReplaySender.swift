import Contracts
import DeadLetters
import Foundation
import Logging
import Messaging
import PostgreSQL
import RabbitMQ

/// Publishes letters of a replay job and writes down what the broker said.
struct ReplaySender: Sendable {
    let publisher: Publisher
    let database: ServiceDatabase
    let faults: FaultInjection
    let logger: Logger

    /// What became of one chunk.
    struct Result: Sendable {
        /// Letters that were read.
        var taken = 0
        /// Letters that are on the broker or can never be.
        var sent = 0
        /// The broker did not take all of it now.
        var isHeldUp: Bool { sent < taken }
    }

    private struct Letter: Sendable {
        var id: Int64
        /// Nil if it cannot be built any more.
        var message: OutgoingMessage?
        var problem: String?
    }

    /// Sends the next letters of a job. What the broker did not confirm stays requested.
    func send(atMost count: Int, of job: UUID) async throws -> Result {
        let letters = try await next(count, of: job)
        guard !letters.isEmpty else { return Result() }
        let sendable = letters.compactMap { letter in letter.message.map { (letter.id, $0) } }
        var undeliverable = letters.compactMap { letter in letter.problem.map { (letter.id, $0) } }
        var confirmed: [Int64] = []
        let fates = try await publish(sendable.map(\.1))
        faults.reached(.afterPublishBeforeMark)
        for ((id, _), fate) in zip(sendable, fates) {
            switch fate {
            case .confirmed: confirmed.append(id)
            case .undeliverable(let problem): undeliverable.append((id, problem))
            case .again: break
            }
        }
        try await mark(job, confirmed: confirmed, undeliverable: undeliverable)
        return Result(taken: letters.count, sent: confirmed.count + undeliverable.count)
    }

    // MARK: Reading

    private func next(_ count: Int, of job: UUID) async throws -> [Letter] {
        let rows = try await database.pool.query(
            """
            WITH chosen AS MATERIALIZED (
                SELECT letter FROM dead_letters.job_items WHERE job = $1 AND state = 'requested'
                ORDER BY letter LIMIT $2
            ), sized AS (
                SELECT l.id, sum(octet_length(coalesce(l.edited_body, l.body))) OVER (ORDER BY l.id)
                    - octet_length(coalesce(l.edited_body, l.body)) AS before
                FROM chosen JOIN dead_letters.letters l ON l.id = chosen.letter
            )
            SELECT l.id, l.service, l.queue, l.properties, coalesce(l.edited_body, l.body) AS body
            FROM sized JOIN dead_letters.letters l ON l.id = sized.id
            WHERE sized.before < $3 ORDER BY l.id
            """, [.uuid(job), .int(count), .int(ReplayRunner.chunkBytes)])
        let replayID = job.uuidString.lowercased()
        return try rows.map { row in
            let id: Int64 = try row.decode("id")
            let name: String = try row.decode("service")
            guard let service = ServiceName(rawValue: name) else {
                return Letter(id: id, problem: "There is no service '\(name.prefix(80))' any more.")
            }
            let kept: KeptProperties
            do {
                kept = try ContractCoding.decode(from: Array(try row.decode("properties", as: String.self).utf8))
            } catch let error as ContractError {
                return Letter(id: id, problem: "Its properties cannot be read: \(error)")
            }
            let message = ReplayMessage.make(
                kept.properties, body: try row.decode("body"), queue: try row.decode("queue"), of: service,
                replayID: replayID)
            return Letter(id: id, message: message)
        }
    }

    // MARK: Publishing

    private enum Fate: Sendable {
        case confirmed
        case undeliverable(String)
        case again
    }

    private func publish(_ messages: [OutgoingMessage]) async throws(BrokerError) -> [Fate] {
        guard !messages.isEmpty else { return [] }
        let outcomes: [PublishOutcome]
        do {
            outcomes = try await publisher.publish(messages)
        } catch .headersTooLarge(let bytes) {
            return try await inHalves(messages, .headersTooLarge(bytes: bytes))
        } catch .fieldTooLong(let field, let bytes) {
            return try await inHalves(messages, .fieldTooLong(field: field, bytes: bytes))
        } catch {
            logger.warning("replay not sent, trying again", metadata: ["problem": "\(error)"])
            return messages.map { _ in .again }
        }
        var fates = zip(messages, outcomes).map { message, outcome in Self.fate(of: message, outcome) }
        // The broker closed the channel for one of them, and names its exchange: it is the fault of all that go there
        // and of no other. A refusal that names none is looked for in halves.
        let refusals = outcomes.compactMap { outcome in
            if case .unconfirmed(.refused(let code, let text, _)) = outcome { Refusal(code, text) } else { nil }
        }
        guard let refusal = refusals.first(where: \.isLasting) else { return fates }
        let doubtful = messages.indices.filter { index in
            if case .unconfirmed(.refused) = outcomes[index] { true } else { false }
        }
        let guilty = doubtful.filter { refusal.names(messages[$0].exchange) }
        if guilty.isEmpty {
            let again = try await inHalves(doubtful.map { messages[$0] }, refusal.error)
            for (index, fate) in zip(doubtful, again) { fates[index] = fate }
        }
        for index in guilty { fates[index] = .undeliverable(refusal.sentence(messages[index].exchange)) }
        return fates
    }

    /// One that is alone is the one that cannot be sent.
    private func inHalves(_ messages: [OutgoingMessage], _ error: BrokerError) async throws(BrokerError) -> [Fate] {
        guard messages.count > 1 else { return messages.map { _ in .undeliverable("\(error)") } }
        let middle = messages.count / 2
        let first = try await publish(Array(messages[..<middle]))
        return first + (try await publish(Array(messages[middle...])))
    }

    private static func fate(of message: OutgoingMessage, _ outcome: PublishOutcome) -> Fate {
        switch outcome {
        case .confirmed: .confirmed
        case .returned:
            .undeliverable(
                "There is no queue '\(message.routingKey)' any more: the broker returned the message. "
                    + "Start the service that has the queue, or archive the letter.")
        case .nacked, .unconfirmed: .again
        }
    }

    /// The broker closed the channel.
    private struct Refusal: Sendable {
        let code: Int
        let text: String

        init(_ code: Int, _ text: String) { (self.code, self.text) = (code, text) }

        var error: BrokerError { .refused(code: code, text: text, step: .publish) }
        var isLasting: Bool { error.disposition == .permanent }

        func names(_ exchange: String) -> Bool { text.contains("exchange '\(exchange)'") }

        func sentence(_ exchange: String) -> String {
            code == 404
                ? "There is no exchange '\(exchange)': its service was never started on this broker, or is gone."
                : "The broker refuses to take messages for '\(exchange)' (\(code)); run 'stockbridge topology verify'."
        }
    }

    // MARK: Writing down

    private func mark(_ job: UUID, confirmed: [Int64], undeliverable: [(Int64, String)]) async throws {
        guard !confirmed.isEmpty || !undeliverable.isEmpty else { return }
        let (failed, problems) = (undeliverable.map(\.0), undeliverable.map(\.1))
        try await database.unitOfWork { work in
            if !confirmed.isEmpty { try Self.markPublished(job, confirmed, in: work) }
            if !failed.isEmpty { try Self.markUndeliverable(job, failed, problems, in: work) }
        }
    }

    /// An outcome may be here before the mark: the consumer is fast. It stands, and says that the letter was sent.
    private static func markPublished(_ job: UUID, _ letters: [Int64], in work: UnitOfWork) throws {
        try work.transaction.execute(
            """
            WITH mine AS (
                SELECT letter, state FROM dead_letters.job_items WHERE job = $1 AND letter = ANY($2::bigint[])
                ORDER BY letter FOR UPDATE
            ), items AS (
                UPDATE dead_letters.job_items i SET published_at = coalesce(i.published_at, $3::timestamptz),
                    state = CASE i.state WHEN 'requested' THEN 'published' ELSE i.state END
                FROM mine WHERE i.job = $1 AND i.letter = mine.letter
            )
            INSERT INTO dead_letters.history (letter, at, step, who, detail)
            SELECT letter, $3::timestamptz, 'published', 'notifier', 'Replay job ' || $1::uuid || '.'
            FROM mine WHERE state = 'requested' ORDER BY letter
            """, [.uuid(job), .integerArray(letters), .timestamp(work.startedAt)])
    }

    private static func markUndeliverable(
        _ job: UUID, _ letters: [Int64], _ problems: [String], in work: UnitOfWork
    ) throws {
        try work.transaction.execute(
            """
            WITH said AS (
                SELECT * FROM unnest($2::bigint[], $3::text[]) AS s (letter, problem)
            ), items AS (
                UPDATE dead_letters.job_items i SET state = 'undeliverable', settled_at = $4::timestamptz,
                    detail = said.problem
                FROM said WHERE i.job = $1 AND i.letter = said.letter AND i.state = 'requested'
                RETURNING i.letter, i.detail
            ), moved AS (
                UPDATE dead_letters.letters l SET state = 'waiting', state_at = $4::timestamptz
                FROM items WHERE l.id = items.letter AND l.state = 'replaying' AND l.job = $1
            )
            INSERT INTO dead_letters.history (letter, at, step, who, detail)
            SELECT letter, $4::timestamptz, 'undeliverable', 'notifier', detail FROM items ORDER BY letter
            """,
            [.uuid(job), .integerArray(letters), .textArray(problems), .timestamp(work.startedAt)])
    }
}
