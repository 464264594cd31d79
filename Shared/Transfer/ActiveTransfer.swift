internal import CCurl
import Foundation

/// One transfer while it runs: what libcurl's callbacks read and write. Used on the transfer thread only.
final class ActiveTransfer {
    /// More header bytes than any honest server sends; curl itself limits only the single line.
    private static let maximumHeadBytes = 256 * 1024

    let job: TransferJob
    let easy: EasyHandle
    private var answer = TransferAnswer()
    private var received = 0
    private var uploaded = 0
    private var requestsBegun = 0
    private var stopped: TransferFailure.Reason?
    private var dialogue = ServerDialogue()
    private var hostKeyFound: String?
    private var hostKeyExpected: String?
    private var mime: OpaquePointer?

    var plan: TransferPlan { job.plan }

    init(job: TransferJob, easy: EasyHandle) {
        self.job = job
        self.easy = easy
    }

    deinit { if let mime { curl_mime_free(mime) } }

    /// Sets up the easy handle; `remaining` is what is left of the time-out after waiting for a turn.
    func prepare(remaining: Double?) -> CURLcode {
        var result = easy.apply(plan)
        if let remaining, result == CURLE_OK {
            result = ccurl_set_long(easy.raw, CURLOPT_TIMEOUT_MS, max(1, Int((remaining * 1000).rounded(.up))))
        }
        if let body = plan.postBody, result == CURLE_OK { result = setPostBody(body) }
        if let mail = plan.mail, result == CURLE_OK {
            mime = MailBuilder(easy: easy).build(mail)
            result =
                mime.map { ccurl_set_pointer(easy.raw, CURLOPT_MIMEPOST, UnsafeMutableRawPointer($0)) }
                ?? CURLE_OUT_OF_MEMORY
        }
        return result == CURLE_OK ? setCallbacks() : result
    }

