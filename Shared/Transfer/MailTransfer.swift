internal import CCurl

extension TransferClient {
    /// Hands a mail to a server, to all recipients or none.
    ///
    /// A refusal is ``TransferError/refused(code:text:step:)``, where the step is the SMTP command refused (`MAIL`,
    /// `RCPT`, …) or `message` for the mail itself. After an error whose ``TransferError/requestSent`` is true, the
    /// server may have taken the mail; the same `messageID` on the next attempt lets readers recognise a second copy.
    ///
    /// - Parameter timeoutSeconds: For all of it.
    public func sendMail(
        _ message: MailMessage, via server: MailServer, timeoutSeconds: Double = 60
    ) async throws(TransferError) -> MailReceipt {
        let plan = try TransferPlan(message, server, timeoutSeconds: timeoutSeconds, options: options)
        let answer = try await run(plan)
        return MailReceipt(
            messageID: MailRules.messageID(message.messageID), recipients: message.to.count, reply: answer.reply.text)
    }
}

extension TransferClient {
    /// Whether a mail server lets us in and answers, without handing it anything.
    ///
    /// - Parameter timeoutSeconds: For all of it.
    public func greet(_ server: MailServer, timeoutSeconds: Double = 20) async throws(TransferError) {
        var plan = try TransferPlan(server, timeoutSeconds: timeoutSeconds, options: options)
        plan.options += [.text(CURLOPT_CUSTOMREQUEST, "NOOP"), .number(CURLOPT_NOBODY, 1)]
        _ = try await run(plan)
    }
}

extension TransferPlan {
    /// The plan of one mail.
    init(
        _ message: MailMessage, _ server: MailServer, timeoutSeconds: Double, options: TransferOptions
    ) throws(TransferError) {
        try MailRules.check(message)
        try self.init(server, timeoutSeconds: timeoutSeconds, options: options)
        mail = message
        self.options += [
            .text(CURLOPT_MAIL_FROM, "<\(message.from.address)>"),
            .list(CURLOPT_MAIL_RCPT, message.to.map { "<\($0.address)>" }),
            .list(CURLOPT_HTTPHEADER, MailHeaders.lines(message)),
        ]
    }

    /// The plan of a dialogue with a mail server.
    init(_ server: MailServer, timeoutSeconds: Double, options: TransferOptions) throws(TransferError) {
        try RemoteURL.check(RemoteSite(scheme: .ftp, host: server.host, port: server.port), "")
        guard server.tls != .off || server.credentials == nil else {
            throw .invalidRequest(reason: "a mail account's password is not sent without TLS")
        }
        let host = server.host.contains(":") ? "[\(server.host)]" : server.host
        self.init(
            kind: .smtp, url: "\(server.tls == .implicit ? "smtps" : "smtp")://\(host):\(server.port)",
            host: server.host, port: server.port, maximumBytes: 1024 * 1024, options: options)
        self.timeoutSeconds = timeoutSeconds
        mayBeResent = false
        self.options += [
            .number(CURLOPT_USE_SSL, Int((server.tls == .off ? CURLUSESSL_NONE : CURLUSESSL_ALL).rawValue)),
            // Mail is rare, and servers drop idle clients: a new connection each time leaves no doubt about old ones.
            .number(CURLOPT_FRESH_CONNECT, 1), .number(CURLOPT_FORBID_REUSE, 1),
        ]
        verifyTLS(caFile: server.caFile ?? options.caFile)
        if let credentials = server.credentials {
            user = credentials.user
            self.options += [
                .text(CURLOPT_USERNAME, credentials.user), .text(CURLOPT_PASSWORD, credentials.password),
            ]
        }
    }
}

/// Builds the MIME tree of a mail with libcurl.
///
/// mixed( alternative( text, related( html, images… ) ), attachments… ); levels with one member only are left out,
/// except the outermost, which libcurl always makes.
struct MailBuilder {
    let easy: EasyHandle

    /// `nil` if memory is short. The caller frees the tree.
    func build(_ message: MailMessage) -> OpaquePointer? {
        guard let top = curl_mime_init(easy.raw) else { return nil }
        var isComplete = addMessage(to: top, message)
        for attachment in message.attachments {
            isComplete =
                isComplete
                && add(
                    to: top, attachment.bytes, type: attachment.contentType, encoder: "base64",
                    headers: [MailHeaders.disposition(filename: attachment.filename)])
        }
        if isComplete { return top }
        curl_mime_free(top)
        return nil
    }

    private func addMessage(to parent: OpaquePointer, _ message: MailMessage) -> Bool {
        guard let html = message.html else { return addText(to: parent, message.text, "plain") }
        return addGroup(to: parent, "alternative") { alternative in
            guard addText(to: alternative, message.text, "plain") else { return false }
            if message.inlineImages.isEmpty { return addText(to: alternative, html, "html") }
            return addGroup(to: alternative, "related") { related in
                addText(to: related, html, "html")
                    && message.inlineImages.allSatisfy { image in
                        add(
                            to: related, image.bytes, type: image.contentType, encoder: "base64",
                            headers: ["Content-Disposition: inline", "Content-ID: <\(image.contentID)>"])
                    }
            }
        }
    }

    private func addText(to parent: OpaquePointer, _ text: String, _ subtype: String) -> Bool {
        // Lines of mail end in CR LF; a bare LF would be encoded as a character of the text.
        let lines = text.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n")
        return add(
            to: parent, Array(lines.utf8), type: "text/\(subtype); charset=utf-8", encoder: "quoted-printable",
            headers: ["Content-Disposition: inline"])
    }

    private func addGroup(to parent: OpaquePointer, _ subtype: String, _ fill: (OpaquePointer) -> Bool) -> Bool {
        guard let part = curl_mime_addpart(parent), let group = curl_mime_init(easy.raw) else { return false }
        guard curl_mime_subparts(part, group) == CURLE_OK else {
            curl_mime_free(group)
            return false
        }
        return curl_mime_type(part, "multipart/\(subtype)") == CURLE_OK && fill(group)
    }

    private func add(
        to parent: OpaquePointer, _ bytes: [UInt8], type: String, encoder: String, headers: [String]
    ) -> Bool {
        guard let part = curl_mime_addpart(parent) else { return false }
        let code = bytes.withUnsafeBytes { buffer in
            // libcurl copies; without an address it would take the part for one without data.
            buffer.baseAddress.map {
                curl_mime_data(part, $0.assumingMemoryBound(to: CChar.self), buffer.count)
            } ?? curl_mime_data(part, "", 0)
        }
        guard code == CURLE_OK, curl_mime_type(part, type) == CURLE_OK, curl_mime_encoder(part, encoder) == CURLE_OK,
            let list = EasyHandle.makeList(headers)
        else { return false }
        guard curl_mime_headers(part, list, 1) == CURLE_OK else {
            curl_slist_free_all(list)
            return false
        }
        return true
    }
}
