import Contracts
import Foundation
import PostgreSQL
import ProcessStack
import RabbitMQ
import Synchronization

/// A copy of every message that services got, in a queue of the test's own, so that later each one can be accounted
/// for: done, or a dead letter.
final class MessageTap: Sendable {
    private static let queue = "test.tap"
    private let stack: ProcessStack
    /// Where each message went: schema, queue (events: any of the service's) and what it was.
    private let seen = Mutex<[UUID: Set<Destination>]>([:])

    private struct Destination: Hashable {
        let service: ServiceName
        /// nil: a topic, which the service keeps in whatever queue.
        let queue: String?
        let topic: String
    }

    /// Listens from now on.
    static func install(in stack: ProcessStack) async throws -> MessageTap {
        let session = TopologySession(stack.brokerAdministrator)
        try await session.declareQueue(queue)
        // By the names of those topics that somebody consumes, so that what is unrouted stays unrouted.
        for topic in Topics.all where !topic.consumers.isEmpty {
            try await session.bindQueue(queue, exchange: "stockbridge.events", routingKey: topic.name)
        }
        for name in try await stack.queueNames() where !name.hasSuffix(".dead") && !name.contains(".retry.") {
            guard let service = service(of: name) else { continue }
            try await session.bindQueue(queue, exchange: "\(service.rawValue).work", routingKey: name)
        }
        await session.close()
        return MessageTap(stack)
    }

    private init(_ stack: ProcessStack) { self.stack = stack }

    private static func service(of queue: String) -> ServiceName? {
        ServiceName.allCases.first { queue == $0.rawValue || queue.hasPrefix($0.rawValue + ".") }
    }

    /// How many different messages there were.
    var count: Int { seen.withLock { $0.count } }

    private func drain() async throws {
        for delivery in try await stack.take(from: Self.queue) {
            // What has no id is no message of ours, and the test that sent it looks after it.
            guard let id = delivery.properties.messageID.flatMap({ UUID(uuidString: $0) }) else { continue }
            let topic = delivery.properties.headers["cloudEvents_type"]?.stringValue ?? "?"
            let destinations: [Destination]
            if delivery.exchange == "stockbridge.events" {
                let consumers = Topics.all.first { $0.name == delivery.routingKey }?.consumers ?? []
                destinations = consumers.map { Destination(service: $0, queue: nil, topic: topic) }
            } else {
                guard let service = Self.service(of: delivery.routingKey) else { continue }
                destinations = [Destination(service: service, queue: delivery.routingKey, topic: topic)]
            }
            seen.withLock { $0[id, default: []].formUnion(destinations) }
        }
    }

    /// Messages that somebody got and that are neither done nor dead letters, as sentences.
    func unaccountedFor() async throws -> [String] {
        try await drain()
        let dead = try await Self.dead(in: stack)
        var found: [String] = []
        for service in ServiceName.allCases where stack.startedServices.contains(service.rawValue) {
            var done: [String: Set<String>] = [:]
            let rows = try await stack.rows(
                "SELECT consumer, message_id::text FROM \(service.schema).inbox WHERE done")
            for row in rows {
                done[try row.decode(at: 1), default: []].insert(try row.decode(at: 0))
            }
            for (id, destinations) in seen.withLock({ $0 }) {
                let text = id.uuidString.lowercased()
                guard !dead.contains(text) else { continue }
                for destination in destinations where destination.service == service {
                    let queues = done[text] ?? []
                    if destination.queue.map(queues.contains) ?? !queues.isEmpty { continue }
                    let queue = destination.queue ?? service.rawValue
                    found.append("\(destination.topic) \(text) was never done by \(queue)")
                }
            }
        }
        return found.sorted()
    }

    /// The ids of all dead letters that nobody has sent again, or that were closed.
    static func dead(in stack: ProcessStack) async throws -> Set<String> {
        Set(try await stack.texts("SELECT identity FROM dead_letters.letters WHERE state IN ('waiting', 'archived')"))
    }
}
