import Foundation
import Messaging
import RabbitMQ

/// What a resend does, or would do, to the events of one topic.
struct UnroutedPlan: Sendable, Encodable, Equatable {
    enum State: String, Sendable, Encodable {
        /// Every queue that the configuration binds to it is bound: its events are sent.
        case bound
        /// Not every one: its events stay.
        case notBound = "not_bound"
        /// No service of this version consumes it: its events stay.
        case unknown
    }

    var topic: String
    var events: Int
    var state: State
    /// The queues that the configuration binds to it and the broker does not.
    var missingQueues: [String] = []

    init(_ found: UnroutedTopic, _ fate: UnroutedFate) {
        (topic, events) = (found.topic, found.events)
        switch fate {
        case .bound: state = .bound
        case .missing(let queues): (state, missingQueues) = (.notBound, queues)
        case .unknown: state = .unknown
        }
    }
}

/// What became of a resend.
struct UnroutedResent: Sendable, Encodable {
    var dryRun: Bool
    /// How many there were when the command began, and how many of them were looked at.
    var total: Int
    var lookedAt: Int
    var topics: [UnroutedPlan]
    /// How many the broker confirmed and does not hold in the queue any more.
    var sent = 0
    /// How many were ready in the queue at the end.
    var remaining: Int

    init(_ survey: UnroutedSurvey, _ routing: UnroutedRouting, dryRun: Bool) {
        (total, lookedAt, remaining) = (survey.total, survey.lookedAt, survey.total)
        topics = survey.topics.map { UnroutedPlan($0, routing.fate(of: $0.topic)) }
        shortfall = survey.shortfall
        self.dryRun = dryRun
    }

    /// How many are to be sent.
    var sendable: Int { topics.filter { $0.state == .bound }.reduce(0) { $0 + $1.events } }
    /// Those that stay.
    var kept: [UnroutedPlan] { topics.filter { $0.state != .bound } }
    /// More than should be left: a binding went away, or something new arrived.
    var unexpected: Int { max(0, remaining - (total - sent)) }
    /// Why not all were looked at; nil if they were.
    let shortfall: String?

    var needsAttention: Bool { !kept.isEmpty || shortfall != nil || unexpected > 0 }

    private enum CodingKeys: String, CodingKey { case dryRun, total, lookedAt, topics, sent, remaining }
}

/// Sends events again that reached nobody.
struct UnroutedResending {
    let queue: UnroutedQueue
    let publisher: Publisher
    /// The topics whose every queue is bound.
    let topics: Set<String>
    private(set) var sent = 0

    init(queue: UnroutedQueue, publisher: Publisher, topics: Set<String>) {
        (self.queue, self.publisher, self.topics) = (queue, publisher, topics)
    }

    /// Publishes what is meant, in order, and acknowledges each only once the broker has confirmed it: a run that dies
    /// in between leaves a repetition, which its consumers know by the id, and never a gap.
    ///
    /// - Parameters:
    ///   - frozen: What was seen and is meant.
    ///   - total: How many there were when they were looked at.
    /// - Throws: ``ToolError`` with what was done until then.
    mutating func run(_ frozen: FrozenUnrouted, total: Int) async throws {
        var (frozen, count) = (frozen, 0)
        let (topics, publisher) = (topics, publisher)
        let outcome: Result<Void, any Error>
        do {
            try await queue.walk(atMost: total) { deliveries in
                let chosen = deliveries.filter { topics.contains($0.routingKey) && frozen.take(UnroutedEvent($0)) }
                let outcomes = try await publisher.publish(chosen.map(ResentEvent.make))
                let confirmed = zip(chosen, outcomes).filter { $0.1 == .confirmed }.map(\.0.tag)
                count += confirmed.count
                return UnroutedQueue.Step(done: confirmed, problem: outcomes.compactMap(Self.problem).first)
            }
            outcome = .success(())
        } catch { outcome = .failure(error) }
        sent = count
        if case .failure(let error) = outcome { throw stopped(by: error) }
    }

    private static func problem(_ outcome: PublishOutcome) -> (any Error)? {
        switch outcome {
        case .confirmed: nil
        case .unconfirmed(let error): error
        case .nacked: ToolError.failed("The broker did not take an event: one of its queues is full.")
        // Not for want of a queue: then the alternate exchange has it. Only if that one leads nowhere.
        case .returned:
            ToolError.failed(
                "An event came back: stockbridge.unrouted is not bound any more; run 'stockbridge topology apply'.")
        }
    }

    private func stopped(by error: any Error) -> ToolError {
        var sentence = "\(error)"
        if case .refused(403, _, _)? = error as? BrokerError {
            sentence += " The permissions are those of another version: run 'stockbridge topology apply'."
        }
        return .failed(
            "\(sentence) \(Wording.count(sent, "event")) had been sent again by then. "
                + "What was not confirmed is still in stockbridge.unrouted. An event sent at the last moment may be "
                + "there as well: its consumers know a repetition by its id. Run the command again.")
    }
}
