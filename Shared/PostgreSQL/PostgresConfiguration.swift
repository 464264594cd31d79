import Foundation

/// Whether the connection is encrypted.
public enum PostgresTLS: Sendable, Equatable {
    /// Plain TCP; for servers on the same machine only.
    case off
    /// TLS; the server's certificate must come from this authority and name the host that was dialled.
    case verifyFull(caFile: String)
}

/// Where the server is, who connects, and what every session is set to.
///
/// Its description and its mirror leave the password out, so that printing a configuration is harmless.
public struct PostgresConfiguration: Sendable {
    /// Host name or address.
    public var host: String
    /// TCP port.
    public var port: Int
    /// The other servers of the same database. All are tried in order, and only one that takes writes is used.
    public var furtherServers: [PostgresAddress] = []
    /// Name of the database.
    public var database: String
    /// Role to connect as.
    public var user: String
    /// Password of the role; empty if the server asks for none.
    public var password: String
    /// Asked for the password whenever a session is opened, so that a changed one is used without a restart; where it
    /// throws, ``password`` is used.
    public var renewedPassword: (@Sendable () throws -> String)?
    /// Shown by the server in `pg_stat_activity`.
    public var applicationName: String
    /// Schemas in which unqualified names are looked up; empty leaves the role's own setting.
    public var searchPath: [String]
    /// Whether the connection is encrypted.
    public var tls: PostgresTLS
    /// Seconds until an attempt to connect is given up.
    public var connectTimeoutSeconds: Int
    /// Seconds until the server cancels a statement; 0 for no limit.
    public var statementTimeoutSeconds: Int
    /// How long the server may be silent while it owes an answer before it is asked whether it works on one.
    var patience = Duration.seconds(15)
    let preferred = PreferredServer()

    /// Gathers the settings; nothing is connected yet.
    public init(
        host: String, port: Int = 5432, database: String, user: String, password: String,
        applicationName: String = "", searchPath: [String] = [], tls: PostgresTLS = .off,
        connectTimeoutSeconds: Int = 5, statementTimeoutSeconds: Int = 30
    ) {
        self.host = host
        self.port = port
        self.database = database
        self.user = user
        self.password = password
        self.applicationName = applicationName
        self.searchPath = searchPath
        self.tls = tls
        self.connectTimeoutSeconds = connectTimeoutSeconds
        self.statementTimeoutSeconds = statementTimeoutSeconds
    }

    /// Reads `postgresql://user:password@host:port/database`; nil if the text is not such an address.
    public init?(url: String) {
        guard let parts = URLComponents(string: url), ["postgresql", "postgres"].contains(parts.scheme),
            let host = parts.host, !host.isEmpty, let user = parts.user
        else { return nil }
        let database = String(parts.path.dropFirst())
        self.init(
            host: host, port: parts.port ?? 5432, database: database.isEmpty ? user : database, user: user,
            password: parts.password ?? "")
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The address without the password.
    public var description: String {
        let servers = [PostgresAddress(host: host, port: port)] + furtherServers
        return "postgresql://\(user)@\(servers.map(\.description).joined(separator: ","))/\(database)"
    }
    /// The address without the password.
    public var debugDescription: String { description }
    /// The address without the password, for `dump` and the debugger.
    public var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}

extension PostgresConfiguration {
    /// What libpq is told, as keywords and values.
    ///
    /// - Parameter takesWrites: Whether only a session that takes writes will do: not one on a standby.
    func keywords(
        for server: PostgresAddress, takesWrites: Bool = true
    ) -> [(keyword: String, value: String)] {
        var pairs = [
            ("host", server.host), ("port", String(server.port)), ("dbname", database), ("user", user),
            ("password", presentPassword), ("target_session_attrs", takesWrites ? "read-write" : "any"),
            ("application_name", applicationName), ("client_encoding", "UTF8"), ("gssencmode", "disable"),
            ("options", sessionOptions),
            // A silent peer is noticed after 10 + 3 x 5 seconds when idle, after 20 seconds when sending.
            ("keepalives", "1"), ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "20000"),
        ]
        switch tls {
        case .off: pairs.append(("sslmode", "disable"))
        case .verifyFull(let caFile):
            pairs += [
                ("sslmode", "verify-full"), ("sslrootcert", caFile), ("ssl_min_protocol_version", "TLSv1.2"),
            ]
        }
        return pairs
    }

    /// Session settings sent with the start-up packet, so that they cost no round trip. Decoding relies on them.
    private var sessionOptions: String {
        var settings = [
            ("TimeZone", "UTC"), ("DateStyle", "ISO"), ("IntervalStyle", "iso_8601"), ("bytea_output", "hex"),
            ("extra_float_digits", "1"), ("standard_conforming_strings", "on"),
            // Our cursors are read to the end: plan for all rows, not for the first.
            ("cursor_tuple_fraction", "1"),
            ("statement_timeout", String(statementTimeoutSeconds * 1000)),
            // The server's side of a half-open connection must not keep its locks. The relay of the outbox waits half a
            // minute at most within a transaction, for the broker.
            ("idle_in_transaction_session_timeout", "45000"), ("tcp_keepalives_idle", "10"),
            ("tcp_keepalives_interval", "5"), ("tcp_keepalives_count", "3"), ("tcp_user_timeout", "20000"),
        ]
        if !searchPath.isEmpty {
            settings.append(("search_path", searchPath.map(quotedIdentifier).joined(separator: ",")))
        }
        return settings.map { name, value in "-c \(name)=\(escapedOption(value))" }.joined(separator: " ")
    }

    /// The server splits options at spaces and takes a backslash as an escape.
    private func escapedOption(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing(" ", with: "\\ ")
    }
}

/// `name` as an SQL identifier, whatever it contains.
func quotedIdentifier(_ name: String) -> String {
    "\"" + name.replacing("\"", with: "\"\"") + "\""
}
