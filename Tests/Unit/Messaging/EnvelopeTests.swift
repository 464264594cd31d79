import Contracts
import Foundation
import Logging
import RabbitMQ
import Testing

@testable import Messaging

struct Ping: EventPayload, Equatable {
    static let type = EventType("test.ping", 2, 1)
    var text: String
}

@Suite("The envelope survives its way")
struct EnvelopeTests {
    private let time = Date(timeIntervalSince1970: 1_795_000_000.25)

    private func delivery(_ message: OutgoingMessage) -> Delivery {
        Delivery(
            tag: DeliveryTag(session: 1, number: 1), redelivered: false, exchange: message.exchange,
            routingKey: message.routingKey, properties: message.properties, body: message.body)
    }

    private func outgoing(_ subject: String = "SKU-1") throws -> OutgoingMessage {
        let event = Event(Ping(text: "xin chào"), subject: subject, correlation: "run 7", occurredAt: time)
        return try OutboxMessage(event, from: .stockIngestor).outgoing
    }

    @Test func whatIsSentIsRead() throws {
        let sent = try outgoing()
        let message = try IncomingMessage(delivery(sent), queue: "q")
        let event = try message.event(Ping.self)
        #expect(sent.exchange == "stockbridge.events" && sent.routingKey == "test.ping" && sent.mandatory)
        #expect(sent.properties.persistent && sent.properties.contentType == "application/json")
        #expect(event.payload == Ping(text: "xin chào"))
        #expect(event.subject == "SKU-1" && event.correlation == "run 7" && event.occurredAt == time)
        #expect(event.attempt == 1 && event.replayID == nil)
        #expect(event.id.uuidString.lowercased() == sent.properties.messageID)
    }

    @Test func anEventThatReachedNobodyIsSentAgainAsItWasWithoutWhatTheBrokerAdded() throws {
        let sent = try outgoing()
        var found = delivery(sent)
        var properties = found.properties
        for name in ["x-death", "x-first-death-queue", "x-last-death-reason", "x-delivery-count", "x-acquired-count"] {
            properties.headers[name] = .string("the broker's")
        }
        properties.persistent = false
        found = Delivery(
            tag: found.tag, redelivered: true, exchange: found.exchange, routingKey: found.routingKey,
            properties: properties, body: found.body)
        let again = ResentEvent.make(found)
        #expect(again.properties == sent.properties && again.body == sent.body)
        #expect(again.exchange == sent.exchange && again.routingKey == sent.routingKey && again.mandatory)
    }

    @Test func aDeadLetterWithImpossibleHeadersStillSaysWhatATableCanKeep() throws {
        var sent = try outgoing()
        sent.properties.headers["stockbridge-attempt"] = .integer(.max)
        sent.properties.headers["stockbridge-error-code"] = ""
        sent.properties.headers["stockbridge-fingerprint"] = ""
        let letter = DeadLetterEnvelope(delivery(sent), service: .notifier)
        #expect(letter.attempts == Int(Int32.max) && letter.reason.code == "unknown")
        #expect(letter.fingerprint == "test.ping|test.ping|unknown")
    }

    @Test func aLineBreakInASubjectCannotForgeAHeader() throws {
        let sent = try outgoing("SKU\nstockbridge-replay-id\tforged")
        #expect(sent.properties.headers["stockbridge-replay-id"] == nil)
    }

    @Test func bothSpellingsOfCloudEventsAreRead() throws {
        var sent = try outgoing()
        sent.properties.headers = Dictionary(
            uniqueKeysWithValues: sent.properties.headers.map { name, value in
                (name.replacing("cloudEvents_", with: "cloudEvents:"), value)
            })
        #expect(try IncomingMessage(delivery(sent), queue: "q").type == "test.ping")
    }

    @Test func anUnknownMajorVersionIsAPermanentFailure() throws {
        var sent = try outgoing()
        sent.properties.headers["cloudEvents_dataschema"] = .string("urn:stockbridge:test.ping:3")
        let message = try IncomingMessage(delivery(sent), queue: "q")
        let failure = #expect(throws: FailureReason.self) { try message.event(Ping.self) }
        #expect(failure?.failureClass == .permanent && failure?.code == "envelope.major_version")
    }

    @Test(arguments: ["message-id", "type", "schema"])
    func aMessageWithoutIdentityIsAPermanentFailure(missing: String) throws {
        var sent = try outgoing()
        switch missing {
        case "message-id":
            sent.properties.messageID = "not a uuid"
        case "type": sent.properties.headers["cloudEvents_type"] = nil
        default: sent.properties.headers["cloudEvents_dataschema"] = nil
        }
        let failure = #expect(throws: FailureReason.self) { try IncomingMessage(delivery(sent), queue: "q") }
        #expect(failure?.failureClass == .permanent)
    }

