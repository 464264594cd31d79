import Domain
import Foundation
import PostgreSQL

/// A row of reports.
struct ReportRow: Sendable {
    var id: String
    var shop: ShopName
    var due: Date
    var state: String
    var build: Int
    var attempts: Int
    var wasStored: Bool
    var fileID: UUID?
    var fileName: String?
    var messageID: String?
    var completeUpTo: Date?
    var isLeased: Bool

    static let columns = """
        id, shop, due, state, build, attempts, stored_at IS NOT NULL AS was_stored, file_id, file_name, message_id,
        feed_complete_up_to, coalesce(lease_until > clock_timestamp(), false) AS is_leased
        """

    /// Locks a report's row; nil if there is none.
    static func lock(_ id: String, in transaction: Transaction) throws -> ReportRow? {
        try transaction.query("SELECT \(columns) FROM reports WHERE id = $1 FOR UPDATE", [.text(id)]).first.map(
            Self.init)
    }

    init(_ row: Row) throws {
        id = try row.decode("id")
        shop = ShopName(rawValue: try row.decode("shop"))
        due = try row.decode("due")
        state = try row.decode("state")
        build = try row.decode("build")
        attempts = try row.decode("attempts")
        wasStored = try row.decode("was_stored")
        fileID = try row.decode("file_id")
        fileName = try row.decode("file_name")
        messageID = try row.decode("message_id")
        completeUpTo = try row.decode("feed_complete_up_to")
        isLeased = try row.decode("is_leased")
    }
}
