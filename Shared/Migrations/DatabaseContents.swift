import PostgreSQL

/// What a database holds before it is touched, as far as it decides whether it may be.
public struct DatabaseContents: Sendable, Equatable {
    /// The names of the steps it has had; nil if it never had any.
    public var applied: [String]?
    /// Tables, views and sequences that somebody made, as `schema.name`, sorted; looked for only if ``applied`` is nil.
    public var relations: [String]

    /// Gathers what was found.
    public init(applied: [String]?, relations: [String] = []) {
        self.applied = applied
        self.relations = relations
    }

    /// Why `migrate` leaves this database alone, as one sentence; nil if it may go on.
    ///
    /// - Parameters:
    ///   - known: The names of all steps of this program.
    ///   - database: The database's name.
    public func refusal(known: [String], database: String) -> String? {
        guard let applied else {
            guard !relations.isEmpty else { return nil }
            return "Database \(database) holds \(Self.listed(relations)), which are not Stockbridge's; nothing was "
                + "changed. Name an empty database, or one that does not exist yet, under database.name."
        }
        let newer = Set(applied).subtracting(known).sorted()
        let lacking = Set(known).subtracting(applied).sorted()
        guard !newer.isEmpty, !lacking.isEmpty else { return nil }
        return "Database \(database) is newer than this program, which does not know \(Self.listed(newer)), and lacks "
            + "\(Self.listed(lacking)); nothing was changed. Use the program of the newer version."
    }

    /// Why `migrate` has nothing to do here, as one sentence: a newer version has migrated the database, and all steps
    /// of this one are in it. So it is after going back to the version before. nil if that is not so.
    ///
    /// - Parameters:
    ///   - known: The names of all steps of this program.
    ///   - database: The database's name.
    public func newerNote(known: [String], database: String) -> String? {
        let newer = Set(applied ?? []).subtracting(known).sorted()
        guard !newer.isEmpty, Set(known).isSubset(of: applied ?? []) else { return nil }
        return "Database \(database) is newer than this program, which does not know \(Self.listed(newer)); nothing "
            + "was changed, since services of this version work with it. To migrate, use the program of the newer one."
    }

    /// Which steps of this program, of these schemas, the database has not had.
    public func missing(of schemas: Set<String>) -> [String] {
        let applied = Set(applied ?? [])
        return Migration.all.filter { schemas.contains($0.schema) && !applied.contains($0.name) }.map(\.name)
    }

    /// The first three, and how many more there are.
    private static func listed(_ names: [String]) -> String {
        let first = names.prefix(3).joined(separator: ", ")
        return names.count > 3 ? first + " and \(names.count - 3) more" : first
    }
}

extension Migrator {
    /// Looks what the database holds, and changes nothing.
    public func contents() async throws -> DatabaseContents {
        // One statement sees one moment: another `migrate` may be at work. What belongs to an extension is nobody's.
        let rows = try await pool.query(
            """
            SELECT n.nspname || '.' || c.relname AS name
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
                AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                AND NOT EXISTS (
                    SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'a', 'i'))
            ORDER BY 1
            """)
        let relations = try rows.map { try $0.decode("name", as: String.self) }
        guard relations.contains("public.stockbridge_migrations") else {
            return DatabaseContents(applied: nil, relations: relations)
        }
        let steps = try await pool.query("SELECT name FROM public.stockbridge_migrations ORDER BY name")
        return DatabaseContents(applied: try steps.map { try $0.decode("name") })
    }
}
