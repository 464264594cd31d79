import Contracts
import Domain
import ServiceKit
import Settings
import ShopConnectors
import Transfer

extension ShopAccount {
    /// The connector for the shop's platform.
    ///
    /// The secret of a WooCommerce shop's webhooks is resolved for order-collector alone: no other service takes any,
    /// and none is given that secret.
    static func connector(
        _ shop: StockbridgeConfiguration.Shop, parts: ServiceParts, pacing: any CallPacing
    ) throws -> any ShopConnector {
        func reveal(_ reference: SecretReference) throws -> String {
            try reference.resolve(service: parts.name.rawValue).reveal()
        }
        let (url, caFile, limits) = (shop.url, shop.caFile, shop.limits)
        switch shop.credentials {
        case .woocommerce(let key, let secret):
            let webhookSecret = parts.name == .orderCollector ? shop.orders.webhookSecret : nil
            let configuration = WooCommerceConfiguration(
                shop: shop.name, url: url, key: try reveal(key), secret: try reveal(secret),
                webhookSecret: try webhookSecret.map(reveal), caFile: caFile,
                requestTimeoutSeconds: limits.requestTimeoutSeconds, batchLimit: limits.batch)
            return WooCommerceConnector(configuration, http: parts.transfer, pacing: pacing, clock: parts.clock)
        case .shopify(let accessToken, let clientID, let clientSecret):
            let configuration = ShopifyConfiguration(
                shop: shop.name, url: url, apiVersion: shop.apiVersion, accessToken: try accessToken.map(reveal),
                clientID: clientID, clientSecret: try clientSecret.map(reveal), location: shop.location,
                caFile: caFile, requestTimeoutSeconds: limits.requestTimeoutSeconds, batchLimit: limits.batch)
            return ShopifyConnector(configuration, http: parts.transfer, pacing: pacing)
        }
    }
}
