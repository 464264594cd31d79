public import Concurrency
public import Messaging
import ServiceKit
public import Settings

/// order-collector: reads the shops' orders, keeps their revisions, holds and releases them.
public struct OrderCollectorService: Sendable {
    private let process: ServiceProcess

    /// - Parameters:
    ///   - configuration: The whole configuration.
    ///   - faults: `FaultInjection.none` but in tests.
    ///   - clock: The time.
    public init(
        configuration: StockbridgeConfiguration, faults: FaultInjection = .none, clock: WallClock = .system
    ) {
        process = ServiceProcess(name: .orderCollector, configuration: configuration, faults: faults, clock: clock)
    }

    /// Runs until the process is told to stop.
    public func run() async throws {
        try await process.run { _ in ServiceComposition() }
    }
}
