import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit

/// Remembers which orders are kept back and why; ``HeldOrderDigest`` tells people.
struct OrderHeldHandler: BatchHandler {
    func apply(_ events: [Event<OrderHeld>], in work: UnitOfWork) throws {
        for event in events {
            let held = event.payload
            try work.transaction.execute(
                """
                INSERT INTO held_orders AS h
                    (shop, external_id, number, revision, state_version, reasons, held_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                ON CONFLICT (shop, external_id) DO UPDATE SET
                    number = excluded.number, revision = excluded.revision, state_version = excluded.state_version,
                    reasons = excluded.reasons, held_at = excluded.held_at
                WHERE (h.revision, h.state_version) < (excluded.revision, excluded.state_version)
                """,
                [
                    .text(held.reference.shop.rawValue), .text(held.reference.externalID), .text(held.number),
                    .int(held.version.revision), .int(held.version.stateVersion),
                    .textArray(held.holds.map(\.text)), .timestamp(held.heldAt),
                ])
        }
    }
}

/// Tells people about held orders: those that stay held for a minute, at most every quarter of an hour. Many are held
/// for a moment only, as at the first start, before the mapping is known.
struct HeldOrderDigest: Sendable {
    /// The least time between two of these mails, by the service's clock.
    static let pauseSeconds: TimeInterval = 900
    /// An order is told of once it has been held for so long, by the service's clock.
    static let patienceSeconds: TimeInterval = 60
    /// Orders that one mail names; it says how many more there are.
    static let namedOrders = 50

    let parts: ServiceParts
    let composer: MailComposer
    let outgoing: Outgoing

    func run() async {
        while !parts.stop.isStopping {
            do {
                try await tellOnce()
            } catch {
                parts.logger.warning("held orders not told, trying again", metadata: ["problem": "\(error)"])
            }
            await parts.stop.sleep(for: .seconds(2))
        }
    }

    func tellOnce() async throws {
        let (composer, outgoing) = (composer, outgoing)
        try await parts.database.unitOfWork { work in
            // One replica at a time; the others find nothing left.
            let free = try work.transaction.query("SELECT pg_try_advisory_xact_lock(7733010) AS free")
            guard try free.first?.decode("free") ?? false else { return }
            let recent = try work.transaction.query(
                "SELECT 1 FROM mails WHERE about LIKE 'held-orders-%' AND created_at > $1 LIMIT 1",
                [.timestamp(work.startedAt.addingTimeInterval(-Self.pauseSeconds))])
            guard recent.isEmpty else { return }
            let rows = try work.transaction.query(
                """
                UPDATE held_orders SET told_reasons = reasons
                WHERE reasons <> '{}' AND told_reasons IS DISTINCT FROM reasons AND held_at <= $1
                RETURNING shop, number, reasons, held_at
                """, [.timestamp(work.startedAt.addingTimeInterval(-Self.patienceSeconds))])
            guard !rows.isEmpty else { return }
            let orders = try rows.map { row in
                HeldOrderLine(
                    shop: try row.decode("shop"), number: try row.decode("number"), reasons: try row.decode("reasons"),
                    heldAt: try row.decode("held_at"))
            }.sorted { ($0.shop, $0.heldAt, $0.number) < ($1.shop, $1.heldAt, $1.number) }
            let id = UUID().uuidString.lowercased()
            try outgoing.post(
                composer.heldOrders(orders, named: Self.namedOrders), about: "held-orders-\(id)",
                correlation: "held orders", in: work)
        }
    }
}

/// One held order, as a mail names it.
struct HeldOrderLine: Sendable, Equatable {
    var shop: String
    var number: String
    var reasons: [String]
    var heldAt: Date
}
