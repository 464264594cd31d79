import Foundation
import PostgreSQL

/// How far the shops are on the way to a goal.
struct GoalProgress: Sendable, Equatable {
    struct Shop: Sendable, Equatable {
        var name: String
        /// Stock-publisher knows it.
        var known: Bool
        var catalogueRead: Bool
        var remapPending: Bool
        /// Shelves still to be written in an open run; nil if none is open.
        var due: Int?
    }

    var shops: [Shop]
    /// Live snapshots that stock-publisher has not begun with.
    var snapshotsOnTheWay: Int

    /// What is still missing for a goal, in words; nil when it is reached.
    func missing(for goal: StatusCommand.Goal) -> String? {
        switch goal {
        case .catalogues:
            let open = shops.filter { !$0.known || !$0.catalogueRead || $0.remapPending }
            guard !open.isEmpty else { return nil }
            return "catalogues: \(shops.count - open.count) of \(shops.count) shops read and mapped; "
                + "waiting for \(open.map(\.name).joined(separator: ", "))"
        case .runs:
            let open = shops.filter { !$0.known || $0.due != nil }
            if snapshotsOnTheWay > 0 { return "runs: new stock is on its way to stock-publisher" }
            guard !open.isEmpty else { return nil }
            let due = open.map { "\($0.name) \(Wording.grouped($0.due ?? 0))" }.joined(separator: ", ")
            return "runs: \(shops.count - open.count) of \(shops.count) shops done; shelves still due: \(due)"
        }
    }
}

/// Reads how far the shops are.
struct GoalStore: Sendable {
    let database: OperatorDatabase

    func progress(of shops: [String]) async throws -> GoalProgress {
        let rows = try await database.pool.query(
            """
            SELECT w.shop, s.shop IS NOT NULL AS known, s.catalogue_read_at IS NOT NULL AS catalogue_read,
                coalesce(s.remap_pending, false) AS remap_pending,
                EXISTS (SELECT FROM publishing.runs r WHERE r.shop = w.shop AND r.ended_at IS NULL) AS running,
                (SELECT count(*) FROM publishing.shelves d WHERE d.shop = w.shop AND d.due) AS due,
                (SELECT count(*) FROM stock.sources l LEFT JOIN publishing.sources p ON p.source = l.source
                 WHERE l.live_snapshot IS NOT NULL AND coalesce(p.sequence, 0) < l.last_sequence
                   AND p.snapshot_id IS DISTINCT FROM l.live_snapshot) AS on_the_way
            FROM unnest($1::text[]) WITH ORDINALITY AS w (shop, place)
            LEFT JOIN publishing.shops s ON s.shop = w.shop ORDER BY w.place
            """, [.textArray(shops)])
        let entries = try rows.map { row in
            GoalProgress.Shop(
                name: try row.decode("shop"), known: try row.decode("known"),
                catalogueRead: try row.decode("catalogue_read"), remapPending: try row.decode("remap_pending"),
                due: try row.decode("running", as: Bool.self) ? try row.decode("due") : nil)
        }
        return GoalProgress(shops: entries, snapshotsOnTheWay: try rows.first?.decode("on_the_way") ?? 0)
    }
}

/// Waits for a goal and says how far it is.
struct GoalWatch {
    let store: GoalStore
    let shops: [String]

    /// - Throws: ``ToolError/failed(_:)`` with what is still missing when the time is up.
    func wait(for goal: StatusCommand.Goal, timeoutSeconds: Double) async throws {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: .seconds(timeoutSeconds))
        var line = ProgressLine()
        defer { line.finish() }
        while let missing = try await store.progress(of: shops).missing(for: goal) {
            line.show(missing)
            guard clock.now < end else {
                line.finish()
                throw ToolError.failed("After \(Wording.duration(timeoutSeconds)) not all is done; \(missing).")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
