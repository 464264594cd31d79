import Domain
import Foundation
import Messaging
import PostgreSQL

/// Asks for reports. Pure tables: what is asked for twice is one report.
struct ReportRequests: Sendable {
    let settings: BridgeSettings

    /// Makes sure that there is a report of a shop for a due time.
    ///
    /// - Returns: Its batch id, and whether it is new.
    func request(
        _ shop: BridgeSettings.Shop, due: Date, by requester: String, in work: UnitOfWork
    ) throws -> (batch: String, isNew: Bool) {
        let due = BatchName.wholeMinute(due)
        let name = BatchName.id(shop: shop.name, due: due, timeZone: shop.timeZone)
        // When clocks go back a local time comes twice; the second one gets a number of its own.
        for id in [name, name + "-2"] {
            let inserted = try work.transaction.execute(
                """
                INSERT INTO reports (id, shop, due, requested_by, requested_at) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT DO NOTHING
                """,
                [
                    .text(id), .text(shop.name.rawValue), .timestamp(due), .text(requester), .timestamp(work.startedAt),
                ])
            if inserted == 1 {
                try takeUpUnsent(of: shop.name, before: due, in: work)
                return (id, true)
            }
            let same = try work.transaction.query(
                "SELECT id FROM reports WHERE shop = $1 AND due = $2", [.text(shop.name.rawValue), .timestamp(due)])
            if let row = same.first { return (try row.decode("id"), false) }
        }
        return (name, false)
    }

    /// What could not be sent is tried again before the next report goes; if it is refused again the next one goes all
    /// the same.
    private func takeUpUnsent(of shop: ShopName, before due: Date, in work: UnitOfWork) throws {
        let states = settings.mailbox.isEmpty ? ["failed"] : ["failed", "stored"]
        try work.transaction.execute(
            """
            UPDATE reports SET state = 'built', asked_at = NULL
            WHERE shop = $1 AND due < $2 AND state = ANY ($3::text[]) AND file_id IS NOT NULL
            """, [.text(shop.rawValue), .timestamp(due), .textArray(states)])
    }
}
