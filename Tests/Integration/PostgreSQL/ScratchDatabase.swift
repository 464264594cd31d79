import Foundation
import TestStack
import Testing

@testable import PostgreSQL

/// All tests against a server, one after the other: some of them measure this process or end sessions.
@Suite(.serialized, .timeLimit(.minutes(20)))
enum PostgreSQLServer {}

struct MissingTestServer: Error, CustomStringConvertible {
    var description: String {
        "STOCKBRIDGE_TEST_DATABASE is not set to postgresql://user:password@host:port/database, so nothing was tested. "
            + "Start the test stack and source its environment."
    }
}

/// A schema of its own on the test server, dropped when the test ends either way.
struct Scratch {
    let schema: String
    /// Connects as a superuser with the schema as the search path.
    let configuration: PostgresConfiguration

    func pool(_ maximumConnections: Int = 2) -> PostgresPool {
        PostgresPool(configuration, maximumConnections: maximumConnections)
    }
}

func withScratch(_ body: (Scratch) async throws -> Void) async throws {
    guard let url = ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_DATABASE"],
        var configuration = PostgresConfiguration(url: url)
    else { throw MissingTestServer() }
    configuration.applicationName = "postgresql-tests"
    let schema = "scratch_" + UUID().uuidString.lowercased().replacing("-", with: "")
    let administration = PostgresConnection(configuration)
    try await administration.script("CREATE SCHEMA \(schema)")
    configuration.searchPath = [schema]
    let outcome: Result<Void, any Error>
    do {
        try await body(Scratch(schema: schema, configuration: configuration))
        outcome = .success(())
    } catch {
        outcome = .failure(error)
    }
    try await administration.script("DROP SCHEMA \(schema) CASCADE")
    await administration.close()
    try outcome.get()
}

/// The PostgresError that `body` throws; nil, with an issue recorded, if it throws none.
func postgresError<R>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> R
) async -> PostgresError? {
    do {
        _ = try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as PostgresError {
        return error
    } catch {
        Issue.record("\(error) was thrown", sourceLocation: sourceLocation)
    }
    return nil
}

/// Waits until `condition` holds; the test ends if it does not within a minute.
func eventually(
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let holds = try await TestStack.eventually(every: .milliseconds(5), condition)
    try #require(holds, sourceLocation: sourceLocation)
}

struct Deliberate: Error {}
