internal import CCurl

/// Everything one transfer needs, decided before any thread or socket is involved.
struct TransferPlan: Sendable {
    /// One option of libcurl with a value of the type that option takes.
    enum Option: Sendable {
        case number(CURLoption, Int)
        case size(CURLoption, Int)
        case text(CURLoption, String)
        case list(CURLoption, [String])
    }

    /// What becomes of the bytes received.
    enum Receiver: Sendable {
        case collect
        case stream(@Sendable (UnsafeRawBufferPointer) throws -> Void)
    }

    /// For errors, and with ``port`` for the number of connections.
    var host: String
    var port: Int
    /// For errors only.
    var user = ""
    var path = ""
    /// Decides how a code is to be read.
    var kind: Kind
    var options: [Option] = []
    var receiver = Receiver.collect
    /// Longest body accepted, in bytes.
    var maximumBytes: Int
    /// `nil` for no limit but the one on stalling.
    var timeoutSeconds: Double?
    /// Whether libcurl may send the request again on its own.
    var mayBeResent = true
    /// Body of an HTTP request, read before the plan is dropped.
    var postBody: [UInt8]?
    /// File to be uploaded.
    var upload: [UInt8]?
    var mail: MailMessage?
    /// The host key expected, for errors and for keeping connections of different trust apart.
    var hostKey: HostKeyCheck?

    enum Kind: Sendable { case http, sftp, ftp, smtp }

    /// What every plan starts from.
    init(kind: Kind, url: String, host: String, port: Int, maximumBytes: Int, options: TransferOptions) {
        self.kind = kind
        self.host = host
        self.port = port
        self.maximumBytes = maximumBytes
        self.options = [
            .text(CURLOPT_URL, url),
            // Signals would go to whichever thread happens to be chosen.
            .number(CURLOPT_NOSIGNAL, 1),
            .number(CURLOPT_CONNECTTIMEOUT_MS, Int(options.connectTimeoutSeconds * 1000)),
            // Without it, libcurl would take proxies from the environment.
            .text(CURLOPT_PROXY, kind == .http ? options.proxyURL ?? "" : ""),
            .text(CURLOPT_PROTOCOLS_STR, kind.protocols),
        ]
        if kind != .http {
            self.options += [
                .number(CURLOPT_LOW_SPEED_LIMIT, 1),
                .number(CURLOPT_LOW_SPEED_TIME, options.stalledAfterSeconds),
                .number(CURLOPT_SERVER_RESPONSE_TIMEOUT, options.stalledAfterSeconds),
            ]
        }
    }

    /// TLS 1.2 or newer, certificate and name verified; libcurl's defaults, said so that nothing can change them.
    mutating func verifyTLS(caFile: String?) {
        options += [
            .number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            .number(CURLOPT_SSL_VERIFYPEER, 1),
            .number(CURLOPT_SSL_VERIFYHOST, 2),
        ]
        if let caFile { options.append(.text(CURLOPT_CAINFO, caFile)) }
    }
}

extension TransferPlan.Kind {
    /// The only protocols libcurl may use for this plan.
    fileprivate var protocols: String {
        switch self {
        case .http: "http,https"
        case .sftp: "sftp"
        case .ftp: "ftp,ftps"
        case .smtp: "smtp,smtps"
        }
    }
}

/// What came back from a transfer that succeeded.
struct TransferAnswer: Sendable {
    /// Status or reply code.
    var status = 0
    /// Header lines of HTTP as received.
    var head: [UInt8] = []
    var body: [UInt8] = []
    /// Seconds since 1970; -1 unknown.
    var fileTime = -1
    /// -1 unknown.
    var contentLength = -1
    /// Last reply of an FTP or SMTP server.
    var reply = ServerReply(code: 0, text: "")
}

/// What is known about a transfer that failed.
struct TransferFailure: Error {
    /// Why it ended, as far as it was decided here and not by libcurl.
    enum Reason { case libcurl, tooLarge, sink(any Error), cancelled, closed, expired }

    var reason: Reason
    /// `CURLcode`.
    var code = CURLE_OK
    /// libcurl's words.
    var detail = ""
    /// Whether anything of the request was handed to the connection.
    var requestSent = false
    var reply = ServerReply(code: 0, text: "")
    /// The command that was answered last.
    var step = ""
    /// The key an SSH server showed, and whether the known hosts have another.
    var hostKeyFound: String?
    var hostKeyExpected: String?
}
