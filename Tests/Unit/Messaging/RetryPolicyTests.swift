import Testing

@testable import Messaging

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

    // MARK: Outages

    private static let shop = Dependency("shop hanoi")
    private static let lost = FailureReason(.transient, code: "shop.unreachable", message: "The shop is not there.")

    /// A row: attempt, failures in a row, replay or not, and what becomes of the message; 3 attempts, 5 in a row.
    static let outages: [(attempt: Int, inARow: Int, isReplay: Bool, settlement: Settlement)] = [
        (1, 1, false, .delay(RetryTier.standard[0], attempt: 2)),
        (2, 4, false, .delay(RetryTier.standard[1], attempt: 3)),
        (1, 5, false, .pause(shop, RetryTier.standard[0])),
        (3, 5, false, .pause(shop, RetryTier.standard[0])),
        (3, 9, true, .pause(shop, RetryTier.standard[0])),
        (3, 4, false, .deadLetter(lost)),
        (1, 1, true, .deadLetter(lost)),
    ]

    @Test("an outage is several failures in a row", arguments: outages.indices)
    func severalInARow(_ index: Int) {
        let row = Self.outages[index]
        let settlement = policy.settlement(
            of: .outage(Self.shop, Self.lost), attempt: row.attempt, isReplay: row.isReplay, failuresInARow: row.inARow)
        #expect(settlement == row.settlement)
    }

    // MARK: Rules of the configuration

    private static func ruled(_ rules: [RetryPolicy.ErrorRule]) -> RetryPolicy {
        RetryPolicy(tiers: RetryTier.standard, maximumAttempts: 3, rules: rules)
    }

    private static let rules = ruled([
        .init(code: "shop.", isPrefix: true, failureClass: .permanent),
        .init(code: "shop.refused", failureClass: .transient),
        .init(code: "shop.refused.", isPrefix: true, failureClass: .defect),
        .init(code: "s", isPrefix: true, failureClass: .defect),
    ])

    @Test(
        "the very code wins over a beginning, and the longer beginning over the shorter",
        arguments: [
            ("shop.refused", FailureClass.transient), ("shop.refused.sku", .defect), ("shop.timed_out", .permanent),
            ("shop", .defect), ("mail", .transient), ("", .transient),
        ])
    func classes(code: String, expected: FailureClass) {
        let reason = FailureReason(.transient, code: code, message: "So.")
        #expect(Self.rules.classified(reason) == FailureReason(expected, code: code, message: "So."))
    }

    @Test("what a rule calls transient is tried again, and anything else dies at once with the rule's class")
    func ruledOutcomes() {
        func settlement(_ outcome: Outcome, inARow: Int = 0) -> Settlement {
            Self.rules.settlement(of: outcome, attempt: 1, isReplay: false, failuresInARow: inARow)
        }
        let refused = FailureReason(.permanent, code: "shop.refused", message: "No.")
        #expect(settlement(.park(refused)) == .delay(RetryTier.standard[0], attempt: 2))
        let late = FailureReason(.transient, code: "shop.timed_out", message: "Late.")
        let dead = Settlement.deadLetter(FailureReason(.permanent, code: "shop.timed_out", message: "Late."))
        #expect(settlement(.retry(late)) == dead)
        #expect(settlement(.outage(Self.shop, late), inARow: 9) == dead, "a rule of the configuration is obeyed")
        let tried = FailureReason(.transient, code: "shop.refused", message: "No.")
        #expect(settlement(.outage(Self.shop, refused), inARow: 5) == .pause(Self.shop, RetryTier.standard[0]))
        #expect(
            Self.rules.settlement(of: .park(refused), attempt: 3, isReplay: false) == .deadLetter(tried),
            "attempts are used up all the same")
        #expect(settlement(.defer(Self.shop)) == .pause(Self.shop, RetryTier.standard[0]))
        #expect(settlement(.later(milliseconds: 0)) == .delay(RetryTier.standard[0], attempt: 1))
    }

    @Test("failures in a row are those of one dependency without an answer in between")
    func counting() {
        let count = OutageCount()
        let other = Dependency("shop saigon")
        #expect([1, 2, 3] == (0..<3).map { _ in count.note(.outage(Self.shop, Self.lost)) })
        #expect(count.note(.outage(other, Self.lost)) == 1)
        #expect(count.note(.later(milliseconds: 1)) == 0 && count.note(.defer(Self.shop)) == 0)
        #expect(count.note(.outage(Self.shop, Self.lost)) == 4, "waiting is no answer")
        count.reset(other)
        #expect(count.note(.outage(other, Self.lost)) == 1)
        for answered in [Outcome.done, .superseded, .retry(Self.lost), .park(Self.lost)] {
            #expect(count.note(answered) == 0)
            #expect(count.note(.outage(Self.shop, Self.lost)) == 1, "\(answered)")
        }
    }
}
