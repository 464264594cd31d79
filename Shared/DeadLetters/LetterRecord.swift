public import Contracts
import Crypto
public import Foundation
public import Messaging
public import RabbitMQ

/// A dead letter as it is kept: everything that a message of an `S.dead` queue says, in a form that PostgreSQL takes
/// whatever is in it.
public struct LetterRecord: Sendable, Equatable {
    /// Bodies beyond this many bytes are kept, but not read for what they are about.
    public static let largestReadBody = 8 << 20

    /// The service that failed.
    public let service: ServiceName
    /// Where it failed.
    public let queue: String
    /// The message's id in lower case; where it has none, `sha256:` and the digest of its properties and body.
    public internal(set) var identity: String
    /// The topic or kind of work.
    public let topic: String?
    /// The payload's name and major version.
    public let dataSchema: String?
    /// The key it is about.
    public let subject: String?
    /// The run or order it belongs to.
    public let correlation: String?
    /// What it is about.
    public let keys: BusinessKeys
    /// ``KeptProperties`` as JSON.
    public let properties: String
    /// The content, byte for byte.
    public let body: [UInt8]
    /// Why it failed.
    public let reason: FailureReason
    /// Groups failures of one kind.
    public let fingerprint: String
    /// How often it was tried.
    public let attempts: Int
    /// When it failed for the first time, if it says so.
    public let firstFailedAt: Date?
    /// When it failed for good; when it was taken out of the queue, if it does not say.
    public let failedAt: Date
    /// SHA-256 over what its failure wrote: the same for each delivery of one death, another for another death.
    public let death: [UInt8]
    /// The replay job that had sent it, if one had.
    public let replay: UUID?

    /// Reads a delivery from a service's dead-letter queue.
    ///
    /// - Parameter now: By the injected clock.
    public init(_ delivery: Delivery, service: ServiceName, now: Date) {
        let envelope = DeadLetterEnvelope(delivery, service: service)
        let kept = KeptProperties(envelope.properties)
        self.service = service
        queue = KeptText.clean(envelope.queue, 255)
        identity =
            envelope.messageID?.uuidString.lowercased()
            ?? "sha256:" + LetterDigest.content(kept, body: delivery.body).hexadecimal
        topic = envelope.topic.map { KeptText.clean($0, 255) }
        dataSchema = envelope.dataSchema.map { KeptText.clean($0, 255) }
        subject = envelope.subject.map { KeptText.clean($0, 1_000) }
        correlation = envelope.correlation.map { KeptText.clean($0, 255) }
        keys = KeptText.clean(
            delivery.body.count > Self.largestReadBody
                ? BusinessKeys() : PayloadCatalogue.keys(dataSchema: envelope.dataSchema, body: delivery.body))
        properties = kept.json
        body = delivery.body
        reason = FailureReason(
            envelope.reason.failureClass, code: KeptText.clean(envelope.reason.code, 200),
            message: KeptText.clean(envelope.reason.message, 8_000))
        fingerprint = KeptText.clean(envelope.fingerprint, 600)
        attempts = min(envelope.attempts, 1_000_000_000)
        firstFailedAt = envelope.firstFailedAt.flatMap(KeptText.plausible)
        failedAt = envelope.failedAt.flatMap(KeptText.plausible) ?? now
        death = LetterDigest.death(delivery.properties.headers)
        replay = envelope.replayID.flatMap { UUID(uuidString: $0) }
    }
}

/// Makes anything that may stand in a header or a body fit for PostgreSQL, which refuses zero bytes in text, keys of
/// more than 2,700 bytes in an index, and years that no message means.
enum KeptText {
    /// Zero bytes become replacement characters, and what is beyond so many bytes is cut off.
    static func clean(_ text: String, _ limit: Int) -> String {
        var text = text
        let isFine = text.withUTF8 { $0.count <= limit && !$0.contains(0) }
        if isFine { return text }
        var bytes: [UInt8] = []
        for byte in text.utf8.prefix(limit) {
            if byte == 0 { bytes += Array("\u{FFFD}".utf8) } else { bytes.append(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The control character that separates items on their way into the database has no place in one.
    static let separator = "\u{1F}"

    static func clean(_ keys: BusinessKeys) -> BusinessKeys {
        BusinessKeys(
            shop: keys.shop.map { clean($0, 200) }, order: keys.order.map { clean($0, 200) },
            erp: keys.erp.map { clean($0, 200) },
            items: keys.items.map { clean($0, 200).replacing(separator, with: "\u{FFFD}") })
    }

    static func plausible(_ date: Date) -> Date? {
        // 1970 to 2200.
        (0..<7_258_118_400).contains(date.timeIntervalSince1970) ? date : nil
    }
}

/// Digests by which letters and deaths are recognised.
enum LetterDigest {
    private static let ours = "stockbridge-"
    /// A header nested deeper than this is nobody's.
    private static let deepest = 16

    /// What stays the same when a message is replayed: its content without what failures and replays wrote.
    static func content(_ kept: KeptProperties, body: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        for text in [kept.contentType, kept.messageID, kept.correlationID, kept.type, kept.appID] {
            add(text ?? "", to: &hash)
        }
        add("\(kept.timestamp?.timeIntervalSince1970 ?? 0)", to: &hash)
        for (name, text) in kept.texts.sorted(by: { $0.key < $1.key }) where !name.hasPrefix(ours) {
            add(name, to: &hash)
            add(text, to: &hash)
        }
        for (name, number) in kept.numbers.sorted(by: { $0.key < $1.key }) where !name.hasPrefix(ours) {
            add(name, to: &hash)
            add("\(number)", to: &hash)
        }
        hash.update(data: body)
        return Array(hash.finalize())
    }

    /// What one failure wrote, by a service or by the broker. `x-delivery-count` is left out: it counts the deliveries
    /// from the dead-letter queue itself. A message that says nothing about its death has died only once.
    static func death(_ headers: [String: HeaderValue]) -> [UInt8] {
        var hash = SHA256()
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) where name.hasPrefix(ours) || name == "x-death" {
            add(name, to: &hash)
            add(value, to: &hash, depth: 0)
        }
        return Array(hash.finalize())
    }

    /// With its length before it, so that no two lists of texts read the same.
    private static func add(_ text: String, to hash: inout SHA256) {
        var text = text
        text.withUTF8 { bytes in
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update(bufferPointer: $0) }
            hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
        }
    }

    private static func add(_ value: HeaderValue, to hash: inout SHA256, depth: Int) {
        guard depth < deepest else { return }
        switch value {
        case .string(let text): add(text, to: &hash)
        case .table(let entries):
            add("table \(entries.count)", to: &hash)
            for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
                add(name, to: &hash)
                add(entry, to: &hash, depth: depth + 1)
            }
        case .array(let values):
            add("array \(values.count)", to: &hash)
            for one in values { add(one, to: &hash, depth: depth + 1) }
        default: add("\(value)", to: &hash)
        }
    }
}
