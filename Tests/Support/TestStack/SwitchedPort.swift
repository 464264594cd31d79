import Foundation
import Synchronization

/// A port that refuses connections until it is opened, and then leads to another one of this machine.
public final class SwitchedPort: Sendable {
    /// The port that is closed at first.
    public let port: Int
    private let target: String
    private let relay = Mutex<ChildProcess?>(nil)

    /// A port that will lead to the port `target`.
    public init(to target: String) throws {
        self.target = target
        port = try freePort()
    }

    /// From now on, or from a moment later, connections are taken and led on.
    public func open() throws {
        let child = try ChildProcess(
            name: "relay to \(target)", executable: "/usr/bin/python3",
            arguments: ["-c", Self.program, "\(port)", target], endsWithInput: true)
        relay.withLock { $0 = child }
    }

    /// From now on connections are refused, and those there are end.
    public func close() {
        relay.withLock { $0.take() }?.kill()
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
