public import Contracts
public import Foundation
public import Messaging
import Migrations
public import PostgreSQL
public import RabbitMQ

/// A database and a virtual host of one test's own, with the real migrations, roles, topology and permissions.
public struct ScratchSystem: Sendable {
    /// What exists on the broker and who has a role.
    public let services: [ServiceDescription]
    /// The servers it lives on.
    public let servers: TestServers
    /// The name of both the virtual host and the database.
    public let name: String

    private static let places = Turnstile(4)

    /// Makes a system of these services, runs a test in it, and removes it whatever happens.
    public static func with<Result>(
        _ services: [ServiceDescription], _ body: (ScratchSystem) async throws -> Result
    ) async throws -> Result {
        let servers = try TestServers()
        let suffix = UUID().uuidString.lowercased().replacing("-", with: "")
        let system = ScratchSystem(services: services, servers: servers, name: "stockbridge_test_\(suffix)")
        try await places.enter()
        let outcome: Swift.Result<Result, any Error>
        do {
            try await system.make()
            outcome = .success(try await body(system))
        } catch {
            outcome = .failure(error)
        }
        // In a task of its own: a test that ran out of time is cancelled, and cleaning up after it must not be.
        let removed = await Task { await system.remove() }.value
        await places.leave()
        let result = try outcome.get()
        if let removed { throw removed }
        return result
    }

    // MARK: - Ways in

    /// A service's way to the broker, under its own user.
    public func broker(_ service: ServiceName) -> BrokerConfiguration {
        BrokerConfiguration(
            host: servers.broker.host, port: servers.broker.port, virtualHost: name, user: service.rawValue,
            password: servers.brokerPassword(of: service), connectionName: "test \(service.rawValue)")
    }

    /// The administrator's way to the virtual host.
    public var brokerAdministrator: BrokerConfiguration {
        var configuration = servers.broker
        configuration.virtualHost = name
        return configuration
    }

    /// A service's way to its schema, under its own role.
    public func database(_ service: ServiceName) -> PostgresConfiguration {
        PostgresConfiguration(
            host: servers.database.host, port: servers.database.port, database: name, user: service.role,
            password: servers.databasePassword(of: service), applicationName: "test \(service.rawValue)",
            searchPath: [service.schema])
    }

    /// The administrator's way to the database.
    public var databaseAdministrator: PostgresConfiguration {
        var configuration = servers.database
        configuration.database = name
        return configuration
    }

    // MARK: - For configurations

    /// Delays before a message is tried again, short enough for a test to wait for.
    public static let shortTiers = [
        RetryTier(name: "1s", delayMilliseconds: 1_000), RetryTier(name: "2s", delayMilliseconds: 2_000),
    ]

    /// A folder for this test's files, removed with the system.
    public var folder: URL { FileManager.default.temporaryDirectory.appending(path: name) }

    /// Writes the passwords of all services, and what else a configuration refers to, as files of this folder.
    ///
    /// - Parameter further: The other secrets, by the name of their file.
    public func writeSecrets(_ further: [String: String] = [:], in folder: URL) throws {
        var secrets = further
        for service in ServiceName.allCases {
            secrets["broker-\(service.rawValue)"] = servers.brokerPassword(of: service)
            secrets["database-\(service.rawValue)"] = servers.databasePassword(of: service)
        }
        for (name, text) in secrets {
            let file = folder.appending(path: name)
            try Data(text.utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path())
        }
    }

    /// The sections `broker` and `database` of a configuration, with the secrets that were written in this folder.
    public func serverSections(secretsIn folder: URL) -> String {
        """
        broker: {host: \(servers.broker.host), port: \(servers.broker.port), virtual_host: \(name), \
        password: "${file:\(folder.path)/broker-{service}}", tls: {enabled: false}}
        database: {host: \(servers.database.host), port: \(servers.database.port), name: \(name), \
        password: "${file:\(folder.path)/database-{service}}", tls: {enabled: false}, maximum_connections: 4}
        """
    }

    // MARK: - Looking and acting from outside

    /// Runs statements as the administrator of the test's database.
    public func administrate(_ sql: String) async throws {
        let connection = PostgresConnection(databaseAdministrator)
        defer { Task { await connection.close() } }
        try await connection.script(sql)
    }

