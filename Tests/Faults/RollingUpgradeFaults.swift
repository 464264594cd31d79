import Contracts
import Foundation
import Migrations
import PostgreSQL
import ProcessStack
import TestStack
import Testing

/// Programs of two versions on one broker and one database, as in every upgrade: first the migration, then one replica
/// after the other. `STOCKBRIDGE_OLD_PROGRAMS` names a folder with executables of an earlier version, made by
/// `infra/old-programs.sh`; without it both versions are this one. In either case the structure and all messages
/// become those of a version to come while old programs work.
@Suite("A rolling upgrade while customers buy", .serialized, .timeLimit(.minutes(60)))
struct RollingUpgradeFaults {
    static let old = ProcessInfo.processInfo.environment["STOCKBRIDGE_OLD_PROGRAMS"].map { URL(filePath: $0) }

    @Test("Nothing is lost, twice or stale while programs of both versions work", arguments: FaultSeeds.all)
    func upgrade(seed: UInt64) async throws {
        let name = Self.old == nil ? "this version and the next structure" : "an earlier version and this one"
        print("fault: a rolling upgrade of \(name) with STOCKBRIDGE_FAULT_SEED=\(seed)")
        var plan = StackPlan(
            skus: 80, shops: ["hanoi", "beauty"], shopLatencyMilliseconds: 50, startsAt: "05:30",
            edits: [("request_timeout_seconds: 30", "request_timeout_seconds: 1"), ("batch: 100", "batch: 5")])
        plan.programs = Self.old
        try await ProcessStack.with(plan) { stack in
            let upgrade = try await RollingUpgrade(stack, seed: seed)
            try await upgrade.run()
        }
        print(FaultTally.shared.text)
    }
}

/// The system, two replicas of everything, and its way to the next version.
private final class RollingUpgrade {
    private let stack: ProcessStack
    private let round: WholeRound
    private var dice: Dice
    private let began = ContinuousClock.now
    private var replaced = 0

    init(_ stack: ProcessStack, seed: UInt64) async throws {
        self.stack = stack
        dice = Dice(seed: seed)
        let tap = try await MessageTap.install(in: stack)
        try await stack.open(hasOrders: true)
        for service in WholeRound.services { try await stack.start(service, replica: 2) }
        try stack.deliver(stack.morning)
        try await stack.clock.move(to: "06:00")
        try await stack.stockbridge("run", "stock", "--wait", "120")
        try await stack.waitFor("runs")
        round = WholeRound(stack, tap)
    }

    func run() async throws {
        try await round.keepBusy(&dice)
        stack.use(programsIn: nil)
        try await migrate()
        try await round.keepBusy(&dice)
        var order = WholeRound.services.flatMap { [($0, 1), ($0, 2)] }
        for index in order.indices { order.swapAt(index, dice.roll(order.count)) }
        for (index, (service, replica)) in order.enumerated() {
            try await replace(service, replica)
            // Half-way somebody has second thoughts: what was replaced last goes back, and forward again.
            guard index == order.count / 2 else { continue }
            stack.use(programsIn: RollingUpgradeFaults.old)
            try await replace(service, replica)
            stack.use(programsIn: nil)
            try await replace(service, replica)
        }
        try await round.ask(.stockIngestor, .republish)
        let changed = try await stack.number("SELECT last_value FROM public.later_messages")
        #expect(changed > 100, "messages of the next minor version were on their way")
        try await round.check(
            "a rolling upgrade of \(replaced) replicas", kind: "rolling upgrade", injected: replaced, since: began)
    }

    /// One replica ends as it is told, finishing what it has in hand, and another takes its place.
    private func replace(_ service: String, _ replica: Int) async throws {
        try await round.keepBusy(&dice)
        let status = try await stack.running(service, replica: replica).stop()
        #expect(status == 0, "\(service) \(replica) ends well when it is told to stop")
        try await round.countInFlight()
        try round.trade(2, &dice)
        try await stack.start(service, replica: replica)
        replaced += 1
    }

    /// This version's steps, and then those of a version to come, while everybody works.
    private func migrate() async throws {
        try await stack.withRolesLocked { _ = try await stack.stockbridge("migrate") }
        let pool = PostgresPool(stack.databaseAdministrator, maximumConnections: 1)
        do {
            let tables = try await stack.texts(
                """
                SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'public') ORDER BY 1
                """)
            #expect(tables.count > 50)
            let steps = Migration.all + tables.map(Self.addition) + [Self.laterMessages(tables)]
            let applied = try await Migrator(pool: pool, database: stack.name, steps: steps).migrate(roles: [])
            #expect(applied.count == tables.count + 1)
            await pool.close()
        } catch {
            await pool.close()
            throw error
        }
    }

    /// What a later minor version may do to a table.
    private static func addition(to table: String) -> Migration {
        Migration(
            schema: "later", name: table,
            sql: """
                ALTER TABLE \(table) ADD COLUMN added_later text, ADD COLUMN added_with_default int NOT NULL DEFAULT 7;
                CREATE TABLE \(table)_later (a int);
                """)
    }

    /// From now on every message has a field that no program of this version knows.
    private static func laterMessages(_ tables: [String]) -> Migration {
        let triggers = tables.filter { $0.hasSuffix(".outbox") }.map { table in
            """
            CREATE TRIGGER later BEFORE INSERT ON \(table)
                FOR EACH ROW WHEN (NEW.body LIKE '{"%') EXECUTE FUNCTION public.later_message();
            """
        }
        return Migration(
            schema: "later", name: "messages",
            sql: """
                CREATE SEQUENCE public.later_messages;
                CREATE FUNCTION public.later_message() RETURNS trigger LANGUAGE plpgsql
                SECURITY DEFINER SET search_path = public, pg_temp AS $body$
                BEGIN
                    PERFORM nextval('public.later_messages');
                    NEW.body := '{"added_later":{"kind":"of a kind nobody knows","list":[1,null]},'
                        || substr(NEW.body, 2);
                    RETURN NEW;
                END
                $body$;
                """ + "\n" + triggers.joined(separator: "\n"))
    }
}
