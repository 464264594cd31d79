import Contracts
import Foundation
import Logging
import Messaging
import PostgreSQL

/// Removes old inbox rows, a few thousand at a time, so that the table stays small however many messages there were.
struct InboxRetention: Sendable {
    /// Rows live longer than any retry (hours) or replay (days) of their message can come.
    static let days = 30
    static let everySeconds = 600
    static let rowsAtOnce = 5_000

    let parts: ServiceParts

    func run() async {
        while !parts.stop.isStopping {
            do {
                while try await removeSome() == Self.rowsAtOnce && !parts.stop.isStopping {}
            } catch {
                parts.logger.warning("old inbox rows not removed, trying later", metadata: ["problem": "\(error)"])
            }
            await parts.stop.sleep(for: .seconds(Self.everySeconds))
        }
    }

    private func removeSome() async throws -> Int {
        try await parts.database.pool.transaction { transaction in
            try transaction.execute(
                """
                DELETE FROM inbox WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM inbox WHERE received_at < clock_timestamp() - make_interval(days => $1)
                    LIMIT \(Self.rowsAtOnce) FOR UPDATE SKIP LOCKED))
                """, [.int(Self.days)])
        }
    }
}
