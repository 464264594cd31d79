import Foundation
import RabbitMQ
import Testing

extension BrokerTests {
    @Suite struct Publishing {
        @Test func `a message to an existing queue is confirmed`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let publisher = Publisher(scratch.configuration())
                #expect(try await publisher.publish([.to("q")]) == [.confirmed])
                await publisher.close()
                #expect(try await scratch.ready("q", expecting: 1) == 1)
            }
        }

        @Test func `more messages than the window are all confirmed`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let publisher = Publisher(scratch.configuration(), maximumInFlight: 64)
                let outcomes = try await publisher.publish((0..<3000).map { .to("q", "\($0)") })
                #expect(outcomes.count == 3000 && outcomes.allSatisfy { $0 == .confirmed })
                await publisher.close()
                #expect(try await scratch.ready("q", expecting: 3000) == 3000)
            }
        }

        @Test func `many tasks share one publisher`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let publisher = Publisher(scratch.configuration())
                try await withThrowingTaskGroup(of: [PublishOutcome].self) { group in
                    for task in 0..<50 {
                        group.addTask { try await publisher.publish((0..<7).map { .to("q", "\(task).\($0)") }) }
                    }
                    for try await outcomes in group { #expect(outcomes == Array(repeating: .confirmed, count: 7)) }
                }
                await publisher.close()
                #expect(try await scratch.ready("q", expecting: 350) == 350)
            }
        }

        @Test func `a mandatory message nobody takes comes back, and only that one`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let publisher = Publisher(scratch.configuration())
                var large = OutgoingMessage.to("nowhere", "large")
                large.body = Array(repeating: 7, count: 300_000)
                var ignored = OutgoingMessage.to("nowhere", "ignored")
                ignored.mandatory = false
                let outcomes = try await publisher.publish(
                    [.to("q", "a"), .to("nowhere", "b"), .to("q", "c"), large, ignored, .to("nowhere", "b")])
                let returned = PublishOutcome.returned(code: 312, text: "NO_ROUTE")
                #expect(outcomes == [.confirmed, returned, .confirmed, returned, .confirmed, returned])
                await publisher.close()
            }
        }

        @Test func `a message to a missing exchange is not confirmed, and the publisher goes on`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let publisher = Publisher(scratch.configuration())
                var lost = OutgoingMessage.to("q")
                lost.exchange = "missing"
                let outcomes = try await publisher.publish([lost])
                guard case .unconfirmed(.refused(404, _, .confirm)) = outcomes.first else {
                    Issue.record("expected unconfirmed with 404, found \(outcomes)")
                    return
                }
                #expect(try await publisher.publish([.to("q")]) == [.confirmed])
                await publisher.close()
            }
        }

        @Test func `an exchange deleted between two publishes is noticed`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let topology = TopologySession(scratch.configuration())
                try await topology.declareExchange("events", kind: .topic)
                try await topology.bindQueue("q", exchange: "events", routingKey: "a.#")
                let publisher = Publisher(scratch.configuration())
                let message = OutgoingMessage(exchange: "events", routingKey: "a.b", body: [1])
                #expect(try await publisher.publish([message]) == [.confirmed])
                try await topology.deleteExchange("events")
                let outcomes = try await publisher.publish(Array(repeating: message, count: 20))
                #expect(!outcomes.contains(.confirmed))
                await publisher.close()
                await topology.close()
            }
        }

        @Test func `a full queue that rejects nacks`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q", ["x-max-length": 1, "x-overflow": "reject-publish"])
                let publisher = Publisher(scratch.configuration())
                // A quorum queue lets a few more in than its limit while they are on their way.
                let nacked = try await eventually {
                    try await publisher.publish([.to("q")]) == [.nacked]
                }
                #expect(nacked)
                await publisher.close()
            }
        }

        @Test func `headers beyond 32 KiB are refused before anything is sent`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let publisher = Publisher(scratch.configuration())
                var message = OutgoingMessage.to("q")
                // Table length 4, name 1 + 1, type 1, length 4.
                message.properties.headers = ["t": .string(String(repeating: "x", count: HeaderSize.limit - 11))]
                #expect(try await publisher.publish([message]) == [.confirmed])
                message.properties.headers = ["t": .string(String(repeating: "x", count: HeaderSize.limit - 10))]
                await #expect(throws: BrokerError.headersTooLarge(bytes: HeaderSize.limit + 1)) {
                    _ = try await publisher.publish([.to("q"), message])
                }
                #expect(try await publisher.publish([.to("q")]) == [.confirmed])
                await publisher.close()
                #expect(try await scratch.ready("q", expecting: 2) == 2)
            }
        }

        @Test func `names longer than the protocol allows are refused`() async throws {
            try await ScratchBroker.with { scratch in
                let publisher = Publisher(scratch.configuration())
                let message = OutgoingMessage.to(String(repeating: "k", count: 256))
                await #expect(throws: BrokerError.fieldTooLong(field: "routing key", bytes: 256)) {
                    _ = try await publisher.publish([message])
                }
                await publisher.close()
            }
        }

        @Test func `a closed publisher says so`() async throws {
            try await ScratchBroker.with { scratch in
                let publisher = Publisher(scratch.configuration())
                await publisher.close()
                await #expect(throws: BrokerError.closed) { _ = try await publisher.publish([.to("q")]) }
            }
        }
    }
}
