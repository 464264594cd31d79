internal import Concurrency

/// When the next attempt to connect is due.
struct Reconnect {
    private let backoff: Backoff
    private var failures = 0
    private var notBefore: ContinuousClock.Instant?

    init(first: Double, longest: Double) {
        let first = max(0.001, first)
        backoff = Backoff(first: .seconds(first), ceiling: .seconds(max(first, longest)))
    }

    /// How long to wait before connecting; nil if it may be done at once.
    func pause(now: ContinuousClock.Instant) -> Duration? {
        guard let notBefore, notBefore > now else { return nil }
        return now.duration(to: notBefore)
    }

    mutating func failed(now: ContinuousClock.Instant) {
        failures += 1
        notBefore = now + backoff.delay(afterFailures: failures)
    }

    mutating func succeeded() {
        failures = 0
        notBefore = nil
    }
}
