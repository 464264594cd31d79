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
    ///
    /// Written by hand, since every dead letter has one: a general encoder took a quarter of the archiver's time.
    public var json: String {
        var writer = ObjectWriter()
        writer.text("app_id", appID)
        writer.text("content_type", contentType)
        writer.text("correlation_id", correlationID)
        writer.text("message_id", messageID)
        writer.object("numbers") { inner in
            for (name, number) in numbers.sorted(by: { $0.key < $1.key }) { inner.raw(name, "\(number)") }
        }
        writer.list("others", others)
        writer.object("texts") { inner in
            for (name, text) in texts.sorted(by: { $0.key < $1.key }) { inner.text(name, text) }
        }
        if let timestampSeconds { writer.raw("timestamp", "\(timestampSeconds)") }
        writer.text("type", type)
        return writer.finish()
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

/// Writes a JSON object of texts, raw values and objects.
private struct ObjectWriter {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]
    private var isFirst = true

    init() { bytes.reserveCapacity(1_024) }

    mutating func text(_ name: String, _ value: String?) {
        guard let value else { return }
        begin(name)
        quote(value)
    }

    mutating func raw(_ name: String, _ value: String) {
        begin(name)
        bytes += value.utf8
    }

    mutating func list(_ name: String, _ values: [String]) {
        begin(name)
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            quote(value)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    mutating func object(_ name: String, _ write: (inout ObjectWriter) -> Void) {
        begin(name)
        bytes.append(UInt8(ascii: "{"))
        isFirst = true
        write(&self)
        bytes.append(UInt8(ascii: "}"))
        isFirst = false
    }

    mutating func finish() -> String {
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func begin(_ name: String) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        quote(name)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: bytes += (byte < 16 ? "\\u000" : "\\u00").utf8 + Array(String(byte, radix: 16).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
