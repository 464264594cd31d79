import Contracts
import Domain
import ServiceKit
import Settings
import ShopConnectors
import Transfer

extension ShopAccount {
    /// The connector for the shop's platform.
    static func connector(
        _ shop: StockbridgeConfiguration.Shop, parts: ServiceParts, pacing: any CallPacing
    ) throws -> any ShopConnector {
        func reveal(_ reference: SecretReference) throws -> String {
            try reference.resolve(service: parts.name.rawValue).reveal()
        }
        switch shop.credentials {
        case .woocommerce(let key, let secret):
            let configuration = WooCommerceConfiguration(
                shop: shop.name, url: shop.url, key: try reveal(key), secret: try reveal(secret),
                caFile: shop.caFile, requestTimeoutSeconds: shop.limits.requestTimeoutSeconds,
                batchLimit: shop.limits.batch)
            return WooCommerceConnector(configuration, http: parts.transfer, pacing: pacing, clock: parts.clock)
        case .shopify:
            throw ConnectorError.unsupported(
                ShopCall(shop: shop.name, action: .discover), capability: "the platform shopify")
        }
    }
}
