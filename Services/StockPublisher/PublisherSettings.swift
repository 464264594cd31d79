import Domain
import Foundation
import Settings

/// What the configuration says about levels and pushing, in the terms of the decisions.
struct PublisherSettings: Sendable {
    /// A shop with its rules.
    struct Shop: Sendable {
        let name: ShopName
        let warehouses: Set<WarehouseName>
        let level: LevelPolicy
        let push: PushPolicy
        let rules: [NormalizationRule]
        let runDeadlineSeconds: Double
        let settingsDigest: String
        let batch: Int
    }

    let shops: [ShopName: Shop]
    let safety: [WarehouseName: Quantity]

    init(_ configuration: StockbridgeConfiguration) {
        safety = Dictionary(uniqueKeysWithValues: configuration.warehouses.map { ($0.name, $0.safety) })
        let safetyText = configuration.warehouses.map { "\($0.name)=\($0.safety)" }.sorted().joined(separator: ",")
        shops = Dictionary(
            uniqueKeysWithValues: configuration.shops.map { shop in
                (shop.name, Self.shop(shop, safetyText))
            })
    }

    private static func shop(_ shop: StockbridgeConfiguration.Shop, _ safetyText: String) -> Shop {
        // A request may still take effect at the shop for as long as we wait for its answer, and a little longer.
        let life = shop.limits.requestTimeoutSeconds + 5
        return Shop(
            name: shop.name, warehouses: Set(shop.warehouses), level: shop.levelPolicy,
            push: PushPolicy(
                sendWithinSeconds: shop.limits.requestTimeoutSeconds + 15, requestLifeSeconds: life,
                feedStaleAfterSeconds: Double(shop.feedStaleAfterMinutes * 60)),
            rules: shop.mapping.rules, runDeadlineSeconds: Double(shop.runDeadlineMinutes * 60),
            settingsDigest: shop.settingsDigest + "|" + safetyText, batch: shop.limits.batch)
    }
}