    /// One number out of the test's database, read as the administrator.
    public func number(_ sql: String, _ parameters: [PostgresValue] = []) async throws -> Int {
        let connection = PostgresConnection(databaseAdministrator)
        defer { Task { await connection.close() } }
        guard let row = try await connection.query(sql, parameters).first else { return 0 }
        return try row.decode(at: 0)
    }

    /// Messages that lie ready in a queue.
    public func ready(_ queue: String) async throws -> Int {
        let session = TopologySession(brokerAdministrator)
        let count = try await session.checkQueue(queue).messages
        await session.close()
        return count
    }

    /// Takes messages out of a queue until there are so many or the time is over.
    public func take(_ count: Int, from queue: String, within: Duration = .seconds(60)) async throws -> [Delivery] {
        let consumer = Consumer(brokerAdministrator, queue: queue, prefetch: max(1, min(count, 500)))
        let deadline = ContinuousClock.now + within
        var taken: [Delivery] = []
        while taken.count < count && ContinuousClock.now < deadline {
            let deliveries = try await consumer.next(
                atMost: count - taken.count, within: .milliseconds(200), linger: .zero)
            try await consumer.ack(deliveries.map(\.tag))
            taken += deliveries
        }
        await consumer.close()
        return taken
    }

    // MARK: - Making and removing

    private func make() async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let administration = PostgresConnection(servers.database)
        do {
            try await administration.script("CREATE DATABASE \(name)")
            // Roles belong to the whole cluster, and two changes of one role at once fail; the migrator's own lock
            // holds within one database only.
            _ = try await administration.query("SELECT pg_advisory_lock(7733001)", [])
            let pool = PostgresPool(databaseAdministrator, maximumConnections: 1)
            let roles = services.map { service in
                DatabaseRole(
                    name: service.name.role, schemas: [service.name.schema] + service.name.furtherSchemas,
                    password: servers.databasePassword(of: service.name),
                    readsEverything: service.name == .stockbridge)
            }
            _ = try await Migrator(pool: pool, database: name).migrate(roles: roles)
            await pool.close()
        } catch {
            await administration.close()
            throw error
        }
        await administration.close()
        try await makeVirtualHost()
    }

    private func makeVirtualHost() async throws {
        try await servers.manage("PUT", "/api/vhosts/\(name)", [:])
        try await permit(servers.broker.user, configure: ".*", write: ".*", read: ".*")
        let session = TopologySession(brokerAdministrator)
        let topology = Topology(services: services)
        try await TopologyDeclarer.declare(topology.declarations, over: session)
        await session.close()
        for (service, permissions) in zip(services, topology.permissions) {
            try await BrokerUsers.shared.ensure(service.name, on: servers)
            try await permit(
                permissions.user, configure: permissions.configure, write: permissions.write, read: permissions.read)
            try await servers.manage(
                "PUT", "/api/topic-permissions/\(name)/\(permissions.user)",
                ["exchange": Topology.events, "write": permissions.topicWrite, "read": permissions.topicRead])
        }
    }

    private func permit(_ user: String, configure: String, write: String, read: String) async throws {
        try await servers.manage(
            "PUT", "/api/permissions/\(name)/\(user)", ["configure": configure, "write": write, "read": read])
    }

    private func remove() async -> (any Error)? {
        try? FileManager.default.removeItem(at: folder)  // scratch files only
        var problem: (any Error)?
        let administration = PostgresConnection(servers.database)
        do {
            try await administration.script("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        } catch { problem = error }
        await administration.close()
        do { try await servers.manage("DELETE", "/api/vhosts/\(name)") } catch { problem = problem ?? error }
        return problem
    }
}

/// Makes the services' users on the broker, once per process.
private actor BrokerUsers {
    static let shared = BrokerUsers()

    private var made: [ServiceName: Task<Void, any Error>] = [:]

    func ensure(_ service: ServiceName, on servers: TestServers) async throws {
        let task =
            made[service]
            ?? Task {
                try await servers.manage(
                    "PUT", "/api/users/\(service.rawValue)",
                    ["password": servers.brokerPassword(of: service), "tags": ""])
            }
        made[service] = task
        do {
            try await task.value
        } catch {
            // The next test tries again.
            if made[service] == task { made[service] = nil }
            throw error
        }
    }
}
