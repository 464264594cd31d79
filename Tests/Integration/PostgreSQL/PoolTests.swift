import Foundation
import Synchronization
import Testing

@testable import PostgreSQL

extension PostgreSQLServer {
    struct Pool {
        @Test func fiftyTransactionsShareTwoConnections() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(2)
                try await pool.transaction { try $0.script("CREATE TABLE t (n bigint, pid int)") }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<50 {
                        group.addTask {
                            _ = try await pool.transaction { tx in
                                try tx.execute("INSERT INTO t VALUES ($1, pg_backend_pid())", [.int(number)])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let rows = try await pool.query("SELECT count(DISTINCT n) AS n, count(DISTINCT pid) AS p FROM t")
                #expect(try rows[0].decode("n", as: Int.self) == 50)
                #expect(try rows[0].decode("p", as: Int.self) <= 2)
                #expect(pool.statistics.connections <= 2)
                #expect(pool.statistics.waiting == 0)
                await pool.close()
            }
        }

        @Test func aCancelledWaiterLeavesTheLineAndHarmsNobody() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                let gate = DispatchSemaphore(value: 0)
                let holder = Task { try await pool.transaction { _ in _ = gate.wait(timeout: .now() + 10) } }
                try await eventually { pool.statistics.connections == 1 && pool.statistics.idle == 0 }
                let cancelled = Task { try await pool.transaction { try $0.execute("SELECT 1") } }
                try await eventually { pool.statistics.waiting == 1 }
                let patient = Task { try await pool.query("SELECT 1").count }
                try await eventually { pool.statistics.waiting == 2 }
                cancelled.cancel()
                await #expect(throws: CancellationError.self) { try await cancelled.value }
                #expect(pool.statistics.waiting == 1)
                gate.signal()
                try await holder.value
                #expect(try await patient.value == 1)
                #expect(pool.statistics == PostgresPool.Statistics(connections: 1, idle: 1, waiting: 0))
                await pool.close()
            }
        }

        @Test func closingLetsTransactionsEndAndTurnsWaitersAway() async throws {
            try await withScratch { scratch async throws in
                let pool = scratch.pool(1)
                let gate = DispatchSemaphore(value: 0)
                let holder = Task {
                    try await pool.transaction { tx in
                        try tx.script("CREATE TABLE t (n bigint)")
                        _ = gate.wait(timeout: .now() + 10)
                    }
                }
                try await eventually { pool.statistics.connections == 1 && pool.statistics.idle == 0 }
                let waiter = Task { try await pool.query("SELECT 1") }
                try await eventually { pool.statistics.waiting == 1 }
                let closing = Task { await pool.close() }
                #expect(await postgresError { try await waiter.value } == .poolClosed)
                gate.signal()
                try await holder.value
                await closing.value
                #expect(pool.statistics.connections == 0)
                #expect(await postgresError { try await pool.query("SELECT 1") } == .poolClosed)
                let check = scratch.pool(1)
                #expect(try await check.query("SELECT * FROM t").isEmpty)
                await check.close()
            }
        }

        @Test func connectionsAndThreadsGoAwayWithThePool() async throws {
            try await withScratch { scratch async throws in
                let check = PostgresConnection(scratch.configuration)
                let name = "leaving-" + scratch.schema.suffix(12)
                do {
                    var configuration = scratch.configuration
                    configuration.applicationName = name
                    let pool = PostgresPool(configuration, maximumConnections: 1)
                    _ = try await pool.query("SELECT 1")
                }
                try await eventually {
                    try await check.query(
                        "SELECT 1 FROM pg_stat_activity WHERE application_name = $1", [.text(name)]
                    ).isEmpty
                }
                await check.close()
            }
        }
    }
}
