import Contracts
import Foundation

/// What makes a message a replayed one, for the consumer that settles it.
struct ReplayMark: Sendable {
    let messageID: UUID
    let queue: String
    let replayID: String
    let subject: String
    let correlation: String
    let trace: TraceContext

    /// Says what became of it, in the transaction of its effect.
    func settle(_ outcome: MessageSettled.Outcome, in work: UnitOfWork) throws {
        try work.emit(
            Event(
                MessageSettled(
                    messageID: messageID, queue: queue, replayID: replayID, outcome: outcome,
                    settledAt: work.startedAt),
                subject: subject, correlation: correlation, occurredAt: work.startedAt, trace: trace.child()))
    }
}

extension IncomingMessage {
    /// Set if the message was replayed.
    var replay: ReplayMark? {
        replayID.map {
            ReplayMark(
                messageID: id, queue: queue, replayID: $0, subject: subject, correlation: correlation, trace: trace)
        }
    }
}
