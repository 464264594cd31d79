internal import Synchronization

/// Where one server of a replicated database listens.
public struct PostgresAddress: Sendable, Hashable, CustomStringConvertible {
    /// Host name or address.
    public var host: String
    /// TCP port.
    public var port: Int

    /// Names a server.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `host:port`, as people write it.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// The server that took the last session, common to all copies of a configuration: the one that takes writes is
/// looked for once and not by every connection of a pool.
final class PreferredServer: Sendable {
    private let server = Mutex<PostgresAddress?>(nil)

    /// The servers, that one first.
    func first(of servers: [PostgresAddress]) -> [PostgresAddress] {
        guard let preferred = server.withLock({ $0 }), servers.contains(preferred) else { return servers }
        return [preferred] + servers.filter { $0 != preferred }
    }

    func worked(_ address: PostgresAddress) { server.withLock { $0 = address } }
}

extension PostgresConfiguration {
    /// Every server that is known, in the order in which they are tried.
    var serversInOrder: [PostgresAddress] {
        preferred.first(of: [PostgresAddress(host: host, port: port)] + furtherServers)
    }

    /// The password as it is at this moment.
    var presentPassword: String { (try? renewedPassword?()) ?? password }
}

/// Why no session came about, in words of ours where libpq's do not say what to do.
enum ConnectionAdvice {
    /// What libpq said of the address that it gave up at, without the explanations in further lines. It tells of every
    /// address of a name; it tries no further one where the server answered and does not let us in.
    static func lastWord(_ message: String) -> String {
        let lines = message.split(separator: "\n")
        let last = lines.last { $0.hasPrefix("connection to server at ") } ?? lines.first
        return last.map(String.init) ?? "no reason given"
    }

    /// libpq's reason without the address, which the error tells anyway, with what to do where that is known.
    static func reason(_ message: String) -> String {
        var reason = message[...]
        if message.hasPrefix("connection to server at "), let end = message.firstRange(of: " failed: ") {
            reason = message[end.upperBound...].trimmingPrefix("FATAL:  ")
        }
        return advice(for: reason).map { "\(reason): \($0)" } ?? String(reason)
    }

    /// The reasons of all servers as one text.
    static func summary(_ problems: [(server: PostgresAddress, reason: String)]) -> String {
        guard let first = problems.first else { return "no server is configured" }
        let others = problems.dropFirst().map { "; nor to \($0.server) (\($0.reason))" }
        return first.reason + others.joined()
    }

    /// What to do about it; nil where the reason alone does not tell.
    static func advice(for reason: some StringProtocol) -> String? {
        known.first { reason.contains($0.words) }?.advice
    }

    private static let known: [(words: String, advice: String)] = [
        (
            "certificate verify failed",
            "the server's certificate has expired or is not from an authority in the CA file, so compare them"
        ),
        (
            "does not match host name",
            "connect by a name that the server's certificate carries, or give it one issued for this name"
        ),
        ("server does not support SSL", "turn TLS on at the server (ssl = on), or off for this connection"),
        ("unsupported protocol", tooOld), ("protocol version", tooOld), ("no protocols available", tooOld),
        ("root certificate file", "correct the path or the mode of the CA file, which has to hold PEM certificates"),
        ("no encryption", "the server wants TLS, so turn it on for this connection"),
        ("session is read-only", "it takes no writes, as a standby does, so promote it or bring the primary back"),
    ]

    private static let tooOld = "the server speaks no TLS 1.2 or newer, so raise its ssl_max_protocol_version"
}
