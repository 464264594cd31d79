import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import RabbitMQ

/// A stock movement of realistic size, such as arrives a thousand times a minute.
struct MovementReceived: EventPayload {
    static let type = EventType("bench.received", 1, 0)
    var sku: String
    var warehouse: String
    var onHand: Int64
    var document: String
    var note: String

    private enum CodingKeys: String, CodingKey {
        case sku, warehouse, document, note
        case onHand = "on_hand"
    }
}

/// What follows from it.
struct MovementRecorded: EventPayload {
    static let type = EventType("bench.recorded", 1, 0)
    var cause: String
    var sku: String
    var onHand: Int64
    var note: String

    private enum CodingKeys: String, CodingKey {
        case cause, sku, note
        case onHand = "on_hand"
    }
}

/// The servers, and the queues and messages that the rows start from.
struct Fixture {
    static let service = ServiceName.notifier
    static let incoming = "notifier.bench-in"
    static let outgoing = "notifier.bench-out"
    static let plain = "notifier.bench-plain"

    let broker: BrokerConfiguration
    let database: PostgresConfiguration
    let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        let brokerVariable = "STOCKBRIDGE_BENCH_BROKER"
        let databaseVariable = "STOCKBRIDGE_BENCH_DATABASE"
        guard let url = environment[brokerVariable].flatMap(URLComponents.init(string:)), let host = url.host else {
            throw BenchError.noServer(variable: brokerVariable)
        }
        guard var database = environment[databaseVariable].flatMap(PostgresConfiguration.init(url:)) else {
            throw BenchError.noServer(variable: databaseVariable)
        }
        broker = BrokerConfiguration(
            host: host, port: url.port ?? 5672, virtualHost: String(url.path.dropFirst()), user: url.user ?? "",
            password: url.password ?? "", connectionName: "bench")
        database.searchPath = ["bench"]
        self.database = database
    }

    /// Queues as every service declares them.
    var description: ServiceDescription {
        ServiceDescription(
            name: Self.service,
            queues: [
                QueueDescription(name: Self.incoming, kind: .batch, topics: [MovementReceived.type.name]),
                QueueDescription(name: Self.outgoing, kind: .batch, topics: [MovementRecorded.type.name]),
                QueueDescription(name: Self.plain, kind: .batch),
            ],
            tiers: RetryTier.standard, publishes: [MovementReceived.type.name, MovementRecorded.type.name])
    }

    /// Declares and empties the queues; for `archive`, `chain`, `consume` and `pipeline` fills one.
    func fill(_ row: String, count: Int) async throws {
        let session = TopologySession(broker)
        try await TopologyDeclarer.declare(Topology(services: [description]).declarations, over: session)
        let queues = [Self.incoming, Self.outgoing, Self.plain, description.deadExchange]
        for queue in queues { _ = try await session.purgeQueue(queue) }
        switch row {
        case "chain": try await publish(try (0..<count).map { try movement($0).outgoing }, to: Self.incoming, session)
        case "consume", "pipeline": try await publish(plainMessages(count), to: Self.plain, session)
        case "archive": try await publish(deadLetters(count), to: description.deadExchange, session)
        default: break
        }
        await session.close()
    }

    private func movement(_ number: Int) throws -> OutboxMessage {
        let sku = "HS\(1_000_000 + number)"
        let payload = MovementReceived(
            sku: sku, warehouse: number % 2 == 0 ? "HN" : "HCM", onHand: Int64(number % 2_000),
            document: "PN-2026-11-\(number)", note: "Nhập kho theo đơn đặt hàng, đủ số lượng, đã kiểm tra.")
        let event = Event(payload, subject: sku, correlation: "run-20261121-0600", occurredAt: Date())
        return try OutboxMessage(event, from: Self.service)
    }

    /// 512 bytes each, straight into the queue.
    func plainMessages(_ count: Int) -> [OutgoingMessage] {
        let message = OutgoingMessage(
            exchange: description.workExchange, routingKey: Self.plain, body: [UInt8](repeating: 120, count: 512))
        return Array(repeating: message, count: count)
    }

    /// Pushes of ten shelves at one of eight shops that failed for one of five reasons, as a service parks them.
    private func deadLetters(_ count: Int) throws -> [OutgoingMessage] {
        try (0..<count).map { number in
            let shop = ShopName(rawValue: "shop\(number % 8)")
            let shelves = (0..<10).map {
                PushWork.Shelf(id: ListingID(rawValue: "\(number * 10 + $0)"), version: Int64(number))
            }
            let event = Event(
                PushWork(shop: shop, shelves: shelves, retryRejected: false), subject: "\(shop)",
                correlation: "run-20261121-0600", occurredAt: Date())
            var message = try OutboxMessage(work: event, for: Self.service, queue: Self.plain).outgoing
            message.exchange = description.deadExchange
            let code = "shop.malformed-\(number % 5)"
            for (name, value) in [
                ("error-class", "permanent"), ("error-code", code), ("service", "notifier"), ("host", "bench"),
                ("error-message", "The shop answered with something that is no JSON; nothing was written."),
                ("fingerprint", "\(Self.plain)|stock-publisher.push|\(code)"), ("origin-exchange", "notifier.work"),
                ("origin-key", Self.plain), ("first-failed-at", "2026-11-21T06:20:00.000Z"),
                ("failed-at", "2026-11-21T06:20:00.000Z"),
            ] { message.properties.headers["stockbridge-\(name)"] = .string(value) }
            message.properties.headers["stockbridge-attempt"] = 5
            return message
        }
    }

    private func publish(_ messages: [OutgoingMessage], to queue: String, _ session: TopologySession) async throws {
        let publisher = Publisher(broker)
        let outcomes = try await publisher.publish(messages)
        await publisher.close()
        let confirmed = outcomes.count { $0 == .confirmed }
        guard confirmed == messages.count else {
            throw BenchError.wrongCount(row: "fill", expected: messages.count, found: confirmed)
        }
        // The queue counts a message a moment after it confirmed it.
        for _ in 0..<200 where try await session.checkQueue(queue).messages < messages.count {
            try await Task.sleep(for: .milliseconds(25))
        }
    }
}
