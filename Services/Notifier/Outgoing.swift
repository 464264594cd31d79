import Contracts
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Writes mails and asks for them to be sent.
struct Outgoing: Sendable {
    let templates: MailTemplates
    /// Who is told where a mail names nobody else.
    let recipients: [String]
    let senderDomain: String

    /// Keeps a mail and asks for it to be sent; the same `about` again is the same mail and is not sent again.
    func post(
        _ content: MailContent, to others: [String]? = nil, files: MailFiles = MailFiles(), about: String,
        correlation: String, in work: UnitOfWork
    ) throws {
        let recipients = others ?? self.recipients
        guard !recipients.isEmpty else { return }
        let (plain, html) = templates.render(content)
        let id = UUID()
        let isNew = try work.transaction.execute(
            """
            INSERT INTO mails
                (id, message_id, about, recipients, subject, plain, html, created_at, attachments, picture)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (message_id) DO NOTHING
            """,
            [
                .uuid(id), .text(messageID(about)), .text(about), .textArray(recipients), .text(content.title),
                .text(plain), .text(html), .timestamp(work.startedAt), .uuidArray(files.attachments),
                .maybe(files.picture) { .uuid($0) },
            ])
        guard isNew == 1 else { return }
        try work.enqueue(
            Event(
                // The mail's own id, by which sending it without the broker knows that message (DirectMail).
                MailWork(mailID: id), id: id, subject: id.uuidString.lowercased(), correlation: correlation,
                occurredAt: work.startedAt), queue: ServiceCatalogue.mailQueue)
    }

    /// Derived from what the mail is about, so that a mail that goes out twice is recognised by its reader's program.
    func messageID(_ about: String) -> String {
        let safe = about.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "-") ? $0 : "_" }
        return "<\(String(safe))@\(senderDomain)>"
    }
}

/// Stored files that go with a mail.
struct MailFiles: Sendable {
    /// The name under which the HTML shows the picture.
    static let pictureID = "summary@stockbridge"

    var attachments: [UUID] = []
    var picture: UUID?
}
