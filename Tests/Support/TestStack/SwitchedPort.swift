import Foundation
import Synchronization

/// A port that refuses connections until it is opened, and then leads to another one of this machine.
public final class SwitchedPort: Sendable {
    /// The port that is closed at first.
    public let port: Int
    private let target: String
    private let relay = Mutex<Process?>(nil)

    /// A port that will lead to the port `target`.
    public init(to target: String) throws {
        self.target = target
        port = try Self.freePort()
    }

    /// From now on, or from a moment later, connections are taken and led on.
    public func open() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.program, "\(port)", target]
        // Whoever reads this process's output must not wait for the relay, and the relay ends with this process.
        process.standardInput = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        relay.withLock { $0 = process }
    }

    /// From now on connections are refused, and those there are end.
    public func close() {
        relay.withLock { process in
            // Not SIGTERM: a child inherits that a service of this process has set it aside.
            if let running = process { kill(running.processIdentifier, SIGKILL) }
            process = nil
        }
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(descriptor, raw, length) == 0 && getsockname(descriptor, raw, &length) == 0
            }
        }
        guard result else { throw TestStackProblem("There is no free port.") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static let program = """
        import asyncio, os, sys, threading
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        async def pump(source, sink):
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            finally:
                sink.close()
        async def lead(reader, writer):
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
            await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer), return_exceptions=True)
        async def main():
            server = await asyncio.start_server(lead, "127.0.0.1", int(sys.argv[1]))
            await server.serve_forever()
        asyncio.run(main())
        """
}
