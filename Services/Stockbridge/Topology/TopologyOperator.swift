import Contracts
import Foundation
import Messaging
import RabbitMQ
import ServiceKit
import Settings
import Transfer

/// Reads a live broker, compares it with the configuration, and brings it there.
struct TopologyOperator {
    private let configuration: StockbridgeConfiguration
    private let management: ManagementClient
    private let administrator: BrokerConfiguration
    let comparison: TopologyComparison

    init(_ configuration: StockbridgeConfiguration, transfer: TransferClient) throws {
        self.configuration = configuration
        management = try ManagementClient(configuration, transfer: transfer)
        administrator = try configuration.administratorBrokerConfiguration()
        comparison = TopologyComparison(
            topology: Topology(services: ServiceCatalogue.services(for: configuration)),
            administrator: administrator.user)
    }

    private var users: [String] { comparison.topology.services.map(\.name.rawValue) }

    func live() async throws -> LiveTopology {
        var live = try await management.read(users: users)
        for service in comparison.topology.services where live.users[service.name.rawValue] == .ready {
            if try await !passwordFits(service.name) { live.users[service.name.rawValue] = .otherPassword }
        }
        return live
    }

    /// The API shows only a salted hash; signing in says it for sure.
    private func passwordFits(_ service: ServiceName) async throws -> Bool {
        let session = TopologySession(try configuration.brokerConfiguration(for: service, purpose: "password check"))
        do throws(BrokerError) {
            try await session.connect()
            await session.close()
            return true
        } catch {
            await session.close()
            switch error {
            case .authenticationFailed: return false
            // Signed in, but may not use the virtual host, which is another difference.
            case .refused: return true
            default: throw error
            }
        }
    }

    /// Users and their rights first, then everything that can be declared. Returns what was done, a line each.
    func apply(to live: LiveTopology, say: (String) -> Void) async throws {
        if !live.virtualHostExists {
            try await management.createVirtualHost()
            say("created virtual host \(configuration.broker.virtualHost)")
        }
        if !live.permissions.contains(where: { $0.user == administrator.user }) {
            try await management.setPermissions(administrator.user, configure: ".*", write: ".*", read: ".*")
            say("let \(administrator.user) administer it")
        }
        for service in comparison.topology.services where live.users[service.name.rawValue] != .ready {
            let password = try configuration.broker.password.resolve(service: service.name.rawValue).reveal()
            try await management.setUser(service.name.rawValue, password: password)
            say("set user \(service.name.rawValue) and its password")
        }
        for wanted in comparison.topology.permissions { try await grant(wanted, live, say: say) }
        try await declare(on: live, say: say)
    }

    private func grant(_ wanted: BrokerPermissions, _ live: LiveTopology, say: (String) -> Void) async throws {
        let plain = LiveTopology.Permission(
            user: wanted.user, configure: wanted.configure, write: wanted.write, read: wanted.read)
        if !live.permissions.contains(plain) {
            try await management.setPermissions(
                wanted.user, configure: wanted.configure, write: wanted.write, read: wanted.read)
            say("set permissions of \(wanted.user)")
        }
        let topics = LiveTopology.TopicPermission(
            user: wanted.user, exchange: Topology.events, write: wanted.topicWrite, read: wanted.topicRead)
        let found = live.topicPermissions.filter { $0.user == wanted.user }
        guard found != [topics] else { return }
        if found.contains(where: { $0.exchange != Topology.events }) {
            try await management.clearTopicPermissions(wanted.user)
        }
        try await management.setTopicPermissions(
            wanted.user, exchange: Topology.events, write: wanted.topicWrite, read: wanted.topicRead)
        say("set topic permissions of \(wanted.user)")
    }

    private func declare(on live: LiveTopology, say: (String) -> Void) async throws {
        let declarations = comparison.topology.declarations.filter { comparison.canDeclare($0, on: live) }
        let missing = Set(comparison.differences(from: live).filter { $0.kind == .missing }.map(\.subject))
        let session = TopologySession(administrator)
        do {
            try await TopologyDeclarer.declare(declarations, over: session)
            await session.close()
        } catch {
            await session.close()
            throw error
        }
        let new = declarations.map(\.label).filter(missing.contains)
        for label in new { say("declared \(label)") }
    }
}