    private func setPostBody(_ body: [UInt8]) -> CURLcode {
        let result = ccurl_set_offset(easy.raw, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count))
        guard result == CURLE_OK else { return result }
        return body.withUnsafeBytes { bytes in
            var nothing: UInt8 = 0
            let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            return withUnsafeMutablePointer(to: &nothing) {
                ccurl_set_pointer(easy.raw, CURLOPT_COPYPOSTFIELDS, start ?? UnsafeMutableRawPointer($0))
            }
        }
    }

    private func setCallbacks() -> CURLcode {
        let raw = easy.raw
        let context = Unmanaged.passUnretained(self).toOpaque()
        var codes = [
            ccurl_set_data_callback(raw, CURLOPT_WRITEFUNCTION, onBody),
            ccurl_set_pointer(raw, CURLOPT_WRITEDATA, context),
            ccurl_set_prerequest_callback(raw, onRequestBegin),
            ccurl_set_pointer(raw, CURLOPT_PREREQDATA, context),
        ]
        if plan.kind == .http {
            codes.append(ccurl_set_data_callback(raw, CURLOPT_HEADERFUNCTION, onHeader))
            codes.append(ccurl_set_pointer(raw, CURLOPT_HEADERDATA, context))
        } else if plan.kind == .sftp {
            codes.append(ccurl_set_host_key_callback(raw, onHostKey))
            codes.append(ccurl_set_pointer(raw, CURLOPT_SSH_KEYDATA, context))
        } else {
            codes.append(ccurl_set_debug_callback(raw, onDialogue))
            codes.append(ccurl_set_pointer(raw, CURLOPT_DEBUGDATA, context))
            codes.append(ccurl_set_long(raw, CURLOPT_VERBOSE, 1))
        }
        if plan.upload != nil {
            codes.append(ccurl_set_read_callback(raw, onUpload))
            codes.append(ccurl_set_pointer(raw, CURLOPT_READDATA, context))
            codes.append(ccurl_set_seek_callback(raw, onSeek))
            codes.append(ccurl_set_pointer(raw, CURLOPT_SEEKDATA, context))
        }
        return codes.first { $0 != CURLE_OK } ?? CURLE_OK
    }

    /// What the caller gets, once libcurl is done with the handle.
    func outcome(_ code: CURLcode) -> Result<TransferAnswer, TransferFailure> {
        guard code == CURLE_OK, stopped == nil else { return .failure(failure(stopped ?? .libcurl, code)) }
        answer.status = easy.number(CURLINFO_RESPONSE_CODE)
        answer.fileTime = easy.offset(CURLINFO_FILETIME_T)
        answer.contentLength = easy.offset(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T)
        answer.reply = dialogue.reply
        return .success(answer)
    }

    func failure(_ reason: TransferFailure.Reason, _ code: CURLcode = CURLE_OK) -> TransferFailure {
        // A mail server can have accepted a message only once it was sent the message.
        let sent = plan.kind == .smtp ? dialogue.step == ServerDialogue.message : requestsBegun > 0
        return TransferFailure(
            reason: reason, code: code, detail: easy.errorDetail, requestSent: sent, reply: dialogue.reply,
            step: dialogue.step, hostKeyFound: hostKeyFound, hostKeyExpected: hostKeyExpected)
    }

    // MARK: What libcurl calls

    /// Returns the bytes taken; anything else than all of them ends the transfer.
    fileprivate func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        // What is not the file (an error page, a redirect) is no business of the sink; the caller sees the status.
        if case .stream = plan.receiver, plan.kind == .http, easy.number(CURLINFO_RESPONSE_CODE) != 200 {
            return bytes.count
        }
        received += bytes.count
        guard received <= plan.maximumBytes else {
            stopped = .tooLarge
            return 0
        }
        switch plan.receiver {
        case .collect: answer.body.append(contentsOf: bytes)
        case .stream(let sink):
            do { try sink(bytes) } catch {
                stopped = .sink(error)
                return 0
            }
        }
        return bytes.count
    }

    fileprivate func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        // Each status line begins a new head: the ones before were interim answers.
        if bytes.starts(with: "HTTP/".utf8) { answer.head.removeAll(keepingCapacity: true) }
        guard answer.head.count + bytes.count <= Self.maximumHeadBytes else {
            stopped = .tooLarge
            return 0
        }
        answer.head.append(contentsOf: bytes)
        return bytes.count
    }

    /// A connection is there and the request is about to be written.
    ///
    /// libcurl repeats a request by itself if a pooled connection dies before the first byte of the answer, and has no
    /// option against that; it asks here each time, so the second sending can be refused.
    fileprivate func begin() -> Bool {
        guard requestsBegun == 0 || plan.mayBeResent else { return false }
        requestsBegun += 1
        return true
    }

    fileprivate func give(_ space: UnsafeMutableRawBufferPointer) -> Int {
        guard let upload = plan.upload else { return 0 }
        let count = min(space.count, upload.count - uploaded)
        upload.withUnsafeBytes {
            space.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[uploaded..<uploaded + count]))
        }
        uploaded += count
        return count
    }

    fileprivate func seek(to offset: Int) -> Bool {
        guard let upload = plan.upload, (0...upload.count).contains(offset) else { return false }
        uploaded = offset
        return true
    }

    fileprivate func follow(_ kind: curl_infotype, _ bytes: UnsafeRawBufferPointer) {
        switch kind {
        case CURLINFO_HEADER_OUT: dialogue.sent(Array(bytes))
        case CURLINFO_HEADER_IN: dialogue.received(Array(bytes))
        case CURLINFO_DATA_OUT where plan.kind == .smtp: dialogue.sentMessage()
        default: break
        }
    }

    fileprivate func judgeHostKey(known: curl_khkey?, found: curl_khkey?, match: curl_khmatch) -> Bool {
        hostKeyFound = found.map(Self.describe)
        hostKeyExpected = known.map(Self.describe)
        return match == CURLKHMATCH_OK
    }

    /// As a line of known hosts has it: type, then the key in base64.
    private static func describe(_ key: curl_khkey) -> String {
        let type =
            switch key.keytype {
            case CURLKHTYPE_RSA: "ssh-rsa"
            case CURLKHTYPE_ECDSA: "ecdsa-sha2"
            case CURLKHTYPE_ED25519: "ssh-ed25519"
            default: "key"
            }
        guard let bytes = key.key else { return type }
        // A length of 0 says that the text is base64 already.
        let text = key.len == 0 ? String(cString: bytes) : Data(bytes: bytes, count: key.len).base64EncodedString()
        return "\(type) \(text)"
    }
}

private func transfer(_ context: UnsafeMutableRawPointer?) -> ActiveTransfer? {
    context.map { Unmanaged<ActiveTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private let onBody: curl_write_callback = { bytes, size, count, context in
    transfer(context)?.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
}

private let onHeader: curl_write_callback = { bytes, size, count, context in
    transfer(context)?.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
}

private let onRequestBegin: curl_prereq_callback = { context, _, _, _, _ in
    transfer(context)?.begin() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private let onUpload: curl_read_callback = { space, size, count, context in
    transfer(context)?.give(UnsafeMutableRawBufferPointer(start: space, count: size * count)) ?? 0
}

private let onSeek: curl_seek_callback = { context, offset, origin in
    origin == SEEK_SET && transfer(context)?.seek(to: Int(offset)) == true ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}

private let onDialogue: curl_debug_callback = { _, kind, bytes, count, context in
    transfer(context)?.follow(kind, UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}

private let onHostKey: curl_sshkeycallback = { _, known, found, match, context in
    let fine = transfer(context)?.judgeHostKey(known: known?.pointee, found: found?.pointee, match: match) == true
    return Int32((fine ? CURLKHSTAT_FINE : CURLKHSTAT_REJECT).rawValue)
}
