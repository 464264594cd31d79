import Foundation
import TestStack
import Testing
import Transfer

@Suite("Mail against a real server", .serialized)
struct MailTests {
    private struct Mail: Decodable {
        struct Part: Decodable {
            var type, filename, id, disposition, content: String
        }

        var headers: [String: String]
        var parts: [Part]
        var shape: [String]
        var defects: [String]
        var longestLine: Int
    }

    private func message() -> MailMessage {
        MailMessage(
            from: MailAddress(name: "Kho Hoa Sen", address: "stock@example.com"),
            to: [
                MailAddress(name: "Nguyễn Thị Minh Khai, trưởng phòng kho vận", address: "khai@example.com"),
                MailAddress(name: "Ops \"night\", shift", address: "ops@example.com"),
                MailAddress(address: "gm@example.com"),
            ],
            subject: "Cảnh báo tồn kho: tệp ngày 21/11 đến muộn, 1.234 dòng bị giữ lại để kiểm tra trước khi đăng",
            messageID: "late-7@stockbridge.example", date: Date(timeIntervalSince1970: 1_795_240_807),
            text: "Tệp đến muộn.\n.\n..Dòng bắt đầu bằng dấu chấm\n" + String(repeating: "dài ", count: 100))
    }

    private func withMail(_ body: (TransferClient, ChildServer) async throws -> Void) async throws {
        try await withServer("smtp_server.py", emptying: "mails") { (server) async throws in
            let client = TransferClient()
            defer { client.close() }
            try await body(client, server)
        }
    }

    /// The one mail the server has, as Python's `email` package reads it, and its envelope.
    private func stored(_ server: ChildServer) async throws -> (mail: Mail, envelope: [String]) {
        let names = try FileManager.default.contentsOfDirectory(atPath: server["mails"])
        let name = try #require(names.first { $0.hasSuffix(".eml") })
        #expect(names.count == 2)
        let facts = try await ChildProcess.run(
            ["/usr/bin/python3", "-B", ChildServer.path(of: "read_mail.py"), "\(server["mails"])/\(name)"])
        let envelope = try String(contentsOfFile: "\(server["mails"])/\(name).envelope", encoding: .utf8)
        return (
            try JSONDecoder().decode(Mail.self, from: Data(facts.utf8)),
            envelope.split(separator: "\n").map(String.init)
        )
    }

    private func plain(_ server: ChildServer) -> MailServer {
        MailServer(host: "127.0.0.1", port: server.port("plain"), tls: .off)
    }

