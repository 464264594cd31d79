import Contracts
import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import Testing

@testable import DeadLetters

@Suite("What is kept of a dead letter")
struct LetterRecordTests {
    private let now = Date(timeIntervalSince1970: 1_795_000_000)
    private let id = "5e0f4c6e-7f0c-4a9b-9a51-0c1f7c1f0001"

    private func delivery(
        _ headers: [String: HeaderValue], messageID: String? = nil, body: [UInt8] = [],
        queue: String = "stock-publisher"
    ) -> Delivery {
        Delivery(
            tag: DeliveryTag(session: 1, number: 1), exchange: "stock-publisher.dead", routingKey: queue,
            properties: MessageProperties(
                contentType: "application/json", messageID: messageID, correlationID: "run 7", headers: headers),
            body: body)
    }

    private func record(_ delivery: Delivery) -> LetterRecord {
        LetterRecord(delivery, service: .stockPublisher, now: now)
    }

    private var parked: [String: HeaderValue] {
        [
            "cloudEvents_type": "stock-publisher.push",
            "cloudEvents_dataschema": "urn:stockbridge:stock-publisher.push:1",
            "cloudEvents_subject": "hanoi", "stockbridge-attempt": 5, "stockbridge-error-class": "permanent",
            "stockbridge-error-code": "shop.malformed", "stockbridge-error-message": "The shop answered no JSON.",
            "stockbridge-fingerprint": "stock-publisher.push.hanoi|stock-publisher.push|shop.malformed",
            "stockbridge-first-failed-at": "2026-11-21T06:20:00.000Z",
            "stockbridge-failed-at": "2026-11-21T06:25:00.500Z", "stockbridge-host": "a",
        ]
    }

