import Foundation
import Synchronization
public import TestStack

/// A broker, a database and the rest that only one suite uses, so that it may do them harm. Whatever happens to this
/// process, they are stopped and removed: see `infra/stack/lend.sh`.
public final class PrivateServers: Sendable {
    /// What names the servers to tests, who reach them directly.
    let environment: [String: String]
    /// The same for services, who reach broker and database through the relays.
    let environmentOfServices: [String: String]
    /// Between the services and the broker.
    public let brokerRelay: Relay
    /// Between the services and the database.
    public let databaseRelay: Relay

    private let directory: URL
    private let calls = Atomic(0)

    /// Starts servers, runs the body with them, and removes them whatever happens.
    ///
    /// - Parameter diskMegabytes: The size of the database's own disk.
    public static func with<Result>(
        diskMegabytes: Int, _ body: (PrivateServers) async throws -> Result
    ) async throws -> Result {
        let name = "stockbridge-servers-" + UUID().uuidString.lowercased().prefix(8)
        let directory = FileManager.default.temporaryDirectory.appending(path: name)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let outcome: Swift.Result<Result, any Error>
        do {
            let servers = try await PrivateServers(directory, diskMegabytes)
            outcome = .success(try await body(servers))
            servers.brokerRelay.kill()
            servers.databaseRelay.kill()
        } catch {
            outcome = .failure(error)
        }
        // In a task of its own: a test that ran out of time is cancelled, and cleaning up after it must not be.
        let removed = await Task {
            try await Self.run("infra/stack/down.sh", [directory.path(), "--remove"], log: directory.path() + ".down")
        }.result
        for ending in ["out", "err"] {
            try? FileManager.default.removeItem(atPath: "\(directory.path()).down.\(ending)")
        }
        let result = try outcome.get()
        _ = try removed.get()
        return result
    }

    private init(_ directory: URL, _ diskMegabytes: Int) async throws {
        self.directory = directory
        try await Self.run(
            "infra/stack/lend.sh", [directory.path(), "\(getpid())", "\(diskMegabytes)"],
            log: directory.appending(path: "lend").path(), within: .seconds(180))
        let own = try Self.variables(in: directory.appending(path: "environment"))
        environment = ProcessInfo.processInfo.environment.merging(own) { _, own in own }
        var (services, relays) = (environment, [Relay]())
        for variable in ["STOCKBRIDGE_TEST_BROKER", "STOCKBRIDGE_TEST_DATABASE"] {
            var address = URLComponents(string: try Places.variable(variable, of: own))
            guard let port = address?.port else { throw ProcessStackProblem("\(variable) names no port.") }
            let log = directory.appending(path: "relay-\(port)").path()
            let relay = try await Relay.start(to: port, log: log)
            address?.port = relay.port
            services[variable] = address?.string
            relays.append(relay)
        }
        environmentOfServices = services
        (brokerRelay, databaseRelay) = (relays[0], relays[1])
    }

    /// Starts what does not run, as whoever watches over servers does.
    public func start() async throws {
        try await Self.run("infra/stack/up.sh", [directory.path()], log: nextLog("up"), within: .seconds(180))
    }

    /// Runs `rabbitmqctl` and returns what it says.
    @discardableResult
    public func rabbitmqctl(_ arguments: String...) async throws -> String {
        let tool = try Places.variable("STOCKBRIDGE_TEST_RABBITMQCTL", of: environment)
        return try await Self.run(tool, arguments, log: nextLog("rabbitmqctl"))
    }

    /// Ends the broker as a power cut would.
    public func killBroker() async throws { try await end("rabbitmq", SIGKILL) }

    /// Ends PostgreSQL at once, without a word to its clients and without writing anything (`pg_ctl -m immediate`).
    public func stopDatabaseImmediately() async throws { try await end("postgresql", SIGQUIT) }

    /// Whether PostgreSQL runs.
    public var databaseRuns: Bool { process("postgresql").map(Self.runs) ?? false }

    /// What PostgreSQL has logged.
    public var databaseLog: String { text(of: "log/postgresql.log") }

    // MARK: - The database's disk

    private var disk: URL { directory.appending(path: "servers/postgresql") }
    private var ballast: String { disk.appending(path: "ballast").path() }

    /// Whether the database has a disk of its own, that is, whether this machine permits mounting.
    public var hasOwnDisk: Bool {
        func device(_ place: URL) -> Int? {
            (try? FileManager.default.attributesOfItem(atPath: place.path()))?[.systemNumber] as? Int
        }
        return device(disk) != device(directory)
    }

    /// Takes all that is free on the database's disk.
    public func fillDisk() throws {
        guard hasOwnDisk else { throw ProcessStackProblem("The database has no disk of its own.") }
        let descriptor = open(ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ProcessStackProblem("The ballast cannot be written.") }
        defer { close(descriptor) }
        var size = 1 << 20
        let zeros = [UInt8](repeating: 0, count: size)
        while size >= 4_096 {
            if write(descriptor, zeros, size) <= 0 { size /= 2 }
        }
    }

    /// Gives it back.
    public func freeDisk() { unlink(ballast) }

    // MARK: - Processes

    /// Its number, as the scripts remember it.
    private func process(_ name: String) -> pid_t? {
        text(of: "state/\(name).pid").split(separator: " ").first.flatMap { pid_t($0) }
    }

    private func end(_ name: String, _ signal: Int32) async throws {
        guard let pid = process(name), Self.runs(pid) else { throw ProcessStackProblem("\(name) is not running.") }
        Foundation.kill(pid, signal)
        let deadline = ContinuousClock.now + .seconds(60)
        while Self.runs(pid) {
            guard ContinuousClock.now < deadline else { throw ProcessStackProblem("\(name) does not end.") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Whether a process is there; one that has ended and that nobody has asked about is not.
    static func runs(_ pid: pid_t) -> Bool {
        let facts = String(decoding: FileManager.default.contents(atPath: "/proc/\(pid)/stat") ?? Data(), as: UTF8.self)
        guard let end = facts.lastIndex(of: ")") else { return false }
        return !facts[end...].dropFirst(2).hasPrefix("Z")
    }

    private func text(of file: String) -> String {
        let path = directory.appending(path: file).path()
        return String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    private func nextLog(_ name: String) -> String {
        let number = calls.add(1, ordering: .relaxed).newValue
        return directory.appending(path: "call-\(number)-\(name)").path()
    }

    @discardableResult
    static func run(
        _ program: String, _ arguments: [String], log: String, within limit: Duration = .seconds(90)
    ) async throws -> String {
        let child = try ChildProcess(
            name: program, executable: program.hasPrefix("/") ? program : Repository.path(program),
            arguments: arguments,
            environment: ProcessInfo.processInfo.environment, log: log)
        guard try await child.waitForExit(within: limit) == 0 else {
            throw ProcessStackProblem("\(program) failed:\n\(child.output)\n\(child.tail())")
        }
        return child.output
    }

    /// What a file of lines `export NAME=VALUE` says.
    static func variables(in file: URL) throws -> [String: String] {
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        return lines.reduce(into: [:]) { variables, line in
            let pair = line.trimmingPrefix("export ").split(separator: "=", maxSplits: 1)
            if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
        }
    }
}
