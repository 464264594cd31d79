public import Concurrency
public import Domain
internal import Foundation

/// One WooCommerce shop, through its REST API v3 (`/wp-json/wc/v3`).
///
/// Over HTTPS it authenticates with HTTP Basic, over plain HTTP with OAuth 1.0a, so that the secret never crosses the
/// wire in the clear. WooCommerce knows whole units only, no compare-and-set and no idempotency key: write absolute
/// quantities, and read back after a lost answer.
public struct WooCommerceConnector: ShopConnector {
    private let client: WooCommerceClient

    /// Makes no call.
    ///
    /// - Parameters:
    ///   - configuration: the shop's address and credentials.
    ///   - http: sends the requests.
    ///   - pacing: is asked before every call.
    ///   - clock: the time that goes into signatures.
    ///   - nonce: makes a text that was never used before, for signatures.
    public init(
        _ configuration: WooCommerceConfiguration, http: any HTTPSending, pacing: any CallPacing,
        clock: WallClock = .system, nonce: @escaping @Sendable () -> String = { WooCommerceConnector.randomNonce() }
    ) {
        client = WooCommerceClient(
            configuration: configuration, http: http, pacing: pacing, clock: clock, nonce: nonce)
    }

    /// The shop's name in the configuration.
    public var shop: ShopName { client.configuration.shop }
    /// `woocommerce`
    public var platform: String { "woocommerce" }
    /// Nil without ``WooCommerceConfiguration/webhookSecret``.
    public var webhookVerifying: (any WebhookVerifying)? {
        client.configuration.webhookSecret.map(WooCommerceWebhookVerifier.init)
    }

    /// Makes two calls: lists one product, and posts a batch with nothing in it, which a key without the right to write
    /// is refused. Such a key gives a shop that can be read but not written. Webhooks are looked after where the key
    /// may
    /// write and a secret for them is configured.
    public func discover() async throws(ConnectorError) -> ShopCapabilities {
        let answer = try await client.get("products", [("per_page", "1"), ("_fields", "id")], for: .discover)
        _ = try client.decode([Product].self, from: answer)
        let stock = WooCommerceStock(client: client)
        let mayWrite = try await mayWrite()
        let secret = mayWrite ? client.configuration.webhookSecret : nil
        return ShopCapabilities(
            catalogue: WooCommerceCatalogue(client: client), stockReading: stock, stockWriting: mayWrite ? stock : nil,
            orderReading: WooCommerceOrders(client: client),
            webhooks: secret.map { WooCommerceWebhooks(client: client, secret: $0) }, integersOnly: true)
    }

    private func mayWrite() async throws(ConnectorError) -> Bool {
        do throws(ConnectorError) {
            _ = try await client.post("products/batch", Array("{\"update\":[]}".utf8), items: 0, for: .discover)
            return true
        } catch {
            switch error {
            case .unauthorized, .forbidden: return false
            default: throw error
            }
        }
    }

    /// 128 random bits in hexadecimal digits.
    public static func randomNonce() -> String {
        String(UInt64.random(in: .min ... .max), radix: 16) + String(UInt64.random(in: .min ... .max), radix: 16)
    }

    private struct Product: Decodable { let id: Int }
}
