import Contracts
import Foundation
import Messaging
import PostgreSQL
import TestStack
import Testing

@testable import ServiceKit

@Suite("How much of an account's limit is used", .timeLimit(.minutes(20)))
struct LimiterUseTests {
    private static let services = ServiceCatalogue.services(shops: [], tiers: []).filter { $0.name == .stockPublisher }

    private func used(_ pool: PostgresPool, _ account: String) async throws -> (calls: Double, blocked: Double)? {
        let rows = try await pool.query(
            "SELECT calls_per_second, blocked_seconds FROM shared.limiter_states() WHERE account = $1",
            [.text(account)])
        return try rows.first.map { (try $0.decode("calls_per_second"), try $0.decode("blocked_seconds")) }
    }

    @Test("Calls of two replicas are counted together, fade out within forty seconds, and a pause is told")
    func counted() async throws {
        try await ScratchSystem.with(Self.services) { system in
            let pools = (0..<2).map { _ in PostgresPool(system.database(.stockPublisher), maximumConnections: 1) }
            for pool in pools {
                let limiter = AccountLimiter(pool: pool, account: "shop hanoi", perSecond: 1_000, burst: 100)
                for _ in 0..<20 { _ = try await limiter.takeTurn(calls: 2, probeSeconds: 10) }
            }
            #expect(try await used(pools[0], "shop saigon") == nil)
            let now = try #require(try await used(pools[0], "shop hanoi"))
            #expect(now.calls == 4 && now.blocked == 0, "80 calls within twenty seconds")
            for (seconds, calls) in [(30, 1...2.5), (45, 0...0)] {
                try await system.administrate(
                    """
                    UPDATE shared.rate_limiters SET window_began = clock_timestamp() - interval '\(seconds) seconds'
                    """)
                let later = try #require(try await used(pools[0], "shop hanoi"))
                #expect(calls.contains(later.calls), "after \(seconds) s: \(later.calls)")
            }
            let limiter = AccountLimiter(pool: pools[1], account: "shop hanoi", perSecond: 1_000, burst: 100)
            try await limiter.block(seconds: 600)
            let blocked = try #require(try await used(pools[0], "shop hanoi")).blocked
            #expect((500...600).contains(blocked))
            for pool in pools { await pool.close() }
        }
    }
}
