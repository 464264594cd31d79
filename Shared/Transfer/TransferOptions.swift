/// What all transfers of one ``TransferClient`` have in common.
public struct TransferOptions: Sendable {
    /// PEM file of the certificate authorities that are trusted in place of the system's; a request or site may name
    /// another.
    public var caFile: String?
    /// At most this many transfers run against one host and port at a time, hence as many connections; the rest wait
    /// their turn, and the wait counts against their timeout.
    public var maxConnectionsPerHost: Int
    /// Sent with every HTTP request that names no other.
    public var userAgent: String
    /// Seconds for name resolution, TCP, TLS and SSH handshake together.
    public var connectTimeoutSeconds: Double
    /// File and mail transfers that move no byte for this many seconds are given up. (HTTP requests have a timeout of
    /// their own, during which a server may think as long as it likes.)
    public var stalledAfterSeconds: Int
    /// Proxy for HTTP requests; `nil` for none. The environment's `http_proxy` is never consulted.
    public var proxyURL: String?

    /// - Parameters:
    ///   - maxConnectionsPerHost: 1 or more.
    ///   - connectTimeoutSeconds: More than 0.
    ///   - stalledAfterSeconds: 1 or more.
    public init(
        caFile: String? = nil, maxConnectionsPerHost: Int = 8, userAgent: String = "stockbridge",
        connectTimeoutSeconds: Double = 10, stalledAfterSeconds: Int = 30, proxyURL: String? = nil
    ) {
        precondition(maxConnectionsPerHost >= 1, "a client without connections transfers nothing")
        precondition(connectTimeoutSeconds > 0 && stalledAfterSeconds >= 1, "a transfer needs some time")
        self.caFile = caFile
        self.maxConnectionsPerHost = maxConnectionsPerHost
        self.userAgent = userAgent
        self.connectTimeoutSeconds = connectTimeoutSeconds
        self.stalledAfterSeconds = stalledAfterSeconds
        self.proxyURL = proxyURL
    }
}

/// A user name and its password; printing one shows neither.
public struct Credentials: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The account.
    public var user: String
    /// The secret; never part of an error or a description.
    public var password: String

    /// Keeps both as they are.
    public init(user: String, password: String) {
        self.user = user
        self.password = password
    }

    /// Says that there are credentials, not which.
    public var description: String { "Credentials(hidden)" }
    /// As ``description``.
    public var debugDescription: String { description }
}
