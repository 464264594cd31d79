public import Foundation

// MARK: - What is wanted

extension ShelfState {
    /// Sets the wanted level, and raises the version if it changed.
    ///
    /// - Parameters:
    ///   - level: the level, or nil if the shelf is no longer mapped.
    ///   - cause: when what caused this happened.
    ///   - reservedFor: the stale shops whose reserve is already taken out of `level`.
    /// - Returns: whether the version was raised, so that a push should be asked for.
    @discardableResult
    public mutating func want(_ level: Int?, cause: Date, reservedFor: [ShopName] = []) -> Bool {
        self.reservedFor = reservedFor.sorted()
        guard level != wanted else { return false }
        let isIncrease = level.map { $0 > expectedAtShop ?? -1 } ?? false
        wanted = level
        version += 1
        // Never back: a sale that was noticed meanwhile is not forgotten over something older that is heard of late.
        self.cause = self.cause.map { max($0, cause) } ?? cause
        increaseSince = isIncrease ? increaseSince ?? cause : nil
        failures = 0
        failure = nil
        deferral = nil
        return true
    }
}

// MARK: - Claiming

extension ShelfState {
    /// Decides about a push request, and puts the claim into the row if there is one.
    ///
    /// - Parameters:
    ///   - request: the wish.
    ///   - owner: the replica that asks.
    ///   - now: the time.
    ///   - policy: the shop's rules.
    ///   - around: the feeds, and whether the shop is closed for writing.
    /// - Important: Load the row under its lock, store it whatever the answer, and commit before calling the shop.
    public mutating func claim(
        for request: PushRequest, owner: String, now: Date, policy: PushPolicy, around: PushSurroundings
    ) -> ClaimDecision {
        guard let wanted else { return .nothing(.notWanted) }
        if let claim, claim.leaseUntil > now {
            // Only a newer claim supersedes: an equal one may be this very request's, come back after a crash.
            return claim.version > request.version ? .nothing(.superseded) : .wait(until: claim.leaseUntil)
        }
        if let unknownUntil, unknownUntil > now { return .wait(until: unknownUntil) }
        let isUncertain = claim != nil || unknownUntil != nil || readBackRequired
        if !isUncertain && wanted == expectedAtShop {
            settleWithoutWriting(now: now)
            return .nothing(.asWanted)
        }
        if held != nil { return .nothing(.held) }
        if rejectedVersion == version && !request.retryRejected { return .nothing(.rejected) }
        if let closed = around.closed { return .deferred(note(closed), until: nil) }
        return claimUnlessGateIsShut(wanted, isUncertain: isUncertain, owner: owner, now: now, policy, around)
    }

    /// The last two steps of a claim: an increase passes the gate, and the claim goes into the row.
    private mutating func claimUnlessGateIsShut(
        _ wanted: Int, isUncertain: Bool, owner: String, now: Date, _ policy: PushPolicy, _ around: PushSurroundings
    ) -> ClaimDecision {
        var readFirst = isUncertain || policy.readBeforeWrite
        if let expected = expectedAtShop, !isUncertain {
            if wanted > expected, let refusal = gate(now: now, policy, around) {
                return refused(refusal).asClaimDecision
            }
        } else if gate(now: now, policy, around) != nil {
            // Whether it is an increase nobody knows before the shop was read; the gate is asked again then.
            readFirst = true
        }
        claimNumber += 1
        let sendUntil = now.addingTimeInterval(policy.sendWithinSeconds)
        let claim = PushClaim(
            number: claimNumber, version: version, level: wanted, owner: owner, claimedAt: now, sendUntil: sendUntil,
            leaseUntil: sendUntil.addingTimeInterval(policy.requestLifeSeconds), readFirst: readFirst)
        self.claim = claim
        if !readFirst { (sentVersion, sent) = (version, wanted) }
        unknownUntil = nil
        // What reading must clear up stays required until it was read: the claim may die before that.
        readBackRequired = isUncertain
        deferral = nil
        return .push(claim)
    }

    /// Why an increase may not go out now; nil if it may.
    private func gate(now: Date, _ policy: PushPolicy, _ around: PushSurroundings) -> GateRefusal? {
        let cause = cause ?? now
        let gate = FeedGate(
            cause: cause, since: increaseSince ?? cause, feeds: around.feeds, reservedFor: reservedFor, now: now,
            staleAfterSeconds: policy.feedStaleAfterSeconds)
        switch gate {
        case .open: return nil
        case .wait(let until, _): return .deferred(.feeds, until: until)
        case .takeReserve(let shops): return .takeReserve(for: shops)
        }
    }

