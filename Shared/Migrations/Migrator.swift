public import PostgreSQL

/// A database role of a service, generated from its description.
public struct DatabaseRole: Sendable {
    /// The role's name.
    public let name: String
    /// The schemas it may write.
    public let schemas: [String]
    /// Its password.
    public let password: String
    /// The operator reads every schema (design.md, "The services").
    public let readsEverything: Bool

    /// Describes a role.
    public init(name: String, schemas: [String], password: String, readsEverything: Bool = false) {
        self.name = name
        self.schemas = schemas
        self.password = password
        self.readsEverything = readsEverything
    }
}

/// Brings a database to the newest structure, and its roles to what the services' descriptions say.
///
/// Safe to repeat and to run twice at once: it works under an advisory lock, and each step commits with its record.
public struct Migrator: Sendable {
    private static let lockKey: Int64 = 0x5354_4F43_4B42_5249

    private let pool: PostgresPool
    private let database: String

    /// - Parameters:
    ///   - pool: Connections of an administrator to the product's database.
    ///   - database: That database's name.
    public init(pool: PostgresPool, database: String) {
        self.pool = pool
        self.database = database
    }

    /// The steps that are not applied yet.
    public func pending() async throws -> [Migration] {
        let exists = try await pool.query(
            "SELECT to_regclass('public.stockbridge_migrations') IS NOT NULL AS exists", [])
        guard let row = exists.first, try row.decode("exists", as: Bool.self) else { return Migration.all }
        let rows = try await pool.query("SELECT name FROM public.stockbridge_migrations", [])
        let applied = Set(try rows.map { try $0.decode("name", as: String.self) })
        return Migration.all.filter { !applied.contains($0.name) }
    }

    /// Applies what is pending and returns its names; then sets roles, passwords and rights.
    public func migrate(roles: [DatabaseRole]) async throws -> [String] {
        var applied: [String] = []
        for migration in Migration.all {
            if try await apply(migration) { applied.append(migration.name) }
        }
        let statements = roles.flatMap(self.statements) + publicStatements()
        try await pool.transaction { transaction in
            try transaction.execute("SELECT pg_advisory_xact_lock($1)", [.integer(Self.lockKey)])
            for role in roles { try Self.ensureExists(role, in: transaction) }
            for statement in statements { try transaction.script(statement) }
        }
        return applied
    }

    private func apply(_ migration: Migration) async throws -> Bool {
        try await pool.transaction { transaction in
            try transaction.execute("SELECT pg_advisory_xact_lock($1)", [.integer(Self.lockKey)])
            try transaction.execute(
                """
                CREATE TABLE IF NOT EXISTS public.stockbridge_migrations (
                    name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())
                """)
            let inserted = try transaction.execute(
                "INSERT INTO public.stockbridge_migrations (name) VALUES ($1) ON CONFLICT DO NOTHING",
                [.text(migration.name)])
            guard inserted == 1 else { return false }
            try transaction.script(migration.sql)
            return true
        }
    }

    private static func ensureExists(_ role: DatabaseRole, in transaction: Transaction) throws {
        let found = try transaction.query("SELECT 1 AS one FROM pg_roles WHERE rolname = $1", [.text(role.name)])
        if found.isEmpty { try transaction.script("CREATE ROLE \(identifier(role.name)) LOGIN") }
        // The password travels as a parameter and is quoted by the server, so that no text of ours carries it.
        let rows = try transaction.query(
            "SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', $1::text, $2::text) AS statement",
            [.text(role.name), .text(role.password)])
        if let row = rows.first { try transaction.script(try row.decode("statement", as: String.self)) }
    }

    private func publicStatements() -> [String] {
        [
            "REVOKE ALL ON DATABASE \(Self.identifier(database)) FROM PUBLIC",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        ]
    }

    private func statements(for role: DatabaseRole) -> [String] {
        let name = Self.identifier(role.name)
        let schemas = role.schemas.map(Self.identifier).joined(separator: ", ")
        var all = [
            "GRANT CONNECT ON DATABASE \(Self.identifier(database)) TO \(name)",
            "GRANT USAGE ON SCHEMA \(schemas), shared TO \(name)",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \(schemas) TO \(name)",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA \(schemas) TO \(name)",
            "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA shared TO \(name)",
            "REVOKE EXECUTE ON FUNCTION shared.create_messaging_tables(name) FROM \(name)",
        ]
        if role.readsEverything {
            let schemas = Set(Migration.all.map(\.schema)).sorted().map(Self.identifier).joined(separator: ", ")
            all.append("GRANT USAGE ON SCHEMA \(schemas) TO \(name)")
            all.append("GRANT SELECT ON ALL TABLES IN SCHEMA \(schemas) TO \(name)")
        }
        return all
    }

    private static func identifier(_ name: String) -> String {
        "\"" + name.replacing("\"", with: "\"\"") + "\""
    }
}
