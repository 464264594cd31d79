/// How often a message is tried, how long it waits in between, and whose failure is what.
public struct RetryPolicy: Sendable, Equatable {
    /// What the configuration says about an error, whatever the handler says.
    public struct ErrorRule: Sendable, Equatable {
        /// An error code, or what codes begin with.
        public let code: String
        /// Whether `code` is only the beginning.
        public let isPrefix: Bool
        /// The class of such errors.
        public let failureClass: FailureClass

        /// A rule about one code, or about all that begin alike.
        public init(code: String, isPrefix: Bool = false, failureClass: FailureClass) {
            self.code = code
            self.isPrefix = isPrefix
            self.failureClass = failureClass
        }
    }

    /// When a dependency counts as out, and how often it is asked then.
    public struct Outage: Sendable, Equatable {
        /// Failures in a row that speak for an outage; 2 or more, so that a message that is itself to blame goes on
        /// using up its attempts.
        public let failuresInARow: Int
        /// The longest wait before the first probe; later ones wait longer.
        public let firstProbe: Duration
        /// No wait between two probes is longer.
        public let longestProbe: Duration

        /// The dependency is out after `failuresInARow`, and probed at these intervals.
        public init(
            failuresInARow: Int = 5, firstProbe: Duration = .seconds(5), longestProbe: Duration = .seconds(60)
        ) {
            precondition(failuresInARow >= 2 && longestProbe >= firstProbe, "an outage is more than one failure")
            self.failuresInARow = failuresInARow
            self.firstProbe = firstProbe
            self.longestProbe = longestProbe
        }
    }

    /// The part of a tier's delay that jitter may take off where nothing else is set.
    public static let standardJitter = 0.3

    /// The tiers, shortest first; not empty.
    public let tiers: [RetryTier]
    /// The attempts in all, the first included.
    public let maximumAttempts: Int
    /// The part of a tier's delay that jitter may take off, 0 to 0.9.
    public let jitter: Double
    /// What the configuration says about errors.
    public let rules: [ErrorRule]
    /// When a dependency is out.
    public let outage: Outage

    /// A policy; attempt n waits in the n-th tier, the last tier repeats.
    public init(
        tiers: [RetryTier], maximumAttempts: Int, jitter: Double = Self.standardJitter, rules: [ErrorRule] = [],
        outage: Outage = Outage()
    ) {
        precondition(!tiers.isEmpty && maximumAttempts >= 1, "a retry policy has a tier and an attempt")
        precondition((0...0.9).contains(jitter), "jitter takes off a part of a delay")
        self.tiers = tiers
        self.maximumAttempts = maximumAttempts
        self.jitter = jitter
        self.rules = rules
        self.outage = outage
    }

    /// The reason with the class that the configuration gives to its code: the rule of the very code, otherwise the
    /// longest beginning; the handler's own class where there is no rule.
    public func classified(_ reason: FailureReason) -> FailureReason {
        let exact = rules.first { !$0.isPrefix && $0.code == reason.code }
        let longest = rules.filter { $0.isPrefix && reason.code.hasPrefix($0.code) }
            .max { $0.code.count < $1.code.count }
        guard let rule = exact ?? longest else { return reason }
        return FailureReason(rule.failureClass, code: reason.code, message: reason.message)
    }

    /// The outcome as the configuration's rules see it: what they call transient is tried again, the rest is parked.
    func classified(_ outcome: Outcome) -> Outcome {
        let given: FailureReason
        switch outcome {
        case .retry(let reason), .park(let reason), .outage(_, let reason): given = reason
        case .done, .superseded, .later, .defer: return outcome
        }
        let reason = classified(given)
        if reason == given { return outcome }
        guard reason.failureClass == .transient else { return .park(reason) }
        // No rule makes an answer out of no answer: an outage stays one.
        if case .outage(let dependency, _) = outcome { return .outage(dependency, reason) }
        return .retry(reason)
    }

    /// Decides what happens to a message. The only place that does; pure, so that every row is a test.
    ///
    /// - Parameters:
    ///   - outcome: What the handler said.
    ///   - attempt: Which attempt this was; 1 for the first.
    ///   - isReplay: A replayed message gets one attempt and no tiers (messaging.md, "Dead letters").
    ///   - failuresInARow: How often in a row the outcome's dependency has failed by now, if it has.
    public func settlement(
        of outcome: Outcome, attempt: Int, isReplay: Bool, failuresInARow: Int = 0
    ) -> Settlement {
        switch classified(outcome) {
        case .done, .superseded:
            .acknowledge
        case .outage(let dependency, _) where failuresInARow >= outage.failuresInARow:
            .pause(dependency, tiers[0])
        case .retry(let reason), .outage(_, let reason):
            attempt < maximumAttempts && !isReplay
                ? .delay(tiers[min(attempt - 1, tiers.count - 1)], attempt: attempt + 1) : .deadLetter(reason)
        case .later(let milliseconds):
            .delay(tier(within: milliseconds), attempt: attempt)
        case .park(let reason):
            .deadLetter(reason)
        case .defer(let dependency):
            .pause(dependency, tiers[0])
        }
    }

    /// The longest tier that does not wait longer than this, or the shortest there is. A message that comes back too
    /// early is told again how long to wait, which costs little; one that comes back late holds up a shelf.
    func tier(within milliseconds: Int) -> RetryTier {
        tiers.last { $0.delayMilliseconds <= milliseconds } ?? tiers[0]
    }
}
