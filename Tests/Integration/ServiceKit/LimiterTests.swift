import Contracts
import Foundation
import Messaging
import PostgreSQL
import Synchronization
import TestStack
import Testing

@testable import ServiceKit

@Suite("Pace and circuit breaker of an account, shared through the real database", .timeLimit(.minutes(20)))
struct LimiterTests {
    private static let services = ServiceCatalogue.services(shops: [], tiers: []).filter { $0.name == .stockPublisher }

    /// So many pools as there are replicas, each with connections of its own.
    private func withReplicas(_ count: Int, _ body: (ScratchSystem, [PostgresPool]) async throws -> Void) async throws {
        try await ScratchSystem.with(Self.services) { system in
            let pools = (0..<count).map { _ in
                PostgresPool(system.database(.stockPublisher), maximumConnections: 2)
            }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(system, pools)) } catch { outcome = .failure(error) }
            for pool in pools { await pool.close() }
            try outcome.get()
        }
    }

    /// The most that a strict token bucket with these settings would have been short of, in calls; 0 or less is fine.
    private func overdraft(_ times: [Double], perSecond: Double, burst: Double) -> Double {
        var (tokens, last, worst) = (burst, times.min() ?? 0, 0.0)
        for time in times.sorted() {
            tokens = min(burst, tokens + (time - last) * perSecond) - 1
            last = time
            worst = max(worst, -tokens)
        }
        return worst
    }

    private func turns(
        of pools: [PostgresPool], each count: Int, _ reserve: @escaping @Sendable (PostgresPool) async throws -> Double
    ) async throws -> [Double] {
        let start = ContinuousClock.now
        return try await withThrowingTaskGroup(of: [Double].self) { group in
            for pool in pools {
                group.addTask {
                    var times: [Double] = []
                    for _ in 0..<count {
                        // The answer counts from a moment that the database chose between question and answer, so the
                        // earliest moment at which the caller could make the call is this one.
                        let seconds = try await reserve(pool)
                        try await Task.sleep(for: .seconds(seconds))
                        times.append((ContinuousClock.now - start) / .seconds(1))
                    }
                    return times
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    @Test("three replicas that take turns at once never exceed rate and burst over any time")
    func rate() async throws {
        try await withReplicas(3) { _, pools in
            let times = try await turns(of: pools, each: 40) { pool in
                try await AccountLimiter(pool: pool, account: "shop hanoi", perSecond: 50, burst: 5).wait(calls: 1)
            }
            #expect(times.count == 120)
            // A caller that is woken late makes the gap to the next one smaller; the shop sees calls, not slots.
            let allowance = 5.0 + 3
            #expect(overdraft(times, perSecond: 50, burst: allowance) <= 0.001)
            let elapsed = (times.max() ?? 0) - (times.min() ?? 0)
            #expect(elapsed >= Double(120 - 5) / 50 - 0.1, "\(elapsed)")
        }
    }

    @Test("the slots themselves keep strictly to the token bucket, by the database's own clock")
    func slots() async throws {
        try await withReplicas(3) { _, pools in
            let times = try await withThrowingTaskGroup(of: [Double].self) { group in
                for pool in pools {
                    group.addTask {
                        var times: [Double] = []
                        for _ in 0..<20 {
                            // The clock is read after the answer, so the time can only come out too late by the trip.
                            let rows = try await pool.query(
                                """
                                SELECT t.seconds + extract(epoch FROM clock_timestamp())::float8 AS at, t.permission
                                FROM shared.take_turn('shop hanoi', 1, 20, 4, 10) t
                                """)
                            let row = try #require(rows.first)
                            #expect(try row.decode("permission", as: String.self) == "closed")
                            times.append(try row.decode("at", as: Double.self))
                        }
                        return times
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(times.count == 60)
            // Half a call (25 ms) of tolerance, for the time between granting a slot and reading the clock.
            #expect(overdraft(times, perSecond: 20, burst: 4.5) <= 0.001)
        }
    }

    @Test("several calls are reserved as one, and another account is not held up")
    func calls() async throws {
        try await withReplicas(1) { _, pools in
            let slow = AccountLimiter(pool: pools[0], account: "shop hanoi", perSecond: 1, burst: 2)
            #expect(try await slow.wait(calls: 1) == 0)
            let wait = try await slow.wait(calls: 3)
            #expect(wait > 2.5 && wait <= 3)
            let other = AccountLimiter(pool: pools[0], account: "shop saigon", perSecond: 1, burst: 2)
            #expect(try await other.wait(calls: 1) == 0)
        }
    }

    @Test("after a quiet time so many calls go at once as the burst says, and no more")
    func burst() async throws {
        try await withReplicas(1) { _, pools in
            let limiter = AccountLimiter(pool: pools[0], account: "shop hanoi", perSecond: 0.5, burst: 1)
            #expect(try await limiter.wait(calls: 1) == 0)
            let quick = AccountLimiter(pool: pools[0], account: "shop saigon", perSecond: 4, burst: 3)
            #expect(try await quick.wait(calls: 1) == 0)
            try await Task.sleep(for: .seconds(1))
            let waits = try await pools[0].query(
                "SELECT shared.reserve_calls('shop saigon', 1, 4, 3) AS seconds FROM generate_series(1, 5)"
            ).map { try $0.decode("seconds", as: Double.self) }
            #expect(waits.filter { $0 == 0 }.count == 3)
            #expect(waits[4] > waits[3] && waits[3] > 0.15)
            #expect(try await limiter.wait(calls: 1) > 0.5)
        }
    }

    @Test("a pause that the platform asked for holds everybody back, and a shorter one does not end it")
    func block() async throws {
        try await withReplicas(2) { _, pools in
            let limiters = pools.map { AccountLimiter(pool: $0, account: "shop hanoi", perSecond: 100, burst: 10) }
            #expect(try await limiters[0].wait(calls: 1) == 0)
            try await limiters[0].block(seconds: 5)
            try await limiters[1].block(seconds: 1)
            for limiter in limiters {
                let wait = try await limiter.wait(calls: 1)
                #expect(wait > 4 && wait <= 5.1)
            }
        }
    }

    @Test("the breaker opens at its threshold, lets one probe through at a time, and closes on success")
    func breaker() async throws {
        try await withReplicas(3) { system, pools in
            let breakers = pools.map {
                CircuitBreaker(pool: $0, account: "shop hanoi", threshold: 3, probeSeconds: 0.5)
            }
            let limiters = pools.map { AccountLimiter(pool: $0, account: "shop hanoi", perSecond: 100, burst: 100) }
            func turn(_ limiter: AccountLimiter) async throws -> AccountLimiter.Turn {
                try await limiter.takeTurn(calls: 1, probeSeconds: 0.5)
            }
            let free = AccountLimiter.Turn.after(seconds: 0)
            #expect(try await breakers[0].failed(reason: "503") == false)
            #expect(try await breakers[1].failed(reason: "503") == false)
            #expect(try await turn(limiters[2]) == free)
            #expect(try await breakers[2].failed(reason: "503") == true)
            #expect(try await breakers[0].failed(reason: "503") == false, "it is open already")
            #expect(try await turn(limiters[0]) == .breakerOpen)
            for _ in 0..<2 {
                try await Task.sleep(for: .milliseconds(600))
                let answers = try await withThrowingTaskGroup(of: AccountLimiter.Turn.self) { group in
                    for limiter in limiters + limiters {
                        group.addTask { try await limiter.takeTurn(calls: 1, probeSeconds: 0.5) }
                    }
                    return try await group.reduce(into: [AccountLimiter.Turn]()) { $0.append($1) }
                }
                #expect(answers.filter { $0 == .probe(seconds: 0) }.count == 1)
                #expect(answers.filter { $0 == .breakerOpen }.count == 5)
            }
            #expect(try await breakers[1].succeeded() == true)
            #expect(try await breakers[1].succeeded() == false, "it was closed already")
            #expect(try await turn(limiters[0]) == free)
            #expect(try await breakers[0].failed(reason: "503") == false, "counting begins anew")
            #expect(try await system.number("SELECT failures FROM shared.breakers") == 1)
        }
    }

    @Test("no slot is taken while the breaker is open")
    func openTakesNoSlot() async throws {
        try await withReplicas(1) { system, pools in
            let breaker = CircuitBreaker(pool: pools[0], account: "shop hanoi", threshold: 1, probeSeconds: 60)
            #expect(try await breaker.failed(reason: "503") == true)
            for _ in 0..<5 {
                let rows = try await pools[0].query(
                    "SELECT permission, failures FROM shared.take_turn('shop hanoi', 1, 10, 1, 60)")
                #expect(try #require(rows.first).decode("permission", as: String.self) == "open")
                #expect(try #require(rows.first).decode("failures", as: Int.self) == 1)
            }
            #expect(try await system.number("SELECT count(*) FROM shared.rate_limiters") == 0)
        }
    }
}

extension AccountLimiter {
    /// The seconds to wait before the calls, of an account that is not out.
    fileprivate func wait(calls: Int) async throws -> Double {
        guard case .after(let seconds) = try await takeTurn(calls: calls, probeSeconds: 10) else {
            throw TestStackProblem("The breaker is open.")
        }
        return seconds
    }
}
