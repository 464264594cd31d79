import Concurrency
import Contracts
import Foundation
import Logging
import RabbitMQ

/// Takes what is ready on one queue and applies it in one transaction (messaging.md, "Life of a message", 2).
public struct BatchRunner: Sendable {
    /// At most so many messages in one transaction.
    public static let batchSize = 100
    /// At most so many messages taken and not yet acknowledged.
    public static let prefetch = 300

    private let parts: RunnerParts
    private let queue: String
    private let routes: [String: BatchRoute]
    private let size: Int

    /// A runner for one queue.
    ///
    /// - Parameters:
    ///   - routes: The payloads that may arrive in it.
    ///   - batchSize: At most so many messages in one transaction.
    public init(queue: String, routes: [BatchRoute], parts: RunnerParts, batchSize: Int = Self.batchSize) {
        self.queue = queue
        self.routes = Dictionary(uniqueKeysWithValues: routes.map { ($0.type, $0) })
        self.parts = parts
        size = batchSize
    }

    private struct Decoded: Sendable {
        let message: IncomingMessage
        let event: any Sendable
    }

    /// Messages taken together: those that can be applied, and those that never can.
    private struct Batch: Sendable {
        var decoded: [Decoded] = []
        var unusable: [(delivery: Delivery, reason: FailureReason)] = []

        var isEmpty: Bool { decoded.isEmpty && unusable.isEmpty }
    }

    /// Consumes until the service stops; connection losses are survived.
    ///
    /// While one batch is being committed the next one is taken and decoded: the database's time is the larger part.
    /// Batches are applied one after the other.
    public func run() async {
        let consumer = Consumer(parts.broker, queue: queue, prefetch: min(Self.prefetch, size * 3))
        let backoff = Backoff(first: .milliseconds(200), ceiling: .seconds(10))
        var failures = 0
        var batch = Batch()
        while !parts.stop.isStopping || !batch.isEmpty {
            async let upcoming = take(consumer)
            var problem: (any Error)?
            do {
                try await handle(batch, consumer)
            } catch {
                problem = error
            }
            // What was taken is handled whatever happened to the batch before: its tags may be of a newer connection.
            switch await upcoming {
            case .success(let taken): batch = taken
            case .failure(let error): (batch, problem) = (Batch(), error)
            }
            guard let problem else {
                failures = 0
                continue
            }
            failures += 1
            parts.logger.warning("consuming interrupted", metadata: ["queue": "\(queue)", "problem": "\(problem)"])
            await parts.stop.sleep(for: backoff.delay(afterFailures: failures))
        }
        await consumer.close()
    }

    /// The next messages, with their payloads read; none if the service stops or nothing came within a second.
    private func take(_ consumer: Consumer) async -> Result<Batch, BrokerError> {
        if parts.stop.isStopping { return .success(Batch()) }
        do throws(BrokerError) {
            var batch = Batch()
            for delivery in try await consumer.next(atMost: size, within: .seconds(1), linger: .milliseconds(2)) {
                do throws(FailureReason) {
                    batch.decoded.append(try decode(delivery))
                } catch {
                    batch.unusable.append((delivery, error))
                }
            }
            return .success(batch)
        } catch {
            return .failure(error)
        }
    }

    private func handle(_ batch: Batch, _ consumer: Consumer) async throws {
        for (delivery, reason) in batch.unusable {
            try await settle(delivery, parts.policy.settlement(unusable: delivery, reason), consumer)
        }
        if !batch.decoded.isEmpty { try await applyAll(batch.decoded, consumer) }
    }

    private func decode(_ delivery: Delivery) throws(FailureReason) -> Decoded {
        let message = try IncomingMessage(delivery, queue: queue)
        guard let route = routes[message.type] else {
            throw FailureReason(
                .permanent, code: "route.unknown",
                message: "Message \(message.id) of type '\(message.type.prefix(80))' has no handler on queue \(queue).")
        }
        return Decoded(message: message, event: try route.decode(message))
    }

    private func applyAll(_ batch: [Decoded], _ consumer: Consumer) async throws {
        let backoff = Backoff(first: .milliseconds(100), ceiling: .seconds(5))
        var failures = 0
        while true {
            do {
                try await apply(batch)
                parts.faults.reached(.afterCommitBeforeAcknowledgement)
                try await consumer.ack(batch.map(\.message.delivery.tag))
                MessagingMetrics.processed(queue: queue, count: batch.count)
                return
            } catch let error as BrokerError {
                throw error
            } catch  where Task.isCancelled {
                // The process ends for another reason: nothing is wrong with these messages.
                return try await consumer.giveBack(batch.map(\.message.delivery.tag))
            } catch  where databaseIsAway(error) {
                // Nobody's fault: everything in hand waits here, and counts no attempt.
                failures += 1
                parts.logger.warning("database away, waiting", metadata: ["queue": "\(queue)", "problem": "\(error)"])
                if parts.stop.isStopping { return try await consumer.giveBack(batch.map(\.message.delivery.tag)) }
                await parts.stop.sleep(for: backoff.delay(afterFailures: failures))
            } catch {
                guard batch.count == 1, let only = batch.first else {
                    for one in batch { try await applyAll([one], consumer) }
                    return
                }
                let reason = FailureReason.classify(error)
                let outcome: Outcome = reason.failureClass == .transient ? .retry(reason) : .park(reason)
                let settlement = parts.policy.settlement(
                    of: outcome, attempt: only.message.attempt, isReplay: only.message.replayID != nil)
                return try await settle(only.message.delivery, settlement, consumer)
            }
        }
    }

    private func apply(_ batch: [Decoded]) async throws {
        let (queue, routes) = (self.queue, self.routes)
        try await parts.database.unitOfWork { work in
            let new = try Inbox.claim(Array(Set(batch.map(\.message.id))), consumer: queue, in: work.transaction)
            var seen = Set<UUID>()
            // The same message may be in the batch twice; one of them is applied.
            let fresh = batch.filter { new.contains($0.message.id) && seen.insert($0.message.id).inserted }
            let byType = Dictionary(grouping: fresh, by: \.message.type)
            for type in byType.keys.sorted() {
                // In key order, so that two replicas with overlapping batches cannot deadlock.
                let events = (byType[type] ?? []).sorted { $0.message.subject < $1.message.subject }
                try routes[type]?.apply(events.map(\.event), work)
            }
            for one in batch {
                let outcome: MessageSettled.Outcome = new.contains(one.message.id) ? .processed : .alreadyProcessed
                try one.message.replay?.settle(outcome, in: work)
            }
        }
    }

    private func settle(_ delivery: Delivery, _ settlement: Settlement, _ consumer: Consumer) async throws {
        MessagingMetrics.settled(queue: queue, settlement)
        if await parts.settler.carryOut(settlement, of: delivery, queue: queue) {
            try await consumer.ack([delivery.tag])
        } else {
            try await consumer.giveBack([delivery.tag])
        }
    }
}
