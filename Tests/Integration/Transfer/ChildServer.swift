import Foundation
import Synchronization
import TestStack

/// A test server: one of the scripts in `Servers`, as a child process that ends when this one does.
final class ChildServer: Sendable {
    private let child: ChildProcess
    /// What the script says about itself once it is ready: ports, files, passwords.
    let facts: [String: String]

    init(_ script: String) async throws {
        child = try ChildProcess(
            name: script, executable: "/usr/bin/python3", arguments: ["-B", Self.path(of: script)],
            endsWithInput: true)
        facts = try JSONDecoder().decode([String: String].self, from: Data(try await child.firstLine().utf8))
    }

    /// Ends it, and waits until it is gone and has removed its files.
    func stop() async throws {
        child.endInput()
        try await child.waitForExit()
    }

    subscript(_ name: String) -> String { facts[name] ?? "" }

    func port(_ name: String = "port") -> Int { Int(self[name]) ?? 0 }

    static func path(of script: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Servers/\(script)").path()
    }
}

/// The servers of this process, one for each script, started when first wanted.
private let sharedServers = Mutex<[String: Task<ChildServer, any Error>]>([:])

/// Runs `body` with the script's server; suites that use it run their tests one at a time.
///
/// - Parameter emptying: The fact that names a directory to be emptied before.
func withServer<Result>(
    _ script: String, emptying: String? = nil, _ body: (ChildServer) async throws -> Result
) async throws -> Result {
    let starting = sharedServers.withLock { servers in
        let starting = servers[script] ?? Task { try await ChildServer(script) }
        servers[script] = starting
        return starting
    }
    let server = try await starting.value
    if let emptying {
        for name in try FileManager.default.contentsOfDirectory(atPath: server[emptying]) {
            try FileManager.default.removeItem(atPath: "\(server[emptying])/\(name)")
        }
    }
    return try await body(server)
}

/// Runs `body` with a server that nobody else uses, so that what it counts is known; it is gone afterwards.
func withOwnServer<Result>(_ script: String, _ body: (ChildServer) async throws -> Result) async throws -> Result {
    let server = try await ChildServer(script)
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(server)) } catch { result = .failure(error) }
    // In a task of its own: a test that ran out of time is cancelled, and its clean-up must not be.
    let stopped = await Task { try await server.stop() }.result
    let value = try result.get()
    try stopped.get()
    return value
}

/// Collects what a download delivers.
final class Collector: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: [UInt8] = []
    private var count = 0

    var bytes: [UInt8] { lock.withLock { stored } }
    var pieces: Int { lock.withLock { count } }

    func add(_ piece: UnsafeRawBufferPointer) {
        lock.withLock {
            stored.append(contentsOf: piece)
            count += 1
        }
    }
}
