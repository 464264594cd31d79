/// What a replay job was asked to be.
struct ReplayTerms: Sendable, Equatable {
    /// Messages a second.
    var ratePerSecond: Double
    /// So many first; the rest only when each of them has an outcome. 0: none.
    var canary: Int
    /// The job stops itself when more than this share of the outcomes are failures; 0 to 1.
    var stopShare: Double
}

/// Where the items of a replay job stand.
struct ReplayCounts: Sendable, Equatable {
    /// Not sent yet.
    var requested = 0
    /// On the broker, without an outcome.
    var published = 0
    /// Of the first ones, as many as the canary counts: those not sent yet.
    var canaryRequested = 0
    /// Of the first ones, as many as the canary counts: those without an outcome, whether sent or not.
    var canaryOpen = 0
    /// Outcomes since the job was last let go on after it had stopped itself.
    var judged = 0
    /// Of these, those that failed again or could not be delivered.
    var failed = 0
}

/// What a replay job does next. Pure, so that every rule is a test.
enum ReplayDecision: Equatable {
    /// Send at most so many of what is not sent yet, in the order of the letters' numbers.
    case publish(atMost: Int)
    /// Nothing now: the rate, the bound or an outcome is waited for.
    case wait
    /// Too many failed: rest until a person says otherwise. The sentence says why.
    case stop(String)
    /// Every item has its outcome.
    case done

    /// At most so many messages on the broker without an outcome, so that a consumer that is away is not buried.
    static let maximumOutstanding = 1_000
    /// At least so many outcomes are judged, unless a canary says how many.
    static let leastJudged = 10

    /// - Parameter allowance: How many messages the rate allows now.
    static func next(_ terms: ReplayTerms, _ counts: ReplayCounts, allowance: Int) -> ReplayDecision {
        if counts.requested == 0 && counts.published == 0 { return .done }
        if let reason = reasonToStop(terms, counts) { return .stop(reason) }
        let room = maximumOutstanding - counts.published
        var count = min(allowance, room, counts.requested)
        if counts.canaryOpen > 0 { count = min(count, counts.canaryRequested) }
        return count > 0 ? .publish(atMost: count) : .wait
    }

    /// A canary is judged as soon as as many have an outcome, so that the rest never follows a canary that died.
    private static func reasonToStop(_ terms: ReplayTerms, _ counts: ReplayCounts) -> String? {
        let least = terms.canary > 0 ? terms.canary : leastJudged
        guard counts.judged >= least else { return nil }
        let share = Double(counts.failed) / Double(counts.judged)
        guard share > terms.stopShare else { return nil }
        return """
            \(counts.failed) of \(counts.judged) replayed messages failed again, more than the share of \
            \(terms.stopShare) that was set; nothing more is sent. Correct the cause, then resume or cancel the job.
            """
    }
}

/// Keeps a rate: how many messages may leave, as time goes by.
///
/// What was not used is kept for a second at most, so that a job that waited does not burst afterwards.
struct ReplayPace: Sendable {
    private let ratePerSecond: Double
    private var saved: Double
    private var at: ContinuousClock.Instant

    /// Begins with one message, so that the first need not wait.
    init(ratePerSecond: Double, now: ContinuousClock.Instant) {
        self.ratePerSecond = ratePerSecond
        saved = 1
        at = now
    }

    /// How many may leave now.
    mutating func allowance(now: ContinuousClock.Instant) -> Int {
        let passed = at.duration(to: now).components
        let seconds = Double(passed.seconds) + Double(passed.attoseconds) * 1e-18
        saved = min(saved + seconds * ratePerSecond, max(1, ratePerSecond))
        at = now
        return Int(min(saved, Double(ReplayDecision.maximumOutstanding)))
    }

    /// So many left.
    mutating func spend(_ count: Int) { saved -= Double(count) }
}
