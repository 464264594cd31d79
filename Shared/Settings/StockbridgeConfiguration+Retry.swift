extension StockbridgeConfiguration {
    /// `retry`: the delay tiers, how often a message is tried, and what is an outage.
    public struct Retry: Sendable, Hashable {
        /// The waits between two attempts where a service has none of its own, shortest first; at least one.
        public let tiers: [RetryTier]
        /// When something outside counts as out, where a service says nothing else.
        public let outage: Outage
        /// What holds for each service, by its name; one for every service that runs.
        let services: [String: RetryPolicy]

        /// Attempts of a service where the file sets none.
        public static let defaultMaxAttempts = 8
        /// Percent that jitter takes off a delay at most, where the file says nothing.
        public static let defaultJitterPercent = 30

        /// What holds for a service; the defaults for a name that is none.
        public func policy(of service: String) -> RetryPolicy {
            services[service]
                ?? RetryPolicy(
                    maxAttempts: Self.defaultMaxAttempts, tiers: tiers, jitterPercent: Self.defaultJitterPercent,
                    errors: [], outage: outage)
        }

        /// How many times a service tries a message, the first attempt included, before it is a dead letter.
        public func maxAttempts(for service: String) -> Int { policy(of: service).maxAttempts }
    }

    /// `retry.services.<service>` with what it takes over from the rest of `retry`.
    public struct RetryPolicy: Sendable, Hashable {
        /// Attempts before a message is a dead letter, the first included.
        public let maxAttempts: Int
        /// The waits between two attempts, shortest first; at least one.
        public let tiers: [RetryTier]
        /// Percent that jitter takes off a delay at most, 0 to 90.
        public let jitterPercent: Int
        /// Errors whose class the file sets, in the file's order.
        public let errors: [ErrorRule]
        /// When something outside counts as out.
        public let outage: Outage
    }

    /// One entry of `retry.services.<service>.errors`.
    public struct ErrorRule: Sendable, Hashable {
        /// The error's code, or what it begins with, without the asterisk.
        public let code: String
        /// Whether the file ends the code with an asterisk.
        public let isPrefix: Bool
        /// The class that such errors have, whatever the service thinks.
        public let errorClass: ErrorClass
    }

    /// What may be done about an error.
    public enum ErrorClass: String, Sendable, Hashable, CaseIterable {
        /// The message is tried again.
        case transient
        /// The message becomes a dead letter: it, or the configuration, has to change first.
        case permanent
        /// The message becomes a dead letter: the program has to change first.
        case defect
    }

    /// `outage`: when a shop or a mail server counts as out, and how often it is asked whether it is back.
    public struct Outage: Sendable, Hashable {
        /// Failures in a row that speak for an outage, 2 to 100.
        public let failuresInARow: Int
        /// The longest wait before the first probe.
        public let firstProbe: RetryTier
        /// No wait between two probes is longer.
        public let longestProbe: RetryTier
    }

    /// One delay: its name is part of a queue's name, so it is always written the shortest way.
    public struct RetryTier: Sendable, Hashable {
        /// The delay as it stands in queue names: `5s`, `2m`, `1h` (60s is written `1m`).
        public let name: String
        /// The delay in seconds.
        public let seconds: Int
    }
}
