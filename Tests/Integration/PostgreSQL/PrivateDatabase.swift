import Foundation
import TestStack
import Testing

@testable import PostgreSQL

/// A PostgreSQL server of one test, that ends with this process, however that ends.
final class PrivateDatabase {
    static let account = "postgres"
    let port: Int
    let data: URL
    private let programs: String
    private var guardian: ChildProcess?
    private var standbys: [PrivateDatabase] = []

    private init(_ folder: URL, _ name: String) throws {
        data = folder.appending(path: name)
        port = try freePort()
        let installed = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql").sorted()
        programs = "/usr/lib/postgresql/\(installed.last ?? "15")/bin/"
    }

    /// Runs a test with a folder for servers, which are stopped and removed whatever happens.
    static func with(_ body: (PrivateDatabase, URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "postgresql-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try give(folder.path(), to: account)
        let primary = try PrivateDatabase(folder, "primary")
        let result: Result<Void, any Error>
        do {
            try await primary.initialize(in: folder)
            result = .success(try await body(primary, folder))
        } catch {
            result = .failure(error)
        }
        // In a task of its own: a test that ran out of time is cancelled, and its clean-up must not be.
        let cleanUp = Task { for server in [primary] + primary.standbys { try await server.stop() } }
        let cleaned = await cleanUp.result
        try result.get()
        try cleaned.get()
    }

    private func initialize(in folder: URL) async throws {
        let password = folder.appending(path: "password")
        try Data("secret\n".utf8).write(to: password)
        try give(password.path(), to: Self.account)
        try await run([
            "initdb", "--pgdata", data.path(), "--username=postgres", "--pwfile=\(password.path())",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        ])
        try await start()
    }

    /// A hot standby of this server.
    func standby(in folder: URL) async throws -> PrivateDatabase {
        let standby = try PrivateDatabase(folder, "standby")
        try await run([
            "pg_basebackup", "--pgdata", standby.data.path(), "--write-recovery-conf", "--checkpoint=fast",
            "--no-sync", "--dbname=host=127.0.0.1 port=\(port) user=postgres password=secret",
        ])
        standbys.append(standby)
        try await standby.start()
        return standby
    }

    /// The administrator's way in, in the clear.
    var configuration: PostgresConfiguration {
        PostgresConfiguration(
            host: "127.0.0.1", port: port, database: "postgres", user: "postgres", password: "secret",
            applicationName: "private")
    }

    /// The same over TLS.
    func secure(_ caFile: String, host: String = "localhost") -> PostgresConfiguration {
        var secure = configuration
        (secure.host, secure.tls) = (host, .verifyFull(caFile: caFile))
        return secure
    }

    var address: PostgresAddress { PostgresAddress(host: "127.0.0.1", port: port) }

    func start() async throws {
        // Killed at once when its input ends, as it does when this process is gone.
        let guarding = #""$@" & server=$!; cat > /dev/null; kill -QUIT "$server"; wait "$server""#
        let server = [
            programs + "postgres", "-D", data.path(), "-c", "port=\(port)", "-c", "listen_addresses=127.0.0.1",
            "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB",
            "-c", "max_connections=30",
        ]
        guardian = try ChildProcess(
            name: "postgres", executable: "/bin/bash", arguments: ["-c", guarding, "guard"] + Self.account(server),
            endsWithInput: true)
        guard try await TestStack.eventually({ isReady }) else {
            throw TestStackProblem("The server in \(data.path()) is not ready:\n\(guardian?.tail() ?? "")")
        }
    }

    /// Whether it lets sessions in, as a standby does too. By its own word: at its port there might be another server.
    private var isReady: Bool {
        let file = data.appending(path: "postmaster.pid").path()
        let lines = (try? String(contentsOfFile: file, encoding: .utf8))?.split(
            separator: "\n", omittingEmptySubsequences: false)
        guard let lines, lines.count > 7 else { return false }
        return lines[3] == "\(port)" && lines[7].hasPrefix("ready")
    }

    /// Ends it as a power cut would.
    func stop() async throws {
        guardian?.endInput()
        try await guardian?.waitForExit()
        guardian = nil
    }

    /// Makes a standby take writes.
    func promote() async throws { try await run(["pg_ctl", "promote", "-s", "-w", "-D", data.path()]) }

    /// Sets parameters, and waits until new sessions have them.
    func set(_ parameters: [String: String]) async throws {
        for (name, value) in parameters { try await answer("ALTER SYSTEM SET \(name) = '\(value)'") }
        try await answer("SELECT pg_reload_conf()")
        try await eventually {
            for (name, value) in parameters where try await answer("SHOW \(name)", of: nil) != value { return false }
            return true
        }
    }

    /// What psql answers: it does not mind a standby, nor a server that takes no writes.
    @discardableResult
    func answer(_ sql: String, of options: String? = "-c default_transaction_read_only=off") async throws -> String {
        let text = try await ChildProcess.run(
            [programs + "psql", "-XAtq", "-h", "127.0.0.1", "-p", "\(port)", "-U", "postgres", "-c", sql],
            environment: ["PGPASSWORD": "secret", "PGSSLMODE": "prefer", "PGOPTIONS": options ?? ""])
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: - Programs

    private func run(_ words: [String]) async throws {
        // The folder that tests run in need not be open to the server's account.
        try await ChildProcess.run(
            ["/usr/bin/env", "--chdir=/"] + Self.account([programs + words[0]] + words.dropFirst()))
    }

    /// The server refuses to run as root, which hands it to the account that its package made.
    private static func account(_ command: [String]) -> [String] {
        guard geteuid() == 0 else { return command }
        return ["/usr/bin/setpriv", "--reuid", account, "--regid", account, "--init-groups", "--"] + command
    }
}
