import Foundation
import RabbitMQ
import Synchronization
import TestStack
import Testing
import Transfer

@testable import Stockbridge

@Suite("The management API of a cluster of which a node is out", .timeLimit(.minutes(20)))
struct ManagementClientTests {
    @Test("a node that does not answer is asked once, and again when the one that did is out too")
    func darkNode() async throws {
        try await ScratchSystem.with([]) { system in
            let dark = try HangingUp()
            defer { dark.stop() }
            let management = try #require(system.servers.managementURL.split(separator: ":").last)
            let node = try SwitchedPort(to: String(management))
            try node.open()
            defer { node.close() }
            let transfer = TransferClient()
            defer { transfer.close() }
            let broker = system.servers.broker
            let client = ManagementClient(
                bases: ["http://127.0.0.1:\(dark.port)", "http://127.0.0.1:\(node.port)"], virtualHost: system.name,
                credentials: Credentials(user: broker.user, password: broker.password), caFile: nil,
                transfer: transfer)
            #expect(
                try await eventually { (try? await client.read(users: []))?.virtualHostExists == true },
                "the second node answers")
            let before = dark.connections
            #expect(before > 0, "the first node is asked first")
            for _ in 1...3 { #expect(try await client.read(users: []).virtualHostExists) }
            #expect(dark.connections == before, "it is not asked again")
            node.close()
            await #expect(throws: (any Error).self) { try await client.read(users: []) }
            #expect(dark.connections == before + 1, "now nobody answers, and it was asked again")
        }
    }
}

/// A port that takes connections and hangs up at once.
private final class HangingUp: Sendable {
    let port: Int
    private let descriptor: Int32
    private let taken = Mutex(0)

    var connections: Int { taken.withLock { $0 } }

    init() throws {
        (descriptor, port) = try localSocket(listeningFor: 16)
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                taken.withLock { $0 += 1 }
                close(connection)
            }
        }
    }

    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }
}
