/// Why a transfer did not succeed.
///
/// No case holds a secret, a query string or a body. Host names, account names and remote paths are shown, because
/// without them nobody can act.
public enum TransferError: Error, Equatable, Sendable {
    /// The host name has no address.
    case unresolvable(host: String)
    /// No connection came about; nothing was sent.
    case unreachable(host: String, detail: String)
    /// TLS could not be agreed on, or the certificate is not trusted; nothing was sent.
    case tlsRejected(host: String, detail: String)
    /// The SSH server shows another key than the one expected; nothing was sent, not even the password.
    case hostKeyChanged(host: String, expected: String, found: String)
    /// The file of known hosts has no key for this SSH server; nothing was sent.
    case hostKeyUnknown(host: String, found: String)
    /// The server does not accept the account or its key or password.
    case authenticationFailed(host: String, user: String)
    /// The file or directory does not exist.
    case notFound(path: String)
    /// The account may not do this to the file or directory.
    case accessDenied(path: String)
    /// Time ran out. With `requestSent` false, the server cannot have acted.
    case timedOut(host: String, requestSent: Bool)
    /// The connection broke before the answer was complete. With `requestSent` false, the server cannot have acted.
    case connectionLost(host: String, requestSent: Bool)
    /// The answer or file is longer than the limit, in bytes.
    case tooLarge(limit: Int)
    /// The server said no. `code` is its reply code (0 where the protocol has none); addresses in `text` are hidden.
    case refused(code: Int, text: String, step: String)
    /// The URL cannot be used.
    case invalidURL(reason: String)
    /// The request or message breaks a rule of its protocol; nothing was sent.
    case invalidRequest(reason: String)
    /// This kind of site cannot do that.
    case unsupported(operation: String, scheme: String)
    /// A file of this machine could not be used.
    case localFile(path: String, reason: String)
    /// The task that wanted the transfer was cancelled.
    case cancelled(requestSent: Bool)
    /// The client was closed.
    case clientClosed
    /// Anything else libcurl reports; `code` is its `CURLcode`.
    case failed(host: String, code: Int, detail: String, requestSent: Bool)
}

extension TransferError {
    /// False only if the server cannot have acted on the request, because nothing of it was handed to the connection.
    /// Decides whether a write may have happened.
    public var requestSent: Bool {
        switch self {
        case .timedOut(_, let sent), .connectionLost(_, let sent), .cancelled(let sent), .failed(_, _, _, let sent):
            sent
        case .tooLarge, .refused, .notFound, .accessDenied: true
        case .authenticationFailed, .unresolvable, .unreachable, .tlsRejected, .hostKeyChanged, .hostKeyUnknown,
            .invalidURL, .invalidRequest, .unsupported, .localFile, .clientClosed:
            false
        }
    }

    /// Whether it speaks against the server and not against what was sent: no connection that may be used, no answer
    /// in time, or a mail server that says it is closing (421: RFC 5321, 3.8). Never an answer that could not be
    /// understood.
    public var countsAsOutage: Bool {
        switch self {
        case .unresolvable, .unreachable, .timedOut, .connectionLost, .tlsRejected, .authenticationFailed: true
        case .refused(let code, _, let step): step == "HTTP" ? (code == 429 || code >= 500) : code == 421
        case .hostKeyChanged, .hostKeyUnknown, .notFound, .accessDenied,
            .tooLarge, .invalidURL, .invalidRequest, .unsupported, .localFile, .cancelled, .clientClosed, .failed:
            false
        }
    }

    /// Whether the same transfer may succeed later without anybody changing anything.
    public var isTransient: Bool {
        switch self {
        case .unresolvable, .unreachable, .timedOut, .connectionLost, .failed: true
        // 4xx is "try again" in SMTP and FTP (RFC 5321, 4.2.1; RFC 959, 4.2); over HTTP, 408, 429 and 5xx are.
        case .refused(let code, _, let step):
            step == "HTTP" ? (code == 408 || code == 429 || code >= 500) : (400..<500).contains(code)
        case .tlsRejected, .hostKeyChanged, .hostKeyUnknown, .authenticationFailed, .notFound, .accessDenied,
            .tooLarge, .invalidURL, .invalidRequest, .unsupported, .localFile, .cancelled, .clientClosed:
            false
        }
    }

