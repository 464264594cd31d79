import Domain
import Foundation
import Testing

@Suite("Decisions about a shelf")
struct ShelfTests {
    static let start = Date(timeIntervalSince1970: 1_000_000)
    static func at(_ seconds: Double) -> Date { start.addingTimeInterval(seconds) }
    /// Compare-and-set, so nothing is read before writing unless something was lost.
    let policy = PushPolicy(readBeforeWrite: false, ordersAreCollected: true)

    private func shelf(showing level: Int) -> ShelfState {
        var shelf = ShelfState()
        shelf.want(level, cause: Self.at(-100))
        shelf.observe(ObservedStock(level: level, readFrom: Self.at(-50), readTo: Self.at(-49)))
        _ = claim(&shelf, at: 0)
        return shelf
    }

    private func claim(
        _ shelf: inout ShelfState, version: Int64? = nil, at seconds: Double, around: PushSurroundings = .init(),
        policy: PushPolicy? = nil, retryRejected: Bool = false
    ) -> ClaimDecision {
        shelf.claim(
            for: PushRequest(version: version ?? shelf.version, retryRejected: retryRejected), owner: "a",
            now: Self.at(seconds), policy: policy ?? self.policy, around: around)
    }

    private func push(_ shelf: inout ShelfState, at seconds: Double) throws -> PushClaim {
        let decision = claim(&shelf, at: seconds)
        guard case .push(let claim) = decision else {
            Issue.record("expected a claim, got \(decision)")
            throw CancellationError()
        }
        return claim
    }

    private func confirm(_ shelf: inout ShelfState, _ claim: PushClaim, at seconds: Double) {
        shelf.record(.confirmed(began: Self.at(seconds - 1)), of: claim, now: Self.at(seconds), policy: policy)
    }

    private func want(_ shelf: inout ShelfState, _ level: Int?, at seconds: Double) -> Bool {
        shelf.want(level, cause: Self.at(seconds))
    }

    private func repair(_ shelf: inout ShelfState, _ level: Int, read from: Double, _ to: Double) -> Bool {
        shelf.repair(ObservedStock(level: level, readFrom: Self.at(from), readTo: Self.at(to)))
    }

    @Test
    func theVersionRisesOnlyWhenTheWantedLevelChanges() {
        var shelf = ShelfState()
        #expect(want(&shelf, 5, at: 0) && shelf.version == 1)
        #expect(!want(&shelf, 5, at: 1) && shelf.version == 1)
        #expect(want(&shelf, nil, at: 2) && shelf.version == 2)
        #expect(claim(&shelf, at: 3) == .nothing(.notWanted))
    }

    @Test
    func aFeedThatStatesNothingOrMapsToNothingEmptiesNoShop_fault14() {
        var shelf = shelf(showing: 9)
        let silence = LevelInputs(warehouses: []).breakdown()
        shelf.want(silence.wanted, cause: Self.at(1))
        #expect(claim(&shelf, at: 2) == .nothing(.notWanted) && !shelf.isDue)
        let foreign = MappingIndex(codes: ["OTHER"], rules: NormalizationRule.allCases).result(for: "AB-1")
        #expect(ShelfOutcome(mapping: foreign, shelf: shelf, runBegan: Self.at(0)) == .unmapped(.unmapped))
        let soldOut = LevelInputs(warehouses: [WarehouseStock(warehouse: "HN", onHand: 0)]).breakdown()
        #expect(soldOut.wanted == 0, "a stated zero is a zero")
    }

    @Test
    func fiveFourFiveIsThreePushes_fault8() throws {
        var shelf = ShelfState()
        var pushed: [Int] = []
        for (step, level) in [5, 4, 5].enumerated() {
            shelf.want(level, cause: Self.at(Double(step) * 10))
            let claim = try push(&shelf, at: Double(step) * 10 + 1)
            pushed.append(claim.level)
            confirm(&shelf, claim, at: Double(step) * 10 + 3)
        }
        #expect(pushed == [5, 4, 5] && shelf.confirmedVersion == 3 && shelf.isAsWanted)
    }

