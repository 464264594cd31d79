import Contracts
public import Foundation
import PostgreSQL
public import ShopSimulators
import Synchronization
import TestStack

/// The whole system as an operator runs it, for one test: the real executables as processes, a database, a virtual
/// host, an SFTP directory, a mail server and simulated shops that nobody else uses. Test equipment.
public final class ProcessStack: Sendable {
    /// The system of the suite that is running.
    @TaskLocal public static var current: ProcessStack?

    /// Of the database, the virtual host and the directories.
    public let name: String
    /// Everything this system writes.
    public let directory: URL
    /// Where the ERP delivers, as seen from this machine.
    public let incoming: URL
    /// Where the mails arrive, one file each.
    public let mailDirectory: URL
    /// What the system was made from.
    public let plan: StackPlan
    /// The first morning of its merchant.
    public let morning: Morning
    /// The shops, by name.
    public let shops: [String: ShopSimulator]

    /// The time that services, shops and the operator's tool go by.
    public let clock: StackClock

    let servers: TestServers
    let management: Management
    let serverEnvironment: [String: String]
    let children = Mutex<[ChildProcess]>([])
    let database = Mutex<PostgresPool?>(nil)
    /// Where the executables are that are started from now on; nil for those that were built with the test.
    let programs: Mutex<URL?>

    private static let places = Turnstile(2)

    /// Makes a system, runs the body with it, and removes it whatever happens.
    ///
    /// With `STOCKBRIDGE_TEST_KEEP` set its directory is left, and its place said.
    public static func with<Result>(
        _ plan: StackPlan, _ body: (ProcessStack) async throws -> Result
    ) async throws -> Result {
        try await places.enter()
        let outcome: Swift.Result<Result, any Error>
        do {
            let stack = try await make(plan)
            do {
                try await stack.prepare()
                outcome = .success(try await body(stack))
            } catch {
                outcome = .failure(stack.explained(error))
            }
            // In a task of its own: a test that ran out of time is cancelled, and cleaning up after it must not be.
            await Task { await stack.remove() }.value
        } catch {
            outcome = .failure(error)
        }
        await places.leave()
        return try outcome.get()
    }

    private init(
        name: String, directory: URL, incoming: URL, plan: StackPlan, morning: Morning,
        shops: [String: ShopSimulator], servers: TestServers, serverEnvironment: [String: String], clock: StackClock
    ) {
        (self.name, self.directory, self.incoming, self.plan) = (name, directory, incoming, plan)
        (self.morning, self.shops, self.servers, self.clock) = (morning, shops, servers, clock)
        self.serverEnvironment = serverEnvironment
        management = Management(serverEnvironment)
        mailDirectory = directory.appending(path: "mail")
        programs = Mutex(plan.programs)
    }

    // MARK: - Making

    private static func make(_ plan: StackPlan) async throws -> ProcessStack {
        let environment = plan.servers?.environment ?? plan.cluster?.environment ?? ProcessInfo.processInfo.environment
        let servers = try TestServers(environment: environment)
        let name = "stockbridge_e2e_" + UUID().uuidString.lowercased().prefix(8)
        let directory = FileManager.default.temporaryDirectory.appending(path: name)
        let incoming = URL(filePath: try Places.variable("STOCKBRIDGE_TEST_SFTP_DIRECTORY", of: environment))
            .appending(path: name)
        for place in [directory.appending(path: "mail"), directory.appending(path: "log"), incoming] {
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        }
        try Secrets.write(in: directory, for: plan.shops, servers: servers)
        let clock = try StackClock(startsAt: plan.startsAt, file: directory.appending(path: "clock"))
        let morning = try await Morning.make(
            in: directory.appending(path: "morning"), skus: plan.skus, seed: plan.seed, day: 1, date: clock.date)
        var shops: [String: ShopSimulator] = [:]
        for shop in plan.shops {
            var settings = SimulatorConfiguration()
            (settings.name, settings.key, settings.secret) = (shop, Secrets.key(of: shop), Secrets.secret(of: shop))
            settings.platform = ShopRules.of(shop).platform
            settings.webhookSecret = Secrets.webhookSecret(of: shop)
            settings.clockOffsetFile = clock.file.path()
            // Points come back faster than a test could use them up: what is tested is never the platform's patience.
            (settings.shopify.maximumPoints, settings.shopify.restoreRate) = (20_000, 2_000)
            settings.requestsPerSecond = plan.shopCallsPerSecond
            settings.burst = Int(plan.shopCallsPerSecond)
            settings.latencyMilliseconds = plan.shopLatencyMilliseconds
            let simulator = try ShopSimulator(settings, catalogue: try CatalogueFile.read(morning.catalogue(of: shop)))
            try await simulator.start()
            shops[shop] = simulator
        }
        return ProcessStack(
            name: name, directory: directory, incoming: incoming, plan: plan, morning: morning, shops: shops,
            servers: servers, serverEnvironment: environment, clock: clock)
    }

