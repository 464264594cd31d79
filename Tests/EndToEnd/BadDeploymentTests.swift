import Foundation
import PostgreSQL
import ProcessStack
import ShopSimulators
import TestStack
import Testing

/// Runs one system for a suite in which nothing is started but what a test is about.
struct DeploymentSystem: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await ProcessStack.with(StackPlan(skus: 60, shops: ["hanoi"])) { stack in
            try Data("not-the-password\n".utf8).write(to: stack.directory.appending(path: "secrets/wrong"))
            try await ProcessStack.$current.withValue(stack) { try await function() }
        }
    }
}

/// A program in a deployment with one thing wrong, and what it has to say.
struct BadDeployment: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var program = "stock-publisher"
    var arguments: [String] = []
    /// Statements before, as the database's administrator, and after.
    var sql: (before: String, after: String)?
    /// `{name}` stands for the name of the database and the virtual host, `{port}` for a port that is taken,
    /// `{webhook}` for that of the webhooks.
    var edits: [(String, String)] = []
    var words: [String]
    var status: Int32 = 1
}

@Suite(
    "A deployment with one thing wrong: one line says what and what to do, and nothing is half done", .serialized,
    .timeLimit(.minutes(20)), DeploymentSystem())
struct BadDeploymentTests {
    static let services = [
        BadDeployment(
            testDescription: "wrong database password", edits: [("secrets/database-{service}", "secrets/wrong")],
            words: ["does not let the role stock_publisher in", "database.password", "'stockbridge migrate'"]),
        BadDeployment(
            testDescription: "wrong broker password", program: "erp-bridge",
            edits: [("secrets/broker-{service}", "secrets/wrong")],
            words: ["does not let the user erp-bridge in", "broker.password", "'stockbridge topology apply'"]),
        BadDeployment(
            testDescription: "no such virtual host",
            edits: [("virtual_host: {name}", "virtual_host: nowhere")],
            words: ["virtual host", "broker.virtual_host", "'stockbridge topology apply'"]),
        BadDeployment(
            testDescription: "no such database", edits: [("\n  name: {name}\n", "\n  name: nowhere\n")],
            words: ["no database nowhere", "database.name", "'stockbridge migrate'"]),
        BadDeployment(
            testDescription: "missing secret", edits: [("secrets/database-{service}", "secrets/absent")],
            words: ["database.password", "secrets/absent does not exist", "create it"], status: 2),
        BadDeployment(
            testDescription: "health port taken", edits: [("stock-publisher: 0", "stock-publisher: {port}")],
            words: ["port {port} of 127.0.0.1", "http.ports.stock-publisher", "choose another port"]),
        BadDeployment(
            testDescription: "webhook port taken", program: "order-collector",
            edits: [("port: {webhook}, public_url", "port: {port}, public_url")],
            words: ["port {port} of 127.0.0.1", "webhooks.port", "The service did not begin"]),
        BadDeployment(
            testDescription: "database never migrated", edits: [("\n  name: {name}\n", "\n  name: postgres\n")],
            words: ["Database postgres was not migrated", "run 'stockbridge migrate'"]),
        BadDeployment(
            testDescription: "older structure",
            sql: (
                "DELETE FROM public.stockbridge_migrations WHERE name = 'publishing_0002_orders'",
                "INSERT INTO public.stockbridge_migrations (name) VALUES ('publishing_0002_orders')"
            ), words: ["is older than this version of stock-publisher", "publishing_0002_orders", "first"]),
    ]

    @Test("A service", arguments: services)
    func service(_ given: BadDeployment) async throws { try await check(given) }

