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
            user: service.rawValue, password: broker.password.resolve(service: service.rawValue).reveal(),
            name: "\(service.rawValue) \(purpose)")
    }

    /// How the administrator reaches the broker.
    public func administratorBrokerConfiguration() throws -> BrokerConfiguration {
        let admin = try requireAdmin()
        return try brokerConfiguration(
            user: admin.brokerUser, password: admin.brokerPassword.resolve(service: "admin").reveal(),
            name: "stockbridge administrator")
    }

    /// How a service reaches its schema, under its own role.
    ///
    /// - Throws: `SecretError` if its password cannot be read.
    public func databaseConfiguration(for service: ServiceName, purpose: String) throws -> PostgresConfiguration {
        databaseConfiguration(
            user: service.role, password: try database.password.resolve(service: service.rawValue).reveal(),
            name: "\(service.rawValue) \(purpose)", searchPath: [service.schema])
    }

    /// How the administrator reaches the database.
    public func administratorDatabaseConfiguration() throws -> PostgresConfiguration {
        let admin = try requireAdmin()
        return databaseConfiguration(
            user: admin.databaseUser, password: try admin.databasePassword.resolve(service: "admin").reveal(),
            name: "stockbridge administrator", searchPath: ["public"])
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

    private func brokerConfiguration(user: String, password: String, name: String) throws -> BrokerConfiguration {
        BrokerConfiguration(
            host: broker.host, port: broker.port, virtualHost: broker.virtualHost, user: user, password: password,
            tls: broker.tls.enabled ? BrokerTLS(caFile: broker.tls.caFile ?? Self.systemAuthorities) : nil,
            connectionName: name)
    }

    private func databaseConfiguration(
        user: String, password: String, name: String, searchPath: [String]
    ) -> PostgresConfiguration {
        PostgresConfiguration(
            host: database.host, port: database.port, database: database.name, user: user, password: password,
            applicationName: name, searchPath: searchPath,
            tls: database.tls.enabled ? .verifyFull(caFile: database.tls.caFile ?? Self.systemAuthorities) : .off)
    }
}

/// A part of the configuration that this command needs is not there.
public struct MissingSection: Error, CustomStringConvertible {
    /// What is missing and who needs it.
    public let description: String
}
