import Contracts
import DeadLetters
import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import ServiceKit

/// What a discard did.
struct UnroutedDiscarded: Sendable, Encodable {
    /// Those that left the queue, by topic; their contents are in the audit.
    var topics: [UnroutedTopic]
    var discarded: Int
    /// How many were ready in the queue at the end.
    var remaining: Int
}

/// Takes events out of the queue that nobody wants any more, and keeps them in the audit.
struct UnroutedDiscarding {
    let queue: UnroutedQueue
    let audit: UnroutedAudit
    private(set) var discarded = 0

    init(queue: UnroutedQueue, audit: UnroutedAudit) { (self.queue, self.audit) = (queue, audit) }

    /// Each is acknowledged after it was committed: a run that dies in between leaves the event in the queue and a
    /// second time in the audit.
    ///
    /// - Throws: ``ToolError`` with what was done until then.
    mutating func run(_ frozen: FrozenUnrouted, total: Int) async throws {
        var (frozen, count) = (frozen, 0)
        let audit = audit
        let outcome: Result<Void, any Error>
        do {
            try await queue.walk(atMost: total) { deliveries in
                let chosen = deliveries.filter { frozen.take(UnroutedEvent($0)) }
                try await audit.keep(chosen)
                count += chosen.count
                return UnroutedQueue.Step(done: chosen.map(\.tag))
            }
            outcome = .success(())
        } catch { outcome = .failure(error) }
        discarded = count
        guard case .failure(let error) = outcome else { return }
        throw ToolError.failed(
            "\(error) \(Wording.count(discarded, "event")) had been written to the audit by then; what is not in it is "
                + "still in stockbridge.unrouted. Run the command again.")
    }
}

/// What an operator did with events that reached nobody, in the table of all that operators do.
struct UnroutedAudit: Sendable {
    let database: OperatorDatabase
    let who: String
    let why: String

    /// That these are going to be sent again.
    func resend(_ topics: [UnroutedPlan]) async throws {
        let counts = topics.filter { $0.state == .bound }.map { ($0.topic, JSONValue.integer(Int64($0.events))) }
        let arguments: [String: JSONValue] = [
            "topics": .object(Dictionary(counts) { first, _ in first })
        ]
        try await write("unrouted resend", [arguments])
    }

    /// Events that are going to be discarded, each whole and in a row of its own.
    func keep(_ deliveries: [Delivery]) async throws {
        guard !deliveries.isEmpty else { return }
        try await write("unrouted discard", deliveries.map(Self.kept))
    }

    /// All that a message says. A body that is no text is kept in base 64.
    static func kept(_ delivery: Delivery) throws -> [String: JSONValue] {
        let record = LetterRecord(delivery, service: .stockbridge, now: .distantPast)
        let properties = try ContractCoding.decode(JSONValue.self, from: Array(record.properties.utf8))
        let body: (String, String) =
            String(validating: delivery.body, as: UTF8.self).map { ("body", $0) }
            ?? ("body_base64", Data(delivery.body).base64EncodedString())
        return [
            "topic": .string(delivery.routingKey), "id": .string(record.identity), "properties": properties,
            body.0: .string(body.1),
        ]
    }

    private func write(_ what: String, _ entries: [[String: JSONValue]]) async throws {
        let texts = try entries.map { String(decoding: try ContractCoding.encode($0), as: UTF8.self) }
        let (who, why) = (who, why)
        try await database.pool.transaction { transaction in
            for text in texts {
                try transaction.execute(
                    "INSERT INTO operations.audit (id, who, what, arguments, why) VALUES ($1, $2, $3, $4, $5)",
                    [.uuid(UUID()), .text(who), .text(what), .text(text), .text(why)])
            }
        }
    }
}
