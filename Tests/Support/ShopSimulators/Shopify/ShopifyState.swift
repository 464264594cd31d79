import Foundation

/// What a simulated Shopify shop remembers besides its items and orders.
struct ShopifyState: Sendable {
    /// A variant at a location.
    struct Place: Sendable, Hashable {
        let itemID: Int
        let locationID: Int
    }

    /// What an idempotency key was first used for, and what came of it.
    struct Attempt: Sendable {
        let parameters: String
        let outcome: StockOutcome
        let at: Date
    }

    var points: ShopifyPoints
    var throttledStatus: Int
    /// Access tokens, and when each ends.
    var tokens: [String: Date] = [:]
    /// Stock that does not lie at the first location, and what untracked variants were set to.
    var stock: [Place: Int] = [:]
    /// Variants that are not stocked at the first location.
    var notStocked: Set<Int>
    var attempts: [String: Attempt] = [:]
    /// Idempotency keys of calls in progress, and the number of the call that came first.
    var running: [String: Int] = [:]
    var lastGroup = 0
    /// Units of open orders by variant, as they were at a revision of the orders.
    var committed: (revision: Int, units: [Int: Int]) = (-1, [:])
    /// By order.
    var tags: [Int: [String]] = [:]
    /// By order; a reason that nobody gave is `OTHER`.
    var cancelReasons: [Int: String] = [:]
    /// How long the platform remembers an idempotency key.
    static let keySeconds = 86_400.0

    init(_ settings: ShopifySettings = ShopifySettings()) {
        points = ShopifyPoints(maximum: settings.maximumPoints, restoreRate: settings.restoreRate)
        throttledStatus = settings.throttledStatus
        notStocked = settings.notStocked
    }
}

/// An entry of `userErrors`.
struct ShopifyUserError: Sendable {
    var code: String?
    var field: [String]?
    let message: String
}

/// What a change of stock came to.
struct StockOutcome: Sendable {
    struct Change: Sendable {
        let name: String
        let delta: Int
        let after: Int
        let place: ShopifyState.Place
    }

    /// 0 if nothing was changed.
    var group = 0
    var at = Date(timeIntervalSince1970: 0)
    var reason = ""
    var document: String?
    var changes: [Change] = []
    var errors: [ShopifyUserError] = []
}

/// What one call may look at: the shop as it is at that moment.
final class ShopifyView {
    let items: ShopItems
    let orders: ShopOrders
    let shopify: ShopifyState
    let configuration: SimulatorConfiguration
    let webhooks: ShopWebhooks
    let now: Date
    var settings: ShopifySettings { configuration.shopify }
    /// Orders that a page showed.
    var listed: [Int] = []

    /// Units of open orders that have not been sent, by variant.
    private lazy var committed =
        shopify.committed.revision == orders.revision ? shopify.committed.units : Self.committed(orders)

    static func committed(_ orders: ShopOrders) -> [Int: Int] {
        var result: [Int: Int] = [:]
        for id in orders.ids {
            guard let order = orders[id], !order.facts.isFulfilled, !order.facts.isCancelled, !order.facts.isDeleted
            else { continue }
            for line in order.lines where line.itemID != 0 { result[line.itemID, default: 0] += line.takenFromStock }
        }
        return result
    }

    init(_ state: SimulatedShop.State, now: Date) {
        (items, orders, shopify, webhooks) = (state.items, state.orders, state.shopify, state.webhooks)
        (configuration, self.now) = (state.configuration, now)
    }

    /// Units that can be sold; nil where the variant is not stocked.
    func available(_ item: ShopItem, at locationID: Int) -> Int? {
        shopify.available(item, at: locationID, settings)
    }

    /// `available`, `committed` or `on_hand`; nil for a name that does not exist.
    func quantity(_ name: String, of item: ShopItem, at locationID: Int) -> Int? {
        let available = available(item, at: locationID) ?? 0
        let committed = locationID == settings.locations.first?.id ? committed[item.id] ?? 0 : 0
        return switch name {
        case "available": available
        case "committed": committed
        case "on_hand": available + committed
        case "incoming", "reserved", "damaged", "quality_control", "safety_stock": 0
        default: nil
        }
    }

    /// The variant with this id.
    func variant(_ id: Int) -> ShopItem? { items.variant(id) }
}

extension ShopifyState {
    func available(_ item: ShopItem, at locationID: Int, _ settings: ShopifySettings) -> Int? {
        let kept = stock[Place(itemID: item.id, locationID: locationID)]
        if locationID == settings.locations.first?.id {
            return notStocked.contains(item.id) ? nil : item.stock ?? kept ?? 0
        }
        return settings.locations.contains { $0.id == locationID } ? kept : nil
    }
}

extension ShopItems {
    /// A variation, or a product that has none: that is what Shopify calls a variant.
    func variant(_ id: Int) -> ShopItem? {
        all[id].flatMap { $0.parentID != 0 || $0.variations.isEmpty ? $0 : nil }
    }

    /// All variants by id.
    var variants: [ShopItem] {
        productIDs.flatMap { id -> [ShopItem] in
            guard let product = all[id] else { return [] }
            return product.variations.isEmpty ? [product] : product.variations.compactMap { all[$0] }
        }.sorted { $0.id < $1.id }
    }
}

extension CatalogueProduct {
    /// The product as Shopify would have it, where variants do not share stock: what the product has in common goes to
    /// its first variant without any of its own, and the others of them have none.
    var withStockOfItsVariants: CatalogueProduct {
        guard var variations, !variations.isEmpty, let shared = stock else { return self }
        var left: Int? = shared
        for index in variations.indices where variations[index].stock == nil && variations[index].manageStock != true {
            variations[index].stock = left ?? 0
            variations[index].manageStock = true
            left = 0
        }
        var result = self
        (result.variations, result.stock, result.manageStock) = (variations, nil, false)
        return result
    }
}
