import Concurrency
import Contracts
import Foundation
import Logging
import PostgreSQL
import RabbitMQ
import Synchronization

/// Takes messages of one queue and does their work outside, a bounded number at once.
public struct WorkRunner: Sendable {
    private let parts: RunnerParts
    private let queue: String
    private let concurrency: Int
    private let routes: [String: WorkRoute]
    private let isShared: Bool
    private let probe: @Sendable (Dependency) async -> Bool
    private let paused = SharedFlag()
    private let outages = OutageCount()

    /// A runner for one queue.
    ///
    /// - Parameters:
    ///   - concurrency: How many messages are worked on at once; also the prefetch.
    ///   - isShared: Whether its messages need different dependencies: then one that is out does not pause the queue,
    ///     and its messages alone wait in the shortest tier.
    ///   - probe: Asks a dependency that was out whether it answers again.
    public init(
        queue: String, concurrency: Int, routes: [WorkRoute], parts: RunnerParts, isShared: Bool = false,
        probe: @escaping @Sendable (Dependency) async -> Bool = { _ in true }
    ) {
        self.queue = queue
        self.concurrency = concurrency
        self.routes = Dictionary(uniqueKeysWithValues: routes.map { ($0.type, $0) })
        self.parts = parts
        self.isShared = isShared
        self.probe = probe
    }

    /// Consumes until the service stops; work in hand is finished first.
    public func run() async {
        let backoff = Backoff(first: .milliseconds(200), ceiling: .seconds(10))
        var failures = 0
        while !parts.stop.isStopping {
            do {
                try await consumeUntilPausedOrStopped()
                failures = 0
            } catch {
                failures += 1
                parts.logger.warning(
                    "consuming interrupted", metadata: ["queue": "\(queue)", "problem": "\(error)"])
                await parts.stop.sleep(for: backoff.delay(afterFailures: failures))
            }
            if let dependency = paused.take() { await waitFor(dependency) }
        }
    }

    private func consumeUntilPausedOrStopped() async throws {
        let consumer = Consumer(parts.broker, queue: queue, prefetch: concurrency)
        let slots = Slots(concurrency)
        let result: Result<Void, any Error> = await withDiscardingTaskGroup { group in
            while !parts.stop.isStopping && !paused.isSet {
                await slots.take()
                // The one whose slot this was may have found the dependency out.
                guard !parts.stop.isStopping && !paused.isSet else {
                    slots.give()
                    break
                }
                do {
                    // A short look while others work, so that their acknowledgements are not held up.
                    let within: Duration = slots.inUse > 1 ? .milliseconds(20) : .milliseconds(500)
                    let deliveries = try await consumer.next(atMost: 1, within: within, linger: .zero)
                    guard let delivery = deliveries.first else {
                        slots.give()
                        continue
                    }
                    group.addTask {
                        await handle(delivery, consumer)
                        slots.give()
                    }
                } catch {
                    slots.give()
                    return .failure(error)
                }
            }
            return .success(())
        }
        await consumer.close()
        try result.get()
    }

    /// Pauses the queue until the dependency answers; nothing is consumed meanwhile.
    private func waitFor(_ dependency: Dependency) async {
        parts.logger.warning(
            "queue paused, dependency is out", metadata: ["queue": "\(queue)", "dependency": "\(dependency.name)"])
        let backoff = Backoff(first: parts.policy.outage.firstProbe, ceiling: parts.policy.outage.longestProbe)
        var failures = 0
        while !parts.stop.isStopping {
            failures += 1
            await parts.stop.sleep(for: backoff.delay(afterFailures: failures))
            if parts.stop.isStopping { return }
            if await probe(dependency) { break }
        }
        outages.reset(dependency)
        parts.logger.notice(
            "queue resumed", metadata: ["queue": "\(queue)", "dependency": "\(dependency.name)"])
    }

    private func handle(_ delivery: Delivery, _ consumer: Consumer) async {
        let settlement: Settlement
        do throws(FailureReason) {
            let message = try IncomingMessage(delivery, queue: queue)
            let outcome = await perform(message)
            if Task.isCancelled, outcome != .done, outcome != .superseded {
                // The process ends for another reason: nothing is wrong with this message.
                try? await consumer.giveBack([delivery.tag])
                return
            }
            settlement = await self.settlement(of: outcome, message)
        } catch {
            settlement = parts.policy.settlement(unusable: delivery, error)
        }
        if !isShared, case .pause(let dependency, _) = settlement { paused.set(dependency) }
        MessagingMetrics.settled(queue: queue, settlement)
        do {
            if await parts.settler.carryOut(settlement, of: delivery, queue: queue) {
                parts.faults.reached(.afterCommitBeforeAcknowledgement)
                try await consumer.ack([delivery.tag])
            } else {
                try await consumer.giveBack([delivery.tag])
            }
        } catch {
            // The session is gone: the broker delivers again, and the inbox recognises it.
            parts.logger.notice("not acknowledged", metadata: ["queue": "\(queue)", "problem": "\(error)"])
        }
    }

