import Foundation
import RabbitMQ
import Testing

extension BrokerTests {
    @Suite struct Failures {
        private let quick = Publisher.Limits(
            confirmTimeoutSeconds: 5, blockedWaitSeconds: 0.5, firstReconnectDelaySeconds: 0.05,
            longestReconnectDelaySeconds: 0.2)

        @Test func `a connection cut before the confirm is unconfirmed, and the publisher reconnects`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let proxy = try TCPProxy(to: scratch.port)
                defer { proxy.stop() }
                let publisher = Publisher(scratch.configuration(port: proxy.port), limits: quick)
                #expect(try await publisher.publish([.to("q")]) == [.confirmed])
                proxy.set(.swallowAnswers)
                async let lost = publisher.publish([.to("q", "a"), .to("q", "b")])
                // The broker has both messages; only its answer is missing.
                #expect(try await scratch.ready("q", expecting: 3) == 3)
                proxy.cut()
                proxy.set(.forward)
                for outcome in try await lost {
                    guard case .unconfirmed(.connectionLost) = outcome else {
                        Issue.record("expected unconfirmed, found \(outcome)")
                        continue
                    }
                }
                #expect(try await publisher.publish([.to("q")]) == [.confirmed])
                #expect(proxy.accepted == 2)
                await publisher.close()
            }
        }

        @Test func `a half-open link does not hold publishing for ever`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let proxy = try TCPProxy(to: scratch.port)
                defer { proxy.stop() }
                let configuration = scratch.configuration(port: proxy.port, heartbeatSeconds: 1)
                let publisher = Publisher(configuration, limits: quick)
                #expect(try await publisher.publish([.to("q")]) == [.confirmed])
                proxy.set(.freeze)
                var message = OutgoingMessage.to("q")
                message.body = Array(repeating: 1, count: 1_000_000)
                let start = ContinuousClock.now
                // Far more than all socket buffers on the way hold.
                let outcomes = try await publisher.publish(Array(repeating: message, count: 30))
                #expect(start.duration(to: .now) < .seconds(20))
                #expect(outcomes.count == 30 && !outcomes.contains(.confirmed))
                proxy.cut()
                proxy.set(.forward)
                #expect(try await publisher.publish([.to("q")]) == [.confirmed])
                await publisher.close()
            }
        }

        @Test func `an idle publisher says when its broker is gone, and comes back by itself`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let proxy = try TCPProxy(to: scratch.port)
                defer { proxy.stop() }
                var configuration = scratch.configuration(port: proxy.port, heartbeatSeconds: 1)
                configuration.connectTimeoutSeconds = 1
                let publisher = Publisher(configuration, limits: quick)
                #expect(try await publisher.publish([.to("q")]) == [.confirmed])
                #expect(publisher.connectionProblem == nil)
                proxy.set(.freeze)
                let limit = ContinuousClock.now + .seconds(20)
                while publisher.connectionProblem == nil, .now < limit { try await Task.sleep(for: .milliseconds(20)) }
                #expect(publisher.connectionProblem != nil)
                proxy.cut()
                proxy.set(.forward)
                while publisher.connectionProblem != nil, .now < limit { try await Task.sleep(for: .milliseconds(20)) }
                #expect(publisher.connectionProblem == nil)
                await publisher.close()
            }
        }

        @Test func `a silent broker is noticed by an idle consumer through missing heartbeats`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let proxy = try TCPProxy(to: scratch.port)
                defer { proxy.stop() }
                let configuration = scratch.configuration(port: proxy.port, heartbeatSeconds: 1)
                let consumer = Consumer(configuration, queue: "q", prefetch: 10)
                #expect(try await consumer.next(atMost: 1, within: .milliseconds(50)).isEmpty)
                proxy.set(.freeze)
                let error = await #expect(throws: BrokerError.self) {
                    _ = try await consumer.next(atMost: 1, within: .seconds(30))
                }
                guard case .connectionLost? = error else {
                    Issue.record("expected connectionLost, found \(String(describing: error))")
                    return
                }
                proxy.cut()
                proxy.set(.forward)
                try await scratch.fill("q", 1)
                #expect(try await consumer.take(1).count == 1)
                await consumer.close()
            }
        }

        @Test func `connections stay up while nobody uses them`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let proxy = try TCPProxy(to: scratch.port)
                defer { proxy.stop() }
                let configuration = scratch.configuration(port: proxy.port, heartbeatSeconds: 1)
                let publisher = Publisher(configuration)
                let consumer = Consumer(configuration, queue: "q", prefetch: 10)
                #expect(try await publisher.publish([.to("q")]) == [.confirmed])
                let batch = try await consumer.take(1)
                // Longer than the broker and the library tolerate without heartbeats.
                try await Task.sleep(for: .seconds(5))
                try await consumer.ack(batch.map(\.tag))
                #expect(try await publisher.publish([.to("q")]) == [.confirmed])
                #expect(try await consumer.take(1).count == 1)
                #expect(proxy.accepted == 2)
                await publisher.close()
                await consumer.close()
            }
        }

        @Test func `a queue deleted under its consumer is reported once`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let consumer = Consumer(scratch.configuration(), queue: "q", prefetch: 10)
                #expect(try await consumer.next(atMost: 1, within: .milliseconds(50)).isEmpty)
                let topology = TopologySession(scratch.configuration())
                try await topology.deleteQueue("q")
                await topology.close()
                await #expect(throws: BrokerError.consumerCancelled(queue: "q")) {
                    _ = try await consumer.next(atMost: 1, within: .seconds(10))
                }
                let error = await #expect(throws: BrokerError.self) {
                    _ = try await consumer.next(atMost: 1, within: .seconds(10))
                }
                guard case .refused(404, _, .consume)? = error else {
                    Issue.record("expected a 404, found \(String(describing: error))")
                    return
                }
                try await scratch.declare("q")
                try await scratch.fill("q", 1)
                #expect(try await consumer.take(1).count == 1)
                await consumer.close()
            }
        }

        @Test func `a tag of a lost connection is never acknowledged on the next one`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                try await scratch.fill("q", 3)
                let proxy = try TCPProxy(to: scratch.port)
                defer { proxy.stop() }
                let consumer = Consumer(scratch.configuration(port: proxy.port), queue: "q", prefetch: 3)
                let old = try await consumer.take(3)
                proxy.cut()
                let error = await #expect(throws: BrokerError.self) {
                    _ = try await consumer.next(atMost: 1, within: .seconds(10))
                }
                guard case .connectionLost? = error else {
                    Issue.record("expected connectionLost, found \(String(describing: error))")
                    return
                }
                await #expect(throws: BrokerError.staleTag) { try await consumer.ack(old.map(\.tag)) }
                let new = try await consumer.take(3)
                #expect(new.map(\.text) == ["0", "1", "2"])
                // The numbers are the same as before; only the session tells them apart.
                await #expect(throws: BrokerError.staleTag) { try await consumer.ack([old[0].tag, new[2].tag]) }
                await consumer.close()
                #expect(try await scratch.ready("q", expecting: 2) == 2)
            }
        }

        @Test func `connections closed by the broker come back by themselves`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let publisher = Publisher(scratch.configuration(), limits: quick)
                let consumer = Consumer(scratch.configuration(), queue: "q", prefetch: 10)
                let topology = TopologySession(scratch.configuration())
                try await topology.connect()
                #expect(try await publisher.publish([.to("q", "a")]) == [.confirmed])
                let first = try await consumer.take(1)
                try await ScratchBroker.control("close_all_connections", "--vhost", scratch.virtualHost, "test")
                let error = await #expect(throws: BrokerError.self) {
                    _ = try await consumer.next(atMost: 1, within: .seconds(10))
                }
                guard case .connectionLost(_, let detail)? = error else {
                    Issue.record("expected connectionLost, found \(String(describing: error))")
                    return
                }
                #expect(detail.contains("320"))
                await #expect(throws: BrokerError.staleTag) { try await consumer.ack(first.map(\.tag)) }
                // Messages published on the dead connection are unconfirmed; then it is a new one.
                #expect(try await eventually { try await publisher.publish([.to("q", "b")]) == [.confirmed] })
                #expect(try await consumer.take(2).count == 2)
                #expect(try await eventually { (try? await topology.checkQueue("q")) != nil })
                await publisher.close()
                await consumer.close()
                await topology.close()
            }
        }
    }
}
