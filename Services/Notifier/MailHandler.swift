import Concurrency
import Contracts
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import Transfer

/// Hands a mail to the mail server. Its sending is recorded before and after; a repetition after a crash in between
/// carries the same Message-ID, by which the reader's program recognises it.
struct MailHandler: WorkHandler {
    let server: MailServer
    let sender: MailAddress
    let transfer: TransferClient
    let database: ServiceDatabase
    let clock: WallClock
    let faults: FaultInjection
    let logger: Logger

    var leaseSeconds: Int { 60 }

    /// Whether the mail server answers again.
    func answers(_: Dependency) async -> Bool { (try? await transfer.greet(server)) != nil }

    private struct Stored: Sendable {
        let message: MailMessage
        let isSent: Bool
    }

    func perform(_ event: Event<MailWork>, _ context: WorkContext) async -> Outcome {
        let id = event.payload.mailID
        do {
            guard let mail = try await begin(id) else {
                return .park(
                    FailureReason(
                        .permanent, code: "mail.unknown", message: "There is no mail \(id); nothing was sent."))
            }
            if mail.isSent { return .done }
            return try await send(mail.message, id: id, context)
        } catch {
            return .retry(FailureReason(.transient, code: "database", message: "Mail \(id): \(error)"))
        }
    }

    private func begin(_ id: UUID) async throws -> Stored? {
        let sender = sender
        let now = clock.now()
        return try await database.pool.transaction { transaction in
            let rows = try transaction.query(
                """
                UPDATE mails SET sending_at = $2 WHERE id = $1
                RETURNING message_id, recipients, subject, plain, html, created_at, sent_at IS NOT NULL AS sent,
                    attachments::text[] AS attachments, picture
                """, [.uuid(id), .timestamp(now)])
            guard let row = rows.first else { return nil }
            let pictures = try row.decode("picture", as: UUID?.self)
                .map { try Self.file($0.uuidString.lowercased(), in: transaction) }
            let message = MailMessage(
                from: sender,
                to: try row.decode("recipients", as: [String].self).map { try MailAddress(parsing: $0) },
                subject: try row.decode("subject"), messageID: try row.decode("message_id"),
                date: try row.decode("created_at"), text: try row.decode("plain"), html: try row.decode("html"),
                attachments: try row.decode("attachments", as: [String].self).flatMap { id in
                    try Self.file(id, in: transaction).map {
                        .init(filename: $0.name, contentType: Self.workbookType, bytes: $0.content)
                    }
                },
                inlineImages: (pictures ?? []).map {
                    .init(contentID: MailFiles.pictureID, contentType: "image/png", bytes: $0.content)
                })
            return Stored(message: message, isSent: try row.decode("sent"))
        }
    }

    private static let workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    /// A stored file; none if it is gone, and then the mail goes out without it.
    private static func file(_ id: String, in transaction: Transaction) throws -> [(name: String, content: [UInt8])] {
        let rows = try transaction.query("SELECT name, content FROM shared.read_file($1::uuid)", [.text(id)])
        return try rows.map { (try $0.decode("name"), try $0.decode("content")) }
    }

    private func send(_ message: MailMessage, id: UUID, _ context: WorkContext) async throws -> Outcome {
        do throws(TransferError) {
            let receipt = try await transfer.sendMail(message, via: server)
            faults.reached(.afterCallBeforeCommit)
            let (now, reply) = (clock.now(), receipt.reply)
            do {
                try await context.complete { work in
                    try work.transaction.execute(
                        "UPDATE mails SET sent_at = $2, answer = $3, last_problem = NULL WHERE id = $1",
                        [.uuid(id), .timestamp(now), .text(reply)])
                }
            } catch {
                return .retry(FailureReason(.transient, code: "database", message: "Mail \(id) went out: \(error)"))
            }
            return .done
        } catch {
            let sentence = "\(error)"
            logger.warning("mail not sent", metadata: ["mail": "\(id)", "problem": "\(sentence)"])
            _ = try await database.pool.query(
                "UPDATE mails SET failures = failures + 1, last_problem = $2 WHERE id = $1",
                [.uuid(id), .text(sentence)])
            let reason = FailureReason(
                isPermanent(error) ? .permanent : .transient, code: "mail", message: "Mail \(id): \(sentence)")
            if error.countsAsOutage { return .outage(Dependency("mail server"), reason) }
            return isPermanent(error) ? .park(reason) : .retry(reason)
        }
    }

    /// RFC 5321, 4.2.1: 5yz is a permanent refusal, 4yz a transient one.
    private func isPermanent(_ error: TransferError) -> Bool {
        if case .refused(let code, _, _) = error { return (500..<600).contains(code) }
        return false
    }
}
