import Contracts
import Domain
import Foundation
import PostgreSQL
import RabbitMQ
import ServiceKit
import TestStack
import Testing

@testable import Messaging

@Suite("Who may do what, by the word of the real broker and database", .timeLimit(.minutes(20)))
struct PermissionTests {
    private static let catalogue = ServiceCatalogue.services(
        shops: ["hanoi"], tiers: [RetryTier(name: "1s", delayMilliseconds: 1_000)])

    /// Each service with each other one.
    private var pairs: [(one: ServiceDescription, other: ServiceDescription)] {
        Self.catalogue.flatMap { one in
            Self.catalogue.filter { $0.name != one.name }.map { (one, $0) }
        }
    }

    /// What the broker said: true if it let it happen, false if it refused with 403; anything else is an issue.
    private func allowed(_ error: BrokerError?) -> Bool {
        guard let error else { return true }
        if case .refused(403, _, _) = error { return false }
        Issue.record("\(error)")
        return true
    }

    private func mayPublish(_ exchange: String, _ key: String, as service: ServiceName, _ system: ScratchSystem)
        async -> Bool
    {
        let publisher = Publisher(system.broker(service))
        var problem: BrokerError?
        do throws(BrokerError) {
            let outcomes = try await publisher.publish([
                OutgoingMessage(exchange: exchange, routingKey: key, mandatory: false, body: Array("{}".utf8))
            ])
            if case .unconfirmed(let error)? = outcomes.first { problem = error }
        } catch { problem = error }
        await publisher.close()
        return allowed(problem)
    }

    private func mayConsume(_ queue: String, as service: ServiceName, _ system: ScratchSystem) async -> Bool {
        let consumer = Consumer(system.broker(service), queue: queue, prefetch: 1)
        var problem: BrokerError?
        do throws(BrokerError) {
            _ = try await consumer.next(atMost: 1, within: .milliseconds(1))
        } catch { problem = error }
        await consumer.close()
        return allowed(problem)
    }

    private func may(
        as service: ServiceName, _ system: ScratchSystem,
        _ body: @Sendable (TopologySession) async throws(BrokerError) -> Void
    ) async -> Bool {
        let session = TopologySession(system.broker(service))
        var problem: BrokerError?
        do throws(BrokerError) { try await body(session) } catch { problem = error }
        await session.close()
        return allowed(problem)
    }

