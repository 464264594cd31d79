public import Foundation

/// `message.settled`: what became of a message that was replayed. Leaves in the transaction of the message's effect.
public struct MessageSettled: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("message.settled", 1, 0)

    /// How it ended. A message that failed again is not settled by its consumer: it is a dead letter again.
    public enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
        /// Its effect was made by this replay.
        case processed
        /// Its effect had been made before; nothing was done.
        case alreadyProcessed = "already_processed"
        /// Something newer had made it pointless; nothing was done.
        case superseded
    }

    /// The message.
    public var messageID: UUID
    /// The queue that handled it.
    public var queue: String
    /// The replay, as the message's header says.
    public var replayID: String
    /// How it ended.
    public var outcome: Outcome
    /// When, by the clock of the service that handled it.
    public var settledAt: Date

    /// An outcome.
    public init(messageID: UUID, queue: String, replayID: String, outcome: Outcome, settledAt: Date) {
        self.messageID = messageID
        self.queue = queue
        self.replayID = replayID
        self.outcome = outcome
        self.settledAt = settledAt
    }

    private enum CodingKeys: String, CodingKey {
        case queue, outcome
        case messageID = "message_id"
        case replayID = "replay_id"
        case settledAt = "settled_at"
    }
}
