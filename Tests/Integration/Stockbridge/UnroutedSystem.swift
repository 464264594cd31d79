import ArgumentParser
import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import SampleConfigurations
import ServiceKit
import TestStack
import Testing

@testable import Stockbridge

/// A system in which bindings are missing, and the operator's commands.
struct UnroutedSystem: Sendable {
    /// Consumed by notifier alone.
    static let lonely = AlertRaised.type.name
    /// Consumed by three services.
    static let shared = OrdersCollected.type.name

    let system: ScratchSystem
    let database: OperatorDatabase

    static func with(_ body: (UnroutedSystem) async throws -> Void) async throws {
        try await ScratchSystem.with(ServiceCatalogue.services(shops: ["hanoi"], tiers: [])) { system in
            try await withPool(to: system.database(.stockbridge)) { pool in
                let ours = UnroutedSystem(system: system, database: OperatorDatabase(pool: pool))
                try ours.writeConfiguration()
                try await body(ours)
            }
        }
    }

    var queue: UnroutedQueue { UnroutedQueue(broker: system.broker(.stockbridge)) }
    var unrouted: Int { get async throws { try await system.ready(Topology.unrouted) } }

    /// The operator's way to the broker over another port.
    func broker(port: Int) -> BrokerConfiguration {
        var broker = system.broker(.stockbridge)
        broker.port = port
        return broker
    }

    // MARK: Commands

    /// How a command ended.
    enum Ending: Equatable {
        case done
        case attention
        case failed(String)
    }

    /// Runs `stockbridge unrouted` with these arguments.
    func unrouted(_ arguments: String...) async throws -> Ending {
        var command = try StockbridgeCommand.parseAsRoot(
            ["unrouted"] + arguments + ["--configuration", system.folder.appending(path: "stockbridge.yaml").path()])
        do {
            guard var asynchronous = command as? any AsyncParsableCommand else {
                try command.run()
                return .done
            }
            try await asynchronous.run()
            return .done
        } catch let status as Stockbridge.ExitStatus where status == .attention {
            return .attention
        } catch let error as ToolError {
            return .failed(error.description)
        }
    }

    /// - Parameter brokerPort: Another one than the broker's.
    func writeConfiguration(brokerPort: Int? = nil) throws {
        let (servers, folder) = (system.servers, system.folder)
        try system.writeSecrets(
            ["broker-admin": servers.broker.password, "database-admin": servers.database.password], in: folder)
        let sections = system.serverSections(secretsIn: folder).replacing(
            "port: \(servers.broker.port), virtual_host",
            with:
                "port: \(brokerPort ?? servers.broker.port), management_url: \"\(servers.managementURL)\", virtual_host"
        )
        let text = SampleConfiguration.text(
            """
            \(sections)
            admin: {broker_user: \(servers.broker.user), broker_password: "${file:\(folder.path)/broker-admin}", \
            database_user: \(servers.database.user), database_password: "${file:\(folder.path)/database-admin}"}
            mail: {host: 127.0.0.1, from: stock@hoasen.example}
            \(SampleConfiguration.unreachableShop(secretsIn: folder).replacing("saigon", with: "hanoi"))
            erp: {mailbox: [orders@erp.example]}
            """)
        try Data(text.utf8).write(to: folder.appending(path: "stockbridge.yaml"))
    }

    // MARK: Bindings and events

    /// The queues that the configuration binds to a topic.
    func consumers(of topic: String) -> [String] {
        Topology(services: system.services).declarations.compactMap { declaration in
            if case .binding(let queue, Topology.events, topic) = declaration { queue } else { nil }
        }.sorted()
    }

    func bind(_ queues: [String], to topic: String) async throws {
        let session = TopologySession(system.brokerAdministrator)
        for queue in queues {
            try await session.bindQueue(queue, exchange: Topology.events, routingKey: topic)
        }
        await session.close()
    }

    func unbind(_ topic: String) async throws {
        let session = TopologySession(system.brokerAdministrator)
        for queue in consumers(of: topic) {
            try await session.unbindQueue(queue, exchange: Topology.events, routingKey: topic)
        }
        await session.close()
    }

    /// Publishes events as a service does and waits until the broker has them.
    ///
    /// - Returns: Their ids.
    @discardableResult
    func publish(_ count: Int, _ topic: String, expecting total: Int? = nil) async throws -> [String] {
        let messages = try (0..<count).map { number in
            let alert = AlertRaised(
                condition: "test:\(number)", service: .orderCollector, severity: .warning, title: "Number \(number)",
                text: "Something is so.", whatToDo: "Do something.",
                raisedAt: Date(timeIntervalSince1970: 1_795_302_600))
            let event = Event(alert, subject: "hanoi", correlation: "run 7", occurredAt: alert.raisedAt)
            var message = try OutboxMessage(event, from: .orderCollector).outgoing
            message.routingKey = topic
            return message
        }
        let publisher = Publisher(system.broker(.orderCollector))
        let outcomes = try await publisher.publish(messages)
        await publisher.close()
        try #require(outcomes.allSatisfy { $0 == .confirmed })
        let expected = total ?? count
        try #require(try await eventually { try await unrouted == expected })
        return messages.compactMap(\.properties.messageID)
    }

    /// What lies in a queue, taken out of it.
    func empty(_ queue: String) async throws -> [Delivery] {
        try await system.take(try await system.ready(queue), from: queue)
    }

    /// The ids of what lies in the queue of events that reached nobody, left where they are.
    func unroutedIDs() async throws -> [String] { try await queue.survey(named: 10_000).events.map(\.id) }
}
