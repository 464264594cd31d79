import Concurrency
import Contracts
import Foundation
import Logging
import Messaging
import Migrations
import PostgreSQL
import Settings

/// Looks, before anything begins, whether a service can work here. What somebody has to put right ends the process with
/// one sentence; what may come by itself, such as a server that is starting, is waited for.
struct StartCheck: Sendable {
    /// With the pauses in between, some three minutes.
    static let attempts = 20

    let parts: ServiceParts

    func run() async throws {
        for port in Self.ports(of: parts.name, parts.configuration) {
            if let problem = port.problem() { throw problem }
        }
        try await checkDatabase()
    }

    /// Secrets and files without which nothing can begin; if one is missing, all that the service needs are named.
    static func checkFiles(of name: ServiceName, _ configuration: StockbridgeConfiguration) throws {
        let problems = configuration.checkSecrets(for: .service(name))
        let isVital = problems.contains { $0.path.hasPrefix("broker.") || $0.path.hasPrefix("database.") }
        if isVital { throw InvalidConfiguration(problems: problems) }
    }

    static func ports(of name: ServiceName, _ configuration: StockbridgeConfiguration) -> [ListeningPort] {
        let http = configuration.http
        let health = ListeningPort(
            setting: "http.ports.\(name.rawValue)", host: http.bind, port: http.port(for: name.rawValue))
        guard name == .orderCollector else { return [health] }
        let webhooks = configuration.webhooks
        return [health, ListeningPort(setting: "webhooks.port", host: webhooks.bind, port: webhooks.port)]
    }

    private func checkDatabase() async throws {
        let server = try parts.configuration.databaseConfiguration(for: parts.name, purpose: "pool")
        let backoff = Backoff(first: .milliseconds(500), ceiling: .seconds(10))
        var failures = 0
        while true {
            let found: DatabaseContents
            do throws(PostgresError) {
                found = try await contents()
            } catch {
                failures += 1
                let problem = StartProblem.of(error, at: server, for: .service(parts.name))
                if let problem, problem.isLasting || failures == Self.attempts { throw problem }
                guard error.isTransient, failures < Self.attempts else { throw error }
                parts.logger.warning("the database is not there yet, trying again", metadata: ["problem": "\(error)"])
                try await Task.sleep(for: backoff.delay(afterFailures: failures))
                continue
            }
            if let problem = Self.problem(found, parts.name, database: server.database) { throw problem }
            return sayIfNewer(found)
        }
    }

    private func sayIfNewer(_ contents: DatabaseContents) {
        let unknown = Set(contents.applied ?? []).subtracting(Migration.all.map(\.name)).sorted()
        guard !unknown.isEmpty else { return }
        parts.logger.notice(
            "the database is newer than this program, which works with it all the same",
            metadata: ["unknown": "\(unknown.joined(separator: ", "))"])
    }

    /// What steps the database has had; none if it does not even know how to say so.
    private func contents() async throws(PostgresError) -> DatabaseContents {
        do throws(PostgresError) {
            let rows = try await parts.database.pool.query("SELECT name FROM shared.applied_migrations()")
            var names: [String] = []
            for row in rows { names.append(try row.decode("name")) }
            return DatabaseContents(applied: names)
        } catch {
            // No such schema, no such function, or no right to use them: `migrate` makes all three.
            guard ["3F000", "42883", "42501"].contains(error.sqlState) else { throw error }
            return DatabaseContents(applied: nil)
        }
    }

    /// Why a service cannot work with a database of this structure; nil if it can. A newer structure is fine: old and
    /// new replicas run side by side while a version is rolled out.
    static func problem(_ contents: DatabaseContents, _ name: ServiceName, database: String) -> StartProblem? {
        let missing = contents.missing(of: Set([name.schema, "shared"] + name.furtherSchemas))
        guard let first = missing.first else { return nil }
        let state =
            contents.applied == nil
            ? "Database \(database) was not migrated for this version of \(name.rawValue)"
            : "Database \(database) is older than this version of \(name.rawValue), which needs \(first)"
                + (missing.count == 1 ? "" : " and \(missing.count - 1) more")
        return StartProblem("\(state): run 'stockbridge migrate' of this version first. The service did not begin.")
    }
}
