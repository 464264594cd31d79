import Foundation
import RabbitMQ
import TestStack
import Testing

extension BrokerTests {
    /// The broker's own TLS, with a private authority, in good and in bad order.
    @Suite struct TLSListener {
        @Test func `a private authority is trusted where it is named, and what is wrong is said in one sentence`()
            async throws
        {
            try await SecureListeners.with { listeners in
                try await ScratchBroker.with { scratch in
                    try await scratch.declare("q")
                    let good = scratch.secure(listeners.ports.good, listeners.authority)
                    let publisher = Publisher(good)
                    #expect(try await publisher.publish([.to("q", "over TLS")]) == [.confirmed])
                    await publisher.close()
                    let consumer = Consumer(good, queue: "q", prefetch: 1)
                    let delivery = try #require(try await consumer.next(atMost: 1, within: .seconds(20)).first)
                    #expect(delivery.text == "over TLS")
                    try await consumer.ack([delivery.tag])
                    await consumer.close()
                    try await refusals(scratch, listeners)
                }
            }
        }

        private func refusals(_ scratch: ScratchBroker, _ listeners: SecureListeners) async throws {
            let (ports, authority) = (listeners.ports, listeners.authority)
            let stranger = try await TestAuthority()
            defer { stranger.remove() }
            let cases: [(BrokerConfiguration, String)] = [
                (
                    scratch.secure(ports.good, stranger),
                    "put the authority that issued it into the CA file \(stranger.file)"
                ),
                (scratch.secure(ports.expired, authority), "has expired: give the broker a new one"),
                (
                    scratch.secure(ports.otherName, authority),
                    "its certificate does not carry the name localhost: connect by a DNS name that it carries"
                ),
                (scratch.secure(ports.old, authority), "it speaks no TLS 1.2 or newer"),
                (scratch.secure(scratch.port, authority), "the port does not speak TLS: use the broker's TLS port"),
            ]
            for (configuration, advice) in cases {
                let error = await #expect(throws: BrokerError.self) {
                    try await TopologySession(configuration).connect()
                }
                guard case .unreachable(let host, let port, let detail) = error else {
                    Issue.record("\(advice): \(String(describing: error))")
                    continue
                }
                #expect(host == "localhost" && port == configuration.port)
                #expect(detail.contains(advice), "\(detail)")
                #expect(error?.disposition == .transient)
                #expect(error?.description.contains(scratch.password) == false)
            }
            try await plainToTLS(scratch, listeners)
        }

        private func plainToTLS(_ scratch: ScratchBroker, _ listeners: SecureListeners) async throws {
            var plain = scratch.configuration(port: listeners.ports.good)
            plain.host = "localhost"
            let error = await #expect(throws: BrokerError.self) { try await TopologySession(plain).connect() }
            #expect(error?.description.contains("if the port is the broker's TLS port, turn TLS on") == true)
        }
    }
}

extension ScratchBroker {
    /// Settings for this virtual host over one of the TLS listeners.
    func secure(_ port: Int, _ authority: TestAuthority) -> BrokerConfiguration {
        var configuration = configuration(port: port)
        configuration.host = "localhost"
        configuration.tls = BrokerTLS(caFile: authority.file)
        return configuration
    }
}

/// Further listeners of the test broker, which speak TLS; closed when the test ends.
struct SecureListeners {
    struct Ports {
        let good: Int
        /// Its certificate has expired.
        let expired: Int
        /// Its certificate is for another host.
        let otherName: Int
        /// It speaks nothing newer than TLS 1.1.
        let old: Int
    }

    let ports: Ports
    let authority: TestAuthority

    static func with(_ body: (SecureListeners) async throws -> Void) async throws {
        let authority = try await TestAuthority()
        defer { authority.remove() }
        let numbers = try (0..<4).map { _ in try freePort() }
        let listeners = SecureListeners(
            ports: Ports(good: numbers[0], expired: numbers[1], otherName: numbers[2], old: numbers[3]),
            authority: authority)
        let result: Result<Void, any Error>
        do {
            try await listeners.open()
            result = .success(try await body(listeners))
        } catch {
            result = .failure(error)
        }
        // In a task of its own: a test that ran out of time is cancelled, and its clean-up must not be.
        let cleaned = await Task { try await close(numbers) }.result
        try result.get()
        try cleaned.get()
    }

    private static func close(_ ports: [Int]) async throws {
        let ends = ports.map { #"":\#($0)""# }.joined(separator: ", ")
        try await ScratchBroker.control(
            "eval",
            """
            [{supervisor:terminate_child(rabbit_sup, Id), supervisor:delete_child(rabbit_sup, Id)}
                || {Id, _, _, _} <- supervisor:which_children(rabbit_sup), End <- [\(ends)],
                    string:find(io_lib:format("~p", [Id]), End) =/= nomatch].
            """)
    }

    private func open() async throws {
        let account = "rabbitmq"
        let good = try await authority.issue("good", to: account)
        let expired = try await authority.issue("expired", days: -1, to: account)
        let other = try await authority.issue("other", names: "DNS:elsewhere.example", to: account)
        let modern = "'tlsv1.2', 'tlsv1.3'"
        let opening = [
            listener(ports.good, good, modern), listener(ports.expired, expired, modern),
            listener(ports.otherName, other, modern), listener(ports.old, good, "'tlsv1.1'"),
        ]
        try await ScratchBroker.control(
            "eval", "rabbit_networking:ensure_ssl(), " + opening.joined(separator: ", ") + ".")
    }

    private func listener(_ port: Int, _ certificate: TestAuthority.Certificate, _ versions: String) -> String {
        """
        rabbit_networking:start_ssl_listener({"127.0.0.1", \(port)}, \
        [{cacertfile, "\(authority.file)"}, {certfile, "\(certificate.file)"}, {keyfile, "\(certificate.key)"}, \
        {versions, [\(versions)]}], 1)
        """
    }
}