    private mutating func note(_ reason: Deferral) -> Deferral {
        deferral = reason
        return reason
    }

    private mutating func refused(_ refusal: GateRefusal) -> GateRefusal {
        deferral = .feeds
        return refusal
    }

    /// The shop shows what is wanted: the version is confirmed without a write.
    private mutating func settleWithoutWriting(now: Date) {
        guard confirmedVersion < version else { return }
        confirmedVersion = version
        confirmedLevel = wanted
        confirmedAt = now
        settle()
    }

    /// Forgets what stood in the way.
    private mutating func settle() {
        increaseSince = nil
        rejectedVersion = nil
        rejection = nil
        failures = 0
        failure = nil
        mismatches = 0
        deferral = nil
    }
}

// MARK: - Reading before writing

extension ShelfState {
    /// Decides what to do with the stock read from the shop under a claim that says `readFirst`.
    ///
    /// What was read is what the shop has, whoever changed it. If the shop's orders are collected and it has fewer than
    /// expected, it sold some we have not seen: writing now would put them on sale again.
    ///
    /// - Parameters:
    ///   - claim: the claim under which it was read.
    ///   - observed: the stock that the shop shows, and between which times it was read.
    ///   - now: the time.
    ///   - policy: the shop's rules.
    ///   - around: the feeds; a level above the observed one is an increase.
    /// - Important: Load the row under its lock, store it whatever the answer, and commit before writing to the shop.
    public mutating func afterReading(
        _ claim: PushClaim, observed: ObservedStock, now: Date, policy: PushPolicy, around: PushSurroundings
    ) -> AfterReading {
        guard var current = self.claim, current.number == claim.number else { return .claimLost }
        guard let wanted else {
            self.claim = nil
            return .claimLost
        }
        let unseen = readBackRequired ? 0 : expectedAtShop.map { $0 - observed.level } ?? 0
        learn(observed, disturbed: current.disturbed)
        readBackRequired = false
        if policy.ordersAreCollected && unseen > 0 {
            self.claim = nil
            awaitFeeds(past: observed)
            return countMismatch(policy, "sold more than its orders show") ? .held : .fetchOrders(unseen: unseen)
        }
        // Nothing has been sent under this claim, so it can still take the newest level along.
        (current.version, current.level) = (version, wanted)
        if wanted == observed.level {
            self.claim = nil
            settleWithoutWriting(now: now)
            return .asWanted
        }
        if wanted > observed.level, let refusal = gate(now: now, policy, around) {
            self.claim = nil
            return refused(refusal).asAfterReading
        }
        self.claim = current
        (sentVersion, sent) = (version, wanted)
        return .write(current)
    }

    /// Takes a reading for what the shop has. Not if the shop sold or took back some under the same claim: whether the
    /// reading came before or after that, nobody can tell.
    private mutating func learn(_ observed: ObservedStock, disturbed: Bool = false) {
        expectedAtShop = disturbed ? nil : observed.level
        knownFrom = observed.readFrom
        knownTo = observed.readTo
    }

    /// Fewer than expected may be a sale not seen yet, so that an increase, this one or a later, has to wait until the
    /// feeds have passed the reading.
    private mutating func awaitFeeds(past observed: ObservedStock) {
        cause = cause.map { max($0, observed.readTo) } ?? observed.readTo
        guard let wanted, wanted > observed.level else { return }
        increaseSince = increaseSince ?? observed.readTo
        deferral = .feeds
    }

    /// Counts a mismatch; true if it was one too many and the shelf is held now.
    private mutating func countMismatch(_ policy: PushPolicy, _ what: String) -> Bool {
        mismatches += 1
        guard mismatches >= policy.mismatchLimit else { return false }
        held = "The shop \(what), \(mismatches) times in a row. Nothing is written until somebody has looked at it."
        return true
    }
}

// MARK: - Recording results

