/// What a test's own system is made of.
public struct StackPlan: Sendable {
    /// SKUs of the morning; 60 or more.
    public var skus: Int
    /// Another seed is another merchant.
    public var seed: Int
    /// The shops of the demo that take part.
    public var shops: [String]
    /// Calls a second that a simulated shop answers before it says 429; the services go by less.
    public var shopCallsPerSecond: Double
    /// What each of its calls takes at least.
    public var shopLatencyMilliseconds: Int
    /// Changes of the demo's configuration: each text has to occur.
    public var edits: [(String, String)]
    /// In place of the demo's source: entries of `sources`, made once the stack's SFTP directory is known.
    public var sources: (@Sendable (String) -> String)?

    /// The demo's merchant with waits that are shorter, so that a test has not to wait for them.
    public init(
        skus: Int, seed: Int = 1, shops: [String] = ["hanoi", "saigon", "danang", "beauty", "wholesale"],
        shopCallsPerSecond: Double = 30, shopLatencyMilliseconds: Int = 0, edits: [(String, String)] = [],
        sources: (@Sendable (String) -> String)? = nil
    ) {
        self.skus = skus
        self.seed = seed
        self.shops = shops
        self.shopCallsPerSecond = shopCallsPerSecond
        self.shopLatencyMilliseconds = shopLatencyMilliseconds
        self.edits =
            edits + [
                ("retry: {tiers: [5s, 30s, 2m, 10m, 1h]}", "retry: {tiers: [1s, 2s, 5s, 10s, 20s]}"),
                // A test does what it does at whatever time of day: nothing comes due by itself.
                ("cron: \"0 6 * * *\"", "cron: \"0 6 29 2 *\""), ("cron: \"30 5 * * *\"", "cron: \"30 5 29 2 *\""),
            ]
        self.sources = sources
    }

    /// The demo's configuration as this plan wants it.
    func configuration(from text: String, incoming: String) throws -> String {
        var text = text
        for (old, new) in edits {
            guard text.contains(old) else {
                throw ProcessStackProblem("The demo's configuration no longer says '\(old)'; adapt the test.")
            }
            text = text.replacing(old, with: new)
        }
        guard let sources else { return text }
        guard let begin = text.firstRange(of: "\nsources:\n"), let end = text.firstRange(of: "\nshops:\n") else {
            throw ProcessStackProblem("The demo's configuration has no sections 'sources' and 'shops' in this order.")
        }
        return text[..<begin.upperBound] + sources(incoming) + text[end.lowerBound...]
    }
}
