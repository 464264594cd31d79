import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import Metrics
import PostgreSQL
import ServiceKit
import ShopConnectors
import Synchronization
import Transfer

/// Takes what shops tell us: a webhook is a hint, so a genuine one only asks for its order to be fetched.
struct WebhookIntake: Sendable {
    /// What a shop is answered.
    enum Answer: Int, Sendable {
        case taken = 200
        case forged = 401
        case unknownShop = 404
        /// Nothing was stored; the shop sends it again.
        case notNow = 503
    }

    let verifiers: [ShopName: any WebhookVerifying]
    let database: ServiceDatabase
    let logger: Logger
    let rejections = RejectionLog()

    func take(_ name: String, _ headers: [HTTPHeader], _ body: [UInt8]) async -> Answer {
        let shop = ShopName(rawValue: name)
        guard let verifier = verifiers[shop] else { return .unknownShop }
        switch verifier.verify(headers: headers, body: body) {
        case .rejected(let reason):
            Self.count(shop, "rejected")
            if rejections.mayLog(shop) {
                logger.warning("webhook rejected", metadata: ["shop": "\(shop)", "reason": "\(reason)"])
            }
            return .forged
        case .ignored:
            Self.count(shop, "ignored")
            return .taken
        case .order(let notice):
            do {
                let result = try await store(notice, of: shop)
                Self.count(shop, result)
                return .taken
            } catch {
                logger.warning("webhook not stored", metadata: ["shop": "\(shop)", "problem": "\(error)"])
                return .notNow
            }
        }
    }

    /// The delivery's row and the wish to fetch its order, in one transaction.
    private func store(_ notice: OrderNotice, of shop: ShopName) async throws -> String {
        try await database.unitOfWork { work in
            let ahead = try FeedStore.clockAhead(of: shop, in: work.transaction)
            guard
                WebhookFreshness.isFresh(
                    sentAt: notice.sentAt, receivedAt: work.startedAt, clockAheadSeconds: ahead)
            else { return "stale" }
            let isNew = try work.transaction.execute(
                """
                INSERT INTO webhook_deliveries (shop, delivery_id, external_id, topic, sent_at, received_at)
                VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
                """,
                [
                    .text(shop.rawValue), .text(String(notice.deliveryID.prefix(200))),
                    .text(String(notice.externalID.prefix(200))), .text(String(notice.topic.prefix(100))),
                    .maybe(notice.sentAt) { .timestamp($0) }, .timestamp(work.startedAt),
                ])
            guard isNew == 1 else { return "repeated" }
            let reference = OrderReference(shop: shop, externalID: notice.externalID).description
            try work.enqueue(
                Event(
                    FetchWork(shop: shop, externalID: notice.externalID, via: .webhook), subject: reference,
                    correlation: reference, occurredAt: work.startedAt),
                queue: ServiceCatalogue.fetchQueue(of: shop))
            return "taken"
        }
    }

    /// Shows every series from the start: of one that appears with its first value, no increase can be seen.
    static func declareCounts(_ shops: some Sequence<ShopName>) {
        for shop in shops {
            for result in ["taken", "repeated", "stale", "ignored", "rejected"] { count(shop, result, 0) }
        }
    }

    private static func count(_ shop: ShopName, _ result: String, _ number: Int = 1) {
        Counter(label: "stockbridge.webhooks", dimensions: [("shop", shop.rawValue), ("result", result)])
            .increment(by: number)
    }
}

/// Keeps a flood of forged webhooks out of the log: one line a shop and minute.
final class RejectionLog: Sendable {
    private let last = Mutex<[ShopName: ContinuousClock.Instant]>([:])

    func mayLog(_ shop: ShopName) -> Bool {
        last.withLock { last in
            let now = ContinuousClock.now
            if let before = last[shop], before.duration(to: now) < .seconds(60) { return false }
            last[shop] = now
            return true
        }
    }
}