    @Test("a message that a service parked says what it is about and why it failed")
    func parkedByAService() throws {
        let body = Array(#"{"shop":"hanoi","shelves":[{"id":"10","version":7}],"retryRejected":false}"#.utf8)
        let record = record(
            delivery(parked, messageID: id.uppercased(), body: body, queue: "stock-publisher.push.hanoi"))
        #expect(record.identity == id && record.queue == "stock-publisher.push.hanoi")
        #expect(record.topic == "stock-publisher.push" && record.subject == "hanoi" && record.correlation == "run 7")
        #expect(record.keys == BusinessKeys(shop: "hanoi", items: ["hanoi/10"]))
        #expect(record.reason.failureClass == .permanent && record.reason.code == "shop.malformed")
        #expect(record.attempts == 5 && record.body == body && record.replay == nil)
        #expect(record.failedAt == Date(timeIntervalSince1970: 1_795_242_300.5))
        #expect(record.firstFailedAt == Date(timeIntervalSince1970: 1_795_242_000))
        let kept = try KeptProperties(json: record.properties)
        #expect(kept.texts["cloudEvents_subject"] == "hanoi" && kept.numbers["stockbridge-attempt"] == 5)
        #expect(kept.properties.messageID == id.uppercased() && kept.properties.correlationID == "run 7")
    }

    @Test("a message that the broker gave up has only what the broker wrote, and that is not kept among its headers")
    func deliveryLimit() throws {
        let died = Date(timeIntervalSince1970: 1_794_999_000)
        let death: HeaderValue = .array([
            .table([
                "reason": "delivery_limit", "count": 1, "queue": "stock-publisher", "exchange": "stock-publisher.work",
                "time": .timestamp(died), "routing-keys": .array(["stock-publisher"]),
            ])
        ])
        let record = record(
            delivery(
                ["x-death": death, "x-first-death-reason": "delivery_limit", "x-delivery-count": 21], messageID: id))
        #expect(record.reason.code == "broker.delivery_limit" && record.reason.failureClass == .defect)
        #expect(record.failedAt == died && record.attempts == 21)
        #expect(try KeptProperties(json: record.properties).texts.isEmpty)
    }

    @Test("a message without an id is known by its content, which stays the same when it is replayed and fails again")
    func withoutID() {
        var headers = parked
        let first = record(delivery(headers, body: [1, 2, 3]))
        #expect(first.identity.hasPrefix("sha256:") && first.identity.count == 71)
        headers["stockbridge-replay-id"] = .string(UUID().uuidString)
        headers["stockbridge-failed-at"] = "2026-11-21T07:00:00.000Z"
        headers["stockbridge-origin-key"] = "stock-publisher"
        headers["x-death"] = .array([])
        let again = record(delivery(headers, messageID: nil, body: [1, 2, 3]))
        #expect(again.identity == first.identity && again.replay != nil)
        #expect(record(delivery(parked, body: [1, 2, 4])).identity != first.identity)
        #expect(record(delivery(parked, messageID: "seven", body: [1, 2, 3])).identity != first.identity)
    }

    @Test("another delivery of a death is the same death, and each thing that a failure writes tells another")
    func deaths() {
        var headers = parked
        let first = record(delivery(headers, messageID: id)).death
        headers["x-delivery-count"] = 3
        #expect(record(delivery(headers, messageID: id)).death == first && first.count == 32)
        for (name, value): (String, HeaderValue) in [
            ("stockbridge-failed-at", "2026-11-21T06:25:00.501Z"), ("stockbridge-error-code", "shop.refused"),
            ("stockbridge-host", "b"), ("stockbridge-replay-id", "5e0f4c6e-7f0c-4a9b-9a51-0c1f7c1f0002"),
        ] {
            var other = parked
            other[name] = value
            #expect(record(delivery(other, messageID: id)).death != first, "\(name)")
        }
        func died(_ seconds: Double, _ count: Int64) -> [UInt8] {
            let death: HeaderValue = .array([
                .table([
                    "reason": "delivery_limit", "count": .integer(count),
                    "time": .timestamp(Date(timeIntervalSince1970: seconds)),
                ])
            ])
            return record(delivery(["x-death": death], messageID: id)).death
        }
        #expect(died(10, 1) == died(10, 1))
        #expect(died(10, 1) != died(11, 1) && died(10, 1) != died(10, 2))
    }

    @Test("zero bytes and endless texts are made fit for the database; the body stays as it is")
    func unfit() {
        var headers = parked
        headers["stockbridge-error-message"] = .string("a\0b" + String(repeating: "ü", count: 20_000))
        headers["stockbridge-fingerprint"] = .string(String(repeating: "x", count: 30_000) + "\0")
        headers["cloudEvents_subject"] = "\0"
        headers["cloudEvents_type"] = "t\0"
        headers["stockbridge-attempt"] = .integer(.max)
        headers["stockbridge-failed-at"] = "9999-12-31T00:00:00.000Z"
        let record = record(delivery(headers, messageID: id, body: [0, 255, 0], queue: "q\0"))
        let texts = [
            record.queue, record.reason.message, record.fingerprint, record.subject ?? "", record.topic ?? "",
            record.properties,
        ]
        #expect(texts.allSatisfy { !$0.utf8.contains(0) })
        #expect(record.reason.message.hasPrefix("a\u{FFFD}b") && record.reason.message.utf8.count <= 8_010)
        #expect(record.fingerprint.utf8.count == 600 && record.attempts == 1_000_000_000)
        #expect(record.failedAt == now && record.body == [0, 255, 0])
    }

    @Test("properties of any content are read back from their JSON as they were")
    func properties() throws {
        var properties = MessageProperties(
            contentType: "a/\"b\\", messageID: "", correlationID: "\u{0}\u{1F}\n\u{7F}", type: "ü", appID: "x",
            timestamp: Date(timeIntervalSince1970: -5))
        properties.headers = [
            "text": "\u{2028} 🧾\t", "\"": "quoted name", "least": .integer(.min), "most": .integer(.max), "none": .void,
            "flag\n": true,
        ]
        let kept = KeptProperties(properties)
        #expect(try KeptProperties(json: kept.json) == kept)
        #expect(kept.numbers["least"] == .min && kept.others == ["flag\n", "none"])
        let empty = KeptProperties(MessageProperties())
        #expect(empty.json == #"{"numbers":{},"others":[],"texts":{}}"#)
        #expect(try KeptProperties(json: empty.json) == empty)
    }

    @Test("an envelope that was never ours is kept with what there is")
    func foreign() throws {
        var foreign = delivery(
            ["flag": true, "deep": .table(["a": .array([.void, .bytes([0, 1])])])],
            body: Array(#"{"shop":"hanoi","x":"#.utf8))
        let record = record(foreign)
        #expect(record.reason.code == "unknown" && record.topic == nil && record.attempts == 1)
        #expect(record.fingerprint == "stock-publisher|unknown|unknown" && record.failedAt == now)
        #expect(try KeptProperties(json: record.properties).others == ["deep", "flag"])
        #expect(record.keys == BusinessKeys())
        foreign = delivery([:], body: Array(#"{"shop":"hanoi"}"#.utf8))
        #expect(self.record(foreign).keys == BusinessKeys(shop: "hanoi"))
    }

    @Test("of several deaths of one message in a batch each is in a wave of its own, and none is there twice")
    func waves() {
        var later = parked
        later["stockbridge-failed-at"] = "2026-11-21T07:00:00.000Z"
        let other = UUID().uuidString
        let records = [
            record(delivery(parked, messageID: id)), record(delivery(parked, messageID: id)),
            record(delivery(later, messageID: id)), record(delivery(parked, messageID: other)),
            record(delivery(later, messageID: id)), record(delivery(parked, messageID: id, queue: "elsewhere")),
        ]
        let (waves, repeated) = LetterStore.waves(of: records)
        #expect(waves.map(\.count) == [3, 1] && repeated == 2)
    }

    @Test("only what is said about values is a letter's own fault; everything else is the database's")
    func blame() {
        #expect(Archiver.blamesLetters(PostgresError.server(.init(sqlState: "22021", message: ""))))
        #expect(Archiver.blamesLetters(PostgresError.server(.init(sqlState: "23514", message: ""))))
        #expect(Archiver.blamesLetters(PostgresError.invalidParameter(position: 1, reason: "")))
        for state in ["42P01", "42501", "53100", "57P01", "25006", "40001"] {
            #expect(!Archiver.blamesLetters(PostgresError.server(.init(sqlState: state, message: ""))))
        }
        #expect(!Archiver.blamesLetters(PostgresError.connectionLost(detail: "")))
    }
}