extension ShelfState {
    /// Records how a push ended.
    ///
    /// A result of an older claim changes nothing that a newer one confirmed; but a write it made may stand in the
    /// shop,
    /// so the shop is read before the next write. Without compare-and-set that is all that can be done about it.
    ///
    /// - Parameters:
    ///   - result: how it ended.
    ///   - claim: the claim under which the shop was called.
    ///   - now: the time.
    ///   - policy: the shop's rules.
    /// - Important: If ``isDue`` afterwards, ask for a push in the same transaction: requests that found this claim in
    ///   flight were closed as superseded.
    @discardableResult
    public mutating func record(
        _ result: PushResult, of claim: PushClaim, now: Date, policy: PushPolicy
    ) -> RecordDecision {
        guard let current = self.claim, current.number == claim.number else {
            if claim.number == claimNumber { return .alreadyRecorded }
            recordLate(result, policy)
            return .late
        }
        self.claim = nil
        switch result {
        case .confirmed(let began):
            confirm(current, began: began, now: now)
        case .rejected(let words):
            rejectedVersion = current.version
            rejection = String(words.prefix(500))
        case .failed(let reason):
            failures += 1
            failure = String(reason.prefix(500))
        case .lostAnswer(let began, let reason):
            failures += 1
            failure = String(reason.prefix(500))
            unknownUntil = began.addingTimeInterval(policy.requestLifeSeconds)
            readBackRequired = true
        case .notSent(let reason):
            deferral = reason
        case .mismatch(let observed):
            let expected = expectedAtShop
            learn(observed, disturbed: current.disturbed)
            if policy.ordersAreCollected, expected.map({ $0 > observed.level }) ?? true { awaitFeeds(past: observed) }
            _ = countMismatch(policy, "had another stock than expected at the moment of writing")
        }
        return .recorded
    }

    private mutating func confirm(_ claim: PushClaim, began: Date, now: Date) {
        confirmedVersion = claim.version
        confirmedLevel = claim.level
        confirmedAt = now
        lastPushedAt = now
        expectedAtShop = claim.disturbed ? nil : claim.level
        knownFrom = began
        knownTo = now
        let waiting = increaseSince
        settle()
        // A still higher level may have come up meanwhile, and its wait goes on.
        if let wanted, wanted > claim.level { increaseSince = waiting }
    }

    private mutating func recordLate(_ result: PushResult, _ policy: PushPolicy) {
        switch result {
        case .confirmed:
            readBackRequired = true
        case .lostAnswer(let began, _):
            readBackRequired = true
            let over = began.addingTimeInterval(policy.requestLifeSeconds)
            unknownUntil = unknownUntil.map { max($0, over) } ?? over
        case .rejected, .failed, .notSent, .mismatch:
            break
        }
    }
}

// MARK: - What happens at the shop

extension ShelfState {
    /// Takes the shop's own sale into account; a sale at a shop is pushed to the others, not back to it.
    ///
    /// - Parameters:
    ///   - units: units of the listing; negative if the shop put them back on sale (a cancellation).
    ///   - placedAt: when, by the shop's clock.
    ///   - changedAt: until when the order was changed, if not all that happened to it was heard of: some of its units
    ///     may have been taken before our last write and others put back after it, so that `units` says too little,
    ///     even where it is 0 because the order is cancelled again.
    ///   - learntAt: when we learnt of it, by our clock; bounds what the shop's clock says (``SaleSpan``).
    ///   - now: the time; what we know bears a later one only if our clock was set back, and nobody can tell then what
    ///     came first.
    ///   - policy: the shop's rules; within its clock tolerance of our last write nobody can tell what came first, and
    ///     what the shop has is unknown then.
    public mutating func noteOwnSale(
        units: Int, placedAt: Date, changedAt: Date? = nil, learntAt: Date? = nil, now: Date? = nil,
        policy: PushPolicy
    ) {
        let tolerance = policy.clockToleranceSeconds
        if let now, [claim?.claimedAt, knownFrom, knownTo].contains(where: { isPast(now, $0, by: tolerance) }) {
            return noteUncertainSale()
        }
        let span = SaleSpan(
            from: placedAt, to: max(placedAt, changedAt ?? placedAt), learntAt: learntAt, toleranceSeconds: tolerance)
        if let claim, span.to >= claim.claimedAt.addingTimeInterval(-tolerance) { self.claim?.disturbed = true }
        guard let expected = expectedAtShop, let knownFrom, let knownTo else { return }
        if span.to < knownFrom.addingTimeInterval(-tolerance) { return }
        expectedAtShop = span.from > knownTo.addingTimeInterval(tolerance) ? expected - units : nil
    }

