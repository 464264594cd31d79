internal import Synchronization

/// What all calls to one shop share in this process: the token, the bucket and the version that answers.
actor ShopifySession {
    /// A token, and until when it is used, in seconds of the steady clock.
    struct Token: Sendable {
        let text: String
        let until: Double
    }

    private var token: Token?
    private var asking: Task<Result<Token, ConnectorError>, Never>?
    private nonisolated let shared = Mutex((budget: ShopifyBudget(), version: String?.none))

    /// A token that is good now. However many callers want a new one, it is asked for once.
    ///
    /// - Parameters:
    ///   - refused: a token that the shop no longer takes.
    ///   - now: seconds of the steady clock.
    ///   - ask: gets a new one.
    func token(
        otherThan refused: String? = nil, at now: Double,
        ask: @escaping @Sendable () async -> Result<Token, ConnectorError>
    ) async throws(ConnectorError) -> String {
        if let token, token.until > now, token.text != refused { return token.text }
        let task = asking ?? Task { await ask() }
        asking = task
        let result = await task.value
        if asking == task { asking = nil }
        let found = try result.get()
        token = found
        return found.text
    }

    /// How long to wait until a query fits into the bucket; takes its points out if that is at once.
    nonisolated func wait(for name: String, estimate: Int, at now: Double) -> Double {
        shared.withLock { shared in
            let cost = shared.budget.cost(of: name, estimate: estimate)
            let seconds = shared.budget.wait(for: cost, at: now)
            if seconds <= 0 { shared.budget.spend(cost, at: now) }
            return seconds
        }
    }

    nonisolated func note(_ status: ShopifyBudget.Status, requested: Double?, of name: String, at now: Double) {
        shared.withLock { $0.budget.note(status, requested: requested, of: name, at: now) }
    }

    /// The version of the API that answered last.
    nonisolated var answeringVersion: String? { shared.withLock { $0.version } }

    nonisolated func note(version: String) { shared.withLock { $0.version = version } }
}
