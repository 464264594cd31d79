public import PostgreSQL

/// Runs a body with connections to a database and closes them whatever happens. Test equipment.
///
/// - Parameters:
///   - configuration: Which database, and as whom.
///   - connections: At most so many at once.
public func withPool<Result>(
    to configuration: PostgresConfiguration, connections: Int = 2, _ body: (PostgresPool) async throws -> Result
) async throws -> Result {
    let pool = PostgresPool(configuration, maximumConnections: connections)
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(pool)) } catch { outcome = .failure(error) }
    await pool.close()
    return try outcome.get()
}
