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
        let pool = PostgresPool(server, maximumConnections: 2)
        do {
            let result = try await body(OperatorDatabase(pool: pool))
            await pool.close()
            return result
        } catch let error as PostgresError {
            await pool.close()
            throw explained(error, server)
        } catch {
            await pool.close()
            throw error
        }
    }

    /// A missing table or role means that nobody migrated; that is worth its own sentence.
    private static func explained(_ error: PostgresError, _ server: PostgresConfiguration) -> any Error {
        if let problem = StartProblem.of(error, at: server, for: .service(.stockbridge)) { return problem }
        return switch error.sqlState {
        case "42P01", "3F000", "42883":
            ToolError.failed("\(error) The database is not at this version: run 'stockbridge migrate'.")
        default: error
        }
    }
}
