public import Foundation
public import Logging
public import RabbitMQ

/// What every runner of a service is made from.
public struct RunnerParts: Sendable {
    /// The service's own description.
    public let service: ServiceDescription
    /// Where the broker is, under the service's user.
    public let broker: BrokerConfiguration
    /// Shared by relay and settlements.
    public let publisher: Publisher
    /// The service's schema.
    public let database: ServiceDatabase
    /// Tiers, attempts, and what an outage is.
    public let policy: RetryPolicy
    /// Ends the loops.
    public let stop: StopSignal
    /// Where to say what happened.
    public let logger: Logger
    /// ``FaultInjection/none`` but in tests.
    public let faults: FaultInjection
    /// The service's clock.
    public let now: @Sendable () -> Date

    /// Puts the parts together.
    public init(
        service: ServiceDescription, broker: BrokerConfiguration, publisher: Publisher, database: ServiceDatabase,
        policy: RetryPolicy, stop: StopSignal, logger: Logger, faults: FaultInjection = .none,
        now: @escaping @Sendable () -> Date
    ) {
        self.service = service
        self.broker = broker
        self.publisher = publisher
        self.database = database
        self.policy = policy
        self.stop = stop
        self.logger = logger
        self.faults = faults
        self.now = now
    }

    var settler: Settler {
        Settler(
            service: service, publisher: publisher, stop: stop, logger: logger, now: now, jitter: policy.jitter)
    }
}
