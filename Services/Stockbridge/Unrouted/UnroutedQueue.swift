import Foundation
import Messaging
import RabbitMQ
import ServiceKit
import Settings

/// The queue of events that reached nobody, under the operator's user.
struct UnroutedQueue: Sendable {
    /// No run takes more into its hands: each message that it looks at and does not settle stays with it until its end.
    static let mostLookedAt = 10_000
    /// So many are taken, sent and settled together.
    static let batchSize = 100
    /// Longer than a broker under load needs for the next message; then somebody else has it.
    private static let patience = Duration.seconds(10)

    /// What is done with some messages.
    struct Step: Sendable {
        /// Those that can leave the queue.
        var done: [DeliveryTag] = []
        /// Why it cannot go on.
        var problem: (any Error)?
    }

    let broker: BrokerConfiguration
    var faults = FaultInjection.none

    /// How many messages are ready.
    ///
    /// - Throws: ``ToolError`` if the broker is away or has no such queue.
    func count() async throws -> Int {
        let session = TopologySession(broker)
        let outcome: Result<Int, BrokerError>
        do throws(BrokerError) {
            outcome = .success(try await session.checkQueue(Topology.unrouted).messages)
        } catch { outcome = .failure(error) }
        await session.close()
        do {
            return try outcome.get()
        } catch .refused(404, _, .checkQueue) {
            throw ToolError.failed(
                "The broker has no queue \(Topology.unrouted): run 'stockbridge topology apply'. Nothing was done.")
        } catch {
            throw ToolError.failed("\(error) Nothing was done.")
        }
    }

    /// Reads the oldest without removing them.
    func survey(_ filter: UnroutedFilter = UnroutedFilter(), named: Int) async throws -> UnroutedSurvey {
        var survey = UnroutedSurvey(total: try await count(), filter: filter, named: named)
        do {
            try await walk(atMost: survey.total) { deliveries in
                for delivery in deliveries { survey.add(UnroutedEvent(delivery)) }
                return Step()
            }
        } catch let error as BrokerError {
            throw ToolError.failed("\(error) Nothing was done.")
        }
        survey.sortTopics()
        return survey
    }

    /// Goes through the queue, the oldest first, and acknowledges what the body says. Everything else is held until the
    /// end, since what is given back comes again at once, and returns to its place in the queue then.
    ///
    /// - Parameter total: At most so many messages, and never more than ``mostLookedAt``: how many there were at the
    ///   beginning, so that what comes back meanwhile is not waited for.
    func walk(atMost total: Int, _ body: ([Delivery]) async throws -> Step) async throws {
        let bound = min(total, Self.mostLookedAt)
        guard bound > 0 else { return }
        let consumer = Consumer(broker, queue: Topology.unrouted, prefetch: bound)
        var (taken, removed) = (0, 0)
        var held: Delivery?
        let outcome: Result<Void, any Error>
        do {
            while taken < bound {
                let deliveries = try await consumer.next(
                    atMost: min(Self.batchSize, bound - taken), within: Self.patience)
                guard !deliveries.isEmpty else { break }
                taken += deliveries.count
                let step = try await body(deliveries)
                faults.reached(.afterCommitBeforeAcknowledgement)
                try await consumer.ack(step.done)
                held = deliveries.last { !step.done.contains($0.tag) } ?? held
                removed += step.done.count
                if let problem = step.problem { throw problem }
            }
            outcome = .success(())
        } catch { outcome = .failure(error) }
        if removed > 0, let held { await waitUntilSettled(held, consumer) }
        await consumer.close()
        await waitUntilReady(total - removed)
        try outcome.get()
    }

    /// Waits for a message that was given back to come again. A channel keeps acknowledgements to a quorum queue back
    /// while there are many, and a closed one forgets them; they leave it before what is given back after them. One
    /// alone is, the newest: many would return in any order, those of a closed connection return in theirs.
    private func waitUntilSettled(_ newest: Delivery, _ consumer: Consumer) async {
        let deadline = ContinuousClock.now + .seconds(2)
        guard (try? await consumer.giveBack([newest.tag])) != nil else { return }
        while ContinuousClock.now < deadline,
            let deliveries = try? await consumer.next(atMost: Self.batchSize, within: .milliseconds(200))
        {
            let key = UnroutedEvent(newest).key
            if deliveries.contains(where: { $0.redelivered && UnroutedEvent($0).key == key }) { return }
        }
    }

    /// The broker gives back what a closed connection held a moment later: without this the next command might count
    /// too few.
    private func waitUntilReady(_ count: Int) async {
        let deadline = ContinuousClock.now + .seconds(2)
        let session = TopologySession(broker)
        while ContinuousClock.now < deadline {
            guard let ready = try? await session.checkQueue(Topology.unrouted).messages, ready < count else { break }
            try? await Task.sleep(for: .milliseconds(20))
        }
        await session.close()
    }
}