    /// One of a closed set of names, safe as the dimension of a metric.
    public var label: String {
        switch self {
        case .unresolvable: "unresolvable"
        case .unreachable: "unreachable"
        case .tlsRejected: "tls_rejected"
        case .hostKeyChanged: "host_key_changed"
        case .hostKeyUnknown: "host_key_unknown"
        case .authenticationFailed: "authentication_failed"
        case .notFound: "not_found"
        case .accessDenied: "access_denied"
        case .timedOut: "timed_out"
        case .connectionLost: "connection_lost"
        case .tooLarge: "too_large"
        case .refused: "refused"
        case .invalidURL: "invalid_url"
        case .invalidRequest: "invalid_request"
        case .unsupported: "unsupported"
        case .localFile: "local_file"
        case .cancelled: "cancelled"
        case .clientClosed: "client_closed"
        case .failed: "failed"
        }
    }
}

extension TransferError: CustomStringConvertible {
    /// What happened, to what, what was done about it, and what to do.
    public var description: String {
        switch self {
        case .unresolvable(let host):
            "The name \(host) has no address; nothing was sent. Check the spelling and the name server."
        case .unreachable(let host, let detail):
            "No connection to \(host) (\(detail)); nothing was sent. Check that it runs and no firewall is between."
        case .tlsRejected(let host, let detail):
            "TLS with \(host) failed (\(detail)); nothing was sent. "
                + "Check the certificate's names and dates, and the CA file."
        case .hostKeyChanged(let host, let expected, let found):
            "The SSH host key of \(host) is \(found), not \(expected) as configured; nothing was sent. "
                + "Ask its operator whether the key was changed, and only then enter the new one."
        case .hostKeyUnknown(let host, let found):
            "The SSH host key of \(host), \(found), is not among the known hosts; nothing was sent. "
                + "Compare it with what its operator says, then add it."
        case .authenticationFailed(let host, let user):
            "\(host) does not let \(user) in. Check the account, and its password or key "
                + "(OpenSSH servers no longer take RSA keys from this library; use ECDSA or Ed25519)."
        case .notFound(let path): "\(path) does not exist on the server. Check the name and the directory."
        case .accessDenied(let path): "The server denies access to \(path). Check the account's rights."
        case .timedOut(let host, let sent):
            "\(host) did not answer in time; \(Self.fate(sent)) Try again later, or allow more time."
        case .connectionLost(let host, let sent):
            "The connection to \(host) broke before the answer was complete; \(Self.fate(sent)) Try again later."
        case .tooLarge(let limit):
            "The answer is longer than the limit of \(limit) bytes and was dropped. Check it, or raise the limit."
        case .refused(let code, let text, let step):
            "The server refused \(step) with \(code == 0 ? "" : "\(code) ")\(text). Nothing more was done."
        case .invalidURL(let reason): "The URL cannot be used: \(reason). Nothing was sent."
        case .invalidRequest(let reason): "The request breaks a rule: \(reason). Nothing was sent."
        case .unsupported(let operation, let scheme): "A site of type \(scheme) cannot \(operation). Nothing was done."
        case .localFile(let path, let reason): "The local file \(path) cannot be used: \(reason)."
        case .cancelled(let sent): "The transfer was cancelled; \(Self.fate(sent))"
        case .clientClosed: "The transfer client is closed; nothing was sent."
        case .failed(let host, let code, let detail, let sent):
            "The transfer with \(host) failed (libcurl code \(code), \(detail)); \(Self.fate(sent))"
        }
    }

    private static func fate(_ sent: Bool) -> String {
        sent ? "the request may have been carried out." : "nothing was sent."
    }
}
