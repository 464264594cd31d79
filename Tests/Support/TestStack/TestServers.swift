public import Contracts
import Crypto
public import Foundation
public import PostgreSQL
public import RabbitMQ
import Transfer

/// What keeps a test from running, as a sentence.
public struct TestStackProblem: Error, CustomStringConvertible {
    /// What is missing or went wrong, and what to do.
    public let description: String

    /// Takes the sentence.
    public init(_ description: String) { self.description = description }
}

/// The real servers that integration tests run against, as the environment names them. Test equipment.
public struct TestServers: Sendable {
    /// The administrator's way to the broker's default virtual host.
    public let broker: BrokerConfiguration
    /// Where the broker's management API is, without an account in it.
    public let managementURL: String
    /// The administrator's way to the database server.
    public let database: PostgresConfiguration
    private let managementAccount: Credentials

    /// Reads `STOCKBRIDGE_TEST_BROKER`, `STOCKBRIDGE_TEST_BROKER_MANAGEMENT` and `STOCKBRIDGE_TEST_DATABASE`.
    ///
    /// - Parameter environment: This process's, or that of other servers.
    /// - Throws: ``TestStackProblem`` if one is missing: a test without its servers fails, it is not skipped.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        let broker = try Self.address("STOCKBRIDGE_TEST_BROKER", environment)
        var nodes = BrokerConfiguration(
            host: broker.host ?? "127.0.0.1", port: broker.port ?? 5_672, user: broker.user ?? "guest",
            password: broker.password ?? "guest", connectionName: "test administrator")
        nodes.furtherNodes = Self.further("STOCKBRIDGE_TEST_FURTHER_BROKERS", environment).map {
            BrokerAddress(host: $0, port: nodes.port)
        }
        self.broker = nodes
        let management = try Self.address("STOCKBRIDGE_TEST_BROKER_MANAGEMENT", environment)
        managementURL = "http://\(management.host ?? "127.0.0.1"):\(management.port ?? 15_672)"
        managementAccount = Credentials(user: management.user ?? "guest", password: management.password ?? "guest")
        guard
            var database = PostgresConfiguration(url: try Self.value("STOCKBRIDGE_TEST_DATABASE", environment))
        else {
            throw TestStackProblem(
                "STOCKBRIDGE_TEST_DATABASE is not of the form postgresql://user:password@host:port/database.")
        }
        database.applicationName = "test administrator"
        database.statementTimeoutSeconds = 120
        let port = database.port
        database.furtherServers = Self.further("STOCKBRIDGE_TEST_FURTHER_DATABASES", environment).map {
            PostgresAddress(host: $0, port: port)
        }
        self.database = database
    }

    /// The other servers of a cluster, at the same port.
    private static func further(_ name: String, _ environment: [String: String]) -> [String] {
        environment[name]?.split(separator: ",").map(String.init) ?? []
    }

    private static func value(_ name: String, _ environment: [String: String]) throws -> String {
        guard let text = environment[name], !text.isEmpty else {
            throw TestStackProblem("\(name) is not set: start the test stack and source the environment it writes.")
        }
        return text
    }

    private static func address(_ name: String, _ environment: [String: String]) throws -> URLComponents {
        guard let address = URLComponents(string: try value(name, environment)) else {
            throw TestStackProblem("\(name) is no address.")
        }
        return address
    }

    /// A service's password at the broker. Users are broker-wide, so all tests that run at once have to use the same.
    public func brokerPassword(of service: ServiceName) -> String {
        Self.derived(service.rawValue, from: broker.password)
    }

    /// A service's password at the database. Roles are cluster-wide, so tests that run at once have to use the same.
    public func databasePassword(of service: ServiceName) -> String {
        Self.derived(service.rawValue, from: database.password)
    }

    private static func derived(_ name: String, from secret: String) -> String {
        HMAC<SHA256>.authenticationCode(for: Data(name.utf8), using: SymmetricKey(data: Data(secret.utf8)))
            .prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Asks the broker's management API.
    func manage(_ method: String, _ path: String, _ body: [String: String]? = nil) async throws {
        let answer = try await Self.transfer.send(
            HTTPRequest(
                method: method, url: managementURL + path, headers: [HTTPHeader("Content-Type", "application/json")],
                body: try body.map { Array(try JSONEncoder().encode($0)) }, timeoutSeconds: 60,
                basicCredentials: managementAccount))
        guard (200..<300).contains(answer.status) else {
            throw TestStackProblem("The broker's management API answered \(method) \(path) with \(answer.status).")
        }
    }

    private static let transfer = TransferClient(options: TransferOptions())
}
