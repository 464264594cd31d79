public import Contracts
public import Foundation
public import RabbitMQ

/// What a message of a dead-letter queue says about itself and about its failure, however it got there.
///
/// Reads anything: a message that a service parked says why in headers of ours; one that the broker gave up after too
/// many deliveries has only what the broker wrote (`x-death`); one that was never ours may have nothing at all.
public struct DeadLetterEnvelope: Sendable, Equatable {
    /// The service in whose dead-letter queue it lies.
    public let service: ServiceName
    /// The queue in which it failed; both ways to the dead letters keep its name as the routing key.
    public let queue: String
    /// The message's id; nil if it has none that is a UUID.
    public let messageID: UUID?
    /// The topic, which names the payload's type.
    public let topic: String?
    /// The payload's name and major version.
    public let dataSchema: String?
    /// The key it is about.
    public let subject: String?
    /// The run or order it belongs to.
    public let correlation: String?
    /// Why it failed.
    public let reason: FailureReason
    /// Groups failures of one kind.
    public let fingerprint: String
    /// How often it was tried.
    public let attempts: Int
    /// When it failed for the first time, if it says so.
    public let firstFailedAt: Date?
    /// When it failed for good, if it says so.
    public let failedAt: Date?
    /// The replay job that had sent it, if one had.
    public let replayID: String?
    /// The properties and headers, without what the broker added on the way.
    public let properties: MessageProperties

    /// Reads a delivery from a service's dead-letter queue.
    public init(_ delivery: Delivery, service: ServiceName) {
        let headers = EnvelopeHeaders(delivery.properties.headers)
        self.service = service
        queue = delivery.routingKey
        messageID = (delivery.properties.messageID ?? headers.attribute(HeaderName.id)).flatMap { UUID(uuidString: $0) }
        topic = headers.attribute(HeaderName.type)
        dataSchema = headers.attribute(HeaderName.dataSchema)
        subject = headers.attribute(HeaderName.subject)
        correlation = delivery.properties.correlationID
        let broker = BrokerDeath(delivery.properties.headers)
        if let code = headers.text(HeaderName.errorCode), !code.isEmpty {
            reason = FailureReason(
                headers.text(HeaderName.errorClass).flatMap(FailureClass.init) ?? .defect, code: code,
                message: headers.text(HeaderName.errorMessage) ?? "The service said no more than the code.")
            attempts = Self.bounded(headers.integer(HeaderName.attempt) ?? 1)
        } else {
            reason = broker.reason
            attempts = Self.bounded(max(headers.integer(HeaderName.attempt) ?? 1, broker.deliveries ?? 1))
        }
        fingerprint =
            headers.text(HeaderName.fingerprint).flatMap { $0.isEmpty ? nil : $0 }
            ?? "\(delivery.routingKey)|\(topic ?? "unknown")|\(reason.code)"
        firstFailedAt = headers.text(HeaderName.firstFailedAt).flatMap(EventTime.parse)
        failedAt = headers.text(HeaderName.failedAt).flatMap(EventTime.parse) ?? broker.at
        replayID = headers.text(HeaderName.replayID)
        var kept = delivery.properties.withoutBrokerHeaders
        kept.expirationMilliseconds = nil
        properties = kept
    }

    /// Anybody may write any number there; a table keeps 32 bits.
    private static func bounded(_ attempts: Int) -> Int { min(max(1, attempts), Int(Int32.max)) }
}

/// Why the broker itself gave a message up, from its header `x-death`.
private struct BrokerDeath {
    let reason: FailureReason
    let deliveries: Int?
    let at: Date?

    init(_ headers: [String: HeaderValue]) {
        var latest: [String: HeaderValue] = [:]
        if case .array(let deaths)? = headers["x-death"], case .table(let first)? = deaths.first { latest = first }
        let why = latest["reason"]?.stringValue ?? headers["x-first-death-reason"]?.stringValue
        deliveries = headers["x-delivery-count"]?.integerValue
        if case .timestamp(let moment)? = latest["time"] { at = moment } else { at = nil }
        switch why {
        case "delivery_limit":
            reason = FailureReason(
                .defect, code: "broker.delivery_limit",
                message: "The broker gave the message up after too many deliveries: each time the process that had it "
                    + "died or lost its connection before it could say what was wrong. Look for its crash in the log.")
        case let why?:
            reason = FailureReason(
                .defect, code: "broker.\(why.prefix(40))",
                message: "The broker moved the message to the dead letters (\(why.prefix(40))).")
        case nil:
            reason = FailureReason(
                .defect, code: "unknown", message: "The message does not say why it is among the dead letters.")
        }
    }
}

/// A dead letter on its way back to the queue where it failed (messaging.md, "Dead letters").
public enum ReplayMessage {
    /// The same message under the same id, to the service's work exchange, so that no other service sees it twice.
    ///
    /// - Parameters:
    ///   - properties: As ``DeadLetterEnvelope/properties``; what earlier failures wrote is left out.
    ///   - replayID: Under which its outcome is followed.
    public static func make(
        _ properties: MessageProperties, body: [UInt8], queue: String, of service: ServiceName, replayID: String
    ) -> OutgoingMessage {
        var properties = properties.withoutBrokerHeaders
        properties.headers = properties.headers.filter { !HeaderName.ofFailures.contains($0.key) }
        properties.headers[HeaderName.replayID] = .string(replayID)
        properties.expirationMilliseconds = nil
        properties.persistent = true
        return OutgoingMessage(
            exchange: "\(service.rawValue).work", routingKey: queue, mandatory: true, properties: properties, body: body
        )
    }
}
