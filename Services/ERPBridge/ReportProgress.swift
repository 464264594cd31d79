import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// What a report that collects does next. Pure.
enum CollectingStep: Equatable {
    /// Ask order-collector for a pass.
    case ask
    /// Wait on.
    case wait
    /// Build it: the shop's orders are known, or the wait is over.
    case build

    /// - Parameters:
    ///   - isCollected: Whether anybody collects the shop's orders.
    ///   - completeSince: Since when the orders are known up to the due time; nil if they are not.
    ///   - askedAt: When a pass was last asked for.
    static func next(
        isCollected: Bool, completeSince: Date?, askedAt: Date?, waitUntil: Date, now: Date
    ) -> CollectingStep {
        if !isCollected || now >= waitUntil { return .build }
        if let completeSince { return now.timeIntervalSince(completeSince) >= settleSeconds ? .build : .wait }
        guard let askedAt else { return .ask }
        return now.timeIntervalSince(askedAt) >= askAgainSeconds ? .ask : .wait
    }

    /// Orders of the pass may come a moment after the word that it is complete: another replica has them in hand. What
    /// comes later still is not lost, it stands in the next report.
    static let settleSeconds = 2.0
    /// A pass stays a little behind the shop's clock, so the first one may end before the due time.
    static let askAgainSeconds = 15.0
}

/// Takes reports forward as far as tables and messages alone can: asks for passes, and for work once it can be done.
/// Each shop's reports go one after the other, the earliest due time first.
struct ReportProgress: Sendable {
    let settings: BridgeSettings
    /// What was asked for and not tried since is asked for again; longer than the longest delay between two attempts.
    static let lostAfterSeconds = 7_200.0

    private struct Head {
        var id: String
        var shop: ShopName
        var due: Date
        var state: String
        var collectAskedAt: Date?
        var waitUntil: Date?
        var completeSince: Date?
        var askedAt: Date?
        var completeUpTo: Date?
    }

    /// Looks at the first unfinished report of each shop; those that another replica looks at are left to it.
    func advance(in work: UnitOfWork) throws {
        let rows = try work.transaction.query(
            """
            SELECT r.id, r.shop, r.due, r.state, r.collect_asked_at, r.wait_until, r.complete_since, r.asked_at,
                (SELECT f.complete_up_to FROM feeds f WHERE f.shop = r.shop) AS complete_up_to
            FROM reports r
            WHERE r.state IN ('requested', 'collecting', 'ready', 'built', 'sending') AND NOT EXISTS (
                SELECT 1 FROM reports e WHERE e.shop = r.shop AND e.due < r.due
                AND e.state IN ('requested', 'collecting', 'ready', 'built', 'sending'))
            ORDER BY r.shop FOR UPDATE OF r SKIP LOCKED
            """)
        for row in rows {
            let head = Head(
                id: try row.decode("id"), shop: ShopName(rawValue: try row.decode("shop")),
                due: try row.decode("due"), state: try row.decode("state"),
                collectAskedAt: try row.decode("collect_asked_at"), waitUntil: try row.decode("wait_until"),
                completeSince: try row.decode("complete_since"), askedAt: try row.decode("asked_at"),
                completeUpTo: try row.decode("complete_up_to"))
            switch head.state {
            case "requested", "collecting": try collect(head, in: work)
            default: try askAgain(head, in: work)
            }
        }
    }

    private func collect(_ head: Head, in work: UnitOfWork) throws {
        let now = work.startedAt
        let waitUntil = head.waitUntil ?? now.addingTimeInterval(settings.waitSeconds)
        let isComplete = head.completeUpTo.map { $0 >= head.due } ?? false
        let completeSince = isComplete ? head.completeSince ?? now : nil
        let step = CollectingStep.next(
            isCollected: settings.shops[head.shop]?.isCollected ?? false, completeSince: completeSince,
            askedAt: head.collectAskedAt, waitUntil: waitUntil, now: now)
        let request: UUID? = step == .ask ? UUID() : nil
        try work.transaction.execute(
            """
            UPDATE reports SET state = $2, wait_until = $3, complete_since = $4,
                collect_request = coalesce($5::uuid, collect_request),
                collect_asked_at = CASE WHEN $5::uuid IS NULL THEN collect_asked_at ELSE $6 END
            WHERE id = $1
            """,
            [
                .text(head.id), .text(step == .build ? "ready" : "collecting"), .timestamp(waitUntil),
                .maybe(completeSince) { .timestamp($0) }, .maybe(request) { .uuid($0) }, .timestamp(now),
            ])
        if let request {
            work.send(
                try OutboxMessage.command(
                    .collect,
                    arguments: [
                        "shop": .string(head.shop.rawValue), "request": .string(request.uuidString.lowercased()),
                    ], to: .orderCollector, from: .erpBridge, requestedBy: "report \(head.id)", at: now))
        }
        if step == .build { try Self.ask(head.id, in: work) }
    }

    private func askAgain(_ head: Head, in work: UnitOfWork) throws {
        if let askedAt = head.askedAt, work.startedAt.timeIntervalSince(askedAt) < Self.lostAfterSeconds { return }
        try Self.ask(head.id, in: work)
    }

    /// Asks for a report to be taken a step further.
    static func ask(_ batch: String, in work: UnitOfWork) throws {
        try work.transaction.execute(
            "UPDATE reports SET asked_at = $2 WHERE id = $1", [.text(batch), .timestamp(work.startedAt)])
        try work.enqueue(
            Event(ReportWork(batchID: batch), subject: batch, correlation: batch, occurredAt: work.startedAt),
            queue: ServiceCatalogue.reportQueue)
    }
}
