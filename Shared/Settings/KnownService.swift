/// The programs that have a section or a secret of their own in the file.
enum KnownService: String, CaseIterable {
    case stockIngestor = "stock-ingestor"
    case stockPublisher = "stock-publisher"
    case notifier
    case orderCollector = "order-collector"
    case erpBridge = "erp-bridge"
    case reconciler
    /// The operator's tool.
    case stockbridge

    /// The services that run until they are stopped, and so have a port and a retry policy.
    ///
    /// Each one's place decides its default port, so a new one goes to the end.
    static let daemons: [KnownService] = [
        .stockIngestor, .stockPublisher, .notifier, .orderCollector, .erpBridge, .reconciler,
    ]
}
