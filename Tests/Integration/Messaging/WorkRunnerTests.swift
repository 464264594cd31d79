import Contracts
import Foundation
import PostgreSQL
import RabbitMQ
import Synchronization
import TestStack
import Testing

@testable import Messaging

@Suite("Work outside, on the real broker and database", .timeLimit(.minutes(20)))
struct WorkRunnerTests {
    private func runner(
        _ bench: Bench, _ worker: Worker, concurrency: Int = 3,
        probe: @escaping @Sendable (Dependency) async -> Bool = { _ in true }
    ) -> @Sendable () async -> Void {
        let runner = WorkRunner(
            queue: Bench.workQueue, concurrency: concurrency, routes: [WorkRoute(worker)], parts: bench.parts,
            probe: probe)
        return { await runner.run() }
    }

    @Test("what is done is not done again")
    func done() async throws {
        try await Bench.with { bench in
            let worker = Worker { _, _ in .done }
            let message = try bench.message(bench.event(1), to: Bench.workQueue)
            try await bench.publish([message])
            try await bench.running([runner(bench, worker)]) { () async throws in
                #expect(try await eventually { worker.calls.count == 1 })
                #expect(try await bench.drained(Bench.workQueue))
                try await bench.publish([message, message, try bench.message(bench.event(2), to: Bench.workQueue)])
                #expect(try await eventually { worker.calls.contains { $0.number == 2 } })
                #expect(try await bench.drained(Bench.workQueue))
            }
            #expect(worker.calls.filter { $0.number == 1 }.count == 1)
        }
    }

