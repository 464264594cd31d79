/// What is left in the shop's bucket of points, as its last answer said. Pure: time comes in, in seconds of any clock
/// that only goes forward.
struct ShopifyBudget: Sendable, Equatable {
    /// `extensions.cost.throttleStatus` of an answer.
    struct Status: Sendable, Equatable {
        let maximum: Double
        let available: Double
        let restoreRate: Double
    }

    private var status: Status?
    private var at = 0.0
    /// What queries were charged for, by name: estimates of ours are replaced by the shop's own number.
    private var known: [String: Double] = [:]

    /// What a query costs, as far as is known.
    func cost(of name: String, estimate: Int) -> Double { known[name] ?? Double(estimate) }

    /// How long to wait until a query of this cost fits in; 0 if nothing is known yet. One that is larger than the
    /// whole
    /// bucket waits until that is full.
    func wait(for cost: Double, at now: Double) -> Double {
        guard let status, status.restoreRate > 0 else { return 0 }
        let missing = min(cost, status.maximum) - available(status, now)
        return min(max(0, missing / status.restoreRate), AnswerReading.longestWaitSeconds)
    }

    /// A query goes out: its points are gone until the answer says otherwise.
    mutating func spend(_ cost: Double, at now: Double) {
        guard let status else { return }
        let left = max(0, available(status, now) - cost)
        self.status = Status(maximum: status.maximum, available: left, restoreRate: status.restoreRate)
        at = now
    }

    /// An answer came.
    mutating func note(_ status: Status, requested: Double?, of name: String, at now: Double) {
        self.status = status
        at = now
        if let requested { known[name] = requested }
    }

    private func available(_ status: Status, _ now: Double) -> Double {
        min(status.maximum, status.available + max(0, now - at) * status.restoreRate)
    }
}
