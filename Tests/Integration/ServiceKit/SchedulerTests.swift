import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import Synchronization
import TestStack
import Testing

@testable import ServiceKit

@Suite("Schedules, on the real database", .timeLimit(.minutes(20)))
struct SchedulerTests {
    private static let services = ServiceCatalogue.services(shops: [], tiers: []).filter { $0.name == .stockIngestor }
    private static let hanoi = "Asia/Ho_Chi_Minh"

    /// A clock that stands where a test puts it.
    private final class Hands: Sendable {
        private let time: Mutex<Date>

        init(_ text: String) throws { time = Mutex(try Self.date(text)) }

        static func date(_ text: String) throws -> Date { try Date.ISO8601FormatStyle().parse(text) }

        func move(to text: String) throws {
            let date = try Self.date(text)
            time.withLock { $0 = date }
        }

        var clock: WallClock { WallClock { self.time.withLock { $0 } } }
    }

    private func job(_ cron: String = "0 6 * * *", name: String = "ingest erp") throws -> ScheduledJob {
        ScheduledJob(
            name: name,
            schedule: Schedule(
                cron: try CronExpression(cron), timeZone: try #require(TimeZone(identifier: Self.hanoi))),
            verb: .run, arguments: ["source": .string("erp")])
    }

    /// Runs replicas until the condition holds, then stops them.
    private func run(
        _ count: Int, of jobs: [ScheduledJob], _ hands: Hands, _ system: ScratchSystem,
        _ body: () async throws -> Void
    ) async throws {
        let stop = StopSignal()
        let pools = (0..<count).map { _ in PostgresPool(system.database(.stockIngestor), maximumConnections: 2) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let clock = hands.clock
        let loops: [@Sendable () async -> Void] = pools.map { pool in
            let scheduler = Scheduler(
                service: .stockIngestor, jobs: jobs,
                database: ServiceDatabase(pool: pool, service: .stockIngestor, now: { clock.now() }), clock: clock,
                stop: stop, logger: logger)
            return { await scheduler.run() }
        }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await running(loops, until: stop, body)) } catch { outcome = .failure(error) }
        for pool in pools { await pool.close() }
        try outcome.get()
    }

    private func fired(_ system: ScratchSystem) async throws -> Int {
        try await system.number("SELECT count(*) FROM stock.outbox")
    }

    private func next(_ text: String, _ system: ScratchSystem) async throws -> Bool {
        try await system.number(
            "SELECT count(*) FROM shared.schedules WHERE next_due = $1", [.timestamp(try Hands.date(text))]) == 1
    }

    @Test("a due schedule fires once although three replicas look at once")
    func once() async throws {
        try await ScratchSystem.with(Self.services) { system in
            let hands = try Hands("2026-11-20T22:58:00Z")
            let jobs = try [job()]
            try await run(3, of: jobs, hands, system) { () async throws in
                #expect(try await eventually { try await self.next("2026-11-20T23:00:00Z", system) })
                #expect(try await fired(system) == 0)
                try hands.move(to: "2026-11-20T23:00:00Z")
                #expect(try await eventually { try await self.next("2026-11-21T23:00:00Z", system) })
                // Long enough for each replica to look twice more.
                try await Task.sleep(for: .milliseconds(2_500))
            }
            #expect(try await fired(system) == 1)
            let described = try await system.number(
                """
                SELECT count(*) FROM stock.outbox WHERE exchange = 'stockbridge.events'
                AND routing_key = 'command.stock-ingestor.run' AND body LIKE '%2026-11-20T23:00:00Z%'
                AND body LIKE '%schedule ingest erp%'
                """)
            #expect(described == 1)
        }
    }

    @Test("what was missed while nobody ran becomes one command, for the latest due time")
    func missed() async throws {
        try await ScratchSystem.with(Self.services) { system in
            let hands = try Hands("2026-11-20T12:00:00Z")
            let jobs = try [job()]
            try await run(1, of: jobs, hands, system) { () async throws in
                #expect(try await eventually { try await self.next("2026-11-20T23:00:00Z", system) })
            }
            try hands.move(to: "2026-11-24T05:00:00Z")
            try await run(2, of: jobs, hands, system) { () async throws in
                #expect(try await eventually { try await self.next("2026-11-24T23:00:00Z", system) })
                try await Task.sleep(for: .milliseconds(1_500))
            }
            #expect(try await fired(system) == 1)
            #expect(
                try await system.number(
                    "SELECT count(*) FROM stock.outbox WHERE body LIKE '%2026-11-23T23:00:00Z%'") == 1)
        }
    }

    @Test("a restart in the minute in which it was due does not skip it")
    func restart() async throws {
        try await ScratchSystem.with(Self.services) { system in
            let hands = try Hands("2026-11-20T22:59:00Z")
            let jobs = try [job()]
            try await run(1, of: jobs, hands, system) { () async throws in
                #expect(try await eventually { try await self.next("2026-11-20T23:00:00Z", system) })
            }
            try hands.move(to: "2026-11-20T23:00:30Z")
            try await run(1, of: jobs, hands, system) { () async throws in
                #expect(try await eventually { try await self.fired(system) == 1 })
            }
            #expect(try await next("2026-11-21T23:00:00Z", system))
        }
    }

    @Test("a changed expression takes the new time, and a schedule that is gone is forgotten")
    func changed() async throws {
        try await ScratchSystem.with(Self.services) { system in
            let hands = try Hands("2026-11-20T12:00:00Z")
            let old = try [job(), job(name: "old")]
            try await run(1, of: old, hands, system) { () async throws in
                #expect(
                    try await eventually { try await system.number("SELECT count(*) FROM shared.schedules") == 2 })
            }
            let new = try [job("30 7 * * *")]
            try await run(1, of: new, hands, system) { () async throws in
                #expect(try await eventually { try await self.next("2026-11-21T00:30:00Z", system) })
            }
            #expect(try await system.number("SELECT count(*) FROM shared.schedules") == 1)
            #expect(try await fired(system) == 0)
        }
    }
}
