import Contracts
import Foundation
import FoundationNetworking
import RabbitMQ
import TestStack
import Testing

@testable import Stockbridge

/// What `topology verify` says about a series of RabbitMQ is tried on the one that runs, whichever that is.
@Suite("What verify says about this series of RabbitMQ is so", .timeLimit(.minutes(20)))
struct BrokerTraitTests {
    /// A virtual host, and what is said about its broker.
    private struct Bench {
        let broker: BrokerConfiguration
        let traits: BrokerTraits

        static func with(_ body: (Bench) async throws -> Void) async throws {
            try await ScratchSystem.with([]) { system in
                let version = try await Self.version(of: system.servers)
                let parsed = try #require(TopologyComparison.Version(version), "the broker says \(version)")
                try await body(Bench(broker: system.brokerAdministrator, traits: BrokerTraits(parsed)))
            }
        }

        private static func version(of servers: TestServers) async throws -> String {
            struct Overview: Decodable { let rabbitmq_version: String }
            var request = URLRequest(url: try #require(URL(string: servers.managementURL + "/api/overview")))
            let account = Data("\(servers.broker.user):\(servers.broker.password)".utf8).base64EncodedString()
            request.setValue("Basic \(account)", forHTTPHeaderField: "Authorization")
            let (data, _) = try await URLSession.shared.data(for: request)
            return try JSONDecoder().decode(Overview.self, from: data).rabbitmq_version
        }

        /// A quorum queue, and one that takes what it gives up.
        func declare(_ queue: String, _ arguments: [String: HeaderValue] = [:]) async throws {
            let session = TopologySession(broker)
            try await session.declareQueue(
                queue + ".dead", arguments: ["x-queue-type": "quorum", "x-delivery-limit": 1_000_000])
            let own: [String: HeaderValue] = [
                "x-queue-type": "quorum", "x-overflow": "reject-publish", "x-dead-letter-strategy": "at-least-once",
                "x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(queue + ".dead"),
            ]
            try await session.declareQueue(queue, arguments: own.merging(arguments) { _, given in given })
            await session.close()
        }

        @discardableResult
        func publish(
            to queue: String, headers: [String: HeaderValue] = [:], body: [UInt8] = [1]
        ) async throws -> PublishOutcome? {
            let publisher = Publisher(broker)
            let message = OutgoingMessage(
                exchange: "", routingKey: queue, mandatory: true,
                properties: MessageProperties(persistent: true, headers: headers), body: body)
            let outcome = try await publisher.publish([message]).first
            await publisher.close()
            return outcome
        }

        /// Takes the queue's only message and returns it, until it does not come again or has come so often.
        ///
        /// - Parameter dies: Whether its consumer loses its connection each time, instead of giving it back.
        /// - Returns: How often it came.
        func deliveries(of queue: String, upTo most: Int, dies: Bool) async throws -> Int {
            var count = 0
            var consumer = Consumer(broker, queue: queue, prefetch: 1)
            while count < most {
                let taken = try await consumer.next(atMost: 1, within: .seconds(15))
                if taken.isEmpty { break }
                count += 1
                if dies {
                    await consumer.close()
                    consumer = Consumer(broker, queue: queue, prefetch: 1)
                } else {
                    try await consumer.giveBack(taken.map(\.tag))
                }
            }
            await consumer.close()
            return count
        }

        /// The next message of a queue, taken out of it, or nil if none comes.
        func take(from queue: String) async throws -> Delivery? {
            let consumer = Consumer(broker, queue: queue, prefetch: 1)
            let taken = try await consumer.next(atMost: 1, within: .seconds(15)).first
            if let taken { try await consumer.ack([taken.tag]) }
            await consumer.close()
            return taken
        }
    }

    @Test("what a lost consumer held is given up once it has come as often as the limit says, and lies among the dead")
    func lost() async throws {
        try await Bench.with { bench in
            try await bench.declare("q", ["x-delivery-limit": 3])
            try await bench.publish(to: "q")
            // The first delivery is none too many.
            #expect(try await bench.deliveries(of: "q", upTo: 20, dies: true) == 4)
            let headers = try #require(try await bench.take(from: "q.dead")).properties.headers
            guard case .array(let deaths)? = headers["x-death"], case .table(let death)? = deaths.first else {
                Issue.record("no x-death in \(headers)")
                return
            }
            #expect(death["reason"] == "delivery_limit" && death["queue"] == "q")
        }
    }

    @Test("whether a message that is given back comes closer to its limit")
    func givenBack() async throws {
        try await Bench.with { bench in
            try await bench.declare("q", ["x-delivery-limit": 3])
            try await bench.publish(to: "q")
            let count = try await bench.deliveries(of: "q", upTo: 10, dies: false)
            #expect(count == (bench.traits.countsReturns ? 4 : 10))
            #expect(try await (bench.take(from: "q.dead") != nil) == bench.traits.countsReturns)
        }
    }

    @Test("how often a queue without a limit delivers a message again before it gives it up")
    func noLimit() async throws {
        try await Bench.with { bench in
            try await bench.declare("q")
            try await bench.publish(to: "q")
            let count = try await bench.deliveries(of: "q", upTo: 30, dies: true)
            #expect(count == bench.traits.ownDeliveryLimit.map { $0 + 1 } ?? 30)
        }
    }

    @Test("what a limit below zero means, and that a million is never reached")
    func negativeLimit() async throws {
        try await Bench.with { bench in
            try await bench.declare("q", ["x-delivery-limit": -1])
            try await bench.publish(to: "q")
            let count = try await bench.deliveries(of: "q", upTo: 30, dies: true)
            #expect(count == (bench.traits.takesNegativeLimitAsNone ? 30 : 1))
            try await bench.declare("ours", ["x-delivery-limit": 1_000_000])
            try await bench.publish(to: "ours")
            #expect(try await bench.deliveries(of: "ours", upTo: 30, dies: true) == 30)
        }
    }

    @Test("whether a message that is published with its deaths is dropped behind a delay; without them it never is")
    func deaths() async throws {
        try await Bench.with { bench in
            try await bench.declare("q", ["x-delivery-limit": 1])
            try await bench.declare("q.later", ["x-message-ttl": 50, "x-dead-letter-routing-key": "q"])
            try await bench.publish(to: "q")
            #expect(try await bench.deliveries(of: "q", upTo: 20, dies: true) == 2)
            let headers = try #require(try await bench.take(from: "q.dead")).properties.headers
            #expect(headers["x-death"] != nil)
            #expect(try await bench.publish(to: "q.later", headers: headers) == .confirmed)
            #expect(try await (bench.take(from: "q") == nil) == bench.traits.believesPublishedDeaths)
            #expect(try await bench.publish(to: "q.later") == .confirmed)
            #expect(try await bench.take(from: "q") != nil)
        }
    }

    @Test("what is larger than it takes is refused, what is as large is not")
    func largest() async throws {
        try await Bench.with { bench in
            try await bench.declare("q")
            let most = 16 << 20
            let body = [UInt8](repeating: 7, count: most)
            #expect(try await bench.publish(to: "q", body: body) == .confirmed)
            #expect(try await bench.take(from: "q")?.body.count == most)
            let outcome = try await bench.publish(to: "q", body: body + [7])
            if bench.traits.largestMessageMebibytes == 16 {
                guard case .unconfirmed(.refused(406, _, _))? = outcome else {
                    Issue.record("expected a 406, found \(String(describing: outcome))")
                    return
                }
            } else {
                #expect(outcome == .confirmed)
            }
        }
    }
}
