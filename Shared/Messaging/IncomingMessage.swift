public import Contracts
public import Foundation
public import RabbitMQ

/// A delivery whose envelope has been read; the body has not.
public struct IncomingMessage: Sendable {
    /// The delivery as it came.
    public let delivery: Delivery
    /// The queue it was taken from.
    public let queue: String
    /// Deduplication goes by this.
    public let id: UUID
    /// The topic, which names the payload's type.
    public let type: String
    /// The payload's name and major version, as ``EventType/dataSchema``.
    public let dataSchema: String
    /// The key it is about.
    public let subject: String
    /// The run or order it belongs to.
    public let correlation: String
    /// When it happened.
    public let occurredAt: Date
    /// The trace it belongs to.
    public let trace: TraceContext
    /// Which attempt this is, from our own header; 1 for the first.
    public let attempt: Int
    /// The replay job that sent it again, if one did.
    public let replayID: String?

    /// Reads the envelope.
    ///
    /// - Throws: `FailureReason` (permanent) if it has no usable id, type or schema: such a message can never be done.
    public init(_ delivery: Delivery, queue: String) throws(FailureReason) {
        let headers = EnvelopeHeaders(delivery.properties.headers)
        guard let text = delivery.properties.messageID ?? headers.attribute(HeaderName.id),
            let id = UUID(uuidString: text)
        else {
            throw FailureReason(
                .permanent, code: "envelope.id",
                message: "The message has no id that is a UUID, so a repetition could not be recognised.")
        }
        guard let type = headers.attribute(HeaderName.type), let schema = headers.attribute(HeaderName.dataSchema)
        else {
            throw FailureReason(
                .permanent, code: "envelope.type",
                message: "Message \(id) does not say its type and schema (cloudEvents_type, cloudEvents_dataschema).")
        }
        self.delivery = delivery
        self.queue = queue
        self.id = id
        self.type = type
        dataSchema = schema
        subject = headers.attribute(HeaderName.subject) ?? ""
        correlation = delivery.properties.correlationID ?? id.lowercasedText
        occurredAt =
            headers.attribute(HeaderName.time).flatMap(EventTime.parse) ?? delivery.properties.timestamp ?? .distantPast
        trace =
            headers.text(HeaderName.traceParent)
            .map { TraceContext(parent: $0, state: headers.text(HeaderName.traceState)) } ?? .started()
        attempt = max(1, headers.integer(HeaderName.attempt) ?? 1)
        replayID = headers.text(HeaderName.replayID)
    }

    /// The typed event.
    ///
    /// - Throws: `FailureReason` (permanent) for an unknown major version or a body that is not this payload.
    public func event<Payload: EventPayload>(_ payload: Payload.Type) throws(FailureReason) -> Event<Payload> {
        guard Payload.type.accepts(dataSchema: dataSchema) else {
            throw FailureReason(
                .permanent, code: "envelope.major_version",
                message: """
                    Message \(id) has the schema '\(dataSchema.prefix(80))'; this service reads \
                    '\(Payload.type.dataSchema)'. Upgrade the service, then replay the message.
                    """)
        }
        let decoded: Payload
        do throws(ContractError) {
            decoded = try ContractCoding.decode(Payload.self, from: delivery.body)
        } catch {
            throw FailureReason(.permanent, code: "payload.invalid", message: "Message \(id): \(error)")
        }
        return Event(
            decoded, id: id, subject: subject, correlation: correlation, occurredAt: occurredAt, trace: trace,
            attempt: attempt, replayID: replayID)
    }
}

/// Reads attributes under both spellings of the AMQP binding of CloudEvents, `cloudEvents_` and `cloudEvents:`.
struct EnvelopeHeaders {
    let headers: [String: HeaderValue]

    init(_ headers: [String: HeaderValue]) { self.headers = headers }

    /// - Parameter name: One of ``HeaderName``, which spell the first way.
    func attribute(_ name: String) -> String? {
        if let value = text(name) { return value }
        return text("cloudEvents:" + name.dropFirst(HeaderName.attributePrefix.count))
    }

    func text(_ name: String) -> String? {
        if case .string(let value)? = headers[name] { value } else { nil }
    }

    func integer(_ name: String) -> Int? {
        switch headers[name] {
        case .integer(let value): Int(value)
        case .string(let value): Int(value)
        default: nil
        }
    }
}
