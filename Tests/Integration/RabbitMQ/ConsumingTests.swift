import Foundation
import RabbitMQ
import Testing

extension BrokerTests {
    @Suite struct Consuming {
        @Test func `deliveries come in order and leave the queue when acknowledged`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                try await scratch.fill("q", 500)
                let consumer = Consumer(scratch.configuration(), queue: "q", prefetch: 100)
                var texts: [String] = []
                while texts.count < 500 {
                    let batch = try await consumer.next(atMost: 70, within: .seconds(5), linger: .milliseconds(5))
                    try #require(!batch.isEmpty)
                    #expect(batch.count <= 70)
                    texts += batch.map(\.text)
                    try await consumer.ack(batch.map(\.tag))
                }
                #expect(texts == (0..<500).map(String.init))
                #expect(try await consumer.next(atMost: 10, within: .milliseconds(50)).isEmpty)
                await consumer.close()
                #expect(try await scratch.ready("q", expecting: 0) == 0)
            }
        }

        @Test func `what is not acknowledged comes back, what is acknowledged out of order does not`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                try await scratch.fill("q", 10)
                let consumer = Consumer(scratch.configuration(), queue: "q", prefetch: 10)
                let batch = try await consumer.take(10)
                // 0 and 1 are a prefix, 3 and 7 are not; a second ack of 3 must not reach the broker.
                try await consumer.ack([0, 1, 3, 7].map { batch[$0].tag })
                try await consumer.ack([batch[3].tag])
                await consumer.close()
                let again = Consumer(scratch.configuration(), queue: "q", prefetch: 10)
                let rest = try await again.take(6)
                #expect(rest.map(\.text) == ["2", "4", "5", "6", "8", "9"])
                #expect(rest.allSatisfy { $0.redelivered })
                await again.close()
            }
        }

        @Test func `a linger collects a batch and does not outlast the limit`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let consumer = Consumer(scratch.configuration(), queue: "q", prefetch: 100)
                async let batch = consumer.next(atMost: 2, within: .seconds(10), linger: .seconds(10))
                try await scratch.fill("q", 1)
                try await scratch.fill("q", 1)
                #expect(try await batch.count == 2)
                await consumer.close()
            }
        }

        @Test func `settling does not wait for a long wait for deliveries`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                try await scratch.fill("q", 1)
                let consumer = Consumer(scratch.configuration(), queue: "q", prefetch: 10)
                let first = try await consumer.take(1)
                let waiting = Task { try await consumer.next(atMost: 1, within: .seconds(120)) }
                let start = ContinuousClock.now
                try await consumer.ack(first.map(\.tag))
                #expect(start.duration(to: .now) < .seconds(60))
                await consumer.cancel()
                #expect(try await waiting.value.isEmpty)
                #expect(start.duration(to: .now) < .seconds(60))
                await consumer.close()
            }
        }

        @Test func `cancel gives back what nobody took, and the next call subscribes again`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                try await scratch.fill("q", 20)
                let consumer = Consumer(scratch.configuration(), queue: "q", prefetch: 20)
                let first = try await consumer.take(5)
                await consumer.cancel()
                #expect(try await scratch.ready("q", expecting: 15) == 15)
                try await consumer.ack(first.map(\.tag))
                let rest = try await consumer.take(15)
                try await consumer.ack(rest.map(\.tag))
                #expect(Set(rest.map(\.text)) == Set((5..<20).map(String.init)))
                await consumer.close()
                #expect(try await scratch.ready("q", expecting: 0) == 0)
            }
        }

        @Test func `reject dead-letters and giving back returns`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("dead")
                try await scratch.declare("q", ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"])
                try await scratch.fill("q", 2)
                let consumer = Consumer(scratch.configuration(), queue: "q", prefetch: 2)
                let batch = try await consumer.take(2)
                try await consumer.reject(batch[0].tag)
                #expect(try await scratch.ready("dead", expecting: 1) == 1)
                try await consumer.giveBack([batch[1].tag])
                let again = try await consumer.take(1)
                #expect(again.first?.text == "1" && again.first?.redelivered == true)
                #expect(again.first?.properties.headers["x-delivery-count"] == 1)
                await consumer.close()
            }
        }

        @Test func `every property and kind of header survives the way`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let properties = MessageProperties(
                    contentType: "application/json", messageID: "id", correlationID: "run", type: "kind",
                    appID: "app", timestamp: Date(timeIntervalSince1970: 1_700_000_000),
                    expirationMilliseconds: 600_000, persistent: true,
                    headers: [
                        "string": "Hàng hóa", "empty": "", "integer": .integer(.min), "boolean": false,
                        "double": .double(-0.125), "timestamp": .timestamp(Date(timeIntervalSince1970: 1)),
                        "bytes": .bytes([0, 255, 128]), "void": .void,
                        "table": .table(["a": 1, "b": .table(["c": "d"]), "e": .table([:])]),
                        "array": .array([1, "two", .array([.void]), .table(["x": true])]), "list": .array([]),
                    ])
                let body = (0..<400_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
                let publisher = Publisher(scratch.configuration())
                var message = OutgoingMessage(exchange: "", routingKey: "q", properties: properties, body: body)
                #expect(try await publisher.publish([message]) == [.confirmed])
                message.body = []
                message.properties = MessageProperties(persistent: false)
                #expect(try await publisher.publish([message]) == [.confirmed])
                await publisher.close()
                let consumer = Consumer(scratch.configuration(), queue: "q", prefetch: 2)
                let batch = try await consumer.take(2)
                #expect(batch[0].properties == properties)
                #expect(batch[0].body == body)
                #expect(batch[0].exchange == "" && batch[0].routingKey == "q" && !batch[0].redelivered)
                #expect(batch[1].body == [] && batch[1].properties == MessageProperties(persistent: false))
                await consumer.close()
            }
        }

        @Test func `the broker's history of an expired message can be read`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                try await scratch.declare(
                    "tier",
                    ["x-message-ttl": 20, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "q"])
                try await scratch.fill("tier", 1)
                let consumer = Consumer(scratch.configuration(), queue: "q", prefetch: 1)
                let headers = try await consumer.take(1)[0].properties.headers
                guard case .array(let deaths)? = headers["x-death"], case .table(let death)? = deaths.first else {
                    Issue.record("no x-death table in \(headers)")
                    return
                }
                #expect(death["queue"] == "tier" && death["reason"] == "expired" && death["count"] == 1)
                #expect(death["routing-keys"] == .array(["tier"]))
                guard case .timestamp? = death["time"] else {
                    Issue.record("x-death has no time")
                    return
                }
                #expect(headers["x-first-death-queue"] == "tier")
                await consumer.close()
            }
        }
    }
}

extension Consumer {
    /// Exactly `count` deliveries, waiting up to ten seconds for each part of them.
    func take(_ count: Int) async throws -> [Delivery] {
        var taken: [Delivery] = []
        while taken.count < count {
            let batch = try await next(atMost: count - taken.count, within: .seconds(10))
            if batch.isEmpty { throw TestProblem("only \(taken.count) of \(count) deliveries came") }
            taken += batch
        }
        return taken
    }
}
