import Contracts
import Foundation
import RabbitMQ
import TestStack
import Testing

@Suite("Replay jobs across restarts and replicas", .timeLimit(.minutes(20)))
struct RestartTests {
    @Test("a notifier that starts again goes on where the last one stopped; nothing is lost, each effect is made once")
    func restart() async throws {
        try await ReplayBench.with(replicas: 0) { bench in
            try await bench.insert(150)
            var job = ""
            try await bench.notifying {
                job = try await bench.replay(rate: 50)
                try #require(try await eventually { try await bench.items(job, "processed") > 10 })
            }
            // The lease was given back, so nobody waits for its end.
            #expect(try await bench.number("SELECT count(*) FROM dead_letters.jobs WHERE lease_owner IS NULL") == 1)
            let left = try await bench.items(job, "requested")
            #expect(left > 0)
            try await bench.notifying {
                let isDone = try await bench.reaches("done", job)
                #expect(isDone)
            }
            #expect(try await bench.items(job, "processed") == 150)
            #expect(try await bench.effects() == (150, 0))
        }
    }

    @Test("a crash between confirm and mark repeats what was sent; each effect is made once")
    func crash() async throws {
        try await ReplayBench.with(replicas: 0, consumes: false) { bench in
            try await bench.insert(30)
            var job = ""
            try await bench.notifying {
                job = try await bench.replay()
                try #require(try await eventually { try await bench.items(job, "published") == 30 })
            }
            // As if the process had died before it wrote anything down, with the lease in its hand.
            try await bench.system.administrate(
                """
                UPDATE dead_letters.job_items SET state = 'requested', published_at = NULL;
                UPDATE dead_letters.jobs SET lease_owner = gen_random_uuid(),
                    lease_until = clock_timestamp() + interval '4 seconds';
                """)
            try await bench.notifying {
                try await Task.sleep(for: .seconds(1))
                #expect(try await bench.items(job, "requested") == 30)
                try #require(try await eventually { try await bench.items(job, "published") == 30 })
                #expect(try await bench.system.ready(ReplayBench.queue) == 60)
                try await bench.consuming {
                    let isDone = try await bench.reaches("done", job)
                    #expect(isDone)
                }
            }
            #expect(try await bench.items(job, "processed") == 30)
            #expect(try await bench.effects() == (30, 0))
        }
    }

    @Test("two replicas send no message of one job twice")
    func replicas() async throws {
        try await ReplayBench.with(replicas: 2, consumes: false) { bench in
            try await bench.insert(400)
            let job = try await bench.replay(rate: 500)
            try #require(try await eventually { try await bench.items(job, "published") == 400 })
            let deliveries = try await bench.system.take(401, from: ReplayBench.queue, within: .seconds(5))
            #expect(deliveries.count == 400)
            #expect(Set(deliveries.compactMap(\.properties.messageID)).count == 400)
            let marks = Set(deliveries.compactMap { $0.properties.headers["stockbridge-replay-id"]?.stringValue })
            #expect(marks == [job])
        }
    }

    /// Set `STOCKBRIDGE_TEST_REPLAY_LETTERS` for a larger number.
    @Test("a large job keeps memory flat, and stays paused across a restart until it is resumed")
    func large() async throws {
        let setting = ProcessInfo.processInfo.environment["STOCKBRIDGE_TEST_REPLAY_LETTERS"]
        let count = setting.flatMap { Int($0) } ?? 900
        try await ReplayBench.with(replicas: 0) { bench in
            try await bench.insert(count)
            let argument: (String) -> [String: JSONValue] = { ["job": .string($0)] }
            var job = ""
            var begin = 0
            var clock = ContinuousClock.now
            try await bench.notifying {
                clock = .now
                // Slow enough for a small one to be paused before all of it is sent.
                job = try await bench.replay(rate: setting == nil ? 45 : 2_000)
                print("replay of \(count): frozen and answered after \(clock.duration(to: .now))")
                clock = .now
                try #require(try await eventually { try await bench.items(job, "processed") > count / 20 })
                begin = ResidentMemory.mebibytes()
                try #require(
                    try await eventually(within: .seconds(400), every: .milliseconds(200)) {
                        try await bench.items(job, "processed") > count / 3
                    })
                #expect(try await bench.ask(.replayPause, argument(job)).state == "done")
            }
            let left = try await bench.items(job, "requested")
            #expect(left > 0)
            try await bench.notifying {
                try await Task.sleep(for: .seconds(2))
                #expect(try await bench.items(job, "requested") == left)
                #expect(try await bench.ask(.replayResume, argument(job)).state == "done")
                #expect(try await bench.reaches("done", job, within: .seconds(400)))
            }
            let end = ResidentMemory.mebibytes()
            print("replay of \(count): \(clock.duration(to: .now)), memory \(begin) MiB at 5 %, \(end) MiB at the end")
            #expect(try await bench.items(job, "processed") == count)
            #expect(try await bench.effects() == (count, 0))
            // Of the whole process, in which other tests may run beside it unless this one is asked for alone.
            if setting != nil { #expect(end < begin + 60) }
        }
    }
}
