/// How to reach one virtual host of an AMQP 0-9-1 broker.
public struct BrokerConfiguration: Sendable {
    /// Name or address of the broker's host; with TLS it must be a name its certificate carries.
    public var host: String
    /// TCP port.
    public var port: Int
    /// The other nodes of the same cluster. All are tried, in an order left to chance, until one answers.
    public var furtherNodes: [BrokerAddress] = []
    /// The virtual host, for example `/`.
    public var virtualHost: String
    /// User name for SASL PLAIN.
    public var user: String
    /// Password for SASL PLAIN; it appears in no error and no description.
    public var password: String
    /// Asked for the password whenever a connection is made, so that a changed one is used without a restart; where it
    /// throws, ``password`` is used.
    public var renewedPassword: (@Sendable () throws -> String)?
    /// TLS settings, or nil for plain TCP.
    public var tls: BrokerTLS?
    /// Asked of the broker; after twice this long without a byte the connection counts as lost.
    public var heartbeatSeconds: Int
    /// Limit for name look-up, TCP, TLS and login each, and for every single request to the broker.
    public var connectTimeoutSeconds: Int
    /// Shown by the broker's management as the connection's name.
    public var connectionName: String

    /// Collects the settings; nothing is connected yet.
    public init(
        host: String, port: Int = 5672, virtualHost: String = "/", user: String, password: String,
        tls: BrokerTLS? = nil, heartbeatSeconds: Int = 10, connectTimeoutSeconds: Int = 10,
        connectionName: String = "swift"
    ) {
        self.host = host
        self.port = port
        self.virtualHost = virtualHost
        self.user = user
        self.password = password
        self.tls = tls
        self.heartbeatSeconds = max(1, heartbeatSeconds)
        self.connectTimeoutSeconds = max(1, connectTimeoutSeconds)
        self.connectionName = connectionName
    }
}

extension BrokerConfiguration: CustomStringConvertible {
    /// The addresses without the password.
    public var description: String {
        let addresses = nodes.map(\.description).joined(separator: ",")
        return "\(tls == nil ? "amqp" : "amqps")://\(user)@\(addresses)/\(virtualHost == "/" ? "%2f" : virtualHost)"
    }
}

extension BrokerConfiguration {
    /// Every node of the cluster that is known.
    var nodes: [BrokerAddress] { [BrokerAddress(host: host, port: port)] + furtherNodes }

    /// Limit for reaching one node: all together take no longer than a single one may, unless there are many.
    var dialSeconds: Int { min(connectTimeoutSeconds, max(3, connectTimeoutSeconds / nodes.count)) }

    /// The password as it is at this moment.
    var presentPassword: String { (try? renewedPassword?()) ?? password }
}

/// TLS towards the broker: never below 1.2, and verified unless ``verify`` is turned off.
public struct BrokerTLS: Sendable {
    /// PEM file of the authorities that may have signed the broker's certificate.
    public var caFile: String
    /// Whether the certificate's chain and host name are checked. Only a test has a reason to say no.
    public var verify: Bool
    /// PEM files of a client certificate and its key, if the broker asks for one.
    public var clientCertificate: ClientCertificate?

    /// Collects the settings; the files are read when connecting.
    public init(caFile: String, verify: Bool = true, clientCertificate: ClientCertificate? = nil) {
        self.caFile = caFile
        self.verify = verify
        self.clientCertificate = clientCertificate
    }

    /// A certificate the client proves itself with.
    public struct ClientCertificate: Sendable {
        /// PEM file of the certificate.
        public var certificateFile: String
        /// PEM file of its private key, without a passphrase.
        public var keyFile: String

        /// Collects the two paths.
        public init(certificateFile: String, keyFile: String) {
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }
}