    @Test("A service without a configuration file")
    func noConfiguration() async throws {
        let stack = try #require(ProcessStack.current)
        let result = try await stack.runUntilItEnds(
            "notifier", ["--configuration", stack.directory.appending(path: "absent.yaml").path()])
        #expect(result.status == 2)
        #expect(result.errors.contains("absent.yaml:1: the file does not exist; create it"))
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    static let migrations = [
        BadDeployment(
            testDescription: "wrong administrator password", program: "stockbridge", arguments: ["migrate"],
            edits: [("secrets/database-admin", "secrets/wrong")],
            words: ["does not let the administrator", "admin.database_password", "Nothing was changed"]),
        BadDeployment(
            testDescription: "no such administrator", program: "stockbridge", arguments: ["migrate"],
            edits: [("database_user: ", "database_user: nobody-")],
            words: ["does not let the administrator nobody-", "admin.database_user"]),
        BadDeployment(
            testDescription: "a role that may not", program: "stockbridge", arguments: ["migrate"],
            edits: [
                ("database_user: postgres", "database_user: stock_publisher"),
                ("secrets/database-admin", "secrets/database-stock-publisher"),
                ("\n  name: {name}\n", "\n  name: {name}_more\n"),
            ], words: ["The role stock_publisher lacks a right", "admin.database_user"]),
        BadDeployment(
            testDescription: "unreachable server", program: "stockbridge", arguments: ["migrate"],
            edits: [("database:\n  host: 127.0.0.1", "database:\n  host: 127.0.0.9")],
            words: ["PostgreSQL at 127.0.0.9", "cannot be reached", "host, port and tls"]),
        BadDeployment(
            testDescription: "no such host", program: "stockbridge", arguments: ["migrate"],
            edits: [("database:\n  host: 127.0.0.1", "database:\n  host: nowhere.invalid")],
            words: ["PostgreSQL at nowhere.invalid", "cannot be reached"]),
        BadDeployment(
            testDescription: "a newer structure that lacks one of ours", program: "stockbridge", arguments: ["migrate"],
            sql: (
                "UPDATE public.stockbridge_migrations SET name = 'publishing_9999_later' WHERE name = '\(oneStep)'",
                "UPDATE public.stockbridge_migrations SET name = '\(oneStep)' WHERE name = 'publishing_9999_later'"
            ), words: ["is newer than this program", "publishing_9999_later", oneStep, "nothing was changed"]),
        BadDeployment(
            testDescription: "a database of something else", program: "stockbridge", arguments: ["migrate"],
            sql: ("CREATE DATABASE {name}_foreign", "DROP DATABASE {name}_foreign WITH (FORCE)"),
            edits: [("\n  name: {name}\n", "\n  name: {name}_foreign\n")],
            words: ["{name}_foreign holds public.invoices", "not Stockbridge's", "nothing was changed"]),
    ]

    private static let oneStep = "publishing_0002_orders"

    @Test("migrate of the version before says that the structure is newer, and that is no failure")
    func migrateOfTheVersionBefore() async throws {
        let stack = try #require(ProcessStack.current)
        _ = try await stack.rows("INSERT INTO public.stockbridge_migrations (name) VALUES ('publishing_9999_later')")
        for arguments in [["migrate"], ["migrate", "--dry-run"]] {
            let result = try await stack.runUntilItEnds("stockbridge", arguments)
            #expect(result.status == 0, "\(result.text)")
            #expect(
                result.output.contains("newer than this program") && result.output.contains("publishing_9999_later"))
            #expect(result.output.contains("nothing was changed"))
        }
        _ = try await stack.rows("DELETE FROM public.stockbridge_migrations WHERE name = 'publishing_9999_later'")
    }

    @Test("migrate", arguments: migrations)
    func migrate(_ given: BadDeployment) async throws { try await check(given) }

    @Test("An operator with a wrong password is told which")
    func operatorTool() async throws {
        try await check(
            BadDeployment(
                testDescription: "", program: "stockbridge", arguments: ["status"],
                edits: [("secrets/database-{service}", "secrets/wrong")],
                words: ["does not let the role stockbridge in", "database.password"]))
    }

