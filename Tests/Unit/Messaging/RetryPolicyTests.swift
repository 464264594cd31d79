import Messaging
import Testing

@Suite("What happens to a message is decided in one place")
struct RetryPolicyTests {
    private let policy = RetryPolicy(tiers: RetryTier.standard, maximumAttempts: 3)
    private let trouble = FailureReason(.transient, code: "shop.unavailable", message: "The shop answers 503.")

    @Test func whatIsDoneIsAcknowledged() {
        #expect(policy.settlement(of: .done, attempt: 1, isReplay: false) == .acknowledge)
    }

    @Test func attemptsClimbTheTiersAndThenDie() {
        let retry = Outcome.retry(trouble)
        #expect(policy.settlement(of: retry, attempt: 1, isReplay: false) == .delay(policy.tiers[0], attempt: 2))
        #expect(policy.settlement(of: retry, attempt: 2, isReplay: false) == .delay(policy.tiers[1], attempt: 3))
        #expect(policy.settlement(of: retry, attempt: 3, isReplay: false) == .deadLetter(trouble))
    }

    @Test func theLastTierRepeats() {
        let patient = RetryPolicy(tiers: RetryTier.standard, maximumAttempts: 20)
        let settlement = patient.settlement(of: .retry(trouble), attempt: 15, isReplay: false)
        #expect(settlement == .delay(RetryTier.standard[4], attempt: 16))
    }

    @Test func aReplayedMessageGetsOneAttempt() {
        #expect(policy.settlement(of: .retry(trouble), attempt: 1, isReplay: true) == .deadLetter(trouble))
    }

    @Test func whatIsParkedDiesAtOnce() {
        #expect(policy.settlement(of: .park(trouble), attempt: 1, isReplay: false) == .deadLetter(trouble))
    }

    @Test func anOutageCountsNoAttemptAndPauses() {
        let shop = Dependency("shop hanoi")
        #expect(policy.settlement(of: .defer(shop), attempt: 3, isReplay: false) == .pause(shop, policy.tiers[0]))
    }

    @Test(arguments: [
        (100, "5s"), (5_000, "5s"), (29_999, "5s"), (30_000, "30s"), (105_000, "30s"), (10_000_000, "1h"),
    ])
    func comingBackLaterNeverWaitsLongerThanAsked(milliseconds: Int, tier: String) {
        let settlement = policy.settlement(of: .later(milliseconds: milliseconds), attempt: 2, isReplay: false)
        guard case .delay(let chosen, let attempt) = settlement else {
            Issue.record("not delayed: \(settlement)")
            return
        }
        #expect(chosen.name == tier)
        #expect(attempt == 2, "waiting counts no attempt")
    }
}