    @Test func aBodyThatIsNotThePayloadSaysWhereWithoutQuotingIt() throws {
        var sent = try outgoing()
        sent.body = Array(#"{"text": 5, "secret": "hunter2"}"#.utf8)
        let message = try IncomingMessage(delivery(sent), queue: "q")
        let failure = #expect(throws: FailureReason.self) { try message.event(Ping.self) }
        #expect(failure?.code == "payload.invalid")
        #expect(failure?.message.contains("text") == true && failure?.message.contains("hunter2") == false)
    }

    @Test func anEventCausedByAnotherStaysInItsTraceAndRun() {
        let first = Event(Ping(text: "a"), subject: "s", correlation: "run 1", occurredAt: time)
        let next = first.causing(Ping(text: "b"), subject: "t", at: time)
        #expect(next.correlation == "run 1" && next.id != first.id)
        #expect(next.trace.parent.split(separator: "-")[1] == first.trace.parent.split(separator: "-")[1])
        #expect(next.trace.parent != first.trace.parent)
    }
}

@Suite("Copies for retries and dead letters")
struct SettlerTests {
    private let settler = Settler(
        service: ServiceDescription(name: .notifier, queues: [], tiers: RetryTier.standard, publishes: []),
        publisher: Publisher(
            BrokerConfiguration(
                host: "127.0.0.1", port: 1, virtualHost: "/", user: "u", password: "p", connectionName: "test")),
        stop: StopSignal(), logger: Logger(label: "test"), now: { Date(timeIntervalSince1970: 0) })

    private let delivery = Delivery(
        tag: DeliveryTag(session: 1, number: 1), redelivered: true, exchange: "stockbridge.events",
        routingKey: "alert.raised",
        properties: MessageProperties(
            messageID: "id",
            headers: [
                "x-death": .array([.table(["count": .integer(3)])]), "x-first-death-queue": .string("q"),
                "x-last-death-reason": .string("expired"), "x-delivery-count": .integer(4),
                "cloudEvents_type": .string("alert.raised"), "stockbridge-attempt": .integer(2),
            ]), body: [1, 2, 3])

    @Test func whatTheBrokerWroteIsNotPublishedAgain() {
        let copy = settler.retry(of: delivery, queue: "notifier", tier: RetryTier.standard[0], attempt: 3)
        #expect(!copy.properties.headers.keys.contains { $0.hasPrefix("x-") })
        #expect(copy.properties.headers["stockbridge-attempt"] == .integer(3))
        #expect(copy.properties.messageID == "id" && copy.body == [1, 2, 3])
    }

    @Test func aRetryReturnsToItsQueueAndWaitsNoLongerThanItsTier() {
        for _ in 0..<200 {
            let copy = settler.retry(of: delivery, queue: "notifier", tier: RetryTier.standard[0], attempt: 3)
            #expect(copy.exchange == "notifier.retry.5s" && copy.routingKey == "notifier")
            let expiration = copy.properties.expirationMilliseconds ?? 0
            #expect((3_500...5_000).contains(expiration))
        }
    }

    @Test(arguments: [(0.0, 5_000), (0.9, 500)])
    func jitterTakesOffNoMoreThanThePolicySays(jitter: Double, shortest: Int) {
        var settler = settler
        settler.jitter = jitter
        for _ in 0..<200 {
            let copy = settler.retry(of: delivery, queue: "notifier", tier: RetryTier.standard[0], attempt: 3)
            #expect((shortest...5_000).contains(copy.properties.expirationMilliseconds ?? 0))
        }
    }

    @Test func aDeadLetterSaysWhyAndKeepsWhereItCameFrom() {
        let reason = FailureReason(.permanent, code: "payload.invalid", message: String(repeating: "x", count: 9_000))
        let copy = settler.dead(of: delivery, queue: "notifier", reason: reason)
        let headers = copy.properties.headers
        #expect(copy.exchange == "notifier.dead" && copy.routingKey == "notifier")
        #expect(headers["stockbridge-error-class"] == .string("permanent"))
        #expect(headers["stockbridge-fingerprint"] == .string("notifier|alert.raised|payload.invalid"))
        #expect(headers["stockbridge-origin-key"] == .string("alert.raised"))
        #expect(headers["stockbridge-error-message"] == .string(String(repeating: "x", count: 2_000)))
    }
}
