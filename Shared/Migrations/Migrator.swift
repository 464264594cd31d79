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
/// Safe to repeat and to run twice at once: it works under an advisory lock, and each step commits with its record,
/// which keeps the step's checksum. Services may be at work meanwhile: a step that does not get a table's lock within
/// ``lockSeconds`` gives way and is tried again, so that nobody queues up behind it for longer.
public struct Migrator: Sendable {
    private static let lockKey: Int64 = 0x5354_4F43_4B42_5249

    /// How long a step waits for a lock before it gives way.
    public static let lockSeconds = 3

    let pool: PostgresPool
    private let database: String
    private let steps: [Migration]
    private let attempts: Int

    /// - Parameters:
    ///   - pool: Connections of an administrator to the product's database.
    ///   - database: That database's name.
    ///   - steps: All steps, in order.
    ///   - attempts: How often a step that gave way is tried in all.
    public init(pool: PostgresPool, database: String, steps: [Migration] = Migration.all, attempts: Int = 20) {
        self.pool = pool
        self.database = database
        self.steps = steps
        self.attempts = attempts
    }

    /// The steps that are not applied yet.
    public func pending() async throws -> [Migration] {
        let applied = Set(try await contents().applied ?? [])
        return steps.filter { !applied.contains($0.name) }
    }

    /// Applies what is pending and returns its names; then sets roles, passwords and rights.
    public func migrate(roles: [DatabaseRole]) async throws -> [String] {
        var applied: [String] = []
        for migration in steps {
            if try await applyPatiently(migration) { applied.append(migration.name) }
        }
        let statements = roles.flatMap(self.statements) + publicStatements()
        try await pool.transaction { transaction in
            try transaction.execute("SELECT pg_advisory_xact_lock($1)", [.integer(Self.lockKey)])
            for role in roles { try Self.ensureExists(role, in: transaction) }
            for statement in statements { try transaction.script(statement) }
        }
        return applied
    }

    private func applyPatiently(_ migration: Migration) async throws -> Bool {
        for attempt in 1...max(1, attempts) {
            do {
                return try await apply(migration)
            } catch let error as PostgresError where error.sqlState == "55P03" {
                guard attempt < attempts else { break }
                try await Task.sleep(for: .milliseconds(500))
            }
        }
        throw MigrationProblem.tableInUse(migration.name, attempts: attempts)
    }

    private func apply(_ migration: Migration) async throws -> Bool {
        try await pool.transaction { transaction in
            try transaction.execute("SELECT pg_advisory_xact_lock($1)", [.integer(Self.lockKey)])
            // Not before the advisory lock, which may be waited for as long as another 'migrate' takes.
            try transaction.execute("SET LOCAL lock_timeout = '\(Self.lockSeconds)s'")
            try Self.ensureRecordsExist(in: transaction)
            // What is compared is computed by the server, here and below, so that both are of one kind.
            let rows = try transaction.query(
                """
                SELECT digest, encode(sha256(convert_to($2, 'UTF8')), 'hex') AS present
                FROM public.stockbridge_migrations WHERE name = $1
                """, [.text(migration.name), .text(migration.sql)])
            if let row = rows.first {
                let present: String = try row.decode("present")
                let recorded = try row.decode("digest", as: String?.self)
                if let recorded, recorded != present { throw MigrationProblem.edited(migration.name) }
                if recorded == nil {
                    try transaction.execute(
                        "UPDATE public.stockbridge_migrations SET digest = $2 WHERE name = $1",
                        [.text(migration.name), .text(present)])
                }
                return false
            }
            try transaction.script(migration.sql)
            try transaction.execute(
                """
                INSERT INTO public.stockbridge_migrations (name, digest)
                VALUES ($1, encode(sha256(convert_to($2, 'UTF8')), 'hex'))
                """, [.text(migration.name), .text(migration.sql)])
            return true
        }
    }

    private static func ensureRecordsExist(in transaction: Transaction) throws {
        try transaction.execute(
            """
            CREATE TABLE IF NOT EXISTS public.stockbridge_migrations (
                name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())
            """)
        let columns = try transaction.query(
            """
            SELECT 1 FROM pg_attribute
            WHERE attrelid = 'public.stockbridge_migrations'::regclass AND attname = 'digest' AND NOT attisdropped
            """)
        if columns.isEmpty {
            try transaction.execute("ALTER TABLE public.stockbridge_migrations ADD COLUMN digest text")
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

/// Why the structure was not brought up to date.
public enum MigrationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// A step that was applied says something else now.
    case edited(String)
    /// Somebody kept a table locked all the time.
    case tableInUse(String, attempts: Int)

    /// What happened, what was done, what to do.
    public var description: String {
        switch self {
        case .edited(let name):
            "Step \(name) was applied to this database with another content than this program has for it; nothing "
                + "more was changed. A step that has landed is never edited: use a released program."
        case .tableInUse(let name, let attempts):
            "Step \(name) needs a table that others had locked for \(Migrator.lockSeconds) seconds at a time, "
                + "\(attempts) times; it was not applied, the steps before it were. Look for a long transaction "
                + "(pg_stat_activity), a running backup for instance, then run 'stockbridge migrate' again."
        }
    }
}
