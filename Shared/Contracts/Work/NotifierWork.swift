public import Foundation

/// Work for notifier's own mail queue: one mail to be sent.
public struct MailWork: EventPayload {
    /// The name and version.
    public static let type = EventType("notifier.mail", 1, 0)

    /// The row of the mail.
    public var mailID: UUID

    private enum CodingKeys: String, CodingKey { case mailID = "mail_id" }

    /// Makes it of its parts.
    public init(mailID: UUID) {
        self.mailID = mailID
    }
}
