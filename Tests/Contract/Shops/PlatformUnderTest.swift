import Domain
import Foundation
import ShopConnectors
import ShopSimulators
import Testing
import Transfer

/// The platforms whose connectors have to keep the same contract.
enum ShopPlatform: String, CaseIterable, Sendable {
    case wooCommerce
    case shopify

    /// The listing of what the simulator calls `key`.
    func listing(_ key: String) -> ListingID {
        switch self {
        case .wooCommerce: ListingID(key)
        // A product without variations has one variant of the same number there.
        case .shopify: key.contains("/") ? ListingID(key) : ListingID(parent: key, variation: key)
        }
    }

    /// Where its stock is kept.
    func stock(_ key: String) -> ListingID {
        switch self {
        case .wooCommerce: return ListingID(key)
        case .shopify:
            let variant = key.split(separator: "/").last.flatMap { Int($0) } ?? 0
            return ListingID("item-\(ShopifySettings.inventoryItemID(ofVariant: variant))")
        }
    }
}

/// A connector and the simulated shop that it talks to, of any platform.
struct PlatformUnderTest: Sendable {
    static let webhookSecret = "whsec_contract"

    let platform: ShopPlatform
    let simulator: ShopSimulator
    let connector: any ShopConnector

    func orders() async throws -> any OrderReading {
        try connector.require(\.orderReading, of: await connector.discover(), for: .readOrders)
    }

    func webhooks() async throws -> any WebhookManaging {
        try connector.require(\.webhooks, of: await connector.discover(), for: .manageWebhooks)
    }

    /// A window from long ago up to a little after now, by the shop's clock.
    func window(_ time: OrderWindow.Time = .updated, seconds: Double = 86_400) -> OrderWindow {
        OrderWindow(time, from: simulator.clock - seconds, upTo: simulator.clock + 2)
    }

    /// All results of a window in the order they come.
    ///
    /// - Parameter touching: saves the first order of each page again as soon as it has been read.
    func readAll(_ window: OrderWindow, touching: Bool = false) async throws -> [OrderReadingResult] {
        let reading = try await orders()
        var (results, cursor): ([OrderReadingResult], OrderCursor?) = ([], nil)
        for _ in 0..<1_000 {
            let page = try await reading.page(in: window, after: cursor)
            results += page.orders
            if touching, let id = page.orders.first.flatMap({ Int($0.externalID) }) {
                try simulator.touchOrder(id)
            }
            cursor = page.next
            if cursor == nil { return results }
        }
        Issue.record("the reading does not end")
        return results
    }

    /// One order in canonical form.
    func order(_ id: Int) async throws -> Order? {
        guard case .order(let order)? = try await orders().order("\(id)") else { return nil }
        return order
    }
}

/// Starts a simulated shop of a platform on a free port and ends it whatever happens.
func withPlatform(
    _ platform: ShopPlatform, catalogue: [CatalogueProduct] = smallCatalogue,
    configure: (inout SimulatorConfiguration) -> Void = { _ in },
    _ body: (PlatformUnderTest) async throws -> Void
) async throws {
    var settings = SimulatorConfiguration()
    settings.platform = platform == .shopify ? .shopify : .wooCommerce
    (settings.key, settings.secret) = (ShopUnderTest.key, ShopUnderTest.secret)
    settings.webhookSecret = PlatformUnderTest.webhookSecret
    // Nobody waits in a test.
    settings.shopify.restoreRate = 100_000
    configure(&settings)
    let simulator = try ShopSimulator(settings, catalogue: catalogue)
    try await simulator.start()
    let client = TransferClient(options: TransferOptions())
    let connector: any ShopConnector =
        switch platform {
        case .wooCommerce:
            WooCommerceConnector(
                WooCommerceConfiguration(
                    shop: "hanoi", url: simulator.url, key: ShopUnderTest.key, secret: ShopUnderTest.secret,
                    webhookSecret: PlatformUnderTest.webhookSecret, requestTimeoutSeconds: 10),
                http: client, pacing: UnlimitedPacing())
        case .shopify:
            ShopifyConnector(
                ShopifyConfiguration(
                    shop: "hanoi", url: simulator.url, clientID: ShopUnderTest.key, clientSecret: ShopUnderTest.secret,
                    requestTimeoutSeconds: 10),
                http: client, pacing: UnlimitedPacing())
        }
    do {
        try await body(PlatformUnderTest(platform: platform, simulator: simulator, connector: connector))
    } catch {
        client.close()
        await simulator.stop()
        throw error
    }
    client.close()
    await simulator.stop()
}
