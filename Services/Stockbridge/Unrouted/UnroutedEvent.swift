import Contracts
import DeadLetters
import Foundation
import Messaging
import RabbitMQ

/// One event that reached nobody, in a list. Without its body: a list is copied into chats.
struct UnroutedEvent: Sendable, Encodable, Equatable {
    /// So many items are named.
    private static let namedItems = 20

    /// The routing key under which it was published.
    var topic: String
    /// The event's id; where it has none, `sha256:` and the digest of its properties and body.
    var id: String
    var subject: String?
    var shop: String?
    var order: String?
    var erp: String?
    var items: [String]
    /// When it happened, if it says so.
    var occurredAt: Date?
    /// The size of its body.
    var bytes: Int
}

extension UnroutedEvent {
    /// Reads anything, whoever published it.
    init(_ delivery: Delivery) {
        let record = LetterRecord(delivery, service: .stockbridge, now: .distantPast)
        let time = (try? IncomingMessage(delivery, queue: Topology.unrouted))?.occurredAt
        self.init(
            topic: delivery.routingKey, id: record.identity, subject: record.subject, shop: record.keys.shop,
            order: record.keys.order, erp: record.keys.erp, items: Array(record.keys.items.prefix(Self.namedItems)),
            occurredAt: (time == .distantPast ? nil : time) ?? delivery.properties.timestamp,
            bytes: delivery.body.count)
    }

    /// What it is about, in a word or two.
    var about: String {
        if let order { return order }
        if let item = items.first { return item + (items.count > 1 ? " +\(items.count - 1)" : "") }
        return [shop, erp].compactMap { $0 }.first ?? subject ?? ""
    }

    var key: UnroutedKey { UnroutedKey(topic: topic, id: id) }
}

/// By what an event is recognised when it is delivered again.
struct UnroutedKey: Sendable, Hashable {
    var topic: String
    var id: String
}

/// Which events are meant; all of them without a topic and an id.
struct UnroutedFilter: Sendable, Equatable {
    var topic: String?
    var id: String?

    func takes(_ event: UnroutedEvent) -> Bool {
        (topic ?? event.topic) == event.topic && (id?.lowercased() ?? event.id) == event.id
    }
}

/// The events that a person has seen and decides about, each as often as it was there.
///
/// What arrives afterwards is not among them, and neither is an event that was sent and came back through the alternate
/// exchange: it has been taken once already. So no run can go round in circles.
struct FrozenUnrouted: Sendable {
    private var left: [UnroutedKey: Int] = [:]

    mutating func add(_ event: UnroutedEvent) { left[event.key, default: 0] += 1 }

    /// Whether this delivery is one of those that were seen; each counts once.
    mutating func take(_ event: UnroutedEvent) -> Bool {
        guard let count = left[event.key], count > 0 else { return false }
        left[event.key] = count - 1
        return true
    }
}
