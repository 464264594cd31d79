import Foundation

/// Exponential delays with jitter, never above the ceiling.
///
/// The delay before attempt n is `first * 2^(n-1)`, cut at `ceiling`, times a random factor between 0.5 and 1, so that
/// many clients of one failed server do not come back at the same moment.
public struct Backoff: Sendable {
    /// The longest delay before the second attempt.
    public let first: Duration
    /// No delay is longer than this, jitter included.
    public let ceiling: Duration

    /// - Parameters:
    ///   - first: The longest delay after the first failure; positive.
    ///   - ceiling: The longest delay of all; at least `first`.
    public init(first: Duration, ceiling: Duration) {
        precondition(first > .zero && ceiling >= first, "a backoff needs 0 < first <= ceiling")
        self.first = first
        self.ceiling = ceiling
    }

    /// The delay after `failures` failures in a row (1 or more).
    public func delay(afterFailures failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        precondition(failures >= 1, "a delay follows a failure")
        // Capped before multiplying: 2^1000 would overflow.
        let factor = min(pow(2, Double(failures - 1)), ceiling / first)
        return first * (factor * Double.random(in: 0.5...1, using: &generator))
    }

    /// The delay after `failures` failures in a row, with the system's generator.
    public func delay(afterFailures failures: Int) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return delay(afterFailures: failures, using: &generator)
    }
}
