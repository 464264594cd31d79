import Foundation
import Testing

@testable import PostgreSQL

extension PostgreSQLServer {
    /// A primary with a standby, and servers that are not there.
    struct SeveralServers {
        @Test func aServerThatIsNotThereIsPassedOver() async throws {
            try await withScratch { scratch async throws in
                var configuration = scratch.behind(port: 1)
                let pool = PostgresPool(configuration, maximumConnections: 2)
                #expect(try await pool.query("SELECT 1").count == 1)
                await pool.close()
                configuration.furtherServers = [PostgresAddress(host: "127.0.0.1", port: 2)]
                let error = await postgresError { try await PostgresConnection(configuration).open() }
                #expect(error?.description.contains("; nor to 127.0.0.1:2 (") == true)
            }
        }

        @Test func aServerThatDoesNotAnswerIsAskedOnceAndNotByEveryConnection() async throws {
            try await withScratch { scratch async throws in
                let silent = try #require(SilentServer())
                var configuration = scratch.behind(port: silent.port)
                configuration.connectTimeoutSeconds = 5
                let pool = PostgresPool(configuration, maximumConnections: 1)
                let start = ContinuousClock.now
                #expect(try await pool.query("SELECT 1").count == 1)
                #expect(ContinuousClock.now - start >= .seconds(5))
                let other = PostgresConnection(configuration)
                let second = ContinuousClock.now
                #expect(try await other.query("SELECT 1").count == 1)
                #expect(ContinuousClock.now - second < .seconds(5))
                withExtendedLifetime(silent) {}
                await pool.close()
                await other.close()
            }
        }

        @Test func aStandbyIsPassedOverAndFoundOnceItIsThePrimary() async throws {
            try await PrivateDatabase.with { primary, folder in
                let standby = try await primary.standby(in: folder)
                let alone = await postgresError { try await PostgresConnection(standby.configuration).open() }
                #expect(alone?.description.contains("session is read-only: it takes no writes, as a standby") == true)
                #expect(alone?.isTransient == true)

                var configuration = standby.configuration
                configuration.furtherServers = [primary.address]
                let pool = PostgresPool(configuration, maximumConnections: 2)
                try await pool.transaction { try $0.script("CREATE TABLE t (n bigint); INSERT INTO t VALUES (1)") }
                let listener = PostgresListener(configuration, channels: ["news"])
                #expect(try await listener.next(within: .seconds(10)) == [.mayHaveMissed])
                try await eventually { try await standby.answer("SELECT to_regclass('t')") == "t" }

                try await primary.stop()
                let lost = await postgresError { try await pool.query("SELECT 1") }
                #expect(lost?.isTransient == true)
                try await standby.promote()
                try await eventually {
                    (try? await pool.transaction { try $0.execute("INSERT INTO t VALUES (2)") }) == 1
                }
                #expect(try await pool.query("SELECT n FROM t").count == 2)
                try await eventually { try await listener.next(within: .milliseconds(500)) == [.mayHaveMissed] }
                await listener.close()
                await pool.close()
            }
        }

        @Test func aServerThatTakesNoMoreWritesIsLeftAndATransactionOfOursIsNot() async throws {
            try await PrivateDatabase.with { primary, _ in
                let pool = PostgresPool(primary.configuration, maximumConnections: 1)
                try await pool.transaction { try $0.script("CREATE TABLE t (n bigint)") }
                let session = try await backend(pool)
                let own = await postgresError {
                    try await pool.transaction { tx in
                        try tx.execute("SET TRANSACTION READ ONLY")
                        try tx.execute("INSERT INTO t VALUES (1)")
                    }
                }
                #expect(own?.serverError?.sqlState == "25006")
                #expect(try await backend(pool) == session)

                try await primary.set(["default_transaction_read_only": "on"])
                let refused = await postgresError {
                    try await pool.transaction { try $0.execute("INSERT INTO t VALUES (1)") }
                }
                #expect(refused?.label == "connection_lost" && refused?.isTransient == true)
                let none = await postgresError {
                    try await pool.transaction { try $0.execute("INSERT INTO t VALUES (1)") }
                }
                #expect(none?.description.contains("session is read-only") == true)
                try await primary.set(["default_transaction_read_only": "off"])
                #expect(try await pool.transaction { try $0.execute("INSERT INTO t VALUES (1)") } == 1)
                await pool.close()
            }
        }

        @Test func aPasswordThatWasChangedIsAskedForAtTheNextConnection() async throws {
            try await withScratch { scratch async throws in
                let administration = PostgresConnection(scratch.configuration)
                let role = "rotated_\(scratch.schema.suffix(12))"
                try await administration.script("CREATE ROLE \(role) LOGIN PASSWORD 'first'")
                let file = FileManager.default.temporaryDirectory.appending(path: role)
                try Data("first".utf8).write(to: file)
                defer { try? FileManager.default.removeItem(at: file) }
                var configuration = scratch.configuration
                (configuration.user, configuration.password) = (role, "first")
                configuration.renewedPassword = { try String(contentsOf: file, encoding: .utf8) }
                let pool = PostgresPool(configuration, maximumConnections: 1)
                let first = try await backend(pool)
                try await administration.script("ALTER ROLE \(role) PASSWORD 'second'")
                try Data("second".utf8).write(to: file)
                try await administration.script("SELECT pg_terminate_backend(\(first), 5000)")
                let second = try? await backend(pool)
                #expect(second != nil && second != first)
                await pool.close()
                try await eventually { (try? await administration.script("DROP ROLE \(role)")) != nil }
                await administration.close()
            }
        }

        private func backend(_ pool: PostgresPool) async throws -> Int {
            try await pool.query("SELECT pg_backend_pid() AS pid")[0].decode("pid")
        }
    }
}

extension Scratch {
    /// The test server after another one. Not a copy of what the test has connected with: copies share the knowledge
    /// of the server that worked.
    fileprivate func behind(port: Int) -> PostgresConfiguration {
        var behind = PostgresConfiguration(
            host: "127.0.0.1", port: port, database: configuration.database, user: configuration.user,
            password: configuration.password)
        behind.furtherServers = [PostgresAddress(host: configuration.host, port: configuration.port)]
        return behind
    }
}