    @Test func aVietnameseMailWithHTMLImageAndAttachmentsIsReadBackAsWritten() async throws {
        try await withMail { (client, server) async throws in
            var message = message()
            message.html = "<p>Tệp đến <b>muộn</b>.</p>\n<img src=\"cid:chart@stock\">"
            message.inlineImages = [
                .init(contentID: "chart@stock", contentType: "image/png", bytes: [0x89, 0x50, 0, 255])
            ]
            message.attachments = [
                .init(
                    filename: "báo cáo \"tháng 11\".csv", contentType: "text/csv; charset=utf-8",
                    bytes: Array("mã;tồn\r\nA;1\r\n".utf8)),
                .init(filename: "empty.bin", contentType: "application/octet-stream", bytes: []),
            ]
            let receipt = try await client.sendMail(message, via: plain(server))
            #expect(receipt.messageID == "<late-7@stockbridge.example>" && receipt.recipients == 3)
            #expect(receipt.reply.contains("queued as"))
            let (mail, envelope) = try await stored(server)
            #expect(envelope == ["stock@example.com", "khai@example.com", "ops@example.com", "gm@example.com"])
            #expect(mail.defects == [] && mail.longestLine <= 200)
            #expect(mail.headers["subject"] == message.subject)
            #expect(mail.headers["from"] == "Kho Hoa Sen <stock@example.com>")
            // Python joins encoded words of a name with one blank too many, so blanks do not count here.
            #expect(
                mail.headers["to"]?.split(separator: " ").joined(separator: " ")
                    == "\"Nguyễn Thị Minh Khai, trưởng phòng kho vận\" <khai@example.com>, "
                    + "\"Ops \\\"night\\\", shift\" <ops@example.com>, gm@example.com")
            #expect(mail.headers["message-id"] == "<late-7@stockbridge.example>")
            #expect(mail.headers["date"] == "Sat, 21 Nov 2026 06:00:07 +0000")
            #expect(
                mail.shape == [
                    "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html",
                    "image/png", "text/csv", "application/octet-stream",
                ])
            #expect(mail.parts[0].content.replacing("\r\n", with: "\n") == message.text)
            #expect(mail.parts[1].content.replacing("\r\n", with: "\n") == message.html)
            #expect(mail.parts[2].id == "<chart@stock>" && mail.parts[2].content == "895000ff")
            #expect(mail.parts[3].filename == "báo cáo \"tháng 11\".csv" && mail.parts[3].disposition == "attachment")
            #expect(mail.parts[3].content.replacing("\r\n", with: "\n") == "mã;tồn\nA;1\n")
            #expect(mail.parts[4].filename == "empty.bin" && mail.parts[4].content == "")
        }
    }

    @Test func aLoginOverSTARTTLSIsTaken() async throws {
        try await withMail { (client, server) async throws in
            var mailServer = MailServer(
                host: "localhost", port: server.port("secure"), tls: .startTLS,
                credentials: Credentials(user: "stockbridge", password: server["password"]), caFile: server["ca"])
            _ = try await client.sendMail(message(), via: mailServer)
            #expect(try await stored(server).mail.parts.count == 1)
            mailServer.credentials?.password = "wrong-secret"
            let error = await #expect(throws: TransferError.self) {
                try await client.sendMail(message(), via: mailServer)
            }
            #expect(error == .authenticationFailed(host: "localhost", user: "stockbridge"))
            #expect(error?.description.contains("wrong-secret") == false)
        }
    }

    @Test func tlsFromTheFirstByteIsSpoken() async throws {
        try await withMail { (client, server) async throws in
            var mailServer = MailServer(
                host: "localhost", port: server.port("implicit"), tls: .implicit, caFile: server["ca"])
            _ = try await client.sendMail(message(), via: mailServer)
            mailServer.caFile = nil
            let error = await #expect(throws: TransferError.self) {
                try await client.sendMail(message(), via: mailServer)
            }
            #expect(error?.label == "tls_rejected")
        }
    }

    @Test func aServerWithoutSTARTTLSGetsNothingWhereItIsAsked() async throws {
        try await withMail { (client, server) async throws in
            let mailServer = MailServer(host: "127.0.0.1", port: server.port("plain"), tls: .startTLS)
            let error = await #expect(throws: TransferError.self) {
                try await client.sendMail(message(), via: mailServer)
            }
            #expect(error?.label == "tls_rejected")
        }
    }

    @Test func aPasswordIsNotSentInTheClear() async throws {
        try await withMail { (client, server) async throws in
            var mailServer = plain(server)
            mailServer.credentials = Credentials(user: "stockbridge", password: server["password"])
            let error = await #expect(throws: TransferError.self) {
                try await client.sendMail(message(), via: mailServer)
            }
            #expect(error?.label == "invalid_request")
        }
    }

    @Test func aRefusedRecipientRefusesTheMailAndHisAddressIsNotRepeated() async throws {
        try await withMail { (client, server) async throws in
            var message = message()
            message.to.append(MailAddress(address: "refused@example.com"))
            let refused = TransferError.refused(code: 550, text: "5.1.1 <address> user unknown", step: "RCPT")
            let error = await #expect(throws: refused) { try await client.sendMail(message, via: plain(server)) }
            #expect(error?.isTransient == false)
            #expect(try FileManager.default.contentsOfDirectory(atPath: server["mails"]) == [])
        }
    }

    @Test func aGreylistedRecipientIsWorthAnotherAttempt() async throws {
        try await withMail { (client, server) async throws in
            var message = message()
            message.to = [MailAddress(address: "later@example.com")]
            let error = await #expect(throws: TransferError.self) {
                try await client.sendMail(message, via: plain(server))
            }
            #expect(error == .refused(code: 451, text: "4.7.1 greylisted, come back later", step: "RCPT"))
            #expect(error?.isTransient == true)
        }
    }

    @Test func aRefusedMessageSaysThatItWasTheMessage() async throws {
        try await withMail { (client, server) async throws in
            var message = message()
            message.subject = "spam"
            await #expect(throws: TransferError.refused(code: 554, text: "5.7.1 looks like spam", step: "message")) {
                try await client.sendMail(message, via: plain(server))
            }
        }
    }

    @Test func nothingThatBeginsAHeaderOfItsOwnIsSent() async throws {
        try await withMail { (client, server) async throws in
            let injections: [(inout MailMessage) -> Void] = [
                { $0.subject = "a\r\nBcc: x@example.com" },
                { $0.subject = "a\nBcc: x@example.com" },
                { $0.to[0].address = "a@example.com>\r\nRCPT TO:<x@example.com" },
                { $0.to[0].address = "a@example.com, x@example.com" },
                { $0.to[0].name = "a\r\nBcc: x@example.com" },
                { $0.from.name = "a\u{2028}b" },
                { $0.messageID = "a@b>\r\nBcc: x" },
                { $0.attachments = [.init(filename: "a\r\nX: y", contentType: "text/csv", bytes: [])] },
                { $0.attachments = [.init(filename: "a", contentType: "text/csv\r\nX: y", bytes: [])] },
                { $0.to = [] },
            ]
            for inject in injections {
                var message = message()
                inject(&message)
                let error = await #expect(throws: TransferError.self) {
                    try await client.sendMail(message, via: plain(server))
                }
                #expect(error?.label == "invalid_request")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: server["mails"]) == [])
        }
    }
}
