import Foundation
public import RabbitMQ
import Synchronization
import TestStack

extension ProcessStack {
    /// The administrator's way to this system's virtual host.
    public var brokerAdministrator: BrokerConfiguration {
        var administrator = servers.broker
        administrator.virtualHost = name
        return administrator
    }

    /// The names of all queues.
    public func queueNames() async throws -> [String] { try await management.queues(of: name) }

    /// The services that were started in the course of the test, whether or not they run now.
    public var startedServices: Set<String> { Set(children.withLock { $0.map(\.name) }) }

    /// Takes what lies ready in a queue, for good.
    ///
    /// - Parameter atLeast: Waits until so many are there.
    public func take(from queue: String, atLeast: Int = 0) async throws -> [Delivery] {
        let consumer = Consumer(brokerAdministrator, queue: queue, prefetch: 1_000)
        var taken: [Delivery] = []
        do {
            let deadline = ContinuousClock.now + .seconds(60)
            while ContinuousClock.now < deadline {
                let some = try await consumer.next(atMost: 500, within: .milliseconds(300))
                try await consumer.ack(some.map(\.tag))
                taken += some
                if some.isEmpty && taken.count >= atLeast { break }
            }
        } catch {
            await consumer.close()
            throw error
        }
        await consumer.close()
        guard taken.count >= atLeast else {
            throw ProcessStackProblem("\(queue) had \(taken.count) messages in a minute, \(atLeast) were expected.")
        }
        return taken
    }

    /// Publishes as the administrator, who may write everywhere.
    ///
    /// - Throws: ``ProcessStackProblem`` if one of them was not confirmed.
    public func publish(_ messages: [OutgoingMessage]) async throws {
        let publisher = Publisher(brokerAdministrator)
        let outcomes = try await publisher.publish(messages)
        await publisher.close()
        if let wrong = outcomes.first(where: { $0 != .confirmed }) {
            throw ProcessStackProblem("A message of the test was not published: \(wrong).")
        }
    }

    /// A configuration of its own for another replica, which cannot listen for webhooks at the same port.
    func configuration(ofReplica replica: Int) throws -> URL {
        guard replica > 1 else { return configuration }
        let file = directory.appending(path: "stockbridge-\(replica).yaml")
        guard !FileManager.default.fileExists(atPath: file.path()) else { return file }
        let text = try String(contentsOf: configuration, encoding: .utf8)
        guard let line = text.firstMatch(of: #/webhooks: \{bind: 127\.0\.0\.1, port: (\d+)/#) else {
            throw ProcessStackProblem("The configuration names no port for webhooks; adapt the test.")
        }
        // Shops are told of the first replica's.
        let (begin, end) = (line.output.1.startIndex, line.output.1.endIndex)
        try (text[..<begin] + "\(try freePort())" + text[end...])
            .write(to: file, atomically: true, encoding: .utf8)
        return file
    }
}
