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
        func isClean(_ text: String) -> Bool { !text.utf8.contains(0) }
        guard isClean(type), isClean(subject), isClean(correlation), isClean(trace.parent),
            isClean(trace.state ?? ""), isClean(replayID ?? "")
        else {
            throw FailureReason(
                .permanent, code: "envelope.zero_byte",
                message: "Message \(id) has a zero byte in its envelope, which no table can keep.")
        }
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
        try checkBody()
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

extension IncomingMessage {
    /// The largest body that is read: a chunk of a thousand listings has well under one of these 16 MiB, beyond which a
    /// broker of release 4 takes no message unless it is told to.
    static let largestBody = 16 * 1_024 * 1_024

    /// What makes a body unusable whatever its payload.
    private func checkBody() throws(FailureReason) {
        guard delivery.body.count <= Self.largestBody else {
            throw FailureReason(
                .permanent, code: "payload.too_large",
                message: "Message \(id) has \(delivery.body.count) bytes; at most \(Self.largestBody) are read.")
        }
        guard !Self.hasEscapedZeroByte(delivery.body) else {
            throw FailureReason(
                .permanent, code: "payload.zero_byte",
                message: "Message \(id) has a zero byte (\\u0000) in a text, which no table can keep.")
        }
    }

    /// Whether JSON names the character 0 in a text.
    static func hasEscapedZeroByte(_ body: [UInt8]) -> Bool {
        body.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            var position = 0
            while position + 5 < bytes.count,
                let found = memchr(start + position, Int32(UInt8(ascii: "\\")), bytes.count - position)
            {
                let at = start.distance(to: UnsafeRawPointer(found))
                if at + 5 < bytes.count, bytes[at + 1] == UInt8(ascii: "u"),
                    bytes[(at + 2)...(at + 5)].allSatisfy({ $0 == UInt8(ascii: "0") })
                {
                    return true
                }
                // What follows a backslash is spoken for, be it another one.
                position = at + 2
            }
            return false
        }
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
