import ArgumentParser
import Contracts
import Foundation
import Migrations
import PostgreSQL
import ServiceKit
import Settings

/// `stockbridge migrate`.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Create or update the database, its roles and their rights.",
        discussion: """
            EXAMPLES:
              stockbridge migrate --dry-run     what would be applied
              stockbridge migrate

            Works as the administrator of the section 'admin'. Safe to repeat, and to run twice at once. A database
            that holds something else is left alone, and so is one that a newer version has migrated; the latter is
            no failure as long as it has all steps of this version.
            """)

    @OptionGroup var global: GlobalOptions

    @Flag(name: .long, help: "Say what would be done and change nothing.")
    var dryRun = false

    func run() async throws {
        let configuration = try global.load()
        let report = try await DatabaseSetup(configuration).run(dryRun: dryRun)
        try global.print(report, text: report.text)
    }
}

/// What `migrate` did, or would do.
struct MigrationReport: Encodable, Sendable {
    var database: String
    var dryRun: Bool
    var databaseCreated: Bool
    var applied: [String]
    var roles: [String]
    /// Why nothing was to be done, where a newer version has migrated the database.
    var note: String?

    var text: String {
        if let note { return note }
        var lines: [String] = []
        if databaseCreated { lines.append("database \(database): \(dryRun ? "would be created" : "created")") }
        lines += applied.map { "\(dryRun ? "pending" : "applied")  \($0)" }
        if applied.isEmpty { lines.append("Nothing to apply: the structure is up to date.") }
        lines.append("roles \(dryRun ? "that would be set" : "set"): " + roles.joined(separator: ", "))
        return lines.joined(separator: "\n")
    }
}

/// Brings the database of a configuration into being and up to date.
struct DatabaseSetup {
    private let configuration: StockbridgeConfiguration

    init(_ configuration: StockbridgeConfiguration) { self.configuration = configuration }

    /// - Parameter dryRun: Look only.
    func run(dryRun: Bool) async throws -> MigrationReport {
        let administrator = try configuration.administratorDatabaseConfiguration()
        let roles = try serviceRoles()
        let exists = try await databaseExists(administrator)
        var report = MigrationReport(
            database: administrator.database, dryRun: dryRun, databaseCreated: !exists, applied: [],
            roles: roles.map(\.name))
        if dryRun && !exists {
            report.applied = Migration.all.map(\.name)
            return report
        }
        if !exists { try await createDatabase(administrator) }
        return try await using(administrator) { [report] pool in
            var report = report
            let (migrator, database) = (Migrator(pool: pool, database: report.database), report.database)
            let known = Migration.all.map(\.name)
            let contents = try await migrator.contents()
            if let refusal = contents.refusal(known: known, database: database) { throw ToolError.failed(refusal) }
            if let note = contents.newerNote(known: known, database: database) {
                (report.note, report.roles) = (note, [])
                return report
            }
            report.applied =
                dryRun ? try await migrator.pending().map(\.name) : try await migrator.migrate(roles: roles)
            return report
        }
    }

    private func serviceRoles() throws -> [DatabaseRole] {
        try ServiceName.allCases.map { service in
            DatabaseRole(
                name: service.role, schemas: [service.schema] + service.furtherSchemas,
                password: try configuration.database.password.resolve(service: service.rawValue).reveal(),
                readsEverything: service == .stockbridge)
        }
    }

    private func databaseExists(_ administrator: PostgresConfiguration) async throws -> Bool {
        let name = administrator.database
        return try await using(maintenance(administrator)) { pool in
            try await !pool.query("SELECT 1 FROM pg_database WHERE datname = $1", [.text(name)]).isEmpty
        }
    }

    private func createDatabase(_ administrator: PostgresConfiguration) async throws {
        let name = administrator.database
        try await using(maintenance(administrator)) { pool in
            // The server quotes the name: CREATE DATABASE takes no parameters.
            let rows = try await pool.query(
                "SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING ''UTF8''', $1::text) AS statement",
                [.text(name)])
            guard let row = rows.first else { return }
            try await Self.create(try row.decode("statement", as: String.self), in: pool)
        }
    }

    private static func create(_ statement: String, in pool: PostgresPool) async throws {
        do {
            _ = try await pool.query(statement)
        } catch {
            // Somebody else created it in the meantime, which is as good.
            guard error.sqlState == "42P04" || error.isUniqueViolation else { throw error }
        }
    }

    /// The database that every server has.
    private func maintenance(_ administrator: PostgresConfiguration) -> PostgresConfiguration {
        var other = administrator
        other.database = "postgres"
        return other
    }

    /// What the administrator has to put right, if that is why it failed.
    private static func explained(_ error: PostgresError, _ server: PostgresConfiguration) -> any Error {
        if let problem = StartProblem.of(error, at: server, for: .administrator) { return problem }
        guard error.isInsufficientPrivilege else { return error }
        return ToolError.failed(
            "The role \(server.user) lacks a right that migrating needs (\(error.serverError?.message ?? "")): name "
                + "one under admin.database_user that may create databases and roles, such as a superuser.")
    }

    private func using<Result: Sendable>(
        _ target: PostgresConfiguration, _ body: (PostgresPool) async throws -> Result
    ) async throws -> Result {
        let pool = PostgresPool(target, maximumConnections: 1)
        do {
            let result = try await body(pool)
            await pool.close()
            return result
        } catch let error as PostgresError {
            await pool.close()
            throw Self.explained(error, target)
        } catch {
            await pool.close()
            throw error
        }
    }
}
