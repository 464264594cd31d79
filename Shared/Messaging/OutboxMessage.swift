public import Contracts
public import Foundation
public import RabbitMQ

/// A message on its way out, as the outbox keeps it.
public struct OutboxMessage: Sendable, Equatable {
    /// The event's id; also the AMQP message id.
    public let id: UUID
    /// The exchange it goes to.
    public let exchange: String
    /// The topic, or the queue's name for work inside a service.
    public let routingKey: String
    /// The envelope, one `name<TAB>value` a line; cheap to write and read, since a relay reads many thousands a second.
    let headers: String
    /// The payload as JSON.
    let body: String

    /// An event for everybody: to `stockbridge.events` under its topic.
    public init<Payload: EventPayload>(_ event: Event<Payload>, from service: ServiceName) throws(ContractError) {
        try self.init(event, from: service, exchange: Topology.events, routingKey: event.payload.topic)
    }

    /// Work inside one service: to its work exchange under the queue's name.
    public init<Payload: EventPayload>(work event: Event<Payload>, for service: ServiceName, queue: String)
        throws(ContractError)
    {
        try self.init(event, from: service, exchange: "\(service.rawValue).work", routingKey: queue)
    }

    private init<Payload: EventPayload>(
        _ event: Event<Payload>, from service: ServiceName, exchange: String, routingKey: String
    ) throws(ContractError) {
        id = event.id
        self.exchange = exchange
        self.routingKey = routingKey
        var lines = ""
        lines.reserveCapacity(640)
        func add(_ name: String, _ value: String) {
            if !lines.isEmpty { lines += "\n" }
            lines += name
            lines += "\t"
            lines += value
        }
        add(HeaderName.specVersion, "1.0")
        add(HeaderName.id, event.id.lowercasedText)
        add(HeaderName.type, event.payload.topic)
        add(HeaderName.source, "/stockbridge/" + service.rawValue)
        add(HeaderName.subject, Self.singleLine(event.subject))
        add(HeaderName.time, EventTime.text(event.occurredAt))
        add(HeaderName.dataSchema, Payload.type.dataSchema)
        add(Self.correlationLine, Self.singleLine(event.correlation))
        add(HeaderName.traceParent, Self.singleLine(event.trace.parent))
        if let state = event.trace.state { add(HeaderName.traceState, Self.singleLine(state)) }
        headers = lines
        body = String(decoding: try ContractCoding.encode(event.payload), as: UTF8.self)
    }

    init(id: UUID, exchange: String, routingKey: String, headers: String, body: String) {
        self.id = id
        self.exchange = exchange
        self.routingKey = routingKey
        self.headers = headers
        self.body = body
    }

    /// What goes over the wire.
    public var outgoing: OutgoingMessage {
        var properties = MessageProperties(
            contentType: "application/json", messageID: id.lowercasedText, headers: [:])
        for line in headers.utf8.split(separator: UInt8(ascii: "\n")) {
            guard let tab = line.firstIndex(of: UInt8(ascii: "\t")) else { continue }
            let name = String(Substring(line[..<tab]))
            let value = String(Substring(line[line.index(after: tab)...]))
            if name == Self.correlationLine {
                properties.correlationID = value
            } else {
                properties.headers[name] = .string(value)
            }
            if name == HeaderName.type { properties.type = value }
        }
        return OutgoingMessage(
            exchange: exchange, routingKey: routingKey, mandatory: true, properties: properties,
            body: Array(body.utf8))
    }

    private static let correlationLine = "correlation-id"

    private static func singleLine(_ text: String) -> String {
        text.utf8.contains(where: { $0 < 0x20 }) ? String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 }) : text
    }
}
