import Contracts
import DeadLetters
import Foundation
import Testing

@testable import Notifier

@Suite("What a replay job does next")
struct ReplayDecisionTests {
    private let terms = ReplayTerms(ratePerSecond: 50, canary: 0, stopShare: 0.2)

    private func next(_ terms: ReplayTerms, _ counts: ReplayCounts, allowance: Int = 100) -> ReplayDecision {
        ReplayDecision.next(terms, counts, allowance: allowance)
    }

    private func stops(_ terms: ReplayTerms, _ counts: ReplayCounts) -> Bool {
        if case .stop = next(terms, counts) { true } else { false }
    }

    @Test("as many are sent as the rate allows and as there are")
    func rate() {
        #expect(next(terms, ReplayCounts(requested: 70), allowance: 5) == .publish(atMost: 5))
        #expect(next(terms, ReplayCounts(requested: 3), allowance: 5) == .publish(atMost: 3))
        #expect(next(terms, ReplayCounts(requested: 70), allowance: 0) == .wait)
    }

    @Test("at most a thousand are on the broker without an outcome")
    func bound() {
        #expect(next(terms, ReplayCounts(requested: 5_000, published: 990)) == .publish(atMost: 10))
        #expect(next(terms, ReplayCounts(requested: 5_000, published: 1_000)) == .wait)
        #expect(next(terms, ReplayCounts(requested: 5_000, published: 1_200)) == .wait)
    }

    @Test("a job is done when nothing is to be sent and nothing is on its way, whatever failed")
    func done() {
        #expect(next(terms, ReplayCounts(requested: 0, published: 1)) == .wait)
        #expect(next(terms, ReplayCounts(judged: 50, failed: 50)) == .done)
    }

    @Test("only the canary is sent until each of it has an outcome")
    func canary() {
        let canary = ReplayTerms(ratePerSecond: 50, canary: 10, stopShare: 0.2)
        var counts = ReplayCounts(requested: 3_000, canaryRequested: 10, canaryOpen: 10)
        #expect(next(canary, counts) == .publish(atMost: 10))
        counts = ReplayCounts(requested: 2_990, published: 10, canaryRequested: 0, canaryOpen: 10)
        #expect(next(canary, counts) == .wait)
        counts = ReplayCounts(requested: 2_990, published: 1, canaryRequested: 0, canaryOpen: 1, judged: 9)
        #expect(next(canary, counts) == .wait)
        counts = ReplayCounts(requested: 2_990, judged: 10, failed: 2)
        #expect(next(canary, counts) == .publish(atMost: 100))
    }

    @Test("a canary is judged when all of it has an outcome, also one smaller than ten")
    func deadCanary() {
        let canary = ReplayTerms(ratePerSecond: 50, canary: 3, stopShare: 0.5)
        #expect(!stops(canary, ReplayCounts(requested: 97, published: 1, canaryOpen: 1, judged: 2, failed: 2)))
        #expect(stops(canary, ReplayCounts(requested: 97, judged: 3, failed: 2)))
        #expect(!stops(canary, ReplayCounts(requested: 97, judged: 3, failed: 1)))
    }

    @Test("without a canary ten outcomes are the least that is judged, and the set share itself does not stop it")
    func share() {
        #expect(!stops(terms, ReplayCounts(requested: 90, judged: 9, failed: 9)))
        #expect(stops(terms, ReplayCounts(requested: 90, judged: 10, failed: 3)))
        #expect(!stops(terms, ReplayCounts(requested: 90, judged: 10, failed: 2)))
        let never = ReplayTerms(ratePerSecond: 1, canary: 0, stopShare: 1)
        #expect(!stops(never, ReplayCounts(requested: 90, judged: 900, failed: 900)))
    }

    @Test("the sentence says how many failed")
    func sentence() {
        guard case .stop(let text) = next(terms, ReplayCounts(requested: 90, judged: 10, failed: 4)) else {
            Issue.record("it goes on")
            return
        }
        #expect(text.contains("4 of 10") && text.contains("0.2"))
    }
}

@Suite("The rate of a replay")
struct ReplayPaceTests {
    private let start = ContinuousClock.now

