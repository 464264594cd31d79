import Foundation
import Migrations
import PostgreSQL
import Synchronization
import TestStack
import Testing

@Suite("Migrations while services work", .timeLimit(.minutes(20)))
struct MigratorTests {
    private func step(_ name: String, _ sql: String) -> Migration {
        Migration(schema: "later", name: name, sql: sql)
    }

    private func with(
        _ body: (ScratchSystem, _ migrator: @escaping @Sendable ([Migration], Int) -> Migrator) async throws -> Void
    ) async throws {
        try await ScratchSystem.with([]) { system in
            let pools = Mutex<[PostgresPool]>([])
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(
                    try await body(system) { steps, attempts in
                        // Each has connections of its own, as another process would.
                        let pool = PostgresPool(system.databaseAdministrator, maximumConnections: 2)
                        pools.withLock { $0.append(pool) }
                        return Migrator(
                            pool: pool, database: system.name, steps: Migration.all + steps, attempts: attempts)
                    })
            } catch { outcome = .failure(error) }
            for pool in pools.withLock({ $0 }) { await pool.close() }
            try outcome.get()
        }
    }

    @Test("Two at once apply each step once")
    func twoAtOnce() async throws {
        try await with { system, migrator in
            let steps = (1...5).map { step("\($0)", "CREATE TABLE public.later_\($0) (a int); SELECT pg_sleep(0.05);") }
            async let first = migrator(steps, 1).migrate(roles: [])
            async let second = migrator(steps, 1).migrate(roles: [])
            let applied = try await first + second
            #expect(applied.sorted() == steps.map(\.name).sorted())
            #expect(
                try await system.number("SELECT count(*) FROM public.stockbridge_migrations WHERE digest IS NULL") == 0)
        }
    }

    @Test("A step that has landed and is edited afterwards is refused, and nothing after it is applied")
    func edited() async throws {
        try await with { system, migrator in
            _ = try await migrator([step("1", "CREATE TABLE public.later_1 (a int);")], 1).migrate(roles: [])
            let changed = [
                step("1", "CREATE TABLE public.later_1 (a bigint);"), step("2", "CREATE TABLE public.later_2 (a int);"),
            ]
            await #expect(throws: MigrationProblem.edited("later_1")) {
                try await migrator(changed, 1).migrate(roles: [])
            }
            #expect(try await system.number("SELECT count(*) FROM pg_tables WHERE tablename = 'later_2'") == 0)
        }
    }

    @Test("A database from before checksums were kept gets them")
    func olderDatabase() async throws {
        try await with { system, migrator in
            try await system.administrate("ALTER TABLE public.stockbridge_migrations DROP COLUMN digest")
            #expect(try await migrator([], 1).migrate(roles: []) == [])
            let kept = try await system.number("SELECT count(digest) FROM public.stockbridge_migrations")
            #expect(kept == Migration.all.count)
        }
    }

    @Test("The records of such a database are no exception: who reads them is not queued up behind, and not waited for")
    func recordsInUse() async throws {
        try await with { system, migrator in
            try await system.administrate("ALTER TABLE public.stockbridge_migrations DROP COLUMN digest")
            let holder = PostgresConnection(system.databaseAdministrator)
            try await holder.script("BEGIN; LOCK TABLE public.stockbridge_migrations IN ACCESS SHARE MODE")
            let first = try #require(Migration.all.first)
            let began = ContinuousClock.now
            await #expect(throws: MigrationProblem.tableInUse(first.name, attempts: 1)) {
                try await migrator([], 1).migrate(roles: [])
            }
            #expect(ContinuousClock.now - began < .seconds(Double(Migrator.lockSeconds) + 10))
            try await holder.script("COMMIT")
            await holder.close()
            #expect(try await migrator([], 1).migrate(roles: []) == [])
        }
    }

    @Test("A step that waits for a table gives way, and is applied once the table is free")
    func waitsForTable() async throws {
        try await with { system, migrator in
            let holder = PostgresConnection(system.databaseAdministrator)
            try await holder.script("BEGIN; LOCK TABLE orders.orders IN ACCESS SHARE MODE")
            let next = [step("1", "ALTER TABLE orders.orders ADD COLUMN later int;")]
            let began = ContinuousClock.now
            await #expect(throws: MigrationProblem.tableInUse("later_1", attempts: 1)) {
                try await migrator(next, 1).migrate(roles: [])
            }
            #expect(ContinuousClock.now - began < .seconds(Double(Migrator.lockSeconds) + 10))
            async let applied = migrator(next, 20).migrate(roles: [])
            let waits = try await eventually {
                // Other tests wait for tables of other databases.
                try await system.number(
                    """
                    SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """) > 0
            }
            #expect(waits)
            try await holder.script("COMMIT")
            await holder.close()
            #expect(try await applied == ["later_1"])
        }
    }
}
