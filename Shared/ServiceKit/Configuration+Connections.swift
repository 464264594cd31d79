public import Contracts
import Domain
import Foundation
public import PostgreSQL
public import RabbitMQ
public import Settings
public import Transfer

extension StockbridgeConfiguration {
    /// How a service reaches the broker, under its own user.
    ///
    /// - Throws: `SecretError` if its password cannot be read.
    public func brokerConfiguration(for service: ServiceName, purpose: String) throws -> BrokerConfiguration {
        try brokerConfiguration(
            user: service.rawValue, password: broker.password, of: service.rawValue,
            name: "\(service.rawValue) \(purpose)")
    }

    /// How the administrator reaches the broker.
    public func administratorBrokerConfiguration() throws -> BrokerConfiguration {
        let admin = try requireAdmin()
        return try brokerConfiguration(
            user: admin.brokerUser, password: admin.brokerPassword, of: "admin",
            name: "stockbridge administrator")
    }

    /// How a service reaches its schema, under its own role.
    ///
    /// - Throws: `SecretError` if its password cannot be read.
    public func databaseConfiguration(for service: ServiceName, purpose: String) throws -> PostgresConfiguration {
        try databaseConfiguration(
            user: service.role, password: database.password, of: service.rawValue,
            name: "\(service.rawValue) \(purpose)", searchPath: [service.schema])
    }

    /// How the administrator reaches the database. A statement may take as long as it needs: a person waits for it, and
    /// it may rewrite a whole table. What must not wait for ever for a lock sets `lock_timeout` itself.
    public func administratorDatabaseConfiguration() throws -> PostgresConfiguration {
        let admin = try requireAdmin()
        var configuration = try databaseConfiguration(
            user: admin.databaseUser, password: admin.databasePassword, of: "admin",
            name: "stockbridge administrator", searchPath: ["public"])
        configuration.statementTimeoutSeconds = 0
        return configuration
    }

    /// How mails leave.
    public func mailServer(for service: ServiceName) throws -> MailServer {
        let tls: MailServer.TLS =
            switch mail.tls {
            case .startTLS: .startTLS
            case .implicit: .implicit
            case .off: .off
            }
        var credentials: Credentials?
        if let user = mail.user, let password = mail.password {
            credentials = Credentials(user: user, password: try password.resolve(service: service.rawValue).reveal())
        }
        return MailServer(host: mail.host, port: mail.port, tls: tls, credentials: credentials, caFile: mail.caFile)
    }

    /// Where Debian keeps the certificate authorities that the system trusts.
    private static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    private func requireAdmin() throws -> Administration {
        guard let admin else {
            throw MissingSection(
                description: """
                    \(file) has no section 'admin', which migrate and topology apply need \
                    (broker_user, broker_password, database_user, database_password). Nothing was changed.
                    """)
        }
        return admin
    }

    private func brokerConfiguration(
        user: String, password: SecretReference, of owner: String, name: String
    ) throws -> BrokerConfiguration {
        let nodes = broker.servers.map { BrokerAddress(host: $0.host, port: $0.port) }
        var configuration = BrokerConfiguration(
            host: nodes.first?.host ?? "", port: nodes.first?.port ?? 0, virtualHost: broker.virtualHost, user: user,
            password: try password.resolve(service: owner).reveal(),
            tls: broker.tls.enabled ? BrokerTLS(caFile: broker.tls.caFile ?? Self.systemAuthorities) : nil,
            connectionName: name)
        configuration.furtherNodes = Array(nodes.dropFirst())
        configuration.renewedPassword = { try password.resolve(service: owner).reveal() }
        return configuration
    }

    private func databaseConfiguration(
        user: String, password: SecretReference, of owner: String, name: String, searchPath: [String]
    ) throws -> PostgresConfiguration {
        let servers = database.servers.map { PostgresAddress(host: $0.host, port: $0.port) }
        var configuration = PostgresConfiguration(
            host: servers.first?.host ?? "", port: servers.first?.port ?? 0, database: database.name, user: user,
            password: try password.resolve(service: owner).reveal(), applicationName: name, searchPath: searchPath,
            tls: database.tls.enabled ? .verifyFull(caFile: database.tls.caFile ?? Self.systemAuthorities) : .off)
        configuration.furtherServers = Array(servers.dropFirst())
        configuration.renewedPassword = { try password.resolve(service: owner).reveal() }
        return configuration
    }
}

/// A part of the configuration that this command needs is not there.
public struct MissingSection: Error, CustomStringConvertible {
    /// What is missing and who needs it.
    public let description: String
}
