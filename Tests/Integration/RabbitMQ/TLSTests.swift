import Foundation
import RabbitMQ
import TestStack
import Testing

extension BrokerTests {
    @Suite struct TLS {
        @Test func `publishing and consuming work over TLS, and only with the right authority and name`() async throws {
            try await ScratchBroker.with { scratch in
                let proxy = try await TLSProxy(to: scratch.port)
                defer { proxy.stop() }
                try await scratch.declare("q")
                var configuration = scratch.configuration(port: proxy.port, heartbeatSeconds: 1)
                configuration.host = "localhost"
                configuration.tls = BrokerTLS(caFile: proxy.certificate)
                let publisher = Publisher(configuration, maximumInFlight: 100)
                var large = OutgoingMessage.to("q", "large")
                large.body = (0..<500_000).map { UInt8(truncatingIfNeeded: $0) }
                let outcomes = try await publisher.publish((0..<500).map { .to("q", "\($0)") } + [large])
                #expect(outcomes.allSatisfy { $0 == .confirmed })
                // Longer than the broker tolerates without heartbeats.
                try await Task.sleep(for: .seconds(4))
                #expect(try await publisher.publish([.to("nowhere")]) == [.returned(code: 312, text: "NO_ROUTE")])
                await publisher.close()
                let consumer = Consumer(configuration, queue: "q", prefetch: 200)
                for _ in 0..<5 { try await consumer.ack(consumer.take(100).map(\.tag)) }
                #expect(try await consumer.take(1)[0].body == large.body)
                await consumer.close()

                configuration.tls = BrokerTLS(caFile: proxy.otherCertificate)
                await expectUnreachable(configuration)
                configuration.tls = BrokerTLS(caFile: "/nowhere/ca.pem")
                await expectUnreachable(configuration)
                configuration.tls = BrokerTLS(caFile: proxy.certificate)
                configuration.host = "127.0.0.1"
                await expectUnreachable(configuration)
                configuration.tls = BrokerTLS(caFile: proxy.otherCertificate, verify: false)
                let unverified = TopologySession(configuration)
                try await unverified.connect()
                await unverified.close()
            }
        }

        private func expectUnreachable(_ configuration: BrokerConfiguration) async {
            let error = await #expect(throws: BrokerError.self) {
                try await TopologySession(configuration).connect()
            }
            guard case .unreachable? = error else {
                Issue.record("expected unreachable, found \(String(describing: error))")
                return
            }
        }
    }
}

/// Ends TLS in front of the broker, with a certificate for `localhost` made for the occasion.
final class TLSProxy {
    let port: Int
    let certificate: String
    let otherCertificate: String
    private let folder: URL
    private let child: ChildProcess

    init(to target: Int) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        certificate = folder.appending(path: "own.pem").path
        otherCertificate = folder.appending(path: "other.pem").path
        for file in [certificate, otherCertificate] {
            try await ChildProcess.run([
                "/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", file + ".key", "-out", file,
            ])
        }
        child = try ChildProcess(
            name: "TLS proxy", executable: "/usr/bin/python3", arguments: ["-c", Self.script, certificate, "\(target)"])
        port = try #require(Int(try await child.firstLine()))
    }

    func stop() {
        child.kill()
        try? FileManager.default.removeItem(at: folder)
    }

    private static let script = """
        import asyncio, ssl, sys
        async def pump(reader, writer):
            try:
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            except Exception:
                pass
            writer.close()
        async def carry(reader, writer):
            there, back = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
            await asyncio.gather(pump(reader, back), pump(there, writer))
        async def main():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[1], sys.argv[1] + ".key")
            server = await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context)
            print(server.sockets[0].getsockname()[1], flush=True)
            await server.serve_forever()
        asyncio.run(main())
        """
}