    @Test("A newer structure is no reason for a service not to run: old and new replicas run side by side")
    func newerStructure() async throws {
        let stack = try #require(ProcessStack.current)
        _ = try await stack.rows("INSERT INTO public.stockbridge_migrations (name) VALUES ('publishing_9999_later')")
        let child = try await stack.start("stock-publisher")
        #expect(child.errors.contains("publishing_9999_later"), "the log says so")
        #expect(try await child.stop() == 0)
        _ = try await stack.rows("DELETE FROM public.stockbridge_migrations WHERE name = 'publishing_9999_later'")
    }

    private func check(_ given: BadDeployment) async throws {
        let stack = try #require(ProcessStack.current)
        let port = try #require(URLComponents(string: try stack.shop("hanoi").url)?.port)
        let configuration = try String(contentsOf: stack.configuration, encoding: .utf8)
        let webhook = try #require(configuration.firstMatch(of: #/port: (\d+), public_url/#)).output.1
        func filled(_ text: String) -> String {
            text.replacing("{name}", with: stack.name).replacing("{port}", with: "\(port)")
                .replacing("{webhook}", with: webhook)
        }
        // A database of another name is what 'migrate' would make first.
        let made = """
            SELECT (SELECT count(*) FROM pg_class)
                + (SELECT count(*) FROM pg_database WHERE starts_with(datname, '\(stack.name)') OR datname = 'nowhere')
            """
        let before = try await stack.number(made)
        if let sql = given.sql { _ = try await stack.rows(filled(sql.before)) }
        let outcome: Result<CommandResult, any Error>
        do {
            outcome = .success(try await run(given, edits: given.edits.map { (filled($0), filled($1)) }))
        } catch { outcome = .failure(error) }
        // In a task of its own: the next case has the same system, even if this one has run out of time.
        let after = (given.sql?.after).map(filled)
        let undone = await Task { if let after { _ = try await stack.rows(after) } }.result
        let result = try outcome.get()
        try undone.get()
        #expect(result.status == given.status, "\(result.text)")
        let sentences = result.errors.split(separator: "\n").filter { !$0.hasPrefix("{") }
        #expect(sentences.count == 1, "\(sentences)")
        for words in given.words { #expect(sentences.first?.contains(filled(words)) == true, "\(words): \(sentences)") }
        #expect(!result.text.contains("not-the-password"))
        #expect(!result.errors.contains("\"message\":\"started\""), "it did not begin")
        #expect(try await stack.number(made) == before)
    }

    private func run(_ given: BadDeployment, edits: [(String, String)]) async throws -> CommandResult {
        let foreign = try await foreignTable(given)
        let result = try await #require(ProcessStack.current).runUntilItEnds(
            given.program, given.arguments, edits: edits)
        if let foreign { #expect(try await foreign.look() == ["public.invoices"], "nothing was made in it") }
        return result
    }

    private func foreignTable(_ given: BadDeployment) async throws -> ForeignDatabase? {
        guard given.sql?.before.hasPrefix("CREATE DATABASE") == true else { return nil }
        let foreign = try ForeignDatabase(name: try #require(ProcessStack.current).name + "_foreign")
        try await foreign.make()
        return foreign
    }
}

/// Another application's database on the same server.
struct ForeignDatabase {
    private let server: PostgresConfiguration

    init(name: String) throws {
        let address = try #require(ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_DATABASE"])
        var server = try #require(PostgresConfiguration(url: address))
        server.database = name
        self.server = server
    }

    func make() async throws {
        let connection = PostgresConnection(server)
        try await connection.script("CREATE TABLE public.invoices (number int PRIMARY KEY)")
        await connection.close()
    }

    /// The tables and schemas that are there.
    func look() async throws -> [String] {
        let connection = PostgresConnection(server)
        let rows = try await connection.query(
            """
            SELECT schemaname || '.' || tablename AS name FROM pg_tables
            WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
            """)
        let names = try rows.map { try $0.decode("name", as: String.self) }
        await connection.close()
        return names
    }
}
