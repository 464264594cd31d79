import RabbitMQ
import Testing

extension BrokerTests {
    @Suite struct Topology {
        @Test func `exchanges, queues and bindings route, and what nothing takes goes to the alternate`() async throws {
            try await ScratchBroker.with { scratch in
                let session = TopologySession(scratch.configuration())
                try await session.declareExchange("unrouted", kind: .fanout)
                try await session.declareExchange(
                    "events", kind: .topic, arguments: ["alternate-exchange": "unrouted"])
                let limits: [String: HeaderValue] = ["x-queue-type": "quorum", "x-delivery-limit": 20]
                #expect(try await session.declareQueue("q", arguments: limits) == .init(messages: 0, consumers: 0))
                try await session.declareQueue("lost", arguments: limits)
                try await session.bindQueue("lost", exchange: "unrouted")
                try await session.bindQueue("q", exchange: "events", routingKey: "stock.*")
                let publisher = Publisher(scratch.configuration())
                let keys = ["stock.low", "order.created", "stock.high"]
                let outcomes = try await publisher.publish(
                    keys.map { OutgoingMessage(exchange: "events", routingKey: $0, body: [1]) })
                #expect(outcomes == [.confirmed, .confirmed, .confirmed])
                await publisher.close()
                #expect(try await scratch.ready("q", expecting: 2) == 2)
                #expect(try await scratch.ready("lost", expecting: 1) == 1)
                #expect(try await session.purgeQueue("q") == 2)
                #expect(try await session.deleteQueue("lost") == 1)
                try await session.unbindQueue("q", exchange: "events", routingKey: "stock.*")
                await session.close()
            }
        }

        @Test func `declaring the same again is fine, with another argument it is refused, and work goes on`()
            async throws
        {
            try await ScratchBroker.with { scratch in
                let session = TopologySession(scratch.configuration())
                let arguments: [String: HeaderValue] = ["x-queue-type": "quorum", "x-message-ttl": 5000]
                try await session.declareQueue("q", arguments: arguments)
                try await session.declareQueue("q", arguments: arguments)
                let error = await #expect(throws: BrokerError.self) {
                    try await session.declareQueue(
                        "q", arguments: ["x-queue-type": "quorum", "x-message-ttl": 6000])
                }
                guard case .refused(406, let text, .declareQueue)? = error else {
                    Issue.record("expected a 406, found \(String(describing: error))")
                    return
                }
                #expect(text.contains("x-message-ttl"))
                #expect(try await session.checkQueue("q").messages == 0)
                await session.close()
            }
        }

        @Test func `what does not exist is a 404, again and again`() async throws {
            try await ScratchBroker.with { scratch in
                let session = TopologySession(scratch.configuration())
                for _ in 0..<3 {
                    await expectRefusal(404, .checkQueue) { _ = try await session.checkQueue("missing") }
                    await expectRefusal(404, .checkExchange) { try await session.checkExchange("missing") }
                    await expectRefusal(404, .bindQueue) {
                        try await session.bindQueue("missing", exchange: "amq.topic")
                    }
                }
                try await session.deleteQueue("missing")
                try await session.deleteExchange("missing")
                try await session.checkExchange("amq.topic")
                await session.close()
            }
        }

        @Test func `what the broker reserves is a 403`() async throws {
            try await ScratchBroker.with { scratch in
                let session = TopologySession(scratch.configuration())
                await expectRefusal(403, .declareQueue) { try await session.declareQueue("amq.mine") }
                try await session.declareQueue("mine")
                await session.close()
            }
        }

        @Test func `a wrong password is an authentication failure without the password`() async throws {
            try await ScratchBroker.with { scratch in
                var configuration = scratch.configuration()
                configuration.password = "not-the-password"
                let expected = BrokerError.authenticationFailed(host: scratch.host, user: scratch.user)
                #expect(!expected.description.contains("not-the-password"))
                #expect(!"\(configuration)".contains("not-the-password"))
                let wrong = configuration
                await #expect(throws: expected) { try await TopologySession(wrong).connect() }
                await #expect(throws: expected) { _ = try await Publisher(wrong).publish([.to("q")]) }
                await #expect(throws: expected) {
                    _ = try await Consumer(wrong, queue: "q", prefetch: 1).next(atMost: 1, within: .seconds(1))
                }
            }
        }

        @Test func `a missing virtual host is refused and a missing broker unreachable`() async throws {
            try await ScratchBroker.with { scratch in
                var configuration = scratch.configuration()
                configuration.virtualHost = "missing"
                let missing = configuration
                await expectRefusal(530, .login) { try await TopologySession(missing).connect() }
                // Bound and never listening: nobody else can take the port meanwhile.
                let proxy = try TCPProxy(to: 1)
                proxy.stop()
                let nobody = scratch.configuration(port: proxy.port)
                let error = await #expect(throws: BrokerError.self) { try await TopologySession(nobody).connect() }
                guard case .unreachable? = error else {
                    Issue.record("expected unreachable, found \(String(describing: error))")
                    return
                }
            }
        }

        private func expectRefusal(
            _ code: Int, _ step: BrokerError.Step, _ body: () async throws -> Void
        ) async {
            let error = await #expect(throws: BrokerError.self) { try await body() }
            guard case .refused(code, _, step)? = error else {
                Issue.record("expected \(code) at \(step), found \(String(describing: error))")
                return
            }
        }
    }
}
