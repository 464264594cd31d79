import Foundation
import TestStack
import Testing

@testable import PostgreSQL

extension PostgreSQLServer {
    struct ConnectionLoss {
        @Test func aSessionEndedByTheServerIsReportedAndReplaced() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                try await pool.transaction { try $0.script("CREATE TABLE t (n bigint)") }
                let error = await postgresError {
                    try await pool.transaction { tx in
                        try tx.execute("INSERT INTO t VALUES (1)")
                        try tx.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                        try tx.execute("INSERT INTO t VALUES (2)")
                    }
                }
                guard case .connectionLost = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(error?.isTransient == true)
                #expect(try await pool.query("SELECT n FROM t").isEmpty)
                await pool.close()
            }
        }

        @Test func aSessionEndedWhileIdleIsNotNoticedByItsUser() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                let process: Int = try await pool.transaction {
                    try $0.query("SELECT pg_backend_pid() AS pid")[0].decode("pid")
                }
                try await end(process, scratch)
                let next: Int = try await pool.query("SELECT pg_backend_pid() AS pid")[0].decode("pid")
                #expect(next != process)
                await pool.close()
            }
        }

        @Test func anExclusiveConnectionStaysLostUntilOpenedAgain() async throws {
            try await withScratch { scratch async throws in
                let connection = PostgresConnection(scratch.configuration)
                let process: Int = try await connection.query("SELECT pg_backend_pid() AS pid")[0].decode("pid")
                try await end(process, scratch)
                for _ in 1...2 {
                    let error = await postgresError { try await connection.query("SELECT 1") }
                    #expect(error?.label == "connection_lost")
                }
                try await connection.open()
                #expect(try await connection.query("SELECT 1").count == 1)
                await connection.close()
            }
        }

        @Test func aDisconnectedConnectionConnectsAnewAndIsClosedOnlyByClose() async throws {
            try await withScratch { scratch async throws in
                let connection = PostgresConnection(scratch.configuration)
                let process: Int = try await connection.query("SELECT pg_backend_pid() AS pid")[0].decode("pid")
                try await connection.begin()
                _ = try await connection.query("SELECT 1")
                await connection.disconnect()
                let next: Int = try await connection.query("SELECT pg_backend_pid() AS pid")[0].decode("pid")
                #expect(next != process)
                await connection.close()
                let error = await postgresError { try await connection.query("SELECT 1") }
                #expect(error?.label == "closed")
            }
        }

        @Test func aLossDuringCommitLeavesTheOutcomeOpen() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                try await pool.transaction { tx in
                    try tx.script(
                        """
                        CREATE TABLE t (n bigint);
                        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
                        CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                            FOR EACH ROW EXECUTE FUNCTION die();
                        """)
                }
                let error = await postgresError {
                    try await pool.transaction { try $0.execute("INSERT INTO t VALUES (1)") }
                }
                #expect(error?.label == "commit_outcome_unknown")
                #expect(try await pool.query("SELECT 1").count == 1)
                await pool.close()
            }
        }

        @Test func aServerThatIsNotThereIsReportedWithoutThePassword() async throws {
            try await withScratch { scratch async throws in
                var configuration = scratch.configuration
                configuration.password = "wrong-and-secret"
                let refused = await postgresError { try await PostgresConnection(configuration).open() }
                #expect(refused?.label == "connection_failed")
                #expect(refused?.description.contains("secret") == false)
                configuration.port = 1
                let pool = PostgresPool(configuration, maximumConnections: 1)
                for _ in 1...2 {
                    let unreachable = await postgresError { try await pool.query("SELECT 1") }
                    #expect(unreachable?.label == "connection_failed")
                }
                await pool.close()
            }
        }

        @Test func aServerThatDoesNotAnswerIsGivenUpInTime() async throws {
            try await withScratch { scratch async throws in
                // Accepts connections in the kernel's queue and never says a word.
                let silent = try #require(SilentServer())
                var configuration = scratch.configuration
                (configuration.host, configuration.port) = ("127.0.0.1", silent.port)
                configuration.connectTimeoutSeconds = 1
                let start = ContinuousClock.now
                let error = await postgresError { try await PostgresConnection(configuration).open() }
                #expect(error?.label == "connection_failed")
                #expect(ContinuousClock.now - start < .seconds(30))
            }
        }

        @Test func aRoleWithoutRightsAndATimeoutAreRecognised() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                let role = scratch.schema + "_role"
                let denied = await postgresError {
                    try await pool.transaction { tx in
                        // Undone with the transaction, the role included.
                        try tx.script("CREATE TABLE t (n bigint); CREATE ROLE \(role); SET LOCAL ROLE \(role)")
                        try tx.execute("SELECT * FROM \(scratch.schema).t")
                    }
                }
                #expect(denied?.isInsufficientPrivilege == true)
                #expect(denied?.isTransient == false)
                await pool.close()
                var configuration = scratch.configuration
                configuration.statementTimeoutSeconds = 1
                let connection = PostgresConnection(configuration)
                let late = await postgresError { try await connection.query("SELECT pg_sleep(20)") }
                #expect(late?.isStatementTimeout == true)
                #expect(try await connection.query("SELECT 1").count == 1)
                await connection.close()
            }
        }
    }
}

/// Ends a session from outside and waits until it is gone.
func end(_ process: Int, _ scratch: Scratch) async throws {
    let other = PostgresConnection(scratch.configuration)
    try await other.execute("SELECT pg_terminate_backend($1)", [.int(process)])
    try await eventually {
        try await other.query("SELECT 1 FROM pg_stat_activity WHERE pid = $1", [.int(process)]).isEmpty
    }
    await other.close()
}

/// A listening socket on a free port that nobody accepts from.
final class SilentServer {
    private let descriptor: Int32
    let port: Int

    init?() {
        guard let socket = try? localSocket(listeningFor: 8) else { return nil }
        (descriptor, port) = socket
    }

    deinit { close(descriptor) }
}
