import Domain
import Foundation
import Testing

@Suite("Open order lines")
struct OpenLineTests {
    private let policy = ReflectionPolicy(entryLagSeconds: 3_600, shipLagSeconds: 86_400)
    private func at(_ hours: Double) -> Date { Date(timeIntervalSince1970: 1_000_000 + hours * 3_600) }

    private func gross(_ hours: Double) -> StockAsOf { StockAsOf(asOf: at(hours), isNet: false) }
    private func net(_ hours: Double) -> StockAsOf { StockAsOf(asOf: at(hours), isNet: true) }

    @Test
    func anOrderPlacedAfterTheReportIsSubtractedFromTheNextFile() {
        let line = OpenLine(quantity: 2)
        #expect(line.counts(upTo: policy.cutoff(of: [gross(18)]), at: at(18)))
    }

    @Test
    func againstAGrossFileALineIsReflectedOnceItHasShippedAndAgainstANetOneOnceItIsEntered() {
        let line = OpenLine(quantity: 2, reportSentAt: at(12))
        #expect(!line.isReflected(upTo: policy.cutoff(of: [gross(35.9)])))
        #expect(line.isReflected(upTo: policy.cutoff(of: [gross(36)])))
        #expect(!line.isReflected(upTo: policy.cutoff(of: [net(12.9)])))
        #expect(line.isReflected(upTo: policy.cutoff(of: [net(13)])))
    }

    @Test
    func ofSeveralSourcesTheOldestStatementCountsAndWithoutAnyNothingIsReflected() {
        let line = OpenLine(quantity: 2, reportSentAt: at(12))
        #expect(!line.isReflected(upTo: policy.cutoff(of: [gross(40), gross(35)])))
        #expect(!line.isReflected(upTo: policy.cutoff(of: [net(40), gross(35)])))
        #expect(line.isReflected(upTo: policy.cutoff(of: [net(14), gross(37)])))
        #expect(!line.isReflected(upTo: policy.cutoff(of: [])))
    }

    @Test
    func cancelledEmptyAndUnpaidForTooLongCountForNothing() {
        #expect(!OpenLine(quantity: 2, isCancelled: true).counts(upTo: nil, at: at(0)))
        #expect(!OpenLine(quantity: 0).counts(upTo: nil, at: at(0)))
        let unpaid = OpenLine(quantity: 2, reservedUntil: at(1))
        #expect(unpaid.counts(upTo: nil, at: at(0.9)))
        #expect(!unpaid.counts(upTo: nil, at: at(1)))
    }

    @Test
    func theShopsOwnSaleIsTheDifferenceToWhatWasKnown() {
        func sale(_ known: Int, _ now: Int, awaits: Bool = false, awaited: Bool? = false) -> OwnSale {
            OwnSale(known: known, quantity: now, awaitsPayment: awaits, awaitedPayment: awaited)
        }
        #expect(sale(0, 3, awaited: nil) == .units(3))
        #expect(sale(3, 5) == .units(2))
        #expect(sale(3, 0) == .units(-3))
        #expect(sale(3, 3) == .none)
        #expect(sale(0, 3, awaits: true, awaited: nil) == .unknown, "platforms differ in when it takes stock")
        #expect(sale(3, 3, awaits: true, awaited: true) == .none)
        #expect(sale(3, 3, awaited: true) == .unknown, "paid")
    }

    @Test
    func anUnseenSaleHoldsAnIncreaseUntilTheFeedHasPassedTheReading() {
        let policy = PushPolicy(ordersAreCollected: true)
        var shelf = ShelfState()
        shelf.want(5, cause: at(0))
        shelf.observe(ObservedStock(level: 5, readFrom: at(0), readTo: at(0)))
        shelf.want(9, cause: at(0.1))
        let feed = { (hours: Double) in
            PushSurroundings(feeds: [OrderFeed(shop: "a", completeUpTo: self.at(hours))])
        }
        func claim(_ hours: Double, feed complete: Double) -> ClaimDecision {
            shelf.claim(
                for: PushRequest(version: shelf.version), owner: "r", now: at(hours), policy: policy,
                around: feed(complete))
        }
        guard case .push(let first) = claim(0.2, feed: 0.15) else { return #expect(Bool(false), "not claimed") }
        let seen = ObservedStock(level: 3, readFrom: at(0.2), readTo: at(0.21))
        let answer = shelf.afterReading(first, observed: seen, now: at(0.21), policy: policy, around: feed(0.15))
        #expect(answer == .fetchOrders(unseen: 2) && shelf.deferral == .feeds)
        guard case .deferred(.feeds, _) = claim(0.22, feed: 0.2) else {
            return #expect(Bool(false), "raised although the sale is not known yet")
        }
        guard case .push = claim(0.3, feed: 0.25) else { return #expect(Bool(false), "held up for nothing") }
    }
}
