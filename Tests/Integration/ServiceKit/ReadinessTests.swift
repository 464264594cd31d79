import Dispatch
import PostgreSQL
import TestStack
import Testing

@testable import ServiceKit

@Suite("Whether a service can work", .timeLimit(.minutes(20)))
struct ReadinessTests {
    @Test("A database that answers is no problem")
    func ready() async throws {
        let pool = PostgresPool(try TestServers().database, maximumConnections: 1)
        #expect(await ReadinessCheck.database(pool).problem() == nil)
        await pool.close()
    }

    @Test("Where all connections stay in use the check says so, and does not wait with them")
    func busy() async throws {
        let pool = PostgresPool(try TestServers().database, maximumConnections: 1)
        let gate = DispatchSemaphore(value: 0)
        let holder = Task { try await pool.transaction { _ in gate.wait() } }
        #expect(try await eventually { pool.statistics.connections == 1 && pool.statistics.idle == 0 })
        let problem = await ReadinessCheck.database(pool, patience: .milliseconds(200)).problem()
        #expect(problem?.contains("no connection has become free") == true)
        gate.signal()
        try await holder.value
        await pool.close()
    }

    @Test("A database that is not there is named")
    func away() async throws {
        var nowhere = try TestServers().database
        (nowhere.host, nowhere.port, nowhere.furtherServers) = ("127.0.0.1", 1, [])
        let pool = PostgresPool(nowhere, maximumConnections: 1)
        #expect(await ReadinessCheck.database(pool).problem()?.contains("127.0.0.1") == true)
        await pool.close()
    }
}
