import Contracts
import Domain
import Foundation
import Messaging
import RabbitMQ
import TestStack
import Testing

@Suite("Messages that die more than once", .timeLimit(.minutes(20)))
struct DeathTests {
    /// Takes the message and dies of it until the broker gives it up. (To give it back is not enough everywhere:
    /// RabbitMQ 4.3 and later do not count that.)
    private func crashOnIt(_ bench: ReplayBench) async throws {
        func replica() -> Consumer {
            Consumer(bench.system.broker(.stockIngestor), queue: ReplayBench.outside, prefetch: 1)
        }
        var consumer = replica()
        var silent = 0
        var taken = 0
        while silent < 15 && taken < 60 {
            let deliveries = try await consumer.next(atMost: 1, within: .seconds(1), linger: .zero)
            taken += deliveries.count
            silent = deliveries.isEmpty ? silent + 1 : 0
            if !deliveries.isEmpty {
                await consumer.close()
                consumer = replica()
            }
        }
        await consumer.close()
        #expect(taken == 21)
    }

    private func death(_ bench: ReplayBench) async throws -> String {
        try await bench.text("SELECT error_code || ' ' || times || ' ' || state FROM dead_letters.letters")
    }

    /// On RabbitMQ 3.10 a replay that keeps the broker's headers goes through the retry tier once and is then dropped
    /// by cycle detection without a trace.
    @Test("a message that the broker gave up is replayed, waits in a retry tier, and dies a second time")
    func secondDeath() async throws {
        try await ReplayBench.with(consumes: false) { bench in
            try await bench.publish([ReplayBench.event(1)], to: ReplayBench.outside)
            try await crashOnIt(bench)
            try #require(try await eventually { try await death(bench) == "broker.delivery_limit 1 waiting" })
            let victim = bench.victim
            victim.behave { _ in
                victim.calls.count <= 2
                    ? .later(milliseconds: 1_000)
                    : .park(FailureReason(.permanent, code: "test.second", message: "It failed again."))
            }
            try await bench.consuming {
                let job = try await bench.replay()
                #expect(try await bench.reaches("done", job))
                #expect(try await bench.items(job, "failed_again") == 1)
            }
            #expect(bench.victim.calls == [1, 1, 1])
            #expect(try await death(bench) == "test.second 2 waiting")
            #expect(try await bench.number("SELECT count(*) FROM dead_letters.letters") == 1)
            #expect(try await bench.effects() == (0, 0))
            victim.behave { _ in .done }
            try await bench.consuming {
                let job = try await bench.replay()
                #expect(try await bench.reaches("done", job))
            }
            #expect(try await bench.effects() == (1, 0))
        }
    }

    @Test("a replayed message that the broker gives up a second time, after a retry tier, is the same letter again")
    func givenUpTwice() async throws {
        try await ReplayBench.with(consumes: false) { bench in
            try await bench.publish([ReplayBench.event(1)], to: ReplayBench.outside)
            try await crashOnIt(bench)
            try #require(try await eventually { try await death(bench) == "broker.delivery_limit 1 waiting" })
            let victim = bench.victim
            victim.behave { _ in .later(milliseconds: 2_000) }
            var job = ""
            try await bench.consuming {
                job = try await bench.replay()
                try #require(try await eventually { victim.calls.count == 1 })
            }
            // It is on its way through the tier; the next who takes it crashes on it.
            try await crashOnIt(bench)
            try #require(try await eventually { try await death(bench) == "broker.delivery_limit 2 waiting" })
            #expect(try await bench.reaches("done", job))
            #expect(try await bench.items(job, "failed_again") == 1)
        }
    }
}
