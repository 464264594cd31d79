internal import CCurl
import Testing

@testable import Transfer

@Suite("What failures mean")
struct ErrorTests {
    private func plan(_ kind: TransferPlan.Kind) -> TransferPlan {
        var plan = TransferPlan(
            kind: kind, url: "x", host: "h", port: 1, maximumBytes: 5, options: TransferOptions())
        plan.user = "u"
        plan.path = "/p"
        return plan
    }

    private func error(
        _ code: CURLcode, _ kind: TransferPlan.Kind = .http, sent: Bool = true, detail: String = "",
        reply: ServerReply = ServerReply(code: 0, text: ""), step: String = "", hostKey: HostKeyCheck? = nil
    ) -> TransferError {
        var plan = plan(kind)
        plan.hostKey = hostKey
        return TransferError(
            TransferFailure(
                reason: .libcurl, code: code, detail: detail, requestSent: sent, reply: reply, step: step), plan)
    }

    @Test func codesOfTheNetworkAreTold() {
        #expect(error(CURLE_COULDNT_RESOLVE_HOST) == .unresolvable(host: "h"))
        #expect(error(CURLE_COULDNT_CONNECT, detail: "refused") == .unreachable(host: "h", detail: "refused"))
        #expect(error(CURLE_PEER_FAILED_VERIFICATION, detail: "d") == .tlsRejected(host: "h", detail: "d"))
        for sent in [true, false] {
            #expect(error(CURLE_OPERATION_TIMEDOUT, sent: sent) == .timedOut(host: "h", requestSent: sent))
            for code in [CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_ERROR, CURLE_HTTP2_STREAM]
            {
                #expect(error(code, sent: sent) == .connectionLost(host: "h", requestSent: sent))
            }
        }
    }

    @Test func aSecondSendingThatWasPreventedIsALostConnection() {
        #expect(error(CURLE_ABORTED_BY_CALLBACK, sent: false) == .connectionLost(host: "h", requestSent: true))
    }

    @Test func theFoundFingerprintIsReadFromLibcurlsSentence() {
        let detail = "Denied establishing ssh session: mismatch sha256 fingerprint. Remote AAA= is not equal to BBB"
        #expect(
            error(CURLE_PEER_FAILED_VERIFICATION, .sftp, detail: detail, hostKey: .sha256("SHA256:BBB="))
                == .hostKeyChanged(host: "h", expected: "SHA256:BBB", found: "SHA256:AAA"))
        #expect(
            error(CURLE_PEER_FAILED_VERIFICATION, .sftp, detail: "other words", hostKey: .sha256("BBB"))
                == .hostKeyChanged(host: "h", expected: "SHA256:BBB", found: "unknown"))
    }

    @Test func answersOfFileServersAreTold() {
        #expect(error(CURLE_REMOTE_FILE_NOT_FOUND, .sftp) == .notFound(path: "/p"))
        #expect(error(CURLE_REMOTE_ACCESS_DENIED, .sftp) == .accessDenied(path: "/p"))
        #expect(error(CURLE_LOGIN_DENIED, .ftp) == .authenticationFailed(host: "h", user: "u"))
        let missing = "rename command failed: No such file or directory"
        #expect(error(CURLE_QUOTE_ERROR, .sftp, detail: missing) == .notFound(path: "/p"))
        #expect(
            error(CURLE_QUOTE_ERROR, .sftp, detail: "rename command failed: Operation failed")
                == .refused(code: 0, text: "Operation failed", step: "rename"))
    }

    @Test func refusalsOfMailServersKeepCodeAndStep() {
        let reply = ServerReply(code: 550, text: "no")
        #expect(
            error(CURLE_SEND_ERROR, .smtp, reply: reply, step: "RCPT") == .refused(code: 550, text: "no", step: "RCPT"))
        #expect(
            error(CURLE_SEND_ERROR, .smtp, reply: ServerReply(code: 250, text: "ok"), step: "RCPT")
                == .connectionLost(host: "h", requestSent: true))
    }

    @Test(arguments: [(421, true), (450, true), (550, false)])
    func fourHundredsOfMailAreTransient(_ code: Int, _ isTransient: Bool) {
        #expect(TransferError.refused(code: code, text: "", step: "RCPT").isTransient == isTransient)
    }

    @Test func theDialogueKeepsVerbsAndRepliesButNoArguments() {
        var dialogue = ServerDialogue()
        dialogue.sent(Array("AUTH PLAIN AHUAc2VjcmV0\r\n".utf8))
        dialogue.sent(Array("c2VjcmV0\r\n".utf8))
        #expect(dialogue.step == "AUTH")
        dialogue.received(Array("550-5.1.1 <bob@b.example>: user\r\n".utf8))
        dialogue.received(Array("550 5.1.1 unknown\r\n".utf8))
        #expect(dialogue.reply == ServerReply(code: 550, text: "5.1.1 <address> user 5.1.1 unknown"))
        dialogue.sent(Array("QUIT\r\n".utf8))
        dialogue.received(Array("221 bye\r\n".utf8))
        #expect(dialogue.reply.code == 550 && dialogue.step == "AUTH")
        #expect(!"\(dialogue)".contains("AHUA") && !"\(dialogue)".contains("c2Vj"))
    }

    @Test func secretsAreNotPrinted() {
        #expect(!"\(Credentials(user: "u", password: "secret"))".contains("secret"))
        let site = RemoteSite(scheme: .sftp, host: "h", user: "u", authentication: .password("secret"))
        #expect(!"\(site)".contains("secret"))
    }
}
