import Contracts
import DeadLetters
import Foundation
import Logging
import Messaging
import PostgreSQL
import RabbitMQ
import ServiceKit
import TestStack
import Testing

/// A system in which stock-publisher's messages die and notifier archives them.
struct Graveyard: Sendable {
    static let queue = "stock-publisher"
    static let deadQueue = "stock-publisher.dead"

    let system: ScratchSystem
    let publisher: Publisher
    let pool: PostgresPool
    let stop = StopSignal()
    /// What the archiver's clock says.
    let now = Date(timeIntervalSince1970: 1_795_242_600)

    static func with(_ body: (Graveyard) async throws -> Void) async throws {
        let services = ServiceCatalogue.services(shops: [], tiers: [RetryTier(name: "1s", delayMilliseconds: 1_000)])
            .filter { [.stockPublisher, .notifier, .stockbridge].contains($0.name) }
        try await ScratchSystem.with(services) { system in
            let yard = Graveyard(
                system: system, publisher: Publisher(system.broker(.stockPublisher)),
                pool: PostgresPool(system.database(.notifier), maximumConnections: 4))
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(yard)) } catch { outcome = .failure(error) }
            yard.stop.stop()
            await yard.publisher.close()
            await yard.pool.close()
            try outcome.get()
        }
    }

    func archiver(faults: FaultInjection = .none) -> Archiver {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let now = now
        return Archiver(
            service: .stockPublisher, broker: system.broker(.notifier), pool: pool, stop: stop, logger: logger,
            faults: faults, now: { now })
    }

    /// Runs the archiver beside the body; afterwards it has ended.
    func archiving(_ body: () async throws -> Void) async throws {
        let archiver = archiver()
        try await running([{ await archiver.run() }], until: stop, body)
    }

    // MARK: Messages

    /// A message as a service parks it. The same number and the same `failed` are the same death.
    static func message(
        _ number: Int, failed: Int = 0, code: String = "shop.malformed", replay: UUID? = nil, body: [UInt8]? = nil
    ) -> OutgoingMessage {
        var headers: [String: HeaderValue] = [
            "cloudEvents_type": "stock-publisher.push",
            "cloudEvents_dataschema": "urn:stockbridge:stock-publisher.push:1",
            "stockbridge-error-class": "permanent", "stockbridge-error-code": .string(code),
            "stockbridge-error-message": "The shop answered with something that is no JSON.",
            "stockbridge-fingerprint": .string("stock-publisher|stock-publisher.push|\(code)"),
            "stockbridge-failed-at": .string(String(format: "2026-11-21T06:20:%02d.000Z", failed)),
        ]
        headers["stockbridge-replay-id"] = replay.map { .string($0.uuidString.lowercased()) }
        return OutgoingMessage(
            exchange: deadQueue, routingKey: queue,
            properties: MessageProperties(
                contentType: "application/json", messageID: id(number), headers: headers),
            body: body
                ?? Array(
                    #"{"shop":"shop\#(number % 4)","shelves":[{"id":"\#(number)","version":1}],"retryRejected":false}"#
                        .utf8))
    }

    static func id(_ number: Int) -> String { String(format: "5e0f4c6e-7f0c-4a9b-9a51-%012d", number) }

    func publish(_ messages: [OutgoingMessage]) async throws {
        let outcomes = try await publisher.publish(messages)
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    // MARK: Looking

    func letters(_ condition: String = "true") async throws -> Int {
        try await system.number("SELECT count(*) FROM dead_letters.letters WHERE \(condition)")
    }

    func steps(_ step: String) async throws -> Int {
        try await system.number("SELECT count(*) FROM dead_letters.history WHERE step = $1", [.text(step)])
    }

    func isEmpty() async throws -> Bool { try await system.ready(Self.deadQueue) == 0 }
}
