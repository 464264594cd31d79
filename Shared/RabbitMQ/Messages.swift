public import Foundation

/// The standard properties of a message and its headers.
public struct MessageProperties: Sendable, Equatable {
    /// MIME type of the body.
    public var contentType: String?
    /// The application's id of the message.
    public var messageID: String?
    /// Id of what the message belongs to.
    public var correlationID: String?
    /// The application's name for the kind of message.
    public var type: String?
    /// The program that sent it.
    public var appID: String?
    /// When it was made, in whole seconds.
    public var timestamp: Date?
    /// The message leaves its queue after this long; nil means never.
    public var expirationMilliseconds: Int?
    /// Whether the message survives a restart of the broker.
    public var persistent: Bool
    /// The application's and the broker's headers; at most ``HeaderSize/limit`` bytes when sent.
    public var headers: [String: HeaderValue]

    /// Properties of a persistent message unless told otherwise.
    public init(
        contentType: String? = nil, messageID: String? = nil, correlationID: String? = nil, type: String? = nil,
        appID: String? = nil, timestamp: Date? = nil, expirationMilliseconds: Int? = nil, persistent: Bool = true,
        headers: [String: HeaderValue] = [:]
    ) {
        self.contentType = contentType
        self.messageID = messageID
        self.correlationID = correlationID
        self.type = type
        self.appID = appID
        self.timestamp = timestamp
        self.expirationMilliseconds = expirationMilliseconds
        self.persistent = persistent
        self.headers = headers
    }
}

/// A message to publish.
public struct OutgoingMessage: Sendable {
    /// Name of the exchange; empty for the default exchange.
    public var exchange: String
    /// Routing key, at most 255 bytes.
    public var routingKey: String
    /// Whether a message no queue takes is to come back as ``PublishOutcome/returned(code:text:)``.
    public var mandatory: Bool
    /// Properties and headers.
    public var properties: MessageProperties
    /// The content.
    public var body: [UInt8]

    /// A mandatory message unless told otherwise.
    public init(
        exchange: String, routingKey: String, mandatory: Bool = true, properties: MessageProperties = .init(),
        body: [UInt8]
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.mandatory = mandatory
        self.properties = properties
        self.body = body
    }
}

/// What became of one published message.
public enum PublishOutcome: Sendable, Equatable {
    /// The broker has it: every queue it was routed to has taken it safely.
    case confirmed
    /// The broker had it and could not keep it (for example a full queue that rejects).
    case nacked
    /// No queue is bound for it; it is gone.
    case returned(code: Int, text: String)
    /// No answer came: it may or may not have arrived. Publish it again; receivers must cope with the duplicate.
    case unconfirmed(BrokerError)
}

/// Names one delivery of one connection.
public struct DeliveryTag: Sendable, Hashable {
    let session: UInt64
    let number: UInt64

    /// A tag for tests of code that handles deliveries; a consumer knows only those it made itself.
    public init(session: UInt64, number: UInt64) {
        self.session = session
        self.number = number
    }
}

/// A message received and not yet settled.
public struct Delivery: Sendable {
    /// What to acknowledge it by.
    public let tag: DeliveryTag
    /// Whether the broker has delivered it before.
    public let redelivered: Bool
    /// The exchange it was published to.
    public let exchange: String
    /// The routing key it was published with.
    public let routingKey: String
    /// Properties and headers.
    public let properties: MessageProperties
    /// The content.
    public let body: [UInt8]

    /// A delivery for tests of code that handles deliveries.
    public init(
        tag: DeliveryTag, redelivered: Bool = false, exchange: String, routingKey: String,
        properties: MessageProperties, body: [UInt8]
    ) {
        self.tag = tag
        self.redelivered = redelivered
        self.exchange = exchange
        self.routingKey = routingKey
        self.properties = properties
        self.body = body
    }
}