    @Test("the result and that the work is done are recorded in one transaction")
    func recorded() async throws {
        try await Bench.with { bench in
            let worker = Worker { event, context in
                let (id, number) = (event.id, event.payload.number)
                do {
                    try await context.complete { work in
                        try work.transaction.execute(
                            "INSERT INTO effects (id, event, number, attempt) VALUES ($1, $1, $2, 1)",
                            [.uuid(id), .int(number)])
                    }
                    return .done
                } catch {
                    return .park(FailureReason(.defect, code: "test", message: "\(error)"))
                }
            }
            try await bench.publish([try bench.message(bench.event(1), to: Bench.workQueue)])
            try await bench.running([runner(bench, worker)]) { () async throws in
                #expect(try await eventually { try await bench.effects() == 1 })
                #expect(try await bench.drained(Bench.workQueue))
            }
            #expect(
                try await bench.system.number(
                    "SELECT count(*) FROM stock.inbox WHERE done AND lease_until IS NULL") == 1)
        }
    }

    @Test("a second delivery waits while a lease runs, and takes the work over when it has run out")
    func lease() async throws {
        try await Bench.with { bench in
            let event = bench.event(1)
            let worker = Worker { _, _ in .done }
            try await bench.system.administrate(
                """
                INSERT INTO stock.inbox (consumer, message_id, done, lease_until, owner)
                VALUES ('\(Bench.workQueue)', '\(event.id)', false, clock_timestamp() + interval '2 seconds', 'dead')
                """)
            let leased = ContinuousClock.now
            try await bench.publish([try bench.message(event, to: Bench.workQueue)])
            try await bench.running([runner(bench, worker)]) { () async throws in
                #expect(try await eventually { worker.calls.count == 1 })
                #expect(try await bench.drained(Bench.workQueue))
            }
            let call = try #require(worker.calls.first)
            #expect(call.at - leased > .milliseconds(1_900))
            #expect(call.attempt == 1, "waiting for somebody else's lease is nobody's failure")
        }
    }

    @Test("what fails for now is tried again, and what failed for good lies in the dead letters")
    func retryAndPark() async throws {
        try await Bench.with { bench in
            let worker = Worker { event, _ in
                let reason = FailureReason(.transient, code: "test.later", message: "Later.")
                if event.payload.manner == .bad {
                    return .park(FailureReason(.permanent, code: "test.never", message: "Never."))
                }
                return event.payload.number == 9 || event.attempt < 3 ? .retry(reason) : .done
            }
            try await bench.publish([
                try bench.message(bench.event(1), to: Bench.workQueue),
                try bench.message(bench.event(2, .bad), to: Bench.workQueue),
                try bench.message(bench.event(9), to: Bench.workQueue),
            ])
            try await bench.running([runner(bench, worker)]) { () async throws in
                let dead = try await bench.system.take(2, from: Bench.deadQueue)
                #expect(Set(dead.compactMap { $0.header(HeaderName.errorCode) }) == ["test.never", "test.later"])
                let used = dead.first { $0.header(HeaderName.errorCode) == "test.later" }
                #expect(used?.properties.headers[HeaderName.attempt] == .integer(5))
                #expect(try await eventually { worker.calls.filter { $0.number == 1 }.count == 3 })
            }
            #expect(worker.calls.filter { $0.number == 1 }.map(\.attempt) == [1, 2, 3])
            #expect(worker.calls.filter { $0.number == 2 }.map(\.attempt) == [1])
            #expect(worker.calls.filter { $0.number == 9 }.map(\.attempt) == [1, 2, 3, 4, 5])
        }
    }

    @Test("a dependency that is out pauses the queue until a probe succeeds, and counts no attempt")
    func deferred() async throws {
        try await Bench.with { bench in
            let isOut = Mutex(true)
            let probes = Mutex(0)
            let worker = Worker { _, _ in isOut.withLock { $0 } ? .defer(Dependency("shop hanoi")) : .done }
            let run = runner(bench, worker, concurrency: 1) { dependency in
                #expect(dependency.name == "shop hanoi")
                probes.withLock { $0 += 1 }
                return !isOut.withLock { $0 }
            }
            try await bench.publish(try (0..<5).map { try bench.message(bench.event($0), to: Bench.workQueue) })
            try await bench.running([run]) { () async throws in
                #expect(try await eventually { probes.withLock { $0 } >= 2 })
                #expect(worker.calls.count == 1, "nothing is consumed while the queue is paused")
                #expect(try await eventually { try await bench.system.ready(Bench.workQueue) == 5 })
                isOut.withLock { $0 = false }
                #expect(try await eventually { Set(worker.calls.map(\.number)).count == 5 })
                #expect(try await bench.drained(Bench.workQueue))
            }
            #expect(worker.calls.allSatisfy { $0.attempt == 1 })
            #expect(try await bench.system.ready(Bench.deadQueue) == 0)
        }
    }

    private static let noAnswer = FailureReason(.transient, code: "shop.unreachable", message: "No answer.")

    @Test("failures that speak for an outage are tried again, and pause the queue when there were several in a row")
    func severalInARow() async throws {
        try await Bench.with { bench in
            let isOut = Mutex(true)
            let worker = Worker { _, _ in
                isOut.withLock { $0 } ? .outage(Dependency("shop hanoi"), Self.noAnswer) : .done
            }
            let run = runner(bench, worker, concurrency: 1) { _ in !isOut.withLock { $0 } }
            try await bench.publish(try (0..<12).map { try bench.message(bench.event($0), to: Bench.workQueue) })
            try await bench.running([run]) { () async throws in
                #expect(try await eventually { worker.calls.count == 3 })
                #expect(try await eventually { try await bench.system.ready(Bench.workQueue) == 12 }, "all are back")
                try await Task.sleep(for: .seconds(2))
                #expect(worker.calls.count == 3, "nothing is consumed while the queue is paused")
                isOut.withLock { $0 = false }
                #expect(try await eventually { Set(worker.calls.map(\.number)).count == 12 })
                #expect(try await bench.drained(Bench.workQueue))
            }
            #expect(worker.calls.allSatisfy { $0.attempt <= 2 }, "the third in a row counts no attempt")
            #expect(try await bench.system.ready(Bench.deadQueue) == 0)
        }
    }

    @Test("a message whose attempts are used up dies only if the dependency answers")
    func lastAttempt() async throws {
        try await Bench.with { bench in
            let isOut = Mutex(true)
            let worker = Worker { event, _ in
                event.payload.number == 1 ? .outage(Dependency("shop hanoi"), Self.noAnswer) : .done
            }
            var last = try bench.message(bench.event(1), to: Bench.workQueue)
            last.properties.headers[HeaderName.attempt] = .integer(5)
            try await bench.publish([last])
            let run = runner(bench, worker) { _ in !isOut.withLock { $0 } }
            try await bench.running([run]) { () async throws in
                #expect(try await eventually { worker.calls.count == 1 })
                #expect(try await eventually { try await bench.system.ready(Bench.workQueue) == 1 })
                #expect(try await bench.system.ready(Bench.deadQueue) == 0, "the shop is out: the message waits")
                isOut.withLock { $0 = false }
                let dead = try #require(try await bench.system.take(1, from: Bench.deadQueue).first)
                #expect(dead.header(HeaderName.errorCode) == "shop.unreachable")
                #expect(worker.calls.map(\.attempt) == [5, 5])
            }
        }
    }

    @Test("in a queue of several dependencies one that is out holds up its own messages alone")
    func shared() async throws {
        try await Bench.with { bench in
            let isOut = Mutex(true)
            let worker = Worker { event, _ in
                event.payload.number < 6 && isOut.withLock { $0 }
                    ? .outage(Dependency("shop hanoi"), Self.noAnswer) : .done
            }
            let runner = WorkRunner(
                queue: Bench.workQueue, concurrency: 2, routes: [WorkRoute(worker)], parts: bench.parts,
                isShared: true, probe: { _ in !isOut.withLock { $0 } })
            try await bench.publish(try (0..<6).map { try bench.message(bench.event($0), to: Bench.workQueue) })
            try await bench.running([{ await runner.run() }]) { () async throws in
                #expect(try await eventually { worker.calls.count > 40 })
                try await bench.publish([try bench.message(bench.event(7), to: Bench.workQueue)])
                #expect(try await eventually { worker.calls.contains { $0.number == 7 } })
                #expect(try await bench.system.ready(Bench.deadQueue) == 0)
                isOut.withLock { $0 = false }
                #expect(try await bench.drained(Bench.workQueue))
            }
            #expect(worker.calls.allSatisfy { $0.attempt <= 5 })
        }
    }

    @Test("no more than so many are worked on at once")
    func bounded() async throws {
        try await Bench.with { bench in
            let worker = Worker { _, _ in
                try? await Task.sleep(for: .milliseconds(60))
                return .done
            }
            try await bench.publish(try (0..<30).map { try bench.message(bench.event($0), to: Bench.workQueue) })
            try await bench.running([runner(bench, worker)]) { () async throws in
                #expect(try await eventually { worker.calls.count == 30 })
            }
            #expect(worker.mostAtOnce == 3)
        }
    }

    @Test("a message that died in its queue survives the tier, and dies there by its time to live again and again")
    func secondDeath() async throws {
        try await Bench.with { bench in
            let settler = bench.parts.settler
            try await bench.publish([try bench.message(bench.event(1), to: Bench.workQueue)])
            try await exhaustDeliveries(bench)
            var delivery = try #require(try await bench.system.take(1, from: Bench.deadQueue).first)
            for round in 1...3 {
                #expect(delivery.properties.headers["x-death"] != nil, "the broker left its mark")
                let settled = await settler.carryOut(
                    .delay(Bench.tier, attempt: round + 1), of: delivery, queue: Bench.workQueue)
                #expect(settled)
                delivery = try #require(
                    try await bench.system.take(1, from: Bench.workQueue, within: .seconds(20)).first,
                    "the message is gone after \(round - 1) rounds")
            }
        }
    }

    /// Takes the only message of the work queue and gives it back until the broker moves it to the dead letters, as a
    /// crash loop would.
    private func exhaustDeliveries(_ bench: Bench) async throws {
        let consumer = Consumer(bench.system.brokerAdministrator, queue: Bench.workQueue, prefetch: 1)
        let moved = try await eventually(every: .milliseconds(1)) {
            let deliveries = try await consumer.next(atMost: 1, within: .milliseconds(200))
            try await consumer.giveBack(deliveries.map(\.tag))
            guard deliveries.isEmpty else { return false }
            return try await bench.system.ready(Bench.deadQueue) == 1
        }
        await consumer.close()
        try #require(moved, "the delivery limit did not move the message")
    }
}
