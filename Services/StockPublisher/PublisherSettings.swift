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
        /// Whether its orders are collected at all.
        let collectsOrders: Bool
        /// Kept back by the whole pool while this shop's feed is stale, in ERP units.
        let staleReserve: Quantity
        /// The shops that sell from one of its warehouses, itself included. Sorted.
        let pool: [ShopName]
    }

    let shops: [ShopName: Shop]
    let safety: [WarehouseName: Quantity]
    let reflection: ReflectionPolicy

    init(_ configuration: StockbridgeConfiguration) {
        safety = Dictionary(uniqueKeysWithValues: configuration.warehouses.map { ($0.name, $0.safety) })
        reflection = ReflectionPolicy(
            entryLagSeconds: Double(configuration.erp.entryLagMinutes * 60),
            shipLagSeconds: Double(configuration.erp.shipLagMinutes * 60))
        let safeties = configuration.warehouses.map { "\($0.name)=\($0.safety)" }.sorted()
        let lags = ["\(reflection.entryLagSeconds)", "\(reflection.shipLagSeconds)"]
        let safetyText = (safeties + lags).joined(separator: ",")
        shops = Dictionary(
            uniqueKeysWithValues: configuration.shops.map { shop in
                (shop.name, Self.shop(shop, safetyText, among: configuration.shops))
            })
    }

    private static func shop(
        _ shop: StockbridgeConfiguration.Shop, _ safetyText: String, among all: [StockbridgeConfiguration.Shop]
    ) -> Shop {
        // A request may still take effect at the shop for as long as we wait for its answer, and a little longer.
        let life = shop.limits.requestTimeoutSeconds + 5
        return Shop(
            name: shop.name, warehouses: Set(shop.warehouses), level: shop.levelPolicy,
            push: PushPolicy(
                sendWithinSeconds: shop.limits.requestTimeoutSeconds + 15, requestLifeSeconds: life,
                clockToleranceSeconds: Double(shop.orders.clockToleranceSeconds),
                feedStaleAfterSeconds: Double(shop.feedStaleAfterMinutes * 60)),
            rules: shop.mapping.rules, runDeadlineSeconds: Double(shop.runDeadlineMinutes * 60),
            settingsDigest: shop.settingsDigest + "|" + safetyText, batch: shop.limits.batch,
            collectsOrders: shop.orders.collect, staleReserve: shop.staleReserve,
            pool: all.filter { !Set($0.warehouses).isDisjoint(with: shop.warehouses) }.map(\.name).sorted())
    }
}