    /// What becomes of a message. Before one dies of a failure that speaks for an outage, the dependency is asked: if
    /// it is out, the message is not to blame and waits; if it answers, the message is.
    private func settlement(of outcome: Outcome, _ message: IncomingMessage) async -> Settlement {
        let (policy, isReplay) = (parts.policy, message.replayID != nil)
        let failures = outages.note(outcome)
        let usual = policy.settlement(
            of: outcome, attempt: message.attempt, isReplay: isReplay, failuresInARow: failures)
        guard case .outage(let dependency, _) = policy.classified(outcome) else { return usual }
        switch usual {
        case .deadLetter:
            return await probe(dependency) ? usual : .pause(dependency, policy.tiers[0])
        case .pause where isShared:
            guard await probe(dependency) else { return usual }
            outages.reset(dependency)
            return policy.settlement(of: outcome, attempt: message.attempt, isReplay: isReplay)
        default:
            return usual
        }
    }

    private func perform(_ message: IncomingMessage) async -> Outcome {
        guard let route = routes[message.type] else {
            return .park(
                FailureReason(
                    .permanent, code: "route.unknown",
                    message: "Message \(message.id) of type '\(message.type.prefix(80))' has no handler on \(queue)."))
        }
        let event: any Sendable
        do throws(FailureReason) { event = try route.decode(message) } catch { return .park(error) }
        let claim = InboxClaim(messageID: message.id, owner: UUID().uuidString)
        let queue = self.queue
        do {
            let state = try await parts.database.pool.transaction { transaction in
                try Inbox.claimWork(claim, consumer: queue, leaseSeconds: route.leaseSeconds, in: transaction)
            }
            switch state {
            case .alreadyDone: return try await settle(.alreadyProcessed, message)
            case .leased(let milliseconds): return .later(milliseconds: milliseconds)
            case .claimed: break
            }
            let context = WorkContext(
                database: parts.database, consumer: queue, claim: claim, replay: message.replay)
            let outcome = await route.perform(event, context)
            let wasAway = try await record(outcome, of: message, under: claim)
            // What failed while the database was away is nobody's failure, and counts no attempt.
            if wasAway, case .retry = outcome { return .later(milliseconds: 1_000) }
            return outcome
        } catch PostgresError.commitOutcomeUnknown {
            // Of the claim, for the other one is repeated until it is known: a lease that may have been taken all the
            // same is given back.
            _ = try? await record(.later(milliseconds: 1_000), of: message, under: claim)
            return .later(milliseconds: 1_000)
        } catch {
            return databaseIsAway(error) ? .later(milliseconds: 1_000) : .retry(FailureReason.classify(error))
        }
    }
}

extension WorkRunner {
    /// Marks the message done, or gives its lease back. While the database is away it waits: a lease that is not given
    /// back would hold the message up for as long as the work may take at most.
    ///
    /// - Returns: Whether the database was away.
    private func record(
        _ outcome: Outcome, of message: IncomingMessage, under claim: InboxClaim
    ) async throws -> Bool {
        let queue = self.queue
        let backoff = Backoff(first: .milliseconds(100), ceiling: .seconds(5))
        var failures = 0
        while true {
            do {
                try await parts.database.unitOfWork { work in
                    switch outcome {
                    case .done, .superseded:
                        guard try claim.markDone(consumer: queue, in: work.transaction) else { break }
                        try message.replay?.settle(outcome == .done ? .processed : .superseded, in: work)
                    default: try claim.release(consumer: queue, in: work.transaction)
                    }
                }
                return failures > 0
            } catch  where databaseIsAway(error) && !parts.stop.isStopping {
                failures += 1
                await parts.stop.sleep(for: backoff.delay(afterFailures: failures))
            }
        }
    }

    /// Says what became of a replayed message that there was nothing to do for.
    private func settle(_ outcome: MessageSettled.Outcome, _ message: IncomingMessage) async throws -> Outcome {
        if let replay = message.replay {
            try await parts.database.unitOfWork { work in try replay.settle(outcome, in: work) }
        }
        return .done
    }
}

/// Set by whoever notices that a dependency is out, taken by the loop that pauses.
private final class SharedFlag: Sendable {
    private let dependency = Mutex<Dependency?>(nil)

    var isSet: Bool { dependency.withLock { $0 != nil } }

    func set(_ value: Dependency) { dependency.withLock { $0 = value } }

    func take() -> Dependency? {
        dependency.withLock { held in
            defer { held = nil }
            return held
        }
    }
}
