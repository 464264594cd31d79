/// The executables that meet on the broker.
public enum ServiceName: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// Fetches stock and hands it on.
    case stockIngestor = "stock-ingestor"
    /// Keeps listings and levels, and writes to the shops.
    case stockPublisher = "stock-publisher"
    /// Reads the shops' orders, keeps their revisions, holds and releases them.
    case orderCollector = "order-collector"
    /// Hands orders to the ERP.
    case erpBridge = "erp-bridge"
    /// Reads the shops back and compares.
    case reconciler
    /// Tells people.
    case notifier
    /// The operator's tool.
    case stockbridge

    /// The PostgreSQL schema that it owns.
    public var schema: String {
        switch self {
        case .stockIngestor: "stock"
        case .stockPublisher: "publishing"
        case .orderCollector: "orders"
        case .erpBridge: "erp"
        case .reconciler: "reconciliation"
        case .notifier: "notifications"
        case .stockbridge: "operations"
        }
    }

    /// Schemas that it owns besides; without outbox and inbox.
    public var furtherSchemas: [String] { self == .notifier ? ["dead_letters"] : [] }

    /// Its PostgreSQL role. The RabbitMQ user is the service's name itself.
    public var role: String { rawValue.replacing("-", with: "_") }

    /// Orders by name.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}
