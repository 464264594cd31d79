public import Foundation

/// A place where files are exchanged.
public struct RemoteSite: Sendable, Equatable {
    /// How the place is reached.
    public enum Scheme: String, Sendable, Equatable, CaseIterable {
        /// SSH file transfer.
        case sftp
        /// FTP without encryption: anybody on the way reads password and files.
        case ftp
        /// FTP over TLS; see ``RemoteSite/implicitTLS``.
        case ftps
        /// One file behind an HTTPS URL; the directory is its path. Cannot be written.
        case https
        /// A directory of this machine; host, port and user mean nothing.
        case folder
    }

    /// How the account is proven.
    public enum Authentication: Sendable, Equatable, CustomStringConvertible {
        /// Nothing (HTTPS without login, folders, anonymous FTP).
        case none
        /// A password.
        case password(String)
        /// A private key in a file; for OpenSSH servers of today ECDSA or Ed25519, not RSA.
        case privateKey(file: String, passphrase: String? = nil)

        /// Shows the way, not the secret.
        public var description: String {
            switch self {
            case .none: "none"
            case .password: "password"
            case .privateKey(let file, _): "private key \(file)"
            }
        }
    }

    /// The protocol.
    public var scheme: Scheme
    /// Name or address, without brackets.
    public var host: String
    /// TCP port.
    public var port: Int
    /// The account.
    public var user: String
    /// Its proof.
    public var authentication: Authentication
    /// What the SSH server must prove; SFTP without it is refused.
    public var hostKey: HostKeyCheck?
    /// PEM file of trusted authorities for FTPS and HTTPS, in place of the client's.
    public var caFile: String?
    /// FTPS: TLS from the first byte rather than after `AUTH TLS`. Set by the initialiser for port 990.
    public var implicitTLS: Bool

    /// - Parameters:
    ///   - port: The protocol's own unless given.
    public init(
        scheme: Scheme, host: String = "", port: Int? = nil, user: String = "", authentication: Authentication = .none,
        hostKey: HostKeyCheck? = nil, caFile: String? = nil
    ) {
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.defaultPort
        self.user = user
        self.authentication = authentication
        self.hostKey = hostKey
        self.caFile = caFile
        implicitTLS = scheme == .ftps && self.port == 990
    }
}

extension RemoteSite.Scheme {
    var defaultPort: Int {
        switch self {
        case .sftp: 22
        case .ftp, .ftps: 21
        case .https: 443
        case .folder: 0
        }
    }
}

/// How an SSH server proves that it is the one meant.
public enum HostKeyCheck: Sendable, Equatable {
    /// The SHA-256 fingerprint in base64 as `ssh-keygen -lf` prints it; `SHA256:` before and `=` after may be left out.
    ///
    /// A server with several keys shows one: ECDSA if it has such a key, else Ed25519, else RSA. Give that one's.
    case sha256(String)
    /// A file in OpenSSH's format. Entries for other ports than 22 begin with `[host]:port`.
    case knownHosts(String)

    /// In the form `SHA256:…` without padding.
    static func fingerprint(_ text: String) -> String { "SHA256:" + base64(text) }

    /// Without prefix and padding.
    static func base64(_ text: String) -> String {
        let rest = text.hasPrefix("SHA256:") ? text.dropFirst(7) : text[...]
        return String(rest.prefix { $0 != "=" })
    }
}

/// One file in a directory.
public struct RemoteEntry: Sendable, Equatable {
    /// Without directory.
    public var name: String
    /// Bytes.
    public var size: Int
    /// To the second (folders: finer); `nil` if the server does not tell.
    public var modifiedAt: Date?
    /// HTTPS only: the server's `ETag`.
    public var entityTag: String?

    /// Keeps all as they are.
    public init(name: String, size: Int, modifiedAt: Date?, entityTag: String? = nil) {
        self.name = name
        self.size = size
        self.modifiedAt = modifiedAt
        self.entityTag = entityTag
    }
}