    /// Mail server, configuration, database and broker.
    private func prepare() async throws {
        let mailPort = try freePort()
        try startMailServer(port: mailPort)
        try writeEnvironment(mailPort: mailPort)
        try await writeConfiguration()
        try await withRolesLocked { _ = try await stockbridge("migrate") }
        try await stockbridge("topology", "apply", "--yes")
        openDatabase()
    }

    private func startMailServer(port: Int) throws {
        let arguments = [
            "-B", Repository.path("infra/stack/mail_catcher.py"), "--port", "\(port)", "--directory",
            mailDirectory.path(), "--control", mailControl.path(),
        ]
        try launch(named: "mail", executable: "/usr/bin/python3", arguments)
    }

    private func writeEnvironment(mailPort: Int) throws {
        let environment = plan.servers?.environmentOfServices ?? serverEnvironment
        var facts = environment.filter { $0.key.hasPrefix("STOCKBRIDGE_TEST_") }
        facts["STOCKBRIDGE_TEST_SMTP_PORT"] = "\(mailPort)"
        let lines = facts.map { "export \($0.key)='\($0.value)'\n" }.sorted().joined()
        try lines.write(to: directory.appending(path: "environment"), atomically: true, encoding: .utf8)
    }

    private func writeConfiguration() async throws {
        var arguments = [
            directory.path(), "--virtual-host", name, "--database", name, "--sftp-directory", incoming.path(),
            "--look-every-seconds", "1", "--collect-every-seconds", "\(plan.collectEverySeconds)", "--webhook-port",
            "\(try freePort())",
        ]
        for (shop, simulator) in shops.sorted(by: { $0.key < $1.key }) {
            arguments += ["--shop", "\(shop)=\(simulator.url)"]
        }
        _ = try await Script.python("infra/demo/make_configuration.py", arguments, log: log("make_configuration"))
        let text = try String(contentsOf: configuration, encoding: .utf8)
        try plan.configuration(from: text, incoming: incoming.path())
            .write(to: configuration, atomically: true, encoding: .utf8)
    }

    // MARK: - Removing

    private func remove() async {
        let started = children.withLock { $0 }
        for child in started { child.signal(SIGKILL) }
        for child in started { _ = try? await child.waitForExit() }
        for simulator in shops.values { await simulator.stop() }
        if let pool = database.withLock({ $0.take() }) { await pool.close() }
        let administration = PostgresConnection(servers.database)
        try? await administration.script("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        await administration.close()
        try? await management.removeVirtualHost(name)
        try? FileManager.default.removeItem(at: incoming)
        if ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_KEEP"] == nil {
            try? FileManager.default.removeItem(at: directory)
        } else {
            print("kept: \(directory.path())")
        }
    }

    /// A failure together with the last words of the services, which are gone a moment later.
    private func explained(_ error: any Error) -> ProcessStackProblem {
        let logs = children.withLock { $0 }.filter { $0.name != "stockbridge" && $0.name != "mail" }
        let words = logs.map { "--- \($0.name)\n\($0.tail(6))" }.joined(separator: "\n")
        return ProcessStackProblem("\(error)\n\(words)")
    }

    // MARK: - Parts

    /// The configuration of all its services.
    public var configuration: URL { directory.appending(path: "stockbridge.yaml") }

    /// Its first line, such as `451 later`, is what the mail server answers to every mail.
    public var mailControl: URL { directory.appending(path: "mail.control") }

    /// The administrator's way to the database.
    func pool() throws -> PostgresPool {
        guard let pool = database.withLock({ $0 }) else { throw ProcessStackProblem("There is no database yet.") }
        return pool
    }

    func log(_ name: String) -> String { directory.appending(path: "log/\(name)").path() }
}

/// The secrets of one system's directory. Users of the broker and roles of the database belong to the whole server, so
/// all tests that run at once use the same passwords.
enum Secrets {
    static func key(of shop: String) -> String { "ck_\(shop)" }

    static func secret(of shop: String) -> String { "cs_\(shop)" }

    /// Shopify signs webhooks with the app's secret, a WooCommerce shop with a secret of the webhook.
    static func webhookSecret(of shop: String) -> String {
        ShopRules.of(shop).platform == .shopify ? secret(of: shop) : "whsec_\(shop)"
    }

    static func write(in directory: URL, for shops: [String], servers: TestServers) throws {
        let place = directory.appending(path: "secrets")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        func keep(_ name: String, _ value: String) throws {
            try Data(value.utf8).write(to: place.appending(path: name))
        }
        for service in ServiceName.allCases {
            try keep("broker-\(service.rawValue)", servers.brokerPassword(of: service))
            try keep("database-\(service.rawValue)", servers.databasePassword(of: service))
        }
        for shop in shops {
            try keep("shop-\(shop)-key", key(of: shop))
            try keep("shop-\(shop)-secret", secret(of: shop))
            try keep("shop-\(shop)-webhook", webhookSecret(of: shop))
        }
    }
}
