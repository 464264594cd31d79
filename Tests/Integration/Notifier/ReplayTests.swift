import Contracts
import Domain
import Foundation
import Messaging
import RabbitMQ
import TestStack
import Testing

@Suite("Replay jobs", .timeLimit(.minutes(20)))
struct ReplayTests {
    @Test("replayed letters are followed to processed, each with its effect once")
    func processed() async throws {
        try await ReplayBench.with { bench in
            try await bench.insert(3)
            let job = try await bench.replay()
            #expect(try await bench.reaches("done", job))
            #expect(try await bench.items(job, "processed") == 3)
            #expect(try await bench.letters("processed") == 3)
            #expect(try await bench.effects() == (3, 0))
            let steps = try await bench.steps(1)
            #expect(["replay_requested published processed", "replay_requested processed"].contains(steps))
            #expect(
                try await bench.number(
                    """
                    SELECT count(*) FROM dead_letters.history WHERE step = 'replay_requested' AND who = 'lan'
                        AND why = 'The shop is back.'
                    """) == 3)
            #expect(
                try await bench.number("SELECT count(*) FROM dead_letters.job_items WHERE published_at IS NULL") == 0)
            #expect(try await bench.number("SELECT count(*) FROM dead_letters.jobs WHERE ended_at IS NOT NULL") == 1)
        }
    }

    @Test("a message whose effect was made before is settled as such, and its letter is closed")
    func alreadyProcessed() async throws {
        try await ReplayBench.with { bench in
            try await bench.insert(2)
            let first = try await bench.replay()
            #expect(try await bench.reaches("done", first))
            try await bench.system.administrate("UPDATE dead_letters.letters SET state = 'waiting'")
            let job = try await bench.replay()
            #expect(try await bench.reaches("done", job))
            #expect(try await bench.items(job, "already_processed") == 2)
            #expect(try await bench.letters("processed") == 2)
            #expect(try await bench.effects() == (2, 0))
        }
    }

    @Test("a canary that fails stops the job; resumed it goes on, and what failed is a letter that waits")
    func canary() async throws {
        try await ReplayBench.with { bench in
            bench.victim.behave { _ in .park(FailureReason(.permanent, code: "test", message: "Still bad.")) }
            try await bench.insert(40)
            let job = try await bench.replay(canary: 4, stopShare: 0.5)
            #expect(try await bench.reaches("stopped", job))
            #expect(try await bench.items(job, "failed_again") == 4)
            #expect(try await bench.items(job, "requested") == 36)
            #expect(try await bench.letters("waiting") == 4)
            #expect(
                try await bench.text("SELECT state_reason FROM dead_letters.jobs").contains("4 of 4 replayed messages"))
            bench.victim.behave { _ in .done }
            #expect(try await bench.ask(.replayResume, ["job": .string(job)]).state == "done")
            #expect(try await bench.reaches("done", job))
            #expect(try await bench.items(job, "processed") == 36)
            #expect(try await bench.effects() == (36, 0))
            #expect(try await bench.number("SELECT count(*) FROM dead_letters.letters WHERE times = 2") == 4)
        }
    }

    @Test("a job whose last items fail again is done")
    func lastFails() async throws {
        try await ReplayBench.with { bench in
            bench.victim.behave {
                $0 == 3 ? .park(FailureReason(.permanent, code: "test", message: "Still bad.")) : .done
            }
            try await bench.insert(3)
            let job = try await bench.replay()
            #expect(try await bench.reaches("done", job))
            #expect(try await bench.items(job, "failed_again") == 1)
            #expect(try await bench.letters("waiting") == 1)
            #expect(try await bench.steps(3).hasSuffix("failed_again"))
        }
    }

    @Test("the rate is kept roughly")
    func rate() async throws {
        try await ReplayBench.with { bench in
            try await bench.insert(200)
            let job = try await bench.replay(rate: 20)
            try #require(try await eventually { try await bench.items(job, "requested") < 200 })
            let begun = ContinuousClock.now
            let before = try await bench.items(job, "requested")
            try #require(try await eventually { try await bench.items(job, "requested") <= before - 60 })
            let seconds = Double(begun.duration(to: .now).components.seconds)
            // 60 messages at 20 a second take three seconds; one second's worth may have been saved.
            #expect((1...12).contains(seconds))
            #expect(try await bench.ask(.replayCancel, ["job": .string(job)]).state == "done")
        }
    }

    @Test("a paused job rests at once and goes on when it is resumed; both may be said twice")
    func pause() async throws {
        try await ReplayBench.with { bench in
            try await bench.insert(100)
            let job = try await bench.replay(rate: 20)
            try #require(try await eventually { try await bench.items(job, "processed") > 5 })
            let argument: [String: JSONValue] = ["job": .string(job)]
            #expect(try await bench.ask(.replayPause, argument).state == "done")
            #expect(try await bench.ask(.replayPause, argument).message.contains("rests already"))
            // What was being sent when the pause was said has left by the time the lease is given back.
            try #require(
                try await eventually {
                    try await bench.number("SELECT count(*) FROM dead_letters.jobs WHERE lease_owner IS NULL") == 1
                })
            let left = try await bench.items(job, "requested")
            #expect(left > 0)
            try await Task.sleep(for: .seconds(2))
            #expect(try await bench.items(job, "requested") == left)
            #expect(try await bench.ask(.replayResume, argument).state == "done")
            #expect(try await bench.reaches("done", job))
            #expect(try await bench.effects() == (100, 0))
        }
    }

    @Test("a cancelled job gives back what it had not sent, and what it had sent is followed to its end")
    func cancel() async throws {
        try await ReplayBench.with(consumes: false) { bench in
            try await bench.insert(60)
            let job = try await bench.replay(rate: 20)
            try #require(try await eventually { try await bench.items(job, "published") > 5 })
            #expect(try await bench.ask(.replayCancel, ["job": .string(job)]).state == "done")
            try #require(try await eventually { try await bench.items(job, "requested") == 0 })
            let sent = try await bench.items(job, "published")
            #expect(try await bench.items(job, "withdrawn") == 60 - sent)
            #expect(try await bench.letters("waiting") == 60 - sent)
            #expect(try await bench.letters("replaying") == sent)
            #expect(try await bench.ready(ReplayBench.queue) == sent)
            #expect(try await bench.number("SELECT count(*) FROM dead_letters.jobs WHERE ended_at IS NULL") == 1)
            let again = try await bench.ask(.replayResume, ["job": .string(job)])
            #expect(again.state == "refused" && again.message.contains("is over (cancelled)"))
        }
    }

    @Test("a queue and a service that are gone make their letters undeliverable and hurt no other")
    func undeliverable() async throws {
        try await ReplayBench.with { bench in
            try await bench.insert(2, queue: "stock-ingestor.gone")
            try await bench.insert(2, queue: "erp-bridge", service: "erp-bridge")
            try await bench.insert(1, queue: "warehouse", service: "warehouse")
            try await bench.insert(20)
            let job = try await bench.replay()
            #expect(try await bench.reaches("done", job))
            #expect(try await bench.items(job, "undeliverable") == 5)
            #expect(try await bench.items(job, "processed") == 20)
            #expect(try await bench.letters("waiting") == 5)
            func detail(_ letter: Int) async throws -> String {
                try await bench.text("SELECT detail FROM dead_letters.job_items WHERE letter = \(letter)")
            }
            #expect(try await detail(1).contains("no queue 'stock-ingestor.gone'"))
            #expect(try await detail(3).contains("no exchange 'erp-bridge.work'"))
            #expect(try await detail(5).contains("no service 'warehouse'"))
        }
    }

    @Test("a job that is asked for twice is one job and answered as the first time")
    func twice() async throws {
        try await ReplayBench.with { bench in
            try await bench.insert(3)
            let job = UUID()
            let first = try await bench.ask(.replay, ReplayBench.arguments(job))
            #expect(try await bench.reaches("done", job.uuidString.lowercased()))
            try await bench.insert(2, from: 10)
            let second = try await bench.ask(.replay, ReplayBench.arguments(job))
            #expect(first.state == "done" && second.state == "done")
            #expect(first.message == second.message && second.letters == 3)
            #expect(try await bench.letters("waiting") == 2)
            #expect(try await bench.effects() == (3, 0))
        }
    }

    @Test("what cannot be is refused by a sentence and changes nothing")
    func refused() async throws {
        try await ReplayBench.with { bench in
            try await bench.insert(1)
            let nothing = try await bench.ask(
                .replay, ReplayBench.arguments(UUID(), filter: ["shop": .string("hue")]))
            #expect(nothing.state == "refused" && nothing.message.contains("No dead letter that waits"))
            let rate = try await bench.ask(.replay, ReplayBench.arguments(UUID(), rate: 0))
            #expect(rate.state == "refused" && rate.message.contains("rate"))
            for verb in [Command.Verb.replayPause, .replayResume, .replayCancel] {
                let unknown = try await bench.ask(verb, ["job": .string(UUID().uuidString)])
                #expect(unknown.state == "refused" && unknown.message.contains("no replay job"))
            }
            #expect(try await bench.number("SELECT count(*) FROM dead_letters.jobs") == 0)
            #expect(try await bench.number("SELECT count(*) FROM dead_letters.history") == 0)
            #expect(try await bench.letters("waiting") == 1)
        }
    }
}

extension ReplayBench {
    func ready(_ queue: String) async throws -> Int { try await system.ready(queue) }
}
