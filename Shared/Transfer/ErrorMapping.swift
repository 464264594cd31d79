internal import CCurl

extension TransferError {
    /// What a failure of libcurl means to a caller.
    init(_ failure: TransferFailure, _ plan: TransferPlan) {
        switch failure.reason {
        case .tooLarge: self = .tooLarge(limit: plan.maximumBytes)
        case .cancelled: self = .cancelled(requestSent: failure.requestSent)
        case .closed: self = .clientClosed
        case .expired: self = .timedOut(host: plan.host, requestSent: false)
        case .sink(let error):
            self = .failed(host: plan.host, code: 23, detail: "\(type(of: error))", requestSent: true)
        case .libcurl: self = Self.network(failure, plan) ?? Self.answered(failure, plan) ?? Self.other(failure, plan)
        }
    }

    /// Names, connections, TLS, time.
    private static func network(_ failure: TransferFailure, _ plan: TransferPlan) -> TransferError? {
        switch failure.code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidURL(reason: "libcurl does not accept it")
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolvable(host: plan.host)
        case CURLE_COULDNT_CONNECT: .unreachable(host: plan.host, detail: failure.detail)
        case CURLE_OPERATION_TIMEDOUT: .timedOut(host: plan.host, requestSent: failure.requestSent)
        case CURLE_PEER_FAILED_VERIFICATION where plan.kind == .sftp: hostKey(failure, plan)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CIPHER, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
            .tlsRejected(host: plan.host, detail: failure.detail)
        case CURLE_SSL_CACERT_BADFILE: .tlsRejected(host: plan.host, detail: "the CA file cannot be read")
        case CURLE_FILESIZE_EXCEEDED: .tooLarge(limit: plan.maximumBytes)
        case CURLE_LOGIN_DENIED: .authenticationFailed(host: plan.host, user: plan.user)
        default: nil
        }
    }

    private static func hostKey(_ failure: TransferFailure, _ plan: TransferPlan) -> TransferError {
        switch plan.hostKey {
        case .sha256(let expected)?:
            // "… Remote X is not equal to Y": libcurl tells the fingerprint it found only in its sentence.
            let words = failure.detail.split(separator: " ")
            let found = words.firstIndex(of: "Remote").flatMap { words.dropFirst($0 + 1).first }
            return .hostKeyChanged(
                host: plan.host, expected: HostKeyCheck.fingerprint(expected),
                found: found.map { HostKeyCheck.fingerprint(String($0)) } ?? "unknown")
        case .knownHosts?, nil:
            let found = failure.hostKeyFound ?? "unknown"
            guard let expected = failure.hostKeyExpected else { return .hostKeyUnknown(host: plan.host, found: found) }
            return .hostKeyChanged(host: plan.host, expected: expected, found: found)
        }
    }

    /// What a server of files or mail said.
    private static func answered(_ failure: TransferFailure, _ plan: TransferPlan) -> TransferError? {
        switch failure.code {
        case CURLE_REMOTE_FILE_NOT_FOUND: return .notFound(path: plan.path)
        case CURLE_FTP_COULDNT_RETR_FILE where failure.reply.code == 550: return .notFound(path: plan.path)
        case CURLE_REMOTE_ACCESS_DENIED where plan.kind == .ftp && failure.step == "CWD":
            return .notFound(path: plan.path)
        case CURLE_REMOTE_ACCESS_DENIED: return .accessDenied(path: plan.path)
        case CURLE_QUOTE_ERROR where plan.kind == .sftp: return quote(failure, plan)
        case CURLE_SSH: return .refused(code: 0, text: tail(of: failure.detail), step: "SFTP")
        case CURLE_REMOTE_DISK_FULL, CURLE_REMOTE_FILE_EXISTS:
            return .refused(code: failure.reply.code, text: tail(of: failure.detail), step: "upload")
        default: break
        }
        let hasCodes = plan.kind == .ftp || plan.kind == .smtp
        guard hasCodes, failure.reply.code >= 400, failure.code != CURLE_ABORTED_BY_CALLBACK else { return nil }
        return .refused(code: failure.reply.code, text: failure.reply.text, step: failure.step)
    }

    /// libcurl reports a failed command of SFTP as "rename command failed: No such file or directory".
    private static func quote(_ failure: TransferFailure, _ plan: TransferPlan) -> TransferError {
        let reason = tail(of: failure.detail)
        return switch reason {
        case "No such file or directory": .notFound(path: plan.path)
        case "Permission denied": .accessDenied(path: plan.path)
        default: .refused(code: 0, text: reason, step: String(failure.detail.prefix { $0 != " " }))
        }
    }

    private static func other(_ failure: TransferFailure, _ plan: TransferPlan) -> TransferError {
        switch failure.code {
        // The callback refuses nothing but the second sending of a request whose pooled connection died.
        case CURLE_ABORTED_BY_CALLBACK: .connectionLost(host: plan.host, requestSent: true)
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_HTTP2,
            CURLE_HTTP2_STREAM, CURLE_SEND_FAIL_REWIND:
            .connectionLost(host: plan.host, requestSent: failure.requestSent)
        default:
            .failed(
                host: plan.host, code: Int(failure.code.rawValue),
                detail: String(cString: curl_easy_strerror(failure.code)),
                requestSent: failure.requestSent)
        }
    }

    /// What follows the last colon.
    private static func tail(of detail: String) -> String {
        let tail = detail.split(separator: ":").last.map { $0.drop { $0 == " " } } ?? ""
        return String(tail)
    }
}
