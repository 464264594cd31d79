import Domain
import Foundation
import Settings

/// What the configuration says about collecting orders, in the terms of the rules.
struct CollectorSettings: Sendable {
    /// A shop with its rules.
    struct Shop: Sendable {
        let name: ShopName
        let collects: Bool
        let policy: OrderPolicy
        let everySeconds: Int
        let overlapSeconds: Double
        let lagSeconds: Double
        let clockToleranceSeconds: Double
        let repairSeconds: Double
        let timeZone: TimeZone
        let inFlight: Int
        /// Changes when something does that holds depend on.
        let policyDigest: String
    }

    let shops: [ShopName: Shop]
    let maximumBodyBytes: Int
    let publicURL: String?

    init(_ configuration: StockbridgeConfiguration) {
        shops = Dictionary(
            uniqueKeysWithValues: configuration.shops.map { ($0.name, Self.shop($0, configuration.erp)) })
        maximumBodyBytes = configuration.webhooks.maximumBodyBytes
        publicURL = configuration.webhooks.publicURL
    }

    /// The shops whose orders are collected, by name.
    var collecting: [Shop] { shops.values.filter(\.collects).sorted { $0.name < $1.name } }

    private static func shop(
        _ shop: StockbridgeConfiguration.Shop, _ erp: StockbridgeConfiguration.ERP
    ) -> Shop {
        let currencies = shop.currencies.map(\.rawValue).sorted().joined(separator: ",")
        return Shop(
            name: shop.name, collects: shop.orders.collect,
            policy: OrderPolicy(
                currencies: Set(shop.currencies), roundingTolerance: shop.orders.roundingTolerance,
                shipLagSeconds: Double(erp.shipLagMinutes * 60),
                unpaidReserveSeconds: Double(shop.orders.unpaidReserveMinutes * 60)),
            everySeconds: shop.orders.everySeconds, overlapSeconds: Double(shop.orders.overlapMinutes * 60),
            lagSeconds: Double(shop.orders.lagSeconds),
            clockToleranceSeconds: Double(shop.orders.clockToleranceSeconds),
            repairSeconds: Double(shop.orders.repairDays * 86_400), timeZone: shop.timeZone,
            inFlight: max(1, shop.limits.inFlight),
            policyDigest: "\(currencies)|\(shop.orders.roundingTolerance)")
    }
}

/// Calendar days as a shop has them.
enum LocalDay {
    /// The moment at which the day of `moment` began in a time zone.
    static func start(of moment: Date, in zone: TimeZone) -> Date {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        return calendar.startOfDay(for: moment)
    }
}
