extension StockbridgeConfiguration {
    /// `tls` of the broker or the database. Certificates and host names are always verified where TLS is on.
    public struct TLS: Sendable, Hashable {
        /// Whether the connection is encrypted and verified; on unless the file turns it off.
        public let enabled: Bool
        /// Absolute path of a PEM file with the certificate authorities to trust; nil means the system's.
        public let caFile: String?
    }

    /// Where one server listens: a node of the broker, or a server of a replicated database.
    public struct ServerAddress: Sendable, Hashable {
        /// Host name or address.
        public let host: String
        /// Port.
        public let port: Int
    }

    /// `broker`: RabbitMQ. The user name is the service's name.
    public struct Broker: Sendable {
        /// The nodes, at least one; the port is 5671 with TLS and 5672 without unless set.
        public let servers: [ServerAddress]
        /// The virtual host that everything of ours lives in.
        public let virtualHost: String
        /// Base addresses of the management API, one a node and at least one, without a slash at the end; `topology`
        /// reads through the first that answers.
        public let managementURLs: [String]
        /// The password of the service's own user.
        public let password: SecretReference
        /// Encryption of the AMQP connection.
        public let tls: TLS
    }

    /// `database`: PostgreSQL. The role is the service's name with `_` for `-`; `owner` migrates.
    public struct Database: Sendable {
        /// The servers, at least one, of which one takes writes; the port is 5432 unless set.
        public let servers: [ServerAddress]
        /// The database's name.
        public let name: String
        /// The password of the service's own role.
        public let password: SecretReference
        /// Encryption of the connection.
        public let tls: TLS
        /// Connections that one replica of a service opens at most.
        public let maximumConnections: Int
    }

    /// `admin`: accounts that create users, roles and virtual hosts.
    public struct Administration: Sendable {
        /// A RabbitMQ user with the tag `administrator`.
        public let brokerUser: String
        /// Its password.
        public let brokerPassword: SecretReference
        /// A PostgreSQL role that may create roles and databases.
        public let databaseUser: String
        /// Its password.
        public let databasePassword: SecretReference
    }

    /// `http`: health and metrics.
    public struct HTTP: Sendable, Hashable {
        /// The address that the services listen on.
        public let bind: String
        /// Port per service name; 0 means any free port.
        public let ports: [String: Int]

        /// The port of a service; 0 (any free port) for one without an entry.
        public func port(for service: String) -> Int { ports[service] ?? 0 }
    }

    /// How a mail connection is encrypted.
    public enum MailTLS: String, Sendable, Hashable, CaseIterable {
        /// Starts in the clear and must switch to TLS before anything is said.
        case startTLS = "start_tls"
        /// TLS from the first byte.
        case implicit
        /// No encryption at all.
        case off
    }

    /// `mail`: the SMTP server.
    public struct Mail: Sendable {
        /// Host name or address.
        public let host: String
        /// Port; 587 for start_tls, 465 for implicit and 25 for off unless set.
        public let port: Int
        /// Encryption.
        public let tls: MailTLS
        /// Absolute path of a PEM file with the certificate authorities to trust; nil means the system's.
        public let caFile: String?
        /// Account at the server; nil where it asks for none. Set together with `password`.
        public let user: String?
        /// The account's password.
        public let password: SecretReference?
        /// The sender, `Name <address>` or an address alone.
        public let from: String
        /// The sender's address alone.
        public let fromAddress: String
    }
}
