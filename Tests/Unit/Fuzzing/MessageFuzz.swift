import Contracts
import Domain
import Foundation
import RabbitMQ
import Testing

@testable import Messaging

extension FuzzTests {
    @Suite("Whatever a message holds, it is read or refused for good")
    struct MessageFuzz {
        private static let personal = ["Customer One", "one@example.com", "+84900000000"]

        private static func golden() throws -> [[UInt8]] {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../Contract/Events/Golden")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            return try names.map { Array(try Data(contentsOf: folder.appendingPathComponent($0))) }
        }

        /// Reads what a type makes of the bytes, writes it, and reads it again.
        private static func check<Payload: EventPayload>(_ type: Payload.Type, _ body: [UInt8], _ label: String) throws
        {
            do throws(PayloadProblem) {
                _ = try PayloadCatalogue.read(dataSchema: Payload.type.dataSchema, body: body)
            } catch {
                let sentence = error.description
                #expect(sentence.count < 800, "\(label), \(type): \(sentence.count) characters")
                for text in personal { #expect(!sentence.contains(text), "\(label), \(type): \(sentence)") }
                return
            }
            let payload = try ContractCoding.decode(type, from: body)
            let written = try ContractCoding.encode(payload)
            let again = try ContractCoding.encode(try ContractCoding.decode(type, from: written))
            #expect(written == again, "\(label), \(type): \(String(decoding: written.prefix(300), as: UTF8.self))")
        }

        @Test func `payloads of every type`() async throws {
            let corpus =
                try Self.golden()
                + Fuzz.bytes([
                    "{\"arguments\":{\"a\":[1,-0,1.5,null,\"x\",{\"b\":[]}]},\"verb\":\"replay\"}",
                    "{\"shop\":\"hanoi\",\"external_id\":\"1\",\"via\":\"webhook\",\"run_id\":\"x\"}",
                ])
            try await Fuzz.run("payload", corpus: corpus, cases: 250) { one in
                for type in PayloadCatalogue.all {
                    try Self.check(type, one.bytes, one.label)
                    let keys = PayloadCatalogue.keys(dataSchema: type.type.dataSchema, body: one.bytes)
                    #expect(keys.items.count <= BusinessKeys.maximumItems, "\(one.label)")
                }
                _ = try? PayloadCatalogue.read(dataSchema: one.text, body: one.bytes)
                if let value = try? ContractCoding.decode(JSONValue.self, from: one.bytes) {
                    let again = try ContractCoding.decode(JSONValue.self, from: ContractCoding.encode(value))
                    #expect(again == value, "\(one.label)")
                }
            }
        }

        // MARK: - Envelopes

        private static let names = [
            HeaderName.id, HeaderName.type, HeaderName.dataSchema, HeaderName.subject, HeaderName.time,
            HeaderName.attempt,
            HeaderName.firstFailedAt, HeaderName.failedAt, HeaderName.errorClass, HeaderName.errorCode,
            HeaderName.errorMessage, HeaderName.fingerprint, HeaderName.replayID, HeaderName.traceParent, "x-death",
            "x-first-death-reason", "x-delivery-count", "cloudEvents:id", "cloudEvents:type", "cloudEvents:dataschema",
        ]

        private static func value(_ one: inout FuzzCase, depth: Int = 0) -> HeaderValue {
            let text = String(decoding: one.random.spoilt(one.bytes, corpus: [one.bytes]).prefix(600), as: UTF8.self)
            switch one.random.below(depth > 3 ? 6 : 10) {
            case 0: return .integer(one.random.pick([.min, -1, 0, 1, 3, .max], or: 0))
            case 1: return .timestamp(one.random.pick([.distantPast, .distantFuture, Date()], or: Date()))
            case 2: return .bytes(one.bytes)
            case 3: return .double(one.random.pick([.nan, .infinity, 1e308], or: 0))
            case 4: return one.random.once(in: 2) ? .void : .boolean(true)
            case 5: return .string(text)
            case 6: return .array([value(&one, depth: depth + 1), value(&one, depth: depth + 1)])
            case 7: return .table(["reason": value(&one, depth: depth + 1), "time": value(&one, depth: depth + 1)])
            case 8:
                return .array([.table(["reason": .string("delivery_limit"), "time": value(&one, depth: depth + 1)])])
            default: return .string(text)
            }
        }

        private static let good: [String: HeaderValue] = [
            HeaderName.type: "stock.held", HeaderName.dataSchema: "urn:stockbridge:stock.held:1",
            HeaderName.subject: "erp",
            HeaderName.time: "2026-11-20T23:02:11.250Z", HeaderName.errorCode: "payload.invalid",
        ]

        @Test func `envelopes, with anything in their headers`() async throws {
            let corpus = Fuzz.bytes([
                "0192a3b4-c5d6-47e8-89fa-abbccddeeff0", "stock.held", "urn:stockbridge:stock.held:1", "permanent",
                "2026-11-20T23:02:11.250Z", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "hanoi:10231",
            ])
            let body = try Fuzz.file("Tests/Contract/Events/Golden/stock.held.json")
            try await Fuzz.run("envelope", corpus: corpus, cases: 600) { one in
                var headers = one.random.once(in: 3) ? [:] : Self.good
                for _ in 0..<one.random.below(6) {
                    headers[one.random.pick(Self.names, or: "x")] = Self.value(&one)
                }
                let id = one.random.once(in: 3) ? one.text : "0192a3b4-c5d6-47e8-89fa-abbccddeeff0"
                let delivery = Delivery(
                    tag: DeliveryTag(session: 1, number: 1), exchange: "e", routingKey: String(one.text.prefix(200)),
                    properties: MessageProperties(
                        messageID: id, correlationID: one.random.once(in: 3) ? one.text : nil,
                        timestamp: one.random.pick([.distantPast, .distantFuture, nil], or: nil), headers: headers),
                    body: one.random.once(in: 2) ? body : one.random.spoilt(body, corpus: [body]))
                Self.checkIncoming(delivery, one.label)
                Self.checkDead(delivery, one.label)
            }
        }

        private static func checkIncoming(_ delivery: Delivery, _ label: String) {
            do throws(FailureReason) {
                let message = try IncomingMessage(delivery, queue: "q")
                #expect(message.attempt >= 1, "\(label)")
                #expect(EventTime.parse(EventTime.text(message.occurredAt)) != nil, "\(label): \(message.occurredAt)")
                let event = try message.event(StockHeld.self)
                #expect(event.id == message.id, "\(label)")
            } catch {
                #expect(error.failureClass == .permanent && error.message.count < 1_000, "\(label): \(error.code)")
            }
        }

        private static func checkDead(_ delivery: Delivery, _ label: String) {
            let letter = DeadLetterEnvelope(delivery, service: .notifier)
            #expect((1...Int(Int32.max)).contains(letter.attempts), "\(label): \(letter.attempts)")
            #expect(!letter.reason.code.isEmpty && !letter.fingerprint.isEmpty, "\(label)")
            for date in [letter.firstFailedAt, letter.failedAt, letter.properties.timestamp].compactMap({ $0 }) {
                #expect(UTCTimestamp.parse(UTCTimestamp.format(date)) != nil, "\(label)")
            }
            let message = ReplayMessage.make(
                letter.properties, body: delivery.body, queue: letter.queue, of: .notifier, replayID: "job-1")
            #expect(message.properties.headers.keys.allSatisfy { !HeaderName.belongsToBroker($0) }, "\(label)")
            #expect(message.properties.headers[HeaderName.replayID] == "job-1", "\(label)")
        }
    }
}
