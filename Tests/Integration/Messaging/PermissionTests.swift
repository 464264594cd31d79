import Contracts
import Domain
import Foundation
@testable import Messaging
import PostgreSQL
import RabbitMQ
import ServiceKit
import TestStack
import Testing

@Suite("Who may do what, by the word of the real broker and database", .timeLimit(.minutes(10)))
struct PermissionTests {
    private static let catalogue = ServiceCatalogue.services(
        shops: ["hanoi"], tiers: [RetryTier(name: "1s", delayMilliseconds: 1_000)])

    /// Each service with each other one.
    private var pairs: [(one: ServiceDescription, other: ServiceDescription)] {
        Self.catalogue.flatMap { one in
            Self.catalogue.filter { $0.name != one.name }.map { (one, $0) }
        }
    }

    /// Whether the broker refused with 403 what the body did.
    private func refused(_ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
        } catch BrokerError.refused(let code, _, _) {
            return code == 403
        } catch {
            Issue.record("\(error)")
        }
        return false
    }

    private func publish(_ exchange: String, _ key: String, as service: ServiceName, _ system: ScratchSystem)
        async throws
    {
        let publisher = Publisher(system.broker(service))
        let outcomes = try await publisher.publish([
            OutgoingMessage(exchange: exchange, routingKey: key, mandatory: false, body: Array("{}".utf8))
        ])
        await publisher.close()
        if case .unconfirmed(let error)? = outcomes.first { throw error }
    }

    private func consume(_ queue: String, as service: ServiceName, _ system: ScratchSystem) async throws {
        let consumer = Consumer(system.broker(service), queue: queue, prefetch: 1)
        let outcome: Result<Void, any Error>
        do {
            _ = try await consumer.next(atMost: 1, within: .milliseconds(1))
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await consumer.close()
        try outcome.get()
    }

    private func declare(_ queue: String, as service: ServiceName, _ system: ScratchSystem) async throws {
        let session = TopologySession(system.broker(service))
        let outcome: Result<Void, any Error>
        do {
            _ = try await session.declareQueue(queue, durable: true, arguments: ["x-queue-type": "quorum"])
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await session.close()
        try outcome.get()
    }

    @Test("a service can reach no queue and no work exchange of another, but those who handle dead letters")
    func queues() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for (one, other) in pairs {
                for queue in other.queues.map(\.name) + other.tiers.map(other.retryExchange) {
                    #expect(
                        await refused { try await consume(queue, as: one.name, system) },
                        "\(one.name) must not read \(queue)")
                }
                let readsDead = await !refused { try await consume(other.deadExchange, as: one.name, system) }
                #expect(readsDead == one.handlesDeadLetters, "\(one.name) and \(other.deadExchange)")
                let writesWork = await !refused { try await publish(other.workExchange, "x", as: one.name, system) }
                #expect(writesWork == one.handlesDeadLetters, "\(one.name) and \(other.workExchange)")
                for exchange in [other.deadExchange] + other.tiers.map(other.retryExchange) {
                    #expect(
                        await refused { try await publish(exchange, "x", as: one.name, system) },
                        "\(one.name) must not write \(exchange)")
                }
                #expect(
                    await refused { try await declare("\(other.name.rawValue).extra", as: one.name, system) },
                    "\(one.name) must not declare a queue of \(other.name)")
            }
        }
    }

    @Test("a service publishes its own topics only, binds only what it consumes, and never uses the default exchange")
    func topics() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            let all = Topics.all.map(\.name)
            for service in Self.catalogue {
                for topic in all {
                    let mayPublish = await !refused { try await publish(Topology.events, topic, as: service.name, system) }
                    #expect(mayPublish == service.publishes.contains(topic), "\(service.name) and \(topic)")
                }
                #expect(
                    await refused {
                        try await publish("", service.queues.first?.name ?? "x", as: service.name, system)
                    }, "\(service.name) and the default exchange")
                guard let queue = service.queues.first?.name else { continue }
                let consumed = Set(service.queues.flatMap(\.topics))
                for topic in all + ["#"] {
                    let session = TopologySession(system.broker(service.name))
                    let mayBind = await !refused {
                        try await session.bindQueue(queue, exchange: Topology.events, routingKey: topic)
                    }
                    await session.close()
                    #expect(mayBind == consumed.contains(topic), "\(service.name) binding \(topic)")
                }
            }
        }
    }

    @Test("each service declares its own topology under its own user, again and again")
    func ownTopology() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for service in Self.catalogue {
                let session = TopologySession(system.broker(service.name))
                try await TopologyDeclarer.declare(Topology.declarations(of: service), over: session)
                await session.close()
            }
        }
    }

    @Test("nobody but the shared things' owner may take events or unrouted messages away")
    func sharedThings() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for service in Self.catalogue {
                let session = TopologySession(system.broker(service.name))
                #expect(
                    await refused { try await session.deleteExchange(Topology.events) },
                    "\(service.name) must not delete the events exchange")
                await session.close()
                if service.name != .stockbridge {
                    #expect(await refused { try await consume(Topology.unrouted, as: service.name, system) })
                }
            }
        }
    }

    @Test("a role reaches no other schema; the operator reads all of them and writes its own")
    func schemas() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for (one, other) in pairs {
                let connection = PostgresConnection(system.database(one.name))
                let table = "\(other.name.schema).outbox"
                let reads = await allowed { try await connection.query("SELECT count(*) FROM \(table)") }
                #expect(reads == (one.name == .stockbridge), "\(one.name) reading \(table)")
                for statement in [
                    "INSERT INTO \(table) (id, exchange, routing_key, headers, body) "
                        + "VALUES (gen_random_uuid(), 'a', 'b', 'c', 'd')",
                    "DELETE FROM \(table)", "UPDATE \(table) SET failures = 0", "TRUNCATE \(table)",
                    "CREATE TABLE \(other.name.schema).mine (x int)",
                ] {
                    #expect(await !allowed { try await connection.query(statement) }, "\(one.name): \(statement)")
                }
                await connection.close()
            }
        }
    }

    @Test("a role works in its own schema and cannot change its structure")
    func ownSchema() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for service in Self.catalogue {
                let connection = PostgresConnection(system.database(service.name))
                if service.name != .stockbridge || !service.publishes.isEmpty {
                    #expect(await allowed { try await connection.query("SELECT count(*) FROM outbox") })
                    #expect(
                        await allowed {
                            try await connection.query(
                                """
                                INSERT INTO outbox (id, exchange, routing_key, headers, body)
                                VALUES (gen_random_uuid(), 'a', 'b', 'c', 'd')
                                """)
                        }, "\(service.name)")
                }
                for statement in [
                    "CREATE TABLE mine (x int)", "DROP TABLE outbox", "ALTER TABLE outbox ADD COLUMN x int",
                    "CREATE TABLE public.mine (x int)", "SET ROLE postgres", "CREATE SCHEMA mine",
                ] {
                    #expect(await !allowed { try await connection.query(statement) }, "\(service.name): \(statement)")
                }
                await connection.close()
            }
        }
    }

    @Test("the shared tables are out of reach, their functions are not")
    func sharedSchema() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            let tables = ["rate_limiters", "breakers", "schedules", "replicas", "commands", "files"]
            for service in Self.catalogue {
                let connection = PostgresConnection(system.database(service.name))
                for table in tables {
                    let reads = await allowed { try await connection.query("SELECT count(*) FROM shared.\(table)") }
                    #expect(reads == (service.name == .stockbridge), "\(service.name) reading shared.\(table)")
                    #expect(
                        await !allowed { try await connection.query("DELETE FROM shared.\(table)") },
                        "\(service.name) emptying shared.\(table)")
                }
                for call in [
                    "SELECT shared.reserve_calls('shop hanoi', 1, 10, 10)", "SELECT * FROM shared.breaker_states()",
                    "SELECT shared.heartbeat(gen_random_uuid(), '\(service.name.rawValue)', 'host', 1, 'running')",
                    "SELECT * FROM shared.schedule_states()",
                ] {
                    #expect(await allowed { try await connection.query(call) }, "\(service.name): \(call)")
                }
                #expect(
                    await !allowed { try await connection.query("SELECT shared.create_messaging_tables('mine')") })
                await connection.close()
            }
        }
    }

    /// Whether the database let it happen; anything but a refused right is an issue.
    private func allowed(_ body: () async throws -> Rows) async -> Bool {
        do {
            _ = try await body()
            return true
        } catch let error as PostgresError where error.isInsufficientPrivilege {
            return false
        } catch {
            Issue.record("\(error)")
            return false
        }
    }
}
