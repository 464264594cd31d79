import Concurrency
import Contracts
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import Synchronization

/// Sends mails without the broker while it takes nothing or is away: what tells people that the broker is out must not
/// wait for it.
///
/// The mail is claimed in the inbox under the id of the message that asks for it, so that it goes out once, whether or
/// not that message comes later.
final class DirectMail: Sendable {
    /// How long the broker is given before mails go out without it.
    static let patience: Duration = .seconds(60)
    /// Mails at one look.
    static let atOnce = 50

    private let database: ServiceDatabase
    private let mail: MailHandler
    private let work: DirectWork
    private let logger: Logger
    private let troubleSince = Mutex<ContinuousClock.Instant?>(nil)
    /// Refused for good by the mail server; their messages go to the dead letters when the broker is back.
    private let refused = Mutex<Set<UUID>>([])

    init(parts: ServiceParts, mail: MailHandler) {
        database = parts.database
        self.mail = mail
        work = DirectWork(queue: ServiceCatalogue.mailQueue, parts: parts.runners)
        logger = parts.logger
    }

    /// Takes note of how the broker is, and sends if it has been out for long enough.
    ///
    /// - Returns: How many mails went out.
    @discardableResult
    func step(brokerIsOut: Bool, at moment: ContinuousClock.Instant = .now) async throws -> Int {
        let isDue = troubleSince.withLock { since in
            guard brokerIsOut else {
                since = nil
                return false
            }
            since = since ?? moment
            return since.map { $0.duration(to: moment) >= Self.patience } ?? false
        }
        return isDue ? try await sendWaiting() : 0
    }

    private func sendWaiting() async throws -> Int {
        var sent = 0
        for (id, correlation) in try await waiting() {
            let event = Event(
                MailWork(mailID: id), id: id, subject: id.uuidString.lowercased(), correlation: correlation,
                occurredAt: mail.clock.now())
            switch try await work.perform(event, by: mail) {
            case .done: sent += 1
            case .park: _ = refused.withLock { $0.insert(id) }
            case nil: break
            default: return sent  // The mail server is out as well: at the next look.
            }
        }
        if sent > 0 { logger.notice("mails sent without the broker", metadata: ["mails": "\(sent)"]) }
        return sent
    }

    /// Unsent mails, the oldest first; not those that a person decides about as dead letters.
    private func waiting() async throws -> [(UUID, String)] {
        let rows = try await database.pool.query(
            """
            SELECT m.id, m.about FROM mails m
            WHERE m.sent_at IS NULL AND m.id <> ALL ($1::uuid[]) AND NOT EXISTS (
                SELECT 1 FROM dead_letters.letters l WHERE l.queue = $2 AND l.identity = m.id::text)
            ORDER BY m.created_at LIMIT \(Self.atOnce)
            """, [.uuidArray(Array(refused.withLock { $0 })), .text(ServiceCatalogue.mailQueue)])
        return try rows.map { (try $0.decode("id"), try $0.decode("about")) }
    }
}
