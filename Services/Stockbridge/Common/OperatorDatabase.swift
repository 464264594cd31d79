import Contracts
import Foundation
import PostgreSQL
import ServiceKit
import Settings

/// The database under the operator's role: reads every schema, writes `operations`.
struct OperatorDatabase: Sendable {
    let pool: PostgresPool

    /// Opens the pool, runs `body` and closes the pool, also when it throws.
    static func with<Result: Sendable>(
        _ configuration: StockbridgeConfiguration, _ body: (OperatorDatabase) async throws -> Result
    ) async throws -> Result {
        let server = try configuration.databaseConfiguration(for: .stockbridge, purpose: "command")
        return try await withPool(server, connections: 2, for: .service(.stockbridge)) { pool in
            try await body(OperatorDatabase(pool: pool))
        }
    }

    /// Opens a pool, runs `body` and closes the pool, also when it throws; errors of the database are explained to the
    /// caller.
    static func withPool<Result: Sendable>(
        _ server: PostgresConfiguration, connections: Int, for caller: StartProblem.Caller,
        _ body: (PostgresPool) async throws -> Result
    ) async throws -> Result {
        let pool = PostgresPool(server, maximumConnections: connections)
        do {
            let result = try await body(pool)
            await pool.close()
            return result
        } catch let error as PostgresError {
            await pool.close()
            throw explained(error, server, caller)
        } catch {
            await pool.close()
            throw error
        }
    }

    /// A table, column or role that is missing means that nobody migrated; that is worth its own sentence.
    private static func explained(
        _ error: PostgresError, _ server: PostgresConfiguration, _ caller: StartProblem.Caller
    ) -> any Error {
        if let problem = StartProblem.of(error, at: server, for: caller) { return problem }
        return switch error.sqlState {
        case "42P01", "42703", "3F000", "42883":
            ToolError.failed("\(error) The database is not at this version: run 'stockbridge migrate'.")
        case "55P03" where caller == .administrator:
            ToolError.failed(
                "Somebody else has locked a row or a table of database \(server.database) that this needs. Nothing was "
                    + "changed: see in pg_stat_activity who is connected, end that, and run the command again.")
        default: error
        }
    }
}
