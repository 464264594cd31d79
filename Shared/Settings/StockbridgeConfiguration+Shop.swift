public import Domain
public import Foundation

extension StockbridgeConfiguration {
    /// An entry of `shops`: one account at one platform.
    public struct Shop: Sendable {
        /// The shop's name: lower-case letters, digits and hyphens, because queues are named after it.
        public let name: ShopName
        /// What software the shop runs.
        public let platform: Platform
        /// The shop's base address, without a slash at the end.
        public let url: String
        /// Whether plain http is allowed.
        public let insecure: Bool
        /// What the shop's software is told about who asks.
        public let credentials: ShopCredentials
        /// The version of the platform's interface that is spoken, `YYYY-MM`; only Shopify has versions.
        public let apiVersion: String
        /// Shopify's identifier of the place whose stock is set, `gid://shopify/Location/…`; nil means the shop's only
        /// one.
        public let location: String?
        /// The zone whose clock the shop's schedules and business days go by.
        public let timeZone: TimeZone
        /// The currencies whose orders are taken; an order in another one is held. At least one.
        public let currencies: [CurrencyCode]
        /// Absolute path of a PEM file with the certificate authorities to trust; nil means the system's.
        public let caFile: String?
        /// The warehouses that this shop sells from; at least one.
        public let warehouses: [WarehouseName]
        /// The part of what is available that is offered here.
        public let share: Share
        /// The largest number that is ever shown, in units.
        public let cap: Int
        /// Units that are never offered here (domain.md section 2: `buffer`).
        public let buffer: Quantity
        /// Below this many available units the shop shows 0.
        public let stopSellingAt: Quantity
        /// ERP units of each SKU that all shops keep back while this shop's order feed is stale (domain.md section 2).
        public let staleReserve: Quantity
        /// How the shop's SKUs become ERP codes.
        public let mapping: Mapping
        /// How fast the shop may be asked.
        public let limits: Limits
        /// What is done regularly.
        public let schedules: Schedules
        /// How the shop's orders are collected and counted.
        public let orders: OrderSettings
        /// Whether the reconciler asks for safe repairs by itself (`too_high`, `too_low`, `edited_on_site`).
        public let reconcileRepairs: Bool
        /// Minutes after which a run ends, whatever is still open.
        public let runDeadlineMinutes: Int
        /// Minutes after which the shop's order feed counts as stale.
        public let feedStaleAfterMinutes: Int
        /// Every effective value of the shop's section in a fixed order and writing, with the safety of its warehouses.
        ///
        /// Two configurations in which it is equal mean the same to the shop, however the file is laid out; it holds
        /// references of secrets, never a secret.
        public let canonicalDescription: String

        /// What decides the shop's levels besides stock and orders.
        public var levelPolicy: LevelPolicy {
            LevelPolicy(buffer: buffer, stopSellingAt: stopSellingAt, share: share, cap: cap)
        }

        /// 16 hexadecimal digits that change when ``canonicalDescription`` does; the same on every machine and version.
        public var settingsDigest: String { stableDigest(of: canonicalDescription) }
    }

    /// The platforms that there is a connector for.
    public enum Platform: String, Sendable, Hashable, CaseIterable {
        case woocommerce
        case shopify
    }

    /// `shops[].credentials`: how we sign in, by platform.
    public enum ShopCredentials: Sendable, Hashable {
        /// WooCommerce's consumer key and consumer secret.
        case woocommerce(key: SecretReference, secret: SecretReference)
        /// Shopify: either an access token, or a client's identifier with its secret, for which the shop gives out a
        /// token. The secret also verifies webhooks; without one they cannot be taken.
        case shopify(accessToken: SecretReference?, clientID: String?, clientSecret: SecretReference?)
    }

    /// `shops[].mapping`: how the shop's SKUs become ERP codes.
    public struct Mapping: Sendable, Hashable {
        /// Ways in which two spellings count as the same; their order means nothing.
        public let rules: [NormalizationRule]
    }

    /// `shops[].limits`: how fast the shop's account may be asked; the pace is that of all replicas together.
    public struct Limits: Sendable, Hashable {
        /// Requests per second in the long run.
        public let requestsPerSecond: Double
        /// Requests that may go out at once after a pause.
        public let burst: Int
        /// Requests that each replica may have on their way at the same time.
        public let inFlight: Int
        /// Items per batch request.
        public let batch: Int
        /// Seconds after which an unanswered request is given up.
        public let requestTimeoutSeconds: Double
    }

    /// `shops[].schedules`: what is done regularly.
    public struct Schedules: Sendable, Hashable {
        /// When the shop's catalogue is read.
        public let catalogue: Schedule
        /// When the report of the shop's orders goes to the ERP.
        public let report: Schedule
        /// When the orders of the last days are read once more in full.
        public let orderRepair: Schedule
    }
}

/// FNV-1a, 64 bits: not a defence against anybody, only a short name for a text that is the same everywhere.
func stableDigest(of text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 {
        hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