    private func isPast(_ now: Date, _ time: Date?, by seconds: Double) -> Bool {
        time.map { $0 > now.addingTimeInterval(seconds) } ?? false
    }

    /// The shop may have sold some, taken some back, or neither: what it has is unknown until it was read.
    public mutating func noteUncertainSale() {
        claim?.disturbed = true
        expectedAtShop = nil
    }

    /// Takes in what a catalogue read saw. Raises no version: what the shop should show is unchanged.
    ///
    /// - Returns: whether it was used; not if a write is in flight or of unknown fate, or came after the read.
    @discardableResult
    public mutating func observe(_ observed: ObservedStock) -> Bool {
        guard claim == nil, unknownUntil == nil, !readBackRequired else { return false }
        if let knownTo, observed.readFrom <= knownTo { return false }
        learn(observed)
        return true
    }

    /// Sets aside what was confirmed, because somebody saw something else at the shop, and asks for it to be pushed
    /// again under a version of its own.
    ///
    /// - Returns: whether a push should be asked for; not if the shop shows what is wanted, nor if a write is in
    ///   flight,
    ///   of unknown fate, or later than the observation (the shop is read again then anyway, or the claim settles it).
    public mutating func repair(_ observed: ObservedStock) -> Bool {
        guard let wanted, observe(observed), wanted != observed.level else { return false }
        version += 1
        confirmedLevel = nil
        settle()
        held = nil
        // Fewer than expected may be a sale not seen yet, so the feeds have to be fresher than what was seen.
        if wanted > observed.level {
            cause = cause.map { max($0, observed.readTo) } ?? observed.readTo
            increaseSince = cause
        }
        return true
    }

    /// A person lets a held shelf go.
    public mutating func releaseHold() {
        held = nil
        mismatches = 0
    }

    /// When somebody has to look at this shelf again even if no message comes: an expired claim of a replica that died,
    /// or the end of a lost request's life.
    public var wakeAt: Date? { claim?.leaseUntil ?? unknownUntil }
}

/// Between which times by our clock a sale happened.
///
/// The shop's clock is believed as long as what it says agrees with when we learnt of it. What it says to have been
/// long ago may be old news, or its clock or ours is wrong: it may have been at any time until we learnt of it. What it
/// says to be still to come was a little before that.
public struct SaleSpan: Sendable, Hashable {
    /// News that is older by the shop's clock, in seconds, is old or its clock is wrong: webhooks take seconds, passes
    /// come about every minute. A shelf of which nobody can tell is read once more, so that little is lost where the
    /// news was old.
    public static let newsSeconds = 300.0

    /// Not before this.
    public private(set) var from: Date
    /// Not after this.
    public private(set) var to: Date

    /// A span by our clock.
    ///
    /// - Parameters:
    ///   - from: its begin by the shop's clock.
    ///   - to: its end by the shop's clock, not before `from`.
    ///   - learntAt: when we learnt of it, by our clock; nil believes the shop's clock.
    ///   - toleranceSeconds: how far the clocks may be apart without being wrong.
    public init(from: Date, to: Date, learntAt: Date?, toleranceSeconds: Double) {
        (self.from, self.to) = (from, to)
        guard let learntAt else { return }
        if to > learntAt.addingTimeInterval(toleranceSeconds) {
            (self.from, self.to) = (min(from, learntAt.addingTimeInterval(-Self.newsSeconds)), learntAt)
        } else if isOldNews(learntAt) {
            self.to = learntAt
        } else {
            (self.from, self.to) = (min(from, learntAt), min(to, learntAt))
        }
    }

    private func isOldNews(_ learntAt: Date) -> Bool { to < learntAt.addingTimeInterval(-Self.newsSeconds) }
}

/// Why the gate refuses an increase, on its way into the answer of the step that asked.
private enum GateRefusal {
    case deferred(Deferral, until: Date?)
    case takeReserve(for: [ShopName])

    var asClaimDecision: ClaimDecision {
        switch self {
        case .deferred(let reason, let until): .deferred(reason, until: until)
        case .takeReserve(let shops): .takeReserve(for: shops)
        }
    }

    var asAfterReading: AfterReading {
        switch self {
        case .deferred(let reason, let until): .deferred(reason, until: until)
        case .takeReserve(let shops): .takeReserve(for: shops)
        }
    }
}
