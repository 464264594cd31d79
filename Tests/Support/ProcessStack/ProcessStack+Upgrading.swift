public import Foundation
public import PostgreSQL
import Synchronization
import TestStack

extension ProcessStack {
    // MARK: - Programs

    /// What is started from now on comes from this folder, or from the test's own build.
    public func use(programsIn folder: URL?) { programs.withLock { $0 = folder } }

    func executable(_ name: String) throws -> String {
        guard let folder = programs.withLock({ $0 }) else { return try Places.executable(name) }
        let path = folder.appending(path: name).path()
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw ProcessStackProblem("\(path) is not there.")
        }
        return path
    }

    /// Ends every service as a power cut would.
    public func killServices() {
        for child in children.withLock({ $0 }) where child.name != "mail" { child.kill() }
    }

    // MARK: - The database as a whole

    /// The administrator's way to the database.
    public var databaseAdministrator: PostgresConfiguration {
        var administrator = servers.database
        administrator.database = name
        return administrator
    }

    func openDatabase() {
        let pool = PostgresPool(databaseAdministrator, maximumConnections: 2)
        database.withLock { $0 = pool }
    }

    /// Does something for which nobody may be connected to the database, this test included.
    public func withDatabaseClosed<Result>(_ body: () async throws -> Result) async throws -> Result {
        if let pool = database.withLock({ $0.take() }) { await pool.close() }
        defer { openDatabase() }
        return try await body()
    }

    /// Does something that changes roles. They belong to the whole cluster, and two changes of one role at once fail;
    /// other tests hold the same lock.
    public func withRolesLocked<Result>(_ body: () async throws -> Result) async throws -> Result {
        let lock = PostgresConnection(servers.database)
        do {
            _ = try await lock.query("SELECT pg_advisory_lock(7733001)")
            let result = try await body()
            await lock.close()
            return result
        } catch {
            await lock.close()
            throw error
        }
    }

    /// Removes the database and all that is in it.
    public func destroyDatabase() async throws {
        try await withDatabaseClosed {
            let administration = PostgresConnection(servers.database)
            do {
                try await administration.script("DROP DATABASE \(name) WITH (FORCE)")
                await administration.close()
            } catch {
                await administration.close()
                throw error
            }
        }
    }

    // MARK: - The shell

    /// Runs a line as an administrator types it, in the repository's folder, and returns what it said. PostgreSQL's
    /// tools find the database, `stockbridge` and `rabbitmqctl` are those of this system.
    ///
    /// - Parameter prelude: Functions and variables that the line needs besides.
    @discardableResult
    public func shell(_ line: String, prelude: String = "", expecting: Set<Int32> = [0]) async throws -> CommandResult {
        let tool = try Places.variable("STOCKBRIDGE_TEST_RABBITMQCTL", of: serverEnvironment)
        let script = """
            set -euo pipefail
            stockbridge() { "\(try executable("stockbridge"))" "$@"; }
            rabbitmqctl() { "\(tool)" "$@"; }
            \(prelude)
            \(line)
            """
        let database = servers.database
        let child = try ChildProcess(
            name: "shell", executable: "/bin/bash", arguments: ["-c", script],
            environment: environment.merging([
                "PGHOST": database.host, "PGPORT": "\(database.port)", "PGUSER": database.user,
                "PGPASSWORD": database.password, "PGDATABASE": name, "VIRTUAL_HOST": name,
            ]) { _, own in own }, log: log("shell-\(UUID().uuidString.prefix(8))"))
        let status = try await child.waitForExit(within: .seconds(240))
        let result = CommandResult(status: status, output: child.output, errors: child.errors)
        guard expecting.contains(status) else {
            throw ProcessStackProblem("'\(line)' ended with \(status):\n\(result.text)")
        }
        return result
    }
}
