/// Decides when the next call to a shop account may be made. All replicas of all services that call the account share
/// one pace (domain.md, "Limits"), so what implements this keeps its state in the database.
///
/// A connector calls ``waitForTurn(calls:)`` before every API call, and ``feedback(_:)`` exactly once for each turn it
/// got, whatever became of the call. Between the two the call counts as in flight.
public protocol CallPacing: Sendable {
    /// Returns when `calls` API calls may be made at once.
    ///
    /// - Parameter calls: 1 or more; connectors of today ask for 1.
    func waitForTurn(calls: Int) async throws(PacingRefusal)

    /// Tells what became of a call that had its turn.
    func feedback(_ feedback: PaceFeedback) async
}

/// Why no turn was given; nothing was sent.
public enum PacingRefusal: Error, Sendable, Equatable {
    /// The shop's circuit breaker is open; it may be asked again after so many seconds, if known.
    case breakerOpen(retryAfterSeconds: Double?)
    /// The turn would come later than the caller is ready to wait.
    case tooLong(waitSeconds: Double)
    /// The limiter itself failed: what and where.
    case unavailable(detail: String)
    /// The caller is stopping.
    case cancelled
}

/// What became of one call, as far as the pace is concerned.
public struct PaceFeedback: Sendable, Equatable {
    /// How a call ended.
    public enum Outcome: Sendable, Equatable {
        /// Any HTTP status.
        case answered(status: Int)
        /// No usable answer: not reached, cut off, or timed out.
        case failed(timedOut: Bool)
        /// It was not made after all.
        case notSent
    }

    /// How the call ended.
    public let outcome: Outcome
    /// What the shop asked for with `Retry-After`, in seconds from now.
    public let retryAfterSeconds: Double?
    /// How many more calls the shop says it would take now, where it says so.
    public let remainingCalls: Int?
    /// Whether this call speaks for an outage of the whole shop: not reached, cut off, timed out, 429 or 5xx. An answer
    /// that could not be understood does not.
    public let countsAsOutage: Bool

    /// - Parameters:
    ///   - outcome: how the call ended.
    ///   - retryAfterSeconds: what the shop asked for.
    ///   - remainingCalls: how many more it would take now.
    public init(outcome: Outcome, retryAfterSeconds: Double? = nil, remainingCalls: Int? = nil) {
        self.outcome = outcome
        self.retryAfterSeconds = retryAfterSeconds
        self.remainingCalls = remainingCalls
        countsAsOutage =
            switch outcome {
            case .answered(let status): status == 429 || status >= 500
            case .failed: true
            case .notSent: false
            }
    }
}

/// No pace at all: every call goes at once. For tools and tests.
public struct UnlimitedPacing: CallPacing {
    /// Makes one.
    public init() {}
    /// Returns at once.
    public func waitForTurn(calls: Int) async throws(PacingRefusal) {}
    /// Forgets it.
    public func feedback(_ feedback: PaceFeedback) async {}
}
