import Contracts
import Foundation
import RabbitMQ
import Testing

@testable import Messaging

@Suite("What no consumer can do is refused before anybody works on it")
struct PoisonTests {
    private func message(_ body: [UInt8], _ change: (inout MessageProperties) -> Void = { _ in }) throws
        -> IncomingMessage
    {
        let event = Event(
            Ping(text: "x"), subject: "SKU-1", correlation: "run 7", occurredAt: Date(timeIntervalSince1970: 1))
        var sent = try OutboxMessage(event, from: .stockIngestor).outgoing
        change(&sent.properties)
        return try IncomingMessage(
            Delivery(
                tag: DeliveryTag(session: 1, number: 1), exchange: sent.exchange, routingKey: sent.routingKey,
                properties: sent.properties, body: body), queue: "q")
    }

    private func code(of body: [UInt8]) throws -> String? {
        let message = try message(body)
        return #expect(throws: FailureReason.self) { try message.event(Ping.self) }?.code
    }

    @Test func aBodyOfTwentyMegabytesIsTooLarge() throws {
        let body = Array(#"{"text":""#.utf8) + [UInt8](repeating: 0x61, count: 20_000_000) + Array(#""}"#.utf8)
        #expect(try code(of: body) == "payload.too_large")
    }

    @Test(arguments: ["[", #"{"text":"#])
    func deepNestingIsNoReasonToDie(_ part: String) async throws {
        let body = Array(String(repeating: part, count: 100_000).utf8)
        #expect(try code(of: body) == "payload.invalid")
        #expect(PayloadCatalogue.keys(dataSchema: nil, body: body) == BusinessKeys())
    }

    @Test("Five hundred levels, which the decoder takes, fit on the stack of any thread")
    func nestingThatIsAccepted() async throws {
        let text = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        let value = try await Task.detached { try ContractCoding.decode(JSONValue.self, from: Array(text.utf8)) }.value
        #expect(value.array?.count == 1)
    }

    @Test func aZeroByteInATextIsRefusedAndABackslashBeforeItIsNot() throws {
        #expect(try code(of: Array(#"{"text":"a\u0000b"}"#.utf8)) == "payload.zero_byte")
        #expect(try code(of: Array(#"{"text":"\\\u0000"}"#.utf8)) == "payload.zero_byte")
        #expect(try code(of: Array("{\"text\":\"a\0b\"}".utf8)) == "payload.invalid")
        let text = try message(Array(#"{"text":"\\u0000 \u0001"}"#.utf8)).event(Ping.self).payload.text
        #expect(text == "\\u0000 \u{1}")
    }

    @Test func aZeroByteInTheEnvelopeIsRefused() throws {
        let changes: [(inout MessageProperties) -> Void] = [
            { $0.correlationID = "a\0b" }, { $0.headers["cloudEvents_subject"] = "a\0b" },
            { $0.headers["traceparent"] = "a\0b" }, { $0.headers["cloudEvents_type"] = "a\0b" },
        ]
        for change in changes {
            let problem = #expect(throws: FailureReason.self) { try message(Array(#"{"text":"x"}"#.utf8), change) }
            #expect(problem?.code == "envelope.zero_byte" && problem?.failureClass == .permanent)
        }
    }

    @Test func headersThatAreNoTextAreMissing() throws {
        for value in [HeaderValue.integer(7), .bytes([0xff]), .table(["a": 1]), .array([.void]), .void] {
            let problem = #expect(throws: FailureReason.self) {
                try message([]) { $0.headers["cloudEvents_dataschema"] = value }
            }
            #expect(problem?.code == "envelope.type")
        }
    }
}
