import Contracts
import Foundation
import RabbitMQ
import ServiceKit
import Settings
import Synchronization
import Transfer

/// RabbitMQ's management API, as the administrator: AMQP can neither list nor set users and permissions.
final class ManagementClient: Sendable {
    private let transfer: TransferClient
    private let bases: [String]
    private let host: String
    private let credentials: Credentials
    private let caFile: String?
    /// The place in ``bases`` of the node that answered last: it is asked first, so that one that is switched off costs
    /// its time once and not for every request.
    private let preferred = Mutex(0)

    /// - Throws: `MissingSection` or `SecretError` if the administrator's account is not there.
    convenience init(_ configuration: StockbridgeConfiguration, transfer: TransferClient) throws {
        let administrator = try configuration.administratorBrokerConfiguration()
        self.init(
            bases: configuration.broker.managementURLs, virtualHost: configuration.broker.virtualHost,
            credentials: Credentials(user: administrator.user, password: administrator.password),
            caFile: configuration.broker.tls.caFile, transfer: transfer)
    }

    /// - Parameter bases: The nodes' addresses, such as `https://mq:15671`.
    init(bases: [String], virtualHost: String, credentials: Credentials, caFile: String?, transfer: TransferClient) {
        self.bases = bases
        host = Self.segment(virtualHost)
        self.credentials = credentials
        self.caFile = caFile
        self.transfer = transfer
    }

    private struct Overview: Decodable { var rabbitmq_version: String }
    private struct User: Decodable { var name: String }
    private struct Feature: Decodable {
        var name: String
        var state: String
    }

    /// All there is in the virtual host. Whether passwords fit is not known here: users are `.ready` or `.absent`.
    func read(users wanted: [String]) async throws -> LiveTopology {
        let overview = try await get("/api/overview", as: Overview.self)
        var live = LiveTopology(
            version: overview?.rabbitmq_version ?? "unknown",
            virtualHostExists: try await exists("/api/vhosts/\(host)"))
        let names = Set(try await get("/api/users", as: [User].self)?.map(\.name) ?? [])
        for user in wanted { live.users[user] = names.contains(user) ? .ready : .absent }
        live.nodes = try await get("/api/nodes", as: [LiveTopology.Node].self) ?? []
        // Brokers without feature flags answer 404.
        live.disabledFeatures =
            try await get("/api/feature-flags", as: [Feature].self)?
            .filter { $0.state == "disabled" }.map(\.name) ?? []
        guard live.virtualHostExists else { return live }
        live.exchanges = try await get("/api/exchanges/\(host)", as: [LiveTopology.Exchange].self) ?? []
        live.queues = try await get("/api/queues/\(host)", as: [LiveTopology.Queue].self) ?? []
        live.policies = try await get("/api/policies/\(host)", as: [LiveTopology.Policy].self) ?? []
        live.operatorPolicies =
            try await get("/api/operator-policies/\(host)", as: [LiveTopology.Policy].self) ?? []
        live.bindings = try await get("/api/bindings/\(host)", as: [LiveTopology.Binding].self) ?? []
        live.permissions =
            try await get("/api/vhosts/\(host)/permissions", as: [LiveTopology.Permission].self) ?? []
        live.topicPermissions =
            try await get("/api/vhosts/\(host)/topic-permissions", as: [LiveTopology.TopicPermission].self) ?? []
        return live
    }

    func createVirtualHost() async throws { try await put("/api/vhosts/\(host)", [String: String]()) }

    func setUser(_ name: String, password: String) async throws {
        try await put("/api/users/\(Self.segment(name))", ["password": password, "tags": ""])
    }

    func setPermissions(_ user: String, configure: String, write: String, read: String) async throws {
        try await put(
            "/api/permissions/\(host)/\(Self.segment(user))", ["configure": configure, "write": write, "read": read])
    }

    func setTopicPermissions(_ user: String, exchange: String, write: String, read: String) async throws {
        try await put(
            "/api/topic-permissions/\(host)/\(Self.segment(user))",
            ["exchange": exchange, "write": write, "read": read])
    }

    /// Removes all topic permissions of a user in the virtual host.
    func clearTopicPermissions(_ user: String) async throws {
        let (answer, base) = try await send("DELETE", "/api/topic-permissions/\(host)/\(Self.segment(user))", body: nil)
        guard answer.status == 404 || (200..<300).contains(answer.status) else { throw refused(answer, "DELETE", base) }
    }

    // MARK: Requests

    private func get<Answer: Decodable>(_ path: String, as type: Answer.Type) async throws -> Answer? {
        let (answer, base) = try await send("GET", path, body: nil)
        if answer.status == 404 { return nil }
        guard answer.status == 200 else { throw refused(answer, "GET \(path)", base) }
        do {
            return try JSONDecoder().decode(type, from: Data(answer.body))
        } catch {
            throw ToolError.failed(
                "The management API at \(base) answered GET \(path) with something else than expected. "
                    + "Check that broker.management_url is RabbitMQ's.")
        }
    }

    private func exists(_ path: String) async throws -> Bool {
        let (answer, base) = try await send("GET", path, body: nil)
        if answer.status == 404 { return false }
        guard answer.status == 200 else { throw refused(answer, "GET \(path)", base) }
        return true
    }

    private func put(_ path: String, _ body: [String: String]) async throws {
        let (answer, base) = try await send("PUT", path, body: Array(try JSONEncoder().encode(body)))
        guard (200..<300).contains(answer.status) else { throw refused(answer, "PUT \(path)", base) }
    }

    /// Asks the first node that answers; what is asked for has the same effect at each of them, and twice the same as
    /// once.
    private func send(
        _ method: String, _ path: String, body: [UInt8]?
    ) async throws -> (answer: HTTPResponse, base: String) {
        var problems: [any Error] = []
        let first = preferred.withLock { $0 }
        for index in bases.indices.map({ ($0 + first) % bases.count }) {
            let base = bases[index]
            do {
                let answer = try await transfer.send(
                    HTTPRequest(
                        method: method, url: base + path, headers: [HTTPHeader("Content-Type", "application/json")],
                        body: body, timeoutSeconds: 30, basicCredentials: credentials,
                        maximumResponseBytes: 64 * 1_024 * 1_024, caFile: caFile))
                preferred.withLock { $0 = index }
                return (answer, base)
            } catch {
                guard error.countsAsOutage else { throw error }
                problems.append(error)
            }
        }
        throw ToolError.failed(
            (bases.count == 1 ? "The broker's management API does not answer. " : "No node's management API answers. ")
                + problems.map { "\($0)" }.joined(separator: " "))
    }

    private func refused(_ answer: HTTPResponse, _ step: String, _ base: String) -> ToolError {
        answer.status == 401
            ? .failed(
                "The management API at \(base) does not accept the account '\(credentials.user)'. "
                    + "Check admin.broker_user and admin.broker_password; the user needs the tag 'administrator'.")
            : .failed("The management API at \(base) answered \(step) with status \(answer.status).")
    }

    /// One part of a path; a virtual host may contain a slash.
    private static func segment(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
    }
}
