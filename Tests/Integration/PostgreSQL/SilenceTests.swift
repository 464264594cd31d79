import Foundation
import TestStack
import Testing

@testable import PostgreSQL

extension PostgreSQLServer {
    /// A server that says nothing: at work, or at the other end of a connection that is no more.
    struct Silence {
        @Test func aStatementMayTakeLongerThanThePatience() async throws {
            try await withScratch { scratch async throws in
                var configuration = scratch.configuration
                configuration.patience = .milliseconds(200)
                let connection = PostgresConnection(configuration)
                let process: Int = try await connection.query("SELECT pg_backend_pid() AS pid")[0].decode("pid")
                _ = try await connection.query("SELECT pg_sleep(1.5)")
                try await connection.script("SELECT pg_sleep(1.5)")
                let same: Int = try await connection.query("SELECT pg_backend_pid() AS pid")[0].decode("pid")
                #expect(same == process)
                await connection.close()
            }
        }

        @Test func aWaitForALockMayTakeLongerThanThePatience() async throws {
            try await withScratch { scratch async throws in
                var configuration = scratch.configuration
                configuration.patience = .milliseconds(200)
                let (holder, waiter) = (PostgresConnection(configuration), PostgresConnection(configuration))
                try await holder.begin()
                let lock = "SELECT pg_advisory_xact_lock(hashtext('\(scratch.schema)'))"
                _ = try await holder.query(lock)
                async let waiting: Int = waiter.query(lock).count
                try await Task.sleep(for: .milliseconds(1_500))
                try await holder.commit()
                #expect(try await waiting == 1)
                await holder.close()
                await waiter.close()
            }
        }

        @Test func aCopyOfWhichEveryRowTakesLongIsNotCut() async throws {
            try await withScratch { scratch async throws in
                var configuration = scratch.configuration
                configuration.patience = .milliseconds(200)
                let connection = PostgresConnection(configuration)
                let rows: Int = try await connection.transaction { tx in
                    try tx.script(
                        """
                        CREATE TEMPORARY TABLE slow (n bigint);
                        CREATE FUNCTION pg_temp.dawdle() RETURNS trigger LANGUAGE plpgsql AS
                            $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$;
                        CREATE TRIGGER slowly BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION pg_temp.dawdle();
                        """)
                    return try tx.copy(into: "slow", columns: ["n"]) { writer in
                        for number in 1...2 {
                            writer.integer(number)
                            try writer.endRow()
                        }
                    }
                }
                #expect(rows == 2)
                await connection.close()
            }
        }

        @Test func aConnectionThatAFirewallForgotIsGivenUpInTime() async throws {
            try await withScratch { scratch async throws in
                let relay = try await Relay.start(to: scratch.configuration.port)
                defer { relay.kill() }
                var configuration = scratch.configuration
                (configuration.host, configuration.port) = ("127.0.0.1", relay.port)
                configuration.patience = .milliseconds(200)
                let pool = PostgresPool(configuration, maximumConnections: 1)
                _ = try await pool.query("SELECT 1")
                try await relay.forgetConnections()
                let began = ContinuousClock.now
                let error = await postgresError { try await pool.query("SELECT 1") }
                #expect(error?.label == "connection_lost")
                #expect(ContinuousClock.now - began < .seconds(10))
                #expect(try await pool.query("SELECT 1").count == 1)
                await pool.close()
            }
        }
    }
}