    @Test
    func aFailedPushSendsTodaysLevelWhenItIsRetried_fault12() throws {
        var shelf = shelf(showing: 9)
        shelf.want(7, cause: Self.at(1))
        let failed = try push(&shelf, at: 2)
        shelf.record(.failed("503"), of: failed, now: Self.at(3), policy: policy)
        shelf.want(3, cause: Self.at(86_400))
        let retried = claim(&shelf, version: failed.version, at: 86_401)
        guard case .push(let claim) = retried else { return #expect(Bool(false), "\(retried)") }
        #expect(claim.level == 3 && claim.version == shelf.version)
    }

    @Test
    func onlyOneClaimIsLiveAndAnEqualRequestWaitsForIt() throws {
        var shelf = shelf(showing: 9)
        shelf.want(7, cause: Self.at(1))
        let first = try push(&shelf, at: 2)
        #expect(claim(&shelf, at: 3) == .wait(until: first.leaseUntil))
        #expect(claim(&shelf, version: first.version - 1, at: 3) == .nothing(.superseded))
        confirm(&shelf, first, at: 5)
        #expect(claim(&shelf, at: 6) == .nothing(.asWanted))
    }

    @Test
    func theLeaseOutlivesEveryRequestThatMayStillBegin() throws {
        var shelf = shelf(showing: 9)
        shelf.want(7, cause: Self.at(1))
        let claim = try push(&shelf, at: 2)
        #expect(claim.maySend(at: claim.sendUntil) && !claim.maySend(at: claim.sendUntil.addingTimeInterval(0.001)))
        #expect(claim.leaseUntil.timeIntervalSince(claim.sendUntil) == policy.requestLifeSeconds)
    }

    @Test
    func anExpiredClaimIsTakenOverAndTheShopReadFirst() throws {
        var shelf = shelf(showing: 9)
        shelf.want(7, cause: Self.at(1))
        let dead = try push(&shelf, at: 2)
        let heir = try push(&shelf, at: 200)
        #expect(heir.readFirst && heir.number == dead.number + 1)
        let seen = ObservedStock(level: 7, readFrom: Self.at(201), readTo: Self.at(202))
        let decision = shelf.afterReading(heir, observed: seen, now: Self.at(202), policy: policy, around: .init())
        #expect(decision == .asWanted && shelf.isAsWanted && shelf.confirmedVersion == dead.version)
    }

    @Test
    func aLateResultOfAnOlderClaimChangesNoConfirmationButTheShopIsReadAgain() throws {
        var shelf = shelf(showing: 9)
        shelf.want(7, cause: Self.at(1))
        let old = try push(&shelf, at: 2)
        shelf.want(3, cause: Self.at(150))
        let heir = try push(&shelf, at: 200)
        let seen = ObservedStock(level: 9, readFrom: Self.at(201), readTo: Self.at(202))
        let decision = shelf.afterReading(heir, observed: seen, now: Self.at(202), policy: policy, around: .init())
        guard case .write(let current) = decision else { return #expect(Bool(false), "\(decision)") }
        confirm(&shelf, current, at: 205)
        let late = shelf.record(.confirmed(began: Self.at(3)), of: old, now: Self.at(206), policy: policy)
        #expect(late == .late && shelf.confirmedLevel == 3 && shelf.confirmedVersion == current.version)
        #expect(shelf.isDue && shelf.readBackRequired)
        #expect(try push(&shelf, at: 207).readFirst)
    }

    @Test
    func recordingTheSameResultTwiceDoesNothing() throws {
        var shelf = shelf(showing: 9)
        shelf.want(7, cause: Self.at(1))
        let claim = try push(&shelf, at: 2)
        confirm(&shelf, claim, at: 4)
        let before = shelf
        let again = shelf.record(.lostAnswer(began: Self.at(3), "x"), of: claim, now: Self.at(5), policy: policy)
        #expect(again == .alreadyRecorded)
        #expect(shelf == before)
    }

    @Test
    func afterALostAnswerNobodyWritesUntilTheRequestIsDeadAndThenTheShopIsReadFirst() throws {
        var shelf = shelf(showing: 9)
        shelf.want(7, cause: Self.at(1))
        let lost = try push(&shelf, at: 2)
        shelf.record(.lostAnswer(began: Self.at(3), "time-out"), of: lost, now: Self.at(33), policy: policy)
        #expect(claim(&shelf, at: 34) == .wait(until: Self.at(3 + policy.requestLifeSeconds)))
        #expect(try push(&shelf, at: 94).readFirst)
    }

    @Test
    func anIncreaseWaitsForFreshFeedsADecreaseDoesNot() throws {
        let stale = PushSurroundings(feeds: [
            OrderFeed(shop: "b", completeUpTo: Self.at(0)), OrderFeed(shop: "c", completeUpTo: nil),
        ])
        var shelf = shelf(showing: 9)
        shelf.want(12, cause: Self.at(1))
        let until = Self.at(1 + policy.feedStaleAfterSeconds)
        #expect(claim(&shelf, at: 2, around: stale) == .deferred(.feeds, until: until))
        #expect(
            ShelfOutcome(mapping: .mapped("x", unitsPerPack: 1, via: .exact), shelf: shelf, runBegan: Self.at(0))
                == .deferred(.feeds))
        // A rising cause does not prolong the wait.
        shelf.want(13, cause: Self.at(500))
        #expect(claim(&shelf, at: 501, around: stale) == .deferred(.feeds, until: until))
        #expect(claim(&shelf, at: 1_802, around: stale) == .takeReserve(for: ["b"]))
        shelf.want(10, cause: Self.at(500), reservedFor: ["b"])
        guard case .push(let claim) = claim(&shelf, at: 1_803, around: stale) else { return #expect(Bool(false)) }
        #expect(claim.level == 10)
        var decrease = self.shelf(showing: 9)
        decrease.want(2, cause: Self.at(1))
        guard case .push = self.claim(&decrease, at: 2, around: stale) else { return #expect(Bool(false)) }
    }

    @Test
    func aSaleIsPushedToTheOtherShopsNotBackToItsOwn() {
        var own = shelf(showing: 9)
        own.noteOwnSale(units: 2, placedAt: Self.at(100), policy: policy)
        own.want(7, cause: Self.at(100))
        #expect(claim(&own, at: 110) == .nothing(.asWanted))
        #expect(own.confirmedVersion == own.version)
    }

    @Test
    func anOrderThatIsFirstHeardOfWhenItIsCancelledMakesTheShelfUnknownIfOurWriteLiesInBetween() throws {
        let known = try #require(shelf(showing: 9).knownTo)
        func note(_ from: Double, _ to: Double) -> Int? {
            var shelf = shelf(showing: 9)
            let (placed, changed) = (known.addingTimeInterval(from), known.addingTimeInterval(to))
            shelf.noteOwnSale(units: 0, placedAt: placed, changedAt: changed, policy: policy)
            return shelf.expectedAtShop
        }
        #expect(note(-600, 600) == nil)
        #expect(note(-600, -300) == 9 && note(300, 600) == 9)
    }

    @Test
    func aSaleIsPlacedByWhenWeLearntOfItWhereTheShopsClockCannotBeRight() throws {
        func note(_ shopSays: Double, learnt: Double, now: Double? = nil) -> Int? {
            var shelf = shelf(showing: 9)
            shelf.noteOwnSale(
                units: 1, placedAt: Self.at(shopSays), learntAt: Self.at(learnt), now: Self.at(now ?? learnt),
                policy: policy)
            return shelf.expectedAtShop
        }
        #expect(note(100, learnt: 101) == 8 && note(-100, learnt: 101) == 9, "both clocks agree")
        #expect(note(-3_600, learnt: 101) == nil, "old news, or the shop's clock is behind")
        #expect(note(-3_600, learnt: -60, now: 101) == 9, "learnt of before the shop was read")
        #expect(note(3_600, learnt: 101) == nil, "the shop's clock is ahead, and we read a moment ago")
        #expect(note(7_200, learnt: 3_600) == 8, "the shop's clock is ahead, and we read long ago")
        #expect(note(-3_600, learnt: -3_599, now: -3_598) == nil, "our clock was set back since the shop was read")
    }

    @Test
    func aSaleAfterTheClockWasSetBackDisturbsAClaimFromBefore() throws {
        var shelf = shelf(showing: 9)
        shelf.want(7, cause: Self.at(1))
        let claim = try push(&shelf, at: 2)
        shelf.noteOwnSale(
            units: 1, placedAt: Self.at(-3_600), learntAt: Self.at(-3_599), now: Self.at(-3_598), policy: policy)
        confirm(&shelf, claim, at: -3_597)
        #expect(shelf.expectedAtShop == nil && shelf.isDue)
    }

    @Test
    func aSaleWithinTheClockToleranceOfOurWriteMakesTheShelfUnknown() throws {
        var shelf = shelf(showing: 9)
        shelf.want(7, cause: Self.at(1))
        confirm(&shelf, try push(&shelf, at: 2), at: 4)
        shelf.noteOwnSale(units: 1, placedAt: Self.at(-20), policy: policy)
        #expect(shelf.expectedAtShop == 7, "before the write: it was overwritten")
        shelf.noteOwnSale(units: 1, placedAt: Self.at(6), policy: policy)
        #expect(shelf.expectedAtShop == nil && shelf.isDue)
    }

    @Test
    func aSaleWhileAWriteIsInFlightLeavesTheShelfUnknown() throws {
        var shelf = shelf(showing: 9)
        shelf.want(7, cause: Self.at(1))
        let claim = try push(&shelf, at: 2)
        shelf.noteOwnSale(units: 1, placedAt: Self.at(3), policy: policy)
        confirm(&shelf, claim, at: 4)
        #expect(shelf.expectedAtShop == nil && shelf.isDue)
    }

    @Test
    func aSaleBetweenReadingAndDecidingLeavesTheShelfUnknownEvenIfNothingIsWritten() throws {
        let stale = PushSurroundings(feeds: [OrderFeed(shop: "b", completeUpTo: Self.at(0))])
        var shelf = ShelfState()
        shelf.want(12, cause: Self.at(1))
        guard case .push(let claim) = claim(&shelf, at: 2, around: stale) else { return #expect(Bool(false)) }
        shelf.noteOwnSale(units: 2, placedAt: Self.at(10), policy: policy)
        let seen = ObservedStock(level: 3, readFrom: Self.at(3), readTo: Self.at(11))
        let decision = shelf.afterReading(claim, observed: seen, now: Self.at(11), policy: policy, around: stale)
        guard case .deferred(.feeds, _) = decision else { return #expect(Bool(false), "\(decision)") }
        #expect(shelf.expectedAtShop == nil && shelf.isDue)
    }

    @Test
    func aLowerStockThanExpectedIsAnUnseenSaleToBeFetchedFirstAtMostThreeTimes() throws {
        let careful = PushPolicy(readBeforeWrite: true, ordersAreCollected: true)
        var shelf = shelf(showing: 9)
        for attempt in 1...3 {
            shelf.want(20 + attempt, cause: Self.at(Double(attempt)))
            let decision = claim(&shelf, at: Double(attempt * 10), policy: careful)
            guard case .push(let claim) = decision else { return #expect(Bool(false), "\(decision)") }
            let (from, to) = (Self.at(Double(attempt * 10) + 1), Self.at(Double(attempt * 10) + 2))
            let seen = ObservedStock(level: 9 - attempt, readFrom: from, readTo: to)
            let answer = shelf.afterReading(claim, observed: seen, now: to, policy: careful, around: .init())
            #expect(answer == (attempt < 3 ? .fetchOrders(unseen: 1) : .held))
        }
        #expect(claim(&shelf, at: 100) == .nothing(.held) && !shelf.isDue)
        shelf.releaseHold()
        #expect(shelf.isDue)
    }

    @Test
    func whereOrdersAreNotCollectedTheFileDecides() throws {
        let blind = PushPolicy(readBeforeWrite: true, ordersAreCollected: false)
        var shelf = shelf(showing: 9)
        shelf.want(12, cause: Self.at(1))
        guard case .push(let claim) = claim(&shelf, at: 2, policy: blind) else { return #expect(Bool(false)) }
        let seen = ObservedStock(level: 6, readFrom: Self.at(3), readTo: Self.at(4))
        let decision = shelf.afterReading(claim, observed: seen, now: Self.at(4), policy: blind, around: .init())
        guard case .write(let current) = decision else { return #expect(Bool(false), "\(decision)") }
        #expect(current.level == 12)
    }

    @Test
    func aClaimTakesTheNewestLevelAlongAsLongAsNothingWasSent() throws {
        let careful = PushPolicy(readBeforeWrite: true, ordersAreCollected: true)
        var shelf = shelf(showing: 9)
        shelf.want(5, cause: Self.at(1))
        guard case .push(let claim) = claim(&shelf, at: 2, policy: careful) else { return #expect(Bool(false)) }
        shelf.want(4, cause: Self.at(3))
        let seen = ObservedStock(level: 9, readFrom: Self.at(3), readTo: Self.at(4))
        let decision = shelf.afterReading(claim, observed: seen, now: Self.at(4), policy: careful, around: .init())
        guard case .write(let current) = decision else { return #expect(Bool(false), "\(decision)") }
        #expect(current.level == 4 && current.version == shelf.version && current.number == claim.number)
    }

    @Test
    func aRepairSetsAsideWhatWasConfirmedAndPushesAgain() throws {
        var shelf = shelf(showing: 9)
        let version = shelf.version
        #expect(!repair(&shelf, 2, read: -60, -55), "an old reading")
        #expect(!repair(&shelf, 9, read: 10, 11), "as it should be")
        #expect(repair(&shelf, 2, read: 20, 21))
        #expect(shelf.version == version + 1 && shelf.isDue)
        #expect(try push(&shelf, at: 22).level == 9)
        #expect(!repair(&shelf, 2, read: 23, 24), "a write in flight")
    }

    @Test
    func aRejectionHoldsForItsVersionUntilANewRunTriesAgain() throws {
        var shelf = shelf(showing: 9)
        shelf.want(5, cause: Self.at(1))
        let claim = try push(&shelf, at: 2)
        shelf.record(.rejected(words: "invalid id"), of: claim, now: Self.at(3), policy: policy)
        #expect(self.claim(&shelf, at: 4) == .nothing(.rejected) && !shelf.isDue)
        let mapping = MappingResult.mapped("x", unitsPerPack: 1, via: .exact)
        #expect(ShelfOutcome(mapping: mapping, shelf: shelf, runBegan: Self.at(0)) == .rejected("invalid id"))
        guard case .push = self.claim(&shelf, at: 5, retryRejected: true) else { return #expect(Bool(false)) }
    }

    @Test
    func aClosedShopDefersAndAMismatchCounts() throws {
        var shelf = shelf(showing: 9)
        shelf.want(5, cause: Self.at(1))
        #expect(claim(&shelf, at: 2, around: .init(closed: .shadow)) == .deferred(.shadow, until: nil))
        let other = ObservedStock(level: 8, readFrom: Self.at(3), readTo: Self.at(3))
        shelf.record(.mismatch(other), of: try push(&shelf, at: 3), now: Self.at(4), policy: policy)
        #expect(shelf.mismatches == 1 && shelf.expectedAtShop == 8 && shelf.isDue)
    }

    @Test
    func theRowSurvivesJSON() throws {
        var shelf = shelf(showing: 9)
        shelf.want(5, cause: Self.at(1), reservedFor: ["b", "a"])
        _ = try push(&shelf, at: 2)
        #expect(try JSONDecoder().decode(ShelfState.self, from: JSONEncoder().encode(shelf)) == shelf)
        #expect(shelf.reservedFor == ["a", "b"])
    }

    @Test
    func everyListingEndsInExactlyOneStateAndTheCountsAddUp() throws {
        let mapped = MappingResult.mapped("x", unitsPerPack: 1, via: .exact)
        var written = shelf(showing: 9)
        written.want(5, cause: Self.at(1))
        confirm(&written, try push(&written, at: 2), at: 4)
        var broken = shelf(showing: 9)
        broken.want(5, cause: Self.at(1))
        broken.record(.failed("500"), of: try push(&broken, at: 2), now: Self.at(3), policy: policy)
        var flying = shelf(showing: 9)
        flying.want(5, cause: Self.at(1))
        _ = try push(&flying, at: 2)
        let cases: [(MappingResult, ShelfState?, ShelfOutcome)] = [
            (mapped, written, .confirmed), (mapped, shelf(showing: 9), .unchanged), (mapped, nil, .deferred(.noLevel)),
            (mapped, flying, .deferred(.deadline)), (mapped, broken, .failed("500")),
            (.unmapped, written, .unmapped(.unmapped)), (.blank, nil, .unmapped(.blank)),
        ]
        var counts = OutcomeCounts()
        for (mapping, shelf, expected) in cases {
            let outcome = ShelfOutcome(mapping: mapping, shelf: shelf, runBegan: Self.at(0))
            #expect(outcome == expected)
            counts.add(outcome)
        }
        #expect(counts.listed == 7 && counts.isBalanced && counts.unmapped == 2)
        #expect(ShelfOutcome(mapping: mapped, shelf: written, runBegan: Self.at(100)) == .unchanged)
    }
}
