internal import CCurl
import Foundation

extension TransferPlan {
    /// What a listing may be long at most, in bytes: some 100,000 names.
    static let maximumListing = 16 * 1024 * 1024

    /// The plan of one operation at a site; the caller adds what the operation is.
    init(_ site: RemoteSite, path: String, isDirectory: Bool = false, options: TransferOptions) throws(TransferError) {
        try RemoteURL.check(site, path)
        let url = RemoteURL.url(site, path, isDirectory: isDirectory)
        let kind: Kind =
            switch site.scheme {
            case .sftp: .sftp
            case .ftp, .ftps: .ftp
            case .https, .folder: .http
            }
        self.init(
            kind: kind, url: url, host: site.host, port: site.port, maximumBytes: Self.maximumListing, options: options)
        self.path = path
        user = site.user
        self.options.append(.number(CURLOPT_BUFFERSIZE, 512 * 1024))  // 1.4 times as fast as the default
        self.options.append(.number(CURLOPT_PATH_AS_IS, 1))
        if site.scheme != .ftp && site.scheme != .sftp { verifyTLS(caFile: site.caFile ?? options.caFile) }
        switch site.scheme {
        case .sftp: try useSSH(site)
        case .ftp, .ftps: try useFTP(site)
        case .https, .folder: try useHTTPS(site, options)
        }
    }

    private mutating func useSSH(_ site: RemoteSite) throws(TransferError) {
        hostKey = site.hostKey
        switch site.hostKey {
        case .sha256(let fingerprint)?:
            options.append(.text(CURLOPT_SSH_HOST_PUBLIC_KEY_SHA256, HostKeyCheck.base64(fingerprint)))
        case .knownHosts(let file)?:
            guard access(file, R_OK) == 0 else { throw .localFile(path: file, reason: "it cannot be read") }
            options.append(.text(CURLOPT_SSH_KNOWNHOSTS, file))
        case nil:
            throw .invalidRequest(reason: "an SFTP site needs the fingerprint of the host key or known hosts")
        }
        options.append(.text(CURLOPT_USERNAME, site.user))
        switch site.authentication {
        case .password(let password):
            // Many servers ask for the password as an interactive question.
            options.append(.number(CURLOPT_SSH_AUTH_TYPES, Int(CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD)))
            options.append(.text(CURLOPT_PASSWORD, password))
        case .privateKey(let file, let passphrase):
            guard access(file, R_OK) == 0 else { throw .localFile(path: file, reason: "it cannot be read") }
            options.append(.number(CURLOPT_SSH_AUTH_TYPES, Int(CURLSSH_AUTH_PUBLICKEY)))
            options.append(.text(CURLOPT_SSH_PRIVATE_KEYFILE, file))
            if let passphrase { options.append(.text(CURLOPT_KEYPASSWD, passphrase)) }
        case .none:
            throw .invalidRequest(reason: "an SFTP site needs a password or a private key")
        }
    }

    private mutating func useFTP(_ site: RemoteSite) throws(TransferError) {
        // One command with the whole path, rather than one change of directory per component.
        options.append(.number(CURLOPT_FTP_FILEMETHOD, Int(CURLFTPMETHOD_NOCWD.rawValue)))
        if site.scheme == .ftps { options.append(.number(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))) }
        switch site.authentication {
        case .password(let password):
            guard !(site.user + password).unicodeScalars.contains(where: { $0.value < 0x20 }) else {
                throw .invalidRequest(reason: "the credentials hold a control character")
            }
            options += [.text(CURLOPT_USERNAME, site.user), .text(CURLOPT_PASSWORD, password)]
        case .none: break
        case .privateKey: throw .invalidRequest(reason: "FTP knows no private keys")
        }
    }

    private mutating func useHTTPS(_ site: RemoteSite, _ transferOptions: TransferOptions) throws(TransferError) {
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalidURL(reason: "the path of an HTTPS file must be percent-encoded")
        }
        options += [
            .number(CURLOPT_LOW_SPEED_LIMIT, 1),
            .number(CURLOPT_LOW_SPEED_TIME, transferOptions.stalledAfterSeconds),
            .text(CURLOPT_USERAGENT, transferOptions.userAgent),
        ]
        switch site.authentication {
        case .password(let password):
            options += [
                .number(CURLOPT_HTTPAUTH, Int(HTTPRules.basic)), .text(CURLOPT_USERNAME, site.user),
                .text(CURLOPT_PASSWORD, password),
            ]
        case .none: break
        case .privateKey: throw .invalidRequest(reason: "HTTPS knows no private keys")
        }
    }

    /// Asks for size and time of a file, not for its content.
    mutating func askForAttributes() {
        options += [.number(CURLOPT_NOBODY, 1), .number(CURLOPT_FILETIME, 1)]
    }

    /// Runs commands of the protocol and transfers nothing.
    mutating func command(_ commands: [String]) {
        options += [.number(CURLOPT_NOBODY, 1), .list(CURLOPT_QUOTE, commands)]
    }
}

/// The options that operations on files need, by name, so that only plans know libcurl.
extension CURLoption {
    static let customRequest = CURLOPT_CUSTOMREQUEST
    static let namesOnly = CURLOPT_DIRLISTONLY
    static let upload = CURLOPT_UPLOAD
    static let uploadSize = CURLOPT_INFILESIZE_LARGE
}
