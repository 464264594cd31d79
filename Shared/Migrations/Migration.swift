/// One forward step of the database's structure.
public struct Migration: Sendable {
    /// The schema it builds.
    public let schema: String
    /// `<schema>_<number>_<what>`; applied in this list's order, once.
    public let name: String
    /// The statements.
    public let sql: String

    /// A step of a test's own.
    public init(schema: String, name: String, sql: String) {
        self.schema = schema
        self.name = "\(schema)_\(name)"
        self.sql = sql
    }

    private init(_ schema: String, _ name: String, _ bytes: [UInt8]) {
        self.schema = schema
        self.name = "\(schema)_\(name)"
        sql = String(decoding: bytes, as: UTF8.self)
    }

    /// All steps, in order. Forward only: a step that has landed is never edited, a new one is appended.
    public static let all: [Migration] = [
        Migration("shared", "0001_foundation", PackageResources.shared_0001_foundation_sql),
        Migration("stock", "0001_snapshots", PackageResources.stock_0001_snapshots_sql),
        Migration("publishing", "0001_shelves", PackageResources.publishing_0001_shelves_sql),
        Migration("publishing", "0002_orders", PackageResources.publishing_0002_orders_sql),
        Migration("orders", "0001_orders", PackageResources.orders_0001_orders_sql),
        Migration("erp", "0001_batches", PackageResources.erp_0001_batches_sql),
        Migration("reconciliation", "0001_runs", PackageResources.reconciliation_0001_runs_sql),
        Migration("notifications", "0001_mails", PackageResources.notifications_0001_mails_sql),
        Migration("notifications", "0002_reports", PackageResources.notifications_0002_reports_sql),
        Migration("dead_letters", "0001_letters", PackageResources.dead_letters_0001_letters_sql),
        Migration("shared", "0002_watch", PackageResources.shared_0002_watch_sql),
        Migration("notifications", "0003_watch", PackageResources.notifications_0003_watch_sql),
        Migration("operations", "0001_audit", PackageResources.operations_0001_audit_sql),
        Migration("shared", "0003_replicas", PackageResources.shared_0003_replicas_sql),
        Migration("orders", "0002_restored", PackageResources.orders_0002_restored_sql),
        Migration("erp", "0002_restored", PackageResources.erp_0002_restored_sql),
        Migration("shared", "0004_retention", PackageResources.shared_0004_retention_sql),
        Migration("stock", "0002_retention", PackageResources.stock_0002_retention_sql),
        Migration("dead_letters", "0002_retention", PackageResources.dead_letters_0002_retention_sql),
    ]
}
