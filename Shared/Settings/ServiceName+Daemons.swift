import Contracts

extension ServiceName {
    /// The services that run until they are stopped, and so have a port and a retry policy.
    ///
    /// Each one's place decides its default port, so a new one goes to the end.
    static let daemons: [ServiceName] = [
        .stockIngestor, .stockPublisher, .notifier, .orderCollector, .erpBridge, .reconciler,
    ]
}