    @Test("a service can reach no queue and no work exchange of another, but those who handle dead letters")
    func queues() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for (one, other) in pairs { await checkQueues(of: other, by: one, system) }
        }
    }

    private func checkQueues(of other: ServiceDescription, by one: ServiceDescription, _ system: ScratchSystem) async {
        for queue in other.queues.map(\.name) + other.tiers.map(other.retryExchange) {
            let reads = await mayConsume(queue, as: one.name, system)
            #expect(!reads, "\(one.name) must not read \(queue)")
        }
        let readsDead = await mayConsume(other.deadExchange, as: one.name, system)
        #expect(readsDead == one.handlesDeadLetters, "\(one.name) and \(other.deadExchange)")
        let writesWork = await mayPublish(other.workExchange, "x", as: one.name, system)
        #expect(writesWork == one.handlesDeadLetters, "\(one.name) and \(other.workExchange)")
        for exchange in [other.deadExchange] + other.tiers.map(other.retryExchange) {
            let writes = await mayPublish(exchange, "x", as: one.name, system)
            #expect(!writes, "\(one.name) must not write \(exchange)")
        }
        let extra = "\(other.name.rawValue).extra"
        let declares = await may(as: one.name, system) { session throws(BrokerError) in
            _ = try await session.declareQueue(extra, durable: true, arguments: ["x-queue-type": "quorum"])
        }
        #expect(!declares, "\(one.name) must not declare a queue of \(other.name)")
    }

    @Test("a service publishes its own topics only, the operator all; each binds only what it consumes")
    func topics() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for service in Self.catalogue { await checkTopics(of: service, system) }
        }
    }

    private func checkTopics(of service: ServiceDescription, _ system: ScratchSystem) async {
        let all = Topics.all.map(\.name)
        for topic in all {
            let publishes = await mayPublish(Topology.events, topic, as: service.name, system)
            let mayPublish = service.publishes.contains(topic) || service.name == .stockbridge
            #expect(publishes == mayPublish, "\(service.name) and \(topic)")
        }
        let unknown = await mayPublish(Topology.events, "price.changed", as: service.name, system)
        #expect(!unknown, "\(service.name) and a topic that nobody consumes")
        let anyQueue = await mayPublish("", service.queues.first?.name ?? "x", as: service.name, system)
        #expect(!anyQueue, "\(service.name) and the default exchange")
        guard let queue = service.queues.first?.name else { return }
        let consumed = Set(service.queues.flatMap(\.topics))
        for topic in all + ["#"] {
            let binds = await may(as: service.name, system) { session throws(BrokerError) in
                try await session.bindQueue(queue, exchange: Topology.events, routingKey: topic)
            }
            #expect(binds == consumed.contains(topic), "\(service.name) binding \(topic)")
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

    @Test("no service may take the events exchange away, and only the operator reads what nobody is bound to")
    func sharedThings() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for service in Self.catalogue.map(\.name) {
                let deletes = await may(as: service, system) { session throws(BrokerError) in
                    try await session.deleteExchange(Topology.events)
                }
                #expect(!deletes, "\(service) must not delete the events exchange")
                let reads = await mayConsume(Topology.unrouted, as: service, system)
                #expect(reads == (service == .stockbridge), "\(service) reading unrouted messages")
            }
        }
    }

    /// Whether the database let a statement happen; anything but a refused right is an issue.
    private func may(_ statement: String, _ connection: PostgresConnection) async -> Bool {
        do throws(PostgresError) {
            _ = try await connection.query(statement, [])
            return true
        } catch {
            if !error.isInsufficientPrivilege { Issue.record("\(statement): \(error)") }
            return false
        }
    }

    @Test("a role reaches no other schema; the operator reads all of them and writes its own")
    func schemas() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for (one, other) in pairs {
                let connection = PostgresConnection(system.database(one.name))
                let table = "\(other.name.schema).outbox"
                let reads = await may("SELECT count(*) FROM \(table)", connection)
                #expect(reads == (one.name == .stockbridge), "\(one.name) reading \(table)")
                for statement in [
                    "INSERT INTO \(table) (id, exchange, routing_key, headers, body) "
                        + "VALUES (gen_random_uuid(), 'a', 'b', 'c', 'd')",
                    "DELETE FROM \(table)", "UPDATE \(table) SET failures = 0", "TRUNCATE \(table)",
                    "CREATE TABLE \(other.name.schema).mine (x int)",
                ] {
                    let done = await may(statement, connection)
                    #expect(!done, "\(one.name): \(statement)")
                }
                await connection.close()
            }
        }
    }

    @Test("a role works in its own schema and cannot change its structure")
    func ownSchema() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for service in Self.catalogue.map(\.name) {
                let connection = PostgresConnection(system.database(service))
                for statement in [
                    "SELECT count(*) FROM outbox",
                    "INSERT INTO outbox (id, exchange, routing_key, headers, body) "
                        + "VALUES (gen_random_uuid(), 'a', 'b', 'c', 'd')",
                    "DELETE FROM outbox",
                ] {
                    let done = await may(statement, connection)
                    #expect(done, "\(service): \(statement)")
                }
                for statement in [
                    "CREATE TABLE mine (x int)", "DROP TABLE outbox", "ALTER TABLE outbox ADD COLUMN x int",
                    "CREATE TABLE public.mine (x int)", "SET ROLE postgres", "CREATE SCHEMA mine",
                ] {
                    let done = await may(statement, connection)
                    #expect(!done, "\(service): \(statement)")
                }
                await connection.close()
            }
        }
    }

    @Test("the shared tables are out of reach, their functions are not")
    func sharedSchema() async throws {
        try await ScratchSystem.with(Self.catalogue) { system in
            for service in Self.catalogue.map(\.name) {
                let connection = PostgresConnection(system.database(service))
                for table in ["rate_limiters", "breakers", "schedules", "replicas", "commands", "files"] {
                    let reads = await may("SELECT count(*) FROM shared.\(table)", connection)
                    #expect(reads == (service == .stockbridge), "\(service) reading shared.\(table)")
                    let empties = await may("DELETE FROM shared.\(table)", connection)
                    #expect(!empties, "\(service) emptying shared.\(table)")
                }
                for call in [
                    "SELECT shared.reserve_calls('shop hanoi', 1, 10, 10)", "SELECT * FROM shared.breaker_states()",
                    "SELECT shared.heartbeat(gen_random_uuid(), '\(service.rawValue)', 'host', 1, 'running')",
                    "SELECT * FROM shared.schedule_states()",
                ] {
                    let done = await may(call, connection)
                    #expect(done, "\(service): \(call)")
                }
                let makes = await may("SELECT shared.create_messaging_tables('mine')", connection)
                #expect(!makes, "\(service) making messaging tables")
                await connection.close()
            }
        }
    }
}
