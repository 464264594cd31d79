import Foundation
import PostgreSQL
import ProcessStack
import TestStack
import Testing

@Suite("Broker and database over TLS, with a private authority", .timeLimit(.minutes(60)))
struct SecureDeploymentTests {
    @Test("A morning reaches the shelves with every connection encrypted, and passwords change without a restart")
    func morning() async throws {
        let authority = try await TestAuthority()
        defer { authority.remove() }
        try await PrivateServers.with(diskMegabytes: 512) { servers in
            var plan = StackPlan(skus: 60, shops: ["hanoi"], edits: try await servers.offerTLS(authority))
            plan.servers = servers
            try await ProcessStack.with(plan) { stack in
                try await stack.open()
                try stack.deliver(stack.morning)
                try await stack.stockbridge("run", "stock", "--wait", "120")
                try await stack.waitFor("runs")
                #expect(stack.wrongShelves(stack.morning) == [])
                try await everythingIsEncrypted(stack, servers)
                try await changePasswords(stack, servers)
                let next = try await stack.day(2)
                try stack.deliver(next)
                try await stack.stockbridge("run", "stock", "--wait", "120")
                try await stack.waitFor("runs")
                #expect(stack.wrongShelves(next) == [])
                try await aStrangerIsRefused(stack, authority)
            }
        }
    }

    private func everythingIsEncrypted(_ stack: ProcessStack, _ servers: PrivateServers) async throws {
        let row = try #require(
            try await stack.rows(
                """
                SELECT count(*) FILTER (WHERE s.ssl), count(*) FILTER (WHERE NOT s.ssl)
                FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
                WHERE a.datname = current_database() AND a.usename <> 'postgres'
                """
            ).first)
        #expect(try row.decode(at: 0, as: Int.self) > 0)
        #expect(try row.decode(at: 1, as: Int.self) == 0)
        let connections = try await servers.rabbitmqctl("--quiet", "list_connections", "user", "ssl")
            .split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
            .filter { $0.first?.hasPrefix("stock-") == true || $0.first == "notifier" }
        #expect(!connections.isEmpty)
        #expect(connections.allSatisfy { $0.last == "true" }, "\(connections)")
    }

    /// New secrets in the files, the two commands that set them, and then everybody has to sign in again.
    private func changePasswords(_ stack: ProcessStack, _ servers: PrivateServers) async throws {
        let secrets = stack.directory.appending(path: "secrets")
        for service in ["stock-ingestor", "stock-publisher"] {
            for kind in ["broker", "database"] {
                try Data("renewed-\(UUID().uuidString)\n".utf8).write(to: secrets.appending(path: "\(kind)-\(service)"))
            }
        }
        try await stack.stockbridge("migrate")
        try await stack.stockbridge("topology", "apply", "--yes")
        let before = try await sessions(stack)
        try await servers.rabbitmqctl("close_all_connections", "--vhost", stack.name, "a test")
        _ = try await stack.rows(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND usename IN ('stock_ingestor', 'stock_publisher')
            """)
        try await stack.wait(for: "both services to sign in again", within: .seconds(60)) {
            let now = try await sessions(stack)
            return now.isDisjoint(with: before) && Set(now.map { $0.prefix { $0 != " " } }).count == 2
        }
        try await stack.waitUntilReady()
    }

    private func sessions(_ stack: ProcessStack) async throws -> Set<String> {
        Set(
            try await stack.texts(
                """
                SELECT usename || ' ' || pid FROM pg_stat_activity
                WHERE datname = current_database() AND usename IN ('stock_ingestor', 'stock_publisher')
                """))
    }

    private func aStrangerIsRefused(_ stack: ProcessStack, _ authority: TestAuthority) async throws {
        let stranger = try await TestAuthority()
        defer { stranger.remove() }
        let text = try String(contentsOf: stack.configuration, encoding: .utf8)
        try text.replacing(authority.file, with: stranger.file)
            .write(to: stack.configuration, atomically: true, encoding: .utf8)
        let topology = try await stack.stockbridge("topology", "verify", expecting: [1])
        #expect(topology.errors.contains("TLS with localhost failed"), "\(topology.errors)")
        #expect(topology.errors.contains("CA file"))
        let status = try await stack.stockbridge("status", expecting: [1])
        #expect(status.errors.contains("not from an authority in the CA file"), "\(status.errors)")
        #expect(!status.errors.contains("renewed-"))
    }
}
