public import Contracts
public import Messaging
public import Settings

extension ServiceCatalogue {
    /// How often a service's messages are tried, how long they wait in between, and what is an outage.
    public static func retryPolicy(of service: ServiceName, for configuration: StockbridgeConfiguration) -> RetryPolicy
    {
        let written = configuration.retry.policy(of: service.rawValue)
        return RetryPolicy(
            tiers: written.tiers.map { RetryTier(name: $0.name, delayMilliseconds: $0.seconds * 1_000) },
            maximumAttempts: written.maxAttempts, jitter: Double(written.jitterPercent) / 100,
            rules: written.errors.map { rule in
                RetryPolicy.ErrorRule(
                    code: rule.code, isPrefix: rule.isPrefix, failureClass: failureClass(rule.errorClass))
            },
            outage: RetryPolicy.Outage(
                failuresInARow: written.outage.failuresInARow,
                firstProbe: .seconds(written.outage.firstProbe.seconds),
                longestProbe: .seconds(written.outage.longestProbe.seconds)))
    }

    private static func failureClass(_ written: StockbridgeConfiguration.ErrorClass) -> FailureClass {
        switch written {
        case .transient: .transient
        case .permanent: .permanent
        case .defect: .defect
        }
    }
}
