import Foundation
import RabbitMQ
import TestStack
import Testing

extension BrokerTests {
    /// Several nodes, some of them dead. A node that can be switched off is a port that leads to the test broker.
    @Suite struct SeveralNodes {
        @Test func `a dead node is passed over, whichever is tried first`() async throws {
            try await ScratchBroker.with { scratch in
                let dead = try SwitchedPort(to: "\(scratch.port)")
                var configuration = scratch.configuration(port: dead.port)
                configuration.furtherNodes = [BrokerAddress(host: scratch.host, port: scratch.port)]
                // Each begins with either: of so many, one at least meets the dead one.
                for _ in 0..<12 {
                    let session = TopologySession(configuration)
                    try await session.connect()
                    await session.close()
                }
                configuration.furtherNodes = [BrokerAddress(host: "127.0.0.1", port: 1)]
                let error = await #expect(throws: BrokerError.self) {
                    try await TopologySession(configuration).connect()
                }
                #expect(error?.description.contains("nor can 127.0.0.1:") == true)
            }
        }

        @Test func `who loses its node goes on at another`() async throws {
            try await ScratchBroker.with { scratch in
                try await scratch.declare("q")
                let nodes = [try SwitchedPort(to: "\(scratch.port)"), try SwitchedPort(to: "\(scratch.port)")]
                for node in nodes { try node.open() }
                defer { for node in nodes { node.close() } }
                var configuration = scratch.configuration(port: nodes[0].port)
                configuration.furtherNodes = [BrokerAddress(host: "127.0.0.1", port: nodes[1].port)]
                try await eventuallyConnects(scratch.configuration(port: nodes[0].port))
                try await eventuallyConnects(scratch.configuration(port: nodes[1].port))
                let publisher = Publisher(configuration)
                let consumer = Consumer(configuration, queue: "q", prefetch: 10)
                #expect(try await publisher.publish([.to("q", "1")]) == [.confirmed])
                try await take("1", consumer)
                // Whichever node they are at, it goes; then the other one goes and the first is back.
                for (round, node) in nodes.enumerated() {
                    node.close()
                    try await publish("\(round + 2)", publisher)
                    try await take("\(round + 2)", consumer)
                    try node.open()
                    try await eventuallyConnects(scratch.configuration(port: node.port))
                }
                await publisher.close()
                await consumer.close()
            }
        }

        @Test func `a password that was changed is asked for at the next connection`() async throws {
            try await ScratchBroker.with { scratch in
                let user = "rotated-\(UUID().uuidString.lowercased().prefix(8))"
                try await scratch.setPassword("first", of: user)
                let file = FileManager.default.temporaryDirectory.appending(path: user)
                try Data("first".utf8).write(to: file)
                defer { try? FileManager.default.removeItem(at: file) }
                var configuration = scratch.configuration()
                (configuration.user, configuration.password) = (user, "first")
                configuration.renewedPassword = { try String(contentsOf: file, encoding: .utf8) }
                let publisher = Publisher(configuration)
                #expect(try await publisher.publish([.to("nowhere")]) == [.returned(code: 312, text: "NO_ROUTE")])
                try await scratch.setPassword("second", of: user)
                try Data("second".utf8).write(to: file)
                try await ScratchBroker.control("close_all_user_connections", user, "a test")
                #expect(
                    try await eventually {
                        (try? await publisher.publish([.to("nowhere")]))
                            == [.returned(code: 312, text: "NO_ROUTE")]
                    })
                await publisher.close()
                try await scratch.request("DELETE", "/api/users/\(user)")
            }
        }

        /// Publishes until it is confirmed, as the relay of the outbox does.
        private func publish(_ text: String, _ publisher: Publisher) async throws {
            #expect(
                try await eventually { (try? await publisher.publish([.to("q", text)])) == [.confirmed] },
                "\(text) was not published")
        }

        /// Takes until the message is there; what is delivered again meanwhile is taken as well.
        private func take(_ text: String, _ consumer: Consumer) async throws {
            let isTaken = try await eventually {
                guard let deliveries = try? await consumer.next(atMost: 10, within: .milliseconds(500)) else {
                    return false
                }
                try? await consumer.ack(deliveries.map(\.tag))
                return deliveries.contains { $0.text == text }
            }
            #expect(isTaken, "\(text) was not delivered")
        }

        private func eventuallyConnects(_ configuration: BrokerConfiguration) async throws {
            let isThere = try await eventually {
                let session = TopologySession(configuration)
                defer { Task { await session.close() } }
                return (try? await session.connect()) != nil
            }
            try #require(isThere)
        }
    }
}

extension ScratchBroker {
    /// Makes a user, or gives it another password, and lets it into this virtual host.
    func setPassword(_ password: String, of user: String) async throws {
        try await request("PUT", "/api/users/\(user)", #"{"password":"\#(password)","tags":""}"#)
        try await request(
            "PUT", "/api/permissions/\(virtualHost)/\(user)", #"{"configure":".*","write":".*","read":".*"}"#)
    }
}
