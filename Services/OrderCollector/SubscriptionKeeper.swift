import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import ShopAccounts
import ShopConnectors

/// Keeps the shops' webhooks coming: subscribes where nothing is, turns on again what a shop turned off, and tells
/// people of it. Looks at every start of the service and then every hour, one replica for all.
struct SubscriptionKeeper: Sendable {
    static let everySeconds: Double = 3_600
    /// After a failure it is looked at again this soon.
    static let retrySeconds: Double = 300

    let parts: ServiceParts
    let settings: CollectorSettings
    let accounts: [ShopName: ShopAccount]

    func run() async {
        guard let url = settings.publicURL else { return await parts.stop.wait() }
        var isFirst = true
        while !parts.stop.isStopping {
            for shop in settings.collecting {
                guard let account = accounts[shop.name], account.connector.webhookVerifying != nil,
                    !parts.stop.isStopping
                else { continue }
                await look(account, url: "\(url)/webhooks/\(shop.name)", atOnce: isFirst)
            }
            isFirst = false
            await parts.stop.sleep(for: .seconds(5))
        }
    }

    private func look(_ account: ShopAccount, url: String, atOnce: Bool) async {
        let shop = account.shop
        do {
            guard try await claim(shop, atOnce: atOnce) else { return }
            let capabilities = try await account.capabilities()
            guard let webhooks = capabilities.webhooks else { return }
            let present = try await webhooks.subscriptions(to: url)
            let disabled = present.filter { !$0.isActive }.map(\.topic)
            try await webhooks.subscribe(to: url)
            try await record(shop, disabled: disabled)
        } catch {
            let sentence = "\(error)"
            parts.logger.warning("webhooks not looked at", metadata: ["shop": "\(shop)", "problem": "\(sentence)"])
            let again = parts.clock.now().addingTimeInterval(Self.retrySeconds - Self.everySeconds)
            _ = try? await parts.database.pool.query(
                "UPDATE feeds SET webhooks_problem = $2, webhooks_checked_at = $3 WHERE shop = $1",
                [.text(shop.rawValue), .text(String(sentence.prefix(500))), .timestamp(again)])
        }
    }

    /// Whether it is this replica's turn. At a start a look of the last seconds was another replica's.
    private func claim(_ shop: ShopName, atOnce: Bool) async throws -> Bool {
        let now = parts.clock.now()
        let before = now.addingTimeInterval(atOnce ? -30 : -Self.everySeconds)
        return try await parts.database.pool.transaction { transaction in
            try transaction.execute(
                """
                UPDATE feeds SET webhooks_checked_at = $2
                WHERE shop = $1 AND (webhooks_checked_at IS NULL OR webhooks_checked_at <= $3)
                """, [.text(shop.rawValue), .timestamp(now), .timestamp(before)])
        } == 1
    }

    private func record(_ shop: ShopName, disabled: [String]) async throws {
        try await parts.database.unitOfWork { work in
            let problem = disabled.isEmpty ? nil : "The shop had turned off \(disabled.joined(separator: ", "))."
            try work.transaction.execute(
                "UPDATE feeds SET webhooks_problem = $2 WHERE shop = $1",
                [.text(shop.rawValue), .maybe(problem) { .text($0) }])
            let alerts = FeedAlerts(shop: shop)
            guard let problem else {
                return try alerts.clear(.webhooks, text: "The webhooks of shop \(shop) are on.", in: work)
            }
            try alerts.raise(
                .webhooks, title: "Shop \(shop) had turned its webhooks off",
                text: "\(problem) They were turned on again; what they did not say meanwhile, the passes collect.",
                whatToDo: "Platforms turn webhooks off after failures in a row: check that the shop reaches "
                    + "webhooks.public_url.", in: work)
        }
    }
}
