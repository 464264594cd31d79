import Foundation
import FoundationNetworking
import RabbitMQ
import TestStack
import Testing

/// All tests that talk to a broker, one after the other: some of them end connections of other users.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct BrokerTests {}

/// A sentence about what keeps a test from running.
struct TestProblem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A virtual host of one test, on the broker the environment names.
struct ScratchBroker: Sendable {
    let virtualHost: String
    let host: String
    let port: Int
    let user: String
    let password: String
    private let management: URLComponents

    /// Runs a test in a new virtual host, which is deleted whatever happens.
    static func with<R>(_ body: (ScratchBroker) async throws -> R) async throws -> R {
        let scratch = try ScratchBroker()
        try await scratch.request("PUT", "/api/vhosts/\(scratch.virtualHost)")
        let result: Result<R, any Error>
        do {
            try await scratch.request(
                "PUT", "/api/permissions/\(scratch.virtualHost)/\(scratch.user)",
                #"{"configure":".*","write":".*","read":".*"}"#)
            result = .success(try await body(scratch))
        } catch {
            result = .failure(error)
        }
        // In a task of its own: a test that ran out of time is cancelled, and its clean-up must not be.
        let cleanUp = Task { _ = try await scratch.request("DELETE", "/api/vhosts/\(scratch.virtualHost)") }
        let cleaned = await cleanUp.result
        let value = try result.get()
        try cleaned.get()
        return value
    }

    private init() throws {
        let broker = try Self.address("STOCKBRIDGE_TEST_BROKER")
        management = try Self.address("STOCKBRIDGE_TEST_BROKER_MANAGEMENT")
        host = broker.host ?? "127.0.0.1"
        port = broker.port ?? 5672
        user = broker.user ?? "guest"
        password = broker.password ?? "guest"
        virtualHost = "rabbitmq-test-\(UUID().uuidString.lowercased())"
    }

    private static func address(_ name: String) throws -> URLComponents {
        guard let text = ProcessInfo.processInfo.environment[name], let address = URLComponents(string: text) else {
            throw TestProblem("\(name) is not set: start the test stack and export the variables it names.")
        }
        return address
    }

    /// Settings for this virtual host, over `port` if a proxy stands between.
    func configuration(port: Int? = nil, heartbeatSeconds: Int = 10) -> BrokerConfiguration {
        BrokerConfiguration(
            host: host, port: port ?? self.port, virtualHost: virtualHost, user: user, password: password,
            heartbeatSeconds: heartbeatSeconds, connectTimeoutSeconds: 5, connectionName: "test")
    }

    /// Asks the management interface.
    @discardableResult
    func request(_ method: String, _ path: String, _ body: String? = nil) async throws -> Data {
        guard let url = URL(string: "http://\(management.host ?? ""):\(management.port ?? 15672)\(path)") else {
            throw TestProblem("\(path) is no path")
        }
        var request = URLRequest(url: url, timeoutInterval: 15)
        request.httpMethod = method
        let credentials = Data("\(management.user ?? ""):\(management.password ?? "")".utf8).base64EncodedString()
        request.setValue("Basic \(credentials)", forHTTPHeaderField: "Authorization")
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = body.map { Data($0.utf8) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard (200..<300).contains(status) else { throw TestProblem("\(method) \(path) answered \(status)") }
        return data
    }

    /// Runs rabbitmqctl for the node.
    static func control(_ arguments: String...) async throws {
        guard let path = ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_RABBITMQCTL"] else {
            throw TestProblem("STOCKBRIDGE_TEST_RABBITMQCTL is not set: start the test stack first.")
        }
        try await ChildProcess.run([path] + arguments)
    }

    /// Declares a quorum queue in this virtual host.
    func declare(_ queue: String, _ arguments: [String: HeaderValue] = [:]) async throws {
        let session = TopologySession(configuration())
        var all = arguments
        all["x-queue-type"] = "quorum"
        try await session.declareQueue(queue, arguments: all)
        await session.close()
    }

    /// Publishes `count` numbered messages to a queue.
    func fill(_ queue: String, _ count: Int) async throws {
        let publisher = Publisher(configuration())
        let outcomes = try await publisher.publish((0..<count).map { .to(queue, "\($0)") })
        await publisher.close()
        try #require(outcomes.allSatisfy { $0 == .confirmed })
    }

    /// How many messages of a queue are ready, once it is `expected`, or the last count after ten seconds.
    func ready(_ queue: String, expecting expected: Int) async throws -> Int {
        let session = TopologySession(configuration())
        var found = -1
        for _ in 0..<200 {
            found = try await session.checkQueue(queue).messages
            if found == expected { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        await session.close()
        return found
    }
}

extension OutgoingMessage {
    /// A small message for a queue, over the default exchange.
    static func to(_ queue: String, _ text: String = "hello") -> OutgoingMessage {
        OutgoingMessage(
            exchange: "", routingKey: queue, properties: MessageProperties(messageID: text), body: Array(text.utf8))
    }
}

extension Delivery {
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Waits for a condition, at most a minute.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    try await TestStack.eventually(within: .seconds(60), condition)
}
