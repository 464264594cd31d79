public import Foundation

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
    /// The local time at which the clock of a day of the system's own begins, such as `05:00`; nil goes by the
    /// machine's clock. The day is the machine's next one, so that the clock is only ever moved forward.
    public var startsAt: String?
    /// Seconds between two looks at a shop's orders, where order-collector runs; 5 or more.
    public var collectEverySeconds: Int
    /// Changes of the demo's configuration: each text has to occur.
    public var edits: [(String, String)]
    /// In place of the demo's source: entries of `sources`, made once the stack's SFTP directory is known.
    public var sources: (@Sendable (String) -> String)?
    /// Servers of its own; nil for those that all tests share.
    public var servers: PrivateServers?
    /// A cluster of its own, in place of single servers.
    public var cluster: ClusterServers?

    /// Where the executables are that it begins with, such as those of an earlier version; nil for those that were
    /// built with the test.
    public var programs: URL?

    /// The demo's merchant with waits that are shorter, so that a test has not to wait for them.
    ///
    /// - Parameters:
    ///   - hasSchedules: What is due at a time of day comes due by itself; else a test does what it does at whatever
    ///     time of day, and nothing happens unasked.
    ///   - retry: The section `retry` of the configuration.
    public init(
        skus: Int, seed: Int = 1, shops: [String] = ["hanoi", "saigon", "danang", "beauty", "wholesale"],
        shopCallsPerSecond: Double = 30, shopLatencyMilliseconds: Int = 0, startsAt: String? = nil,
        hasSchedules: Bool = false, collectEverySeconds: Int = 5,
        retry: String = "{tiers: [1s, 2s, 5s, 10s, 20s], outage: {first_probe: 1s, longest_probe: 5s}}",
        edits: [(String, String)] = [],
        sources: (@Sendable (String) -> String)? = nil
    ) {
        (self.startsAt, self.collectEverySeconds) = (startsAt, collectEverySeconds)
        self.skus = skus
        self.seed = seed
        self.shops = shops
        self.shopCallsPerSecond = shopCallsPerSecond
        self.shopLatencyMilliseconds = shopLatencyMilliseconds
        let never = ["0 6 * * *", "30 5 * * *", "0 12 * * *", "0 3 * * *", "30 6 * * *"].map { daily in
            let words = daily.split(separator: " ")
            return ("cron: \"\(daily)\"", "cron: \"\(words[0]) \(words[1]) 29 2 *\"")
        }
        self.edits =
            edits + [("retry: {tiers: [5s, 30s, 2m, 10m, 1h]}", "retry: \(retry)")]
            + (hasSchedules ? [] : never)
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
