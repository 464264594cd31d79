/// How sites and paths become what libcurl is told.
enum RemoteURL {
    /// Refuses what could change the meaning of a URL or command.
    static func check(_ site: RemoteSite, _ path: String) throws(TransferError) {
        guard path.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw .invalidRequest(reason: "a remote path holds a control character")
        }
        guard site.scheme != .folder else { return }
        let allowed = site.host.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5F: true  // letters, digits, - . : _
            default: false
            }
        }
        guard !site.host.isEmpty, allowed else { throw .invalidURL(reason: "the host name is empty or no host name") }
        guard (1...65_535).contains(site.port) else { throw .invalidURL(reason: "\(site.port) is no port") }
    }

    /// `path` is absolute if it begins with `/`, else relative to where the account lands. Directories end in `/`.
    static func url(_ site: RemoteSite, _ path: String, isDirectory: Bool = false) -> String {
        let encoded =
            site.scheme == .https ? path : PercentEncoding.encode(path, keepingSlashes: true)
        var url = root(site)
        switch site.scheme {
        case .sftp: url += path.hasPrefix("/") ? encoded : "/~/" + encoded
        // The slash after the host only separates, so an absolute path needs one of its own (RFC 1738, 3.2.2).
        case .ftp, .ftps: url += path.hasPrefix("/") ? "/%2F" + encoded.dropFirst() : "/" + encoded
        case .https, .folder: url += path.hasPrefix("/") ? encoded : "/" + encoded
        }
        return isDirectory && !url.hasSuffix("/") && !url.hasSuffix("/%2F") ? url + "/" : url
    }

    /// Without path.
    static func root(_ site: RemoteSite) -> String {
        let scheme =
            switch site.scheme {
            case .ftps where !site.implicitTLS: "ftp"  // asks for TLS once connected
            default: site.scheme.rawValue
            }
        let host = site.host.contains(":") ? "[\(site.host)]" : site.host
        return "\(scheme)://\(host):\(site.port)"
    }

    /// A path as an argument of libcurl's SFTP commands.
    static func quoted(_ path: String) -> String {
        "\"" + path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    /// `name` within `directory`.
    static func join(_ directory: String, _ name: String) -> String {
        directory.isEmpty ? name : directory.hasSuffix("/") ? directory + name : directory + "/" + name
    }

    /// The part after the last slash.
    static func lastComponent(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
