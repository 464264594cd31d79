public import Foundation
public import RabbitMQ

/// The properties of a message as JSON, so that they can be kept in a table, shown, and sent again as they were.
public struct KeptProperties: Sendable, Hashable, Codable {
    /// MIME type of the body.
    public var contentType: String?
    /// The message's id, as it stood there.
    public var messageID: String?
    /// The run or order it belongs to.
    public var correlationID: String?
    /// The application's name for the kind of message.
    public var type: String?
    /// The program that sent it.
    public var appID: String?
    /// When it was made, in seconds since 1970: as the protocol has it, whatever form a coder gives to dates.
    private var timestampSeconds: Int64?
    /// Texts among the headers.
    public var texts: [String: String] = [:]
    /// Integers among the headers.
    public var numbers: [String: Int64] = [:]
    /// Headers that are neither, by name only: nothing of ours; they are not sent again.
    public var others: [String] = []

    /// When it was made.
    public var timestamp: Date? { timestampSeconds.map { Date(timeIntervalSince1970: Double($0)) } }

    /// Takes what is worth keeping.
    public init(_ properties: MessageProperties) {
        (contentType, messageID, correlationID) = (
            properties.contentType, properties.messageID, properties.correlationID
        )
        (type, appID) = (properties.type, properties.appID)
        timestampSeconds = properties.timestamp.flatMap { Int64(exactly: $0.timeIntervalSince1970.rounded(.down)) }
        for (name, value) in properties.headers {
            switch value {
            case .string(let text): texts[name] = text
            case .integer(let number): numbers[name] = number
            default: others.append(name)
            }
        }
        others.sort()
    }

    /// What is sent again.
    public var properties: MessageProperties {
        MessageProperties(
            contentType: contentType, messageID: messageID, correlationID: correlationID, type: type, appID: appID,
            timestamp: timestamp,
            headers: texts.mapValues { .string($0) }.merging(numbers.mapValues { .integer($0) }) { text, _ in text })
    }

    /// The JSON that is kept in `dead_letters.letters.properties`, with its names in order.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts and whole numbers only: there is nothing that an encoder could refuse.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// Reads `dead_letters.letters.properties`.
    ///
    /// - Throws: `DecodingError` if it is not such JSON.
    public init(json: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(json.utf8))
    }

    private enum CodingKeys: String, CodingKey {
        case type, texts, numbers, others
        case timestampSeconds = "timestamp"
        case contentType = "content_type"
        case messageID = "message_id"
        case correlationID = "correlation_id"
        case appID = "app_id"
    }
}
