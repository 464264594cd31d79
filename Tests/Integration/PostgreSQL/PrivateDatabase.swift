import Foundation
import Testing

@testable import PostgreSQL

/// A PostgreSQL server of one test, that ends with this process, however that ends.
final class PrivateDatabase {
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    static let account = "postgres"
    let port: Int
    let data: URL
    private let programs: String
    private var process: Process?
    private var lifeline: Pipe?

    private init(_ folder: URL, _ name: String) throws {
        data = folder.appending(path: name)
        port = try Self.freePort()
        let installed = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql").sorted()
        programs = "/usr/lib/postgresql/\(installed.last ?? "15")/bin/"
    }

    /// Runs a test with a folder for servers, which are stopped and removed whatever happens.
    static func with(_ body: (PrivateDatabase, URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "postgresql-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try give(folder.path())
        let primary = try PrivateDatabase(folder, "primary")
        defer { primary.stop() }
        let password = folder.appending(path: "password")
        try Data("secret\n".utf8).write(to: password)
        try give(password.path())
        try primary.run([
            "initdb", "--pgdata", primary.data.path(), "--username=postgres", "--pwfile=\(password.path())",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        ])
        try await primary.start()
        try await body(primary, folder)
    }

    /// A hot standby of this server.
    func standby(in folder: URL) async throws -> PrivateDatabase {
        let standby = try PrivateDatabase(folder, "standby")
        try run([
            "pg_basebackup", "--pgdata", standby.data.path(), "--write-recovery-conf", "--checkpoint=fast",
            "--no-sync", "--dbname=host=127.0.0.1 port=\(port) user=postgres password=secret",
        ])
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
        let process = Process()
        let lifeline = Pipe()
        process.executableURL = URL(filePath: "/bin/bash")
        // Killed at once when the other end of its input closes, as it does when this process ends.
        let guarding = #""$@" & server=$!; cat > /dev/null; kill -QUIT "$server"; wait "$server""#
        process.arguments =
            ["-c", guarding, "guard"]
            + Self.account(
                programs + "postgres",
                [
                    "-D", data.path(), "-c", "port=\(port)", "-c", "listen_addresses=127.0.0.1",
                    "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB",
                    "-c", "max_connections=30",
                ])
        process.standardInput = lifeline
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        (self.process, self.lifeline) = (process, lifeline)
        try await eventually { try isReady() }
    }

    /// Whether it lets sessions in, as a standby does too.
    private func isReady() throws -> Bool {
        (try? run(["pg_isready", "-q", "-h", "127.0.0.1", "-p", "\(port)"])) != nil
    }

    /// Ends it as a power cut would.
    func stop() {
        try? lifeline?.fileHandleForWriting.close()
        process?.waitUntilExit()
        (process, lifeline) = (nil, nil)
    }

    /// Makes a standby take writes.
    func promote() throws { try run(["pg_ctl", "promote", "-s", "-w", "-D", data.path()]) }

    /// Sets parameters, and waits until new sessions have them.
    func set(_ parameters: [String: String]) async throws {
        for (name, value) in parameters { try answer("ALTER SYSTEM SET \(name) = '\(value)'") }
        try answer("SELECT pg_reload_conf()")
        try await eventually {
            try parameters.allSatisfy { try answer("SHOW \($0.key)", of: nil) == $0.value }
        }
    }

    /// What psql answers: it does not mind a standby, nor a server that takes no writes.
    @discardableResult
    func answer(_ sql: String, of options: String? = "-c default_transaction_read_only=off") throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: programs + "psql")
        process.arguments = ["-XAtq", "-h", "127.0.0.1", "-p", "\(port)", "-U", "postgres", "-c", sql]
        process.environment = ["PGPASSWORD": "secret", "PGSSLMODE": "prefer", "PGOPTIONS": options ?? ""]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Problem(description: "psql failed: \(sql)") }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: - Programs

    private func run(_ words: [String]) throws {
        let process = Process()
        let command = Self.account(programs + words[0], Array(words.dropFirst()))
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.currentDirectoryURL = URL(filePath: "/")
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Problem(description: "\(words[0]) failed with \(process.terminationStatus)")
        }
    }

    /// The server refuses to run as root, which hands it to the account that its package made.
    private static func account(_ program: String, _ arguments: [String]) -> [String] {
        guard geteuid() == 0 else { return [program] + arguments }
        let words = ["/usr/bin/setpriv", "--reuid", account, "--regid", account, "--init-groups", "--", program]
        return words + arguments
    }

    private static func give(_ path: String) throws {
        guard geteuid() == 0, let owner = getpwnam(account) else { return }
        guard chown(path, owner.pointee.pw_uid, owner.pointee.pw_gid) == 0 else {
            throw Problem(description: "\(path) cannot be given to \(account)")
        }
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                bind(descriptor, general, length) == 0 ? getsockname(descriptor, general, &length) : -1
            }
        }
        guard code == 0 else { throw Problem(description: "no port is free") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
