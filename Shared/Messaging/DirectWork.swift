import Contracts
import Foundation
import PostgreSQL

/// Does the work of a message that is still on its way, while the broker cannot deliver it.
///
/// It claims the message in the inbox as the queue's consumer does: whoever comes first works, the other finds it
/// leased or done.
public struct DirectWork: Sendable {
    private let queue: String
    private let parts: RunnerParts

    /// - Parameter queue: The queue that will deliver the message later.
    public init(queue: String, parts: RunnerParts) {
        self.queue = queue
        self.parts = parts
    }

    /// Performs the work unless it is done or in hand elsewhere.
    ///
    /// - Parameter event: Has the id of the message that carries it.
    /// - Returns: What the handler said; nil if there was nothing to do. Anything but `done` and `superseded` leaves
    ///   the work to the message.
    /// - Throws: `PostgresError`.
    public func perform<Handler: WorkHandler>(
        _ event: Event<Handler.Payload>, by handler: Handler
    ) async throws -> Outcome? {
        let queue = self.queue
        let claim = InboxClaim(messageID: event.id, owner: UUID().uuidString)
        let state = try await parts.database.pool.transaction { transaction in
            try Inbox.claimWork(claim, consumer: queue, leaseSeconds: handler.leaseSeconds, in: transaction)
        }
        guard state == .claimed else { return nil }
        let context = WorkContext(database: parts.database, consumer: queue, claim: claim, replay: nil)
        let outcome = await handler.perform(event, context)
        try await parts.database.unitOfWork { work in
            switch outcome {
            case .done, .superseded: try claim.markDone(consumer: queue, in: work.transaction)
            default: try claim.release(consumer: queue, in: work.transaction)
            }
        }
        return outcome
    }
}