    @Test("the first may leave at once, the others as time goes by")
    func rate() {
        var pace = ReplayPace(ratePerSecond: 20, now: start)
        #expect(pace.allowance(now: start) == 1)
        pace.spend(1)
        #expect(pace.allowance(now: start + .milliseconds(40)) == 0)
        #expect(pace.allowance(now: start + .milliseconds(100)) == 2)
        pace.spend(2)
        #expect(pace.allowance(now: start + .milliseconds(350)) == 5)
    }

    @Test("fewer than one a second add up")
    func slow() {
        var pace = ReplayPace(ratePerSecond: 0.5, now: start)
        pace.spend(1)
        #expect(pace.allowance(now: start + .seconds(1)) == 0)
        #expect(pace.allowance(now: start + .milliseconds(2_100)) == 1)
    }

    @Test("a job that waited sends no more than a second's worth at once")
    func burst() {
        var pace = ReplayPace(ratePerSecond: 50, now: start)
        #expect(pace.allowance(now: start + .seconds(600)) == 50)
    }
}

@Suite("Arguments of commands about dead letters")
struct DeadLetterArgumentTests {
    private func command(_ changes: [String: JSONValue?]) -> Command {
        var arguments: [String: JSONValue] = [
            "job": .string("6F1C0A52-5E0B-4B7A-9D54-0F6E6E0B8A11"), "filter": .object(["state": .string("waiting")]),
            "rate": .integer(50), "canary": .integer(10), "stop_share": .number(0.2), "reason": .string("Mended."),
        ]
        for (name, value) in changes { arguments[name] = value }
        return Command(
            commandID: UUID(), service: .notifier, verb: .replay, arguments: arguments, requestedBy: "lan",
            requestedAt: Date(timeIntervalSince1970: 1_795_000_000))
    }

    @Test("a replay takes whole and other numbers")
    func fine() throws {
        let request = try ReplayRequest(command(["stop_share": .integer(1), "rate": .number(0.5)]))
        #expect(request.terms == ReplayTerms(ratePerSecond: 0.5, canary: 10, stopShare: 1))
        #expect(request.filter.state == "waiting" && request.requestedBy == "lan")
    }

    @Test(
        "each argument out of its range is refused by a sentence of its own",
        arguments: [
            (["rate": .integer(0)], "rate"), (["rate": .number(-1)], "rate"), (["rate": .string("50")], "rate"),
            (["stop_share": .number(1.01)], "share"), (["stop_share": .number(-0.1)], "share"),
            (["canary": .integer(-1)], "canary"), (["canary": .number(1.5)], "canary"),
            (["job": .string("one")], "id of its job"), (["filter": nil], "which letters"),
            (["reason": .string(" ")], "Say why"),
            (["filter": .object(["ids": .string("all")])], "filter cannot be read"),
        ] as [([String: JSONValue?], String)])
    func refused(_ changes: [String: JSONValue?], _ part: String) {
        do {
            _ = try ReplayRequest(command(changes))
            Issue.record("taken")
        } catch let refusal as CommandRefusal {
            #expect(refusal.sentence.contains(part))
        } catch { Issue.record(error) }
    }

    @Test("of two outcomes of one message the effect stands, else the earlier one")
    func firstOutcome() {
        let (job, message) = (UUID(), UUID())
        let at = Date(timeIntervalSince1970: 1_795_000_000)
        func settled(_ outcome: MessageSettled.Outcome, _ seconds: Double, job: String) -> MessageSettled {
            MessageSettled(
                messageID: message, queue: "erp-bridge", replayID: job, outcome: outcome,
                settledAt: at.addingTimeInterval(seconds))
        }
        let name = job.uuidString.lowercased()
        let both = [settled(.alreadyProcessed, 0, job: name), settled(.processed, 1, job: name)]
        #expect(MessageSettledHandler.first(both).map(\.outcome) == [.processed])
        #expect(MessageSettledHandler.first(both.reversed()).map(\.outcome) == [.processed])
        let late = [settled(.superseded, 5, job: name), settled(.alreadyProcessed, 1, job: name)]
        #expect(MessageSettledHandler.first(late).map(\.outcome) == [.alreadyProcessed])
        #expect(MessageSettledHandler.first(late).first?.identity == message.uuidString.lowercased())
        #expect(MessageSettledHandler.first([settled(.processed, 0, job: "canary")]).isEmpty)
    }
}
