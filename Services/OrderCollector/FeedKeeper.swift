import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit

/// What has to be looked at once at every start: shops that are new, shops whose settings changed, shops whose mapping
/// nobody has told us yet. Then asks for passes when they are due.
struct FeedKeeper: Sendable {
    let parts: ServiceParts
    let settings: CollectorSettings

    func run() async {
        var isStarted = false
        while !parts.stop.isStopping {
            do {
                if !isStarted { try await start() }
                isStarted = true
                let shops = settings.collecting
                try await parts.database.unitOfWork { work in try FeedStore.askDue(shops, in: work) }
            } catch {
                parts.logger.warning("passes not asked for, trying again", metadata: ["problem": "\(error)"])
            }
            await parts.stop.sleep(for: .seconds(1))
        }
    }

    private func start() async throws {
        let settings = self.settings
        try await parts.database.unitOfWork { work in
            try FeedStore.ensureExist(Array(settings.shops.keys), in: work.transaction)
            for shop in settings.collecting {
                try askForMapping(shop.name, in: work)
                try takeSettings(shop, in: work)
            }
        }
    }

    private func askForMapping(_ shop: ShopName, in work: UnitOfWork) throws {
        let unknown = try work.transaction.execute(
            """
            UPDATE mapping_states SET asked_at = $2 WHERE shop = $1 AND sequence IS NULL
                AND (asked_at IS NULL OR asked_at < $2::timestamptz - interval '10 minutes')
            """, [.text(shop.rawValue), .timestamp(work.startedAt)])
        guard unknown == 1 else { return }
        work.send(
            try OutboxMessage.command(
                .republish, arguments: ["shop": .string(shop.rawValue), "what": .string("mapping")],
                to: .stockPublisher,
                from: .orderCollector, requestedBy: "order-collector, first start", at: work.startedAt))
    }

    /// A changed configuration may let held orders go.
    private func takeSettings(_ shop: CollectorSettings.Shop, in work: UnitOfWork) throws {
        let changed = try work.transaction.execute(
            "UPDATE mapping_states SET settings_digest = $2 WHERE shop = $1 AND settings_digest IS DISTINCT FROM $2",
            [.text(shop.name.rawValue), .text(shop.policyDigest)])
        guard changed == 1 else { return }
        let held = try work.transaction.query(
            "SELECT external_id FROM orders WHERE shop = $1 AND held_at IS NOT NULL ORDER BY external_id",
            [.text(shop.name.rawValue)])
        try MappingHandler.askAgain(
            shop.name, try held.map { try $0.decode(at: 0) }, because: "The configuration has changed.", in: work)
    }
}

/// Webhook deliveries that are too old to come again leave.
enum DeliveryRetention {
    static let days = 7
    static let rowsAtOnce = 5_000

    static let rule = RetentionRule("old webhook deliveries", atOnce: rowsAtOnce) { transaction, now, atMost in
        try transaction.execute(
            """
            DELETE FROM webhook_deliveries WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM webhook_deliveries WHERE received_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
            """, [.timestamp(now.addingTimeInterval(-Double(days) * 86_400)), .int(atMost)])
    }
}
