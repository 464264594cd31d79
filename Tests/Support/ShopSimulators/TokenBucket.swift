/// Lets `burst` calls through at once and `rate` a second after that. Time comes in, in seconds on any steady clock.
struct TokenBucket: Sendable {
    let rate: Double
    let burst: Double
    private var tokens: Double
    private var updatedAt: Double?

    init(rate: Double, burst: Double) {
        self.rate = rate
        self.burst = max(1, burst)
        tokens = self.burst
    }

    /// Takes a token, or says after how many seconds there is one.
    mutating func take(at now: Double) -> Double? {
        tokens = min(burst, tokens + max(0, now - (updatedAt ?? now)) * rate)
        updatedAt = now
        // Sums of fractions may end a hair below a whole token.
        guard tokens >= 1 - 1e-9 else { return (1 - tokens) / rate }
        tokens -= 1
        return nil
    }
}
