import Foundation
public import ShopSimulators

/// What the demo's shops are, apart from the product: see `infra/demo/shops.py`. Shelves are worked out here by the
/// formulas of the domain rules, in code that shares nothing with the product.
public struct ShopRules: Sendable {
    /// What of each warehouse is never sold.
    static let safety: [String: Decimal] = ["HN": 0, "HCM": 3]

    /// Whose protocol the shop speaks.
    public let platform: SimulatorConfiguration.Platform
    let warehouses: [String]
    let share: Decimal
    let cap: Int
    let buffer: Decimal
    let stopSellingAt: Decimal

    /// A shop of the demo; one that is not among them has nothing special.
    public static func of(_ shop: String) -> ShopRules {
        switch shop {
        case "saigon": ShopRules(["HCM", "HN"], share: Decimal(string: "0.8") ?? 1, buffer: 2)
        case "danang": ShopRules(["HCM"], cap: 500, stopSellingAt: 3)
        case "beauty": ShopRules(["HN", "HCM"], .shopify, share: Decimal(string: "0.5") ?? 1, cap: 200)
        case "wholesale": ShopRules(["HN", "HCM"], .shopify, buffer: 5)
        default: ShopRules(["HN", "HCM"])
        }
    }

    private init(
        _ warehouses: [String], _ platform: SimulatorConfiguration.Platform = .wooCommerce, share: Decimal = 1,
        cap: Int = 99_999, buffer: Decimal = 0, stopSellingAt: Decimal = 1
    ) {
        (self.warehouses, self.platform, self.share) = (warehouses, platform, share)
        (self.cap, self.buffer, self.stopSellingAt) = (cap, buffer, stopSellingAt)
    }

    /// What a listing has to show.
    ///
    /// - Parameters:
    ///   - stock: Units of the ERP by warehouse.
    ///   - open: Units of the ERP on open lines of all shops; every shop of the demo draws on one warehouse at least.
    func level(_ stock: [String: Decimal], open: Decimal, unitsPerPack: Int) -> Int {
        let gross = warehouses.reduce(Decimal(0)) { sum, warehouse in
            guard let quantity = stock[warehouse] else { return sum }
            return sum + max(0, quantity - (Self.safety[warehouse] ?? 0))
        }
        let available = gross - open - buffer
        guard available >= stopSellingAt else { return 0 }
        var (offered, floored) = (share * available, Decimal(0))
        NSDecimalRound(&floored, &offered, 0, .down)
        return min(max(NSDecimalNumber(decimal: floored).intValue, 0), cap) / max(1, unitsPerPack)
    }

    // MARK: - Names

    /// The number of a simulator's item: the last part of its key.
    public func item(ofKey key: String) -> String { key.split(separator: "/").last.map(String.init) ?? key }

    /// The number of the simulator's item that a shelf of ours is: on Shopify stock hangs on an inventory item with a
    /// number of its own.
    func item(ofShelf shelf: String) -> String {
        guard platform == .shopify, let number = Int(shelf.split(separator: "-").last ?? "") else {
            return item(ofKey: shelf)
        }
        return "\(number - ShopifySettings.inventoryItemID(ofVariant: 0))"
    }
}
