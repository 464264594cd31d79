import Foundation
import Synchronization
import Transfer

/// Three RabbitMQ nodes, and a PostgreSQL primary with a standby, that only one suite uses, so that it may do them
/// harm. Whatever happens to this process, they are stopped and removed: see `infra/stack/cluster_up.sh`.
public final class ClusterServers: Sendable {
    /// The numbers of the broker's nodes.
    public static let nodes = [1, 2, 3]

    /// What names the servers to tests and to services.
    let environment: [String: String]
    private let directory: URL
    private let calls = Atomic(0)

    /// Starts servers, runs the body with them, and removes them whatever happens.
    public static func with<Result>(_ body: (ClusterServers) async throws -> Result) async throws -> Result {
        let name = "stockbridge-cluster-" + UUID().uuidString.lowercased().prefix(8)
        let directory = FileManager.default.temporaryDirectory.appending(path: name)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await body(try await ClusterServers(directory)))
        } catch {
            outcome = .failure(error)
        }
        // In a task of its own: a test that ran out of time is cancelled, and cleaning up after it must not be.
        let removed = await Task {
            try await PrivateServers.run(
                "infra/stack/cluster_down.sh", [directory.path(), "--remove"], log: directory.path() + ".down",
                within: .seconds(180))
        }.result
        for ending in ["out", "err"] {
            try? FileManager.default.removeItem(atPath: "\(directory.path()).down.\(ending)")
        }
        let result = try outcome.get()
        _ = try removed.get()
        return result
    }

    private init(_ directory: URL) async throws {
        self.directory = directory
        try await PrivateServers.run(
            "infra/stack/cluster_up.sh", [directory.path(), "\(getpid())"],
            log: directory.appending(path: "start").path(), within: .seconds(300))
        let own = try PrivateServers.variables(in: directory.appending(path: "environment"))
        environment = ProcessInfo.processInfo.environment.merging(own) { _, own in own }
    }

    /// Changes of the demo's configuration that name all servers to the services.
    ///
    /// - Throws: ``ProcessStackProblem`` if the environment lacks an address.
    public func configurationEdits() throws -> [(String, String)] {
        let brokers = try addresses("STOCKBRIDGE_TEST_BROKER", further: "STOCKBRIDGE_TEST_FURTHER_BROKERS")
        let databases = try addresses("STOCKBRIDGE_TEST_DATABASE", further: "STOCKBRIDGE_TEST_FURTHER_DATABASES")
        let management = URLComponents(string: try variable("STOCKBRIDGE_TEST_BROKER_MANAGEMENT"))?.port ?? 15_672
        let pages = brokers.map { "\"http://\($0):\(management)\"" }.joined(separator: ", ")
        return [
            ("broker:\n  host: \(brokers[0])\n", "broker:\n  host: [\(brokers.joined(separator: ", "))]\n"),
            ("management_url: \"http://\(brokers[0]):\(management)\"", "management_url: [\(pages)]"),
            ("database:\n  host: \(databases[0])\n", "database:\n  host: [\(databases.joined(separator: ", "))]\n"),
        ]
    }

    /// Starts what does not run, as whoever watches over servers does. A primary that was replaced becomes the standby.
    public func start() async throws {
        try await PrivateServers.run(
            "infra/stack/cluster_up.sh", [directory.path()], log: nextLog("up"), within: .seconds(300))
    }

    // MARK: - Broker

    /// Ends a node of the broker as a power cut would.
    public func killBroker(_ node: Int) async throws { try await kill("rabbitmq-\(node)") }

    /// Has a node stand still in the middle of what it does, as on a machine that swaps: who connects gets a
    /// connection and no answer. To be followed by ``wakeBroker(_:)``.
    public func hangBroker(_ node: Int) throws { Foundation.kill(try process("rabbitmq-\(node)"), SIGSTOP) }

    /// It goes on where it was, if it has not ended meanwhile.
    public func wakeBroker(_ node: Int) {
        if let pid = try? process("rabbitmq-\(node)") { Foundation.kill(pid, SIGCONT) }
    }

    private struct Queue: Decodable {
        let name: String
        let leader: String?
        let online: [String]?
    }

    /// How many queues of a virtual host each node leads, and how many members of each queue are up.
    public func queues(of virtualHost: String) async throws -> (led: [Int: Int], online: [String: Int]) {
        let path = "/api/queues/\(virtualHost)?columns=name,leader,online"
        let queues = try JSONDecoder().decode([Queue].self, from: Data(try await Management(environment).get(path)))
        var led: [Int: Int] = [:]
        for queue in queues {
            let name = queue.leader?.prefix { $0 != "@" }
            guard let node = name?.last.flatMap({ Int(String($0)) }) else { continue }
            led[node, default: 0] += 1
        }
        return (led, Dictionary(queues.map { ($0.name, $0.online?.count ?? 0) }) { first, _ in first })
    }

    // MARK: - Database

    /// The node that is the primary.
    public func primary() throws -> Int {
        // The standby has this file from the moment on at which it copied the primary, until it is promoted.
        let candidates = [1, 2].filter { runs("postgresql-\($0)") && !exists("postgresql-\($0)/data/standby.signal") }
        guard candidates.count == 1 else { throw ProcessStackProblem("\(candidates.count) primaries run.") }
        return candidates[0]
    }

    /// Ends a database as a power cut would: the server and every process of it.
    public func killDatabase(_ node: Int) async throws {
        // None is to end in good order because another one is gone.
        try hangDatabase(node)
        let processes = try databaseProcesses(node)
        for process in processes { Foundation.kill(process, SIGKILL) }
        try await waitUntilGone(processes[0], "postgresql-\(node)")
    }

    /// Has a database stand still in the middle of what it does, the server and every process of it. To be followed by
    /// ``wakeDatabase(_:)`` or ``killDatabase(_:)``.
    public func hangDatabase(_ node: Int) throws {
        // The first one first, so that it starts no others.
        Foundation.kill(try process("postgresql-\(node)"), SIGSTOP)
        for process in try databaseProcesses(node) { Foundation.kill(process, SIGSTOP) }
    }

    /// It goes on where it was, if it has not ended meanwhile.
    public func wakeDatabase(_ node: Int) {
        for process in (try? databaseProcesses(node)) ?? [] { Foundation.kill(process, SIGCONT) }
    }

    /// Waits until a database has ended by itself.
    public func waitUntilDatabaseEnds(_ node: Int) async throws {
        let name = "postgresql-\(node)"
        if let postmaster = try? process(name) { try await waitUntilGone(postmaster, name) }
    }

    /// The server's first process, and those that it has started.
    private func databaseProcesses(_ node: Int) throws -> [pid_t] {
        let postmaster = try process("postgresql-\(node)")
        let facts = FileManager.default.contents(atPath: "/proc/\(postmaster)/task/\(postmaster)/children") ?? Data()
        return [postmaster] + String(decoding: facts, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
    }

    /// Makes the standby the primary, as an operator does who knows that the old one is off.
    ///
    /// - Parameter vouching: The operator says that the old one is off although its process is there.
    /// - Throws: ``ProcessStackProblem`` with what the script says, if it refuses.
    public func promote(vouching: Bool = false) async throws {
        try await PrivateServers.run(
            "infra/stack/cluster_promote.sh", [directory.path()] + (vouching ? ["--old-primary-is-off"] : []),
            log: nextLog("promote"), within: .seconds(180))
    }

    /// Lets the primary go on without its standby, as an operator does who knows that it is gone for long.
    public func goOnAlone() async throws {
        try await PrivateServers.run("infra/stack/cluster_alone.sh", [directory.path()], log: nextLog("alone"))
    }

    // MARK: - Parts

    /// The database's data is its account's own: only the superuser may look into it.
    private func exists(_ file: String) -> Bool {
        FileManager.default.fileExists(atPath: directory.appending(path: "servers/\(file)").path())
    }

    private func addresses(_ variable: String, further: String) throws -> [String] {
        guard let first = URLComponents(string: try self.variable(variable))?.host else {
            throw ProcessStackProblem("\(variable) names no host.")
        }
        return [first] + (try self.variable(further)).split(separator: ",").map(String.init)
    }

    private func variable(_ name: String) throws -> String { try Places.variable(name, of: environment) }

    private func process(_ name: String) throws -> pid_t {
        let file = directory.appending(path: "state/\(name).pid").path()
        let text = String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        guard let pid = text.split(separator: " ").first.flatMap({ pid_t($0) }), PrivateServers.runs(pid) else {
            throw ProcessStackProblem("\(name) is not running.")
        }
        return pid
    }

    private func runs(_ name: String) -> Bool { (try? process(name)) != nil }

    private func kill(_ name: String) async throws {
        let pid = try process(name)
        Foundation.kill(pid, SIGKILL)
        try await waitUntilGone(pid, name)
    }

    private func waitUntilGone(_ pid: pid_t, _ name: String) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while PrivateServers.runs(pid) {
            guard ContinuousClock.now < deadline else { throw ProcessStackProblem("\(name) does not end.") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func nextLog(_ name: String) -> String {
        let number = calls.add(1, ordering: .relaxed).newValue
        return directory.appending(path: "call-\(number)-\(name)").path()
    }
}
