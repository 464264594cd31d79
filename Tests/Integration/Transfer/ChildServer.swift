import Foundation
import Synchronization

/// A test server: one of the scripts in `Servers`, as a child process.
///
/// The script ends when its standard input does, hence also if this process dies.
final class ChildServer: Sendable {
    private let input: FileHandle
    private let process: Process
    /// What the script says about itself once it is ready: ports, files, passwords.
    let facts: [String: String]

    init(_ script: String) throws {
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = ["-B", Self.path(of: script)]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        self.input = input.fileHandleForWriting
        var line: [UInt8] = []
        while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0A { line.append(byte) }
        facts = try JSONDecoder().decode([String: String].self, from: Data(line))
    }

    deinit {
        try? input.close()
        process.waitUntilExit()
    }

    subscript(_ name: String) -> String { facts[name] ?? "" }

    func port(_ name: String = "port") -> Int { Int(self[name]) ?? 0 }

    static func path(of script: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Servers/\(script)").path()
    }
}

/// The servers of this process, one for each script, started when first wanted.
private let sharedServers = Mutex<[String: ChildServer]>([:])

/// Runs `body` with the script's server; suites that use it run their tests one at a time.
///
/// - Parameter emptying: The fact that names a directory to be emptied before.
func withServer<Result>(
    _ script: String, emptying: String? = nil, _ body: (ChildServer) async throws -> Result
) async throws -> Result {
    let server = try sharedServers.withLock { servers in
        let server = try servers[script] ?? ChildServer(script)
        servers[script] = server
        return server
    }
    if let emptying {
        for name in try FileManager.default.contentsOfDirectory(atPath: server[emptying]) {
            try FileManager.default.removeItem(atPath: "\(server[emptying])/\(name)")
        }
    }
    return try await body(server)
}

/// Runs `body` with a server that nobody else uses, so that what it counts is known; it is gone afterwards.
func withOwnServer<Result>(_ script: String, _ body: (ChildServer) async throws -> Result) async throws -> Result {
    let server = try ChildServer(script)
    defer { withExtendedLifetime(server) {} }
    return try await body(server)
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
