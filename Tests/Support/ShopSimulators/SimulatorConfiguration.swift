/// How a simulated shop behaves. Test equipment: never part of a deployment.
public struct SimulatorConfiguration: Sendable {
    /// What a consumer key may do.
    public enum Permissions: String, Sendable, CaseIterable {
        /// Reading only.
        case read
        /// Writing only.
        case write
        /// Both.
        case readWrite = "read_write"
    }

    /// Whose protocol the shop speaks.
    public enum Platform: String, Sendable, CaseIterable {
        /// REST API v3.
        case wooCommerce = "woocommerce"
        /// Admin GraphQL.
        case shopify
    }

    /// Whose protocol it speaks.
    public var platform = Platform.wooCommerce
    /// What only a Shopify shop has.
    public var shopify = ShopifySettings()
    /// What its prices are in, as ISO 4217 has it.
    public var currency = "VND"
    /// Signs the webhooks of a platform that has one secret for all, and of subscriptions without one of their own.
    public var webhookSecret = "whsec_simulator"
    /// How far everybody on the test bench is from the machine's clock: a compressed day.
    public var clockOffsetSeconds = 0.0
    /// A file with that number as text, read at most every 100 ms; counts in place of ``clockOffsetSeconds``.
    public var clockOffsetFile: String?
    /// How far this shop's clock is from everybody else's.
    public var clockSkewSeconds = 0.0
    /// Seconds that the shop's local time is ahead of UTC.
    public var utcOffsetSeconds = 7 * 3_600
    /// Whether orders can be listed in the order of their last change; older versions answer 400.
    public var supportsOrderByModified = true
    /// Waits so long before each delivery of a webhook.
    public var webhookLatencyMilliseconds = 0
    /// The failed deliveries in a row that disable a webhook.
    public var webhookFailureLimit = 5
    /// PEM file of the authority that the receivers' certificates are checked against; the system's unless stated.
    public var webhookAuthorityFile: String?
    /// Shown by `/__simulator/` and in error pages.
    public var name = "simulated shop"
    /// The address that is listened on.
    public var host = "127.0.0.1"
    /// 0 takes any free port.
    public var port = 0
    /// The consumer key that is accepted.
    public var key = "ck_simulator"
    /// The consumer secret that is accepted.
    public var secret = "cs_simulator"
    /// What the key may do.
    public var permissions = Permissions.readWrite
    /// Calls a second that are answered before 429 comes; nil for no limit.
    public var requestsPerSecond: Double?
    /// Calls that may come at once before the limit counts; nil means one second's worth.
    public var burst: Int?
    /// Added to every call of the shop's API.
    public var latencyMilliseconds = 0
    /// The most items of one batch.
    public var batchLimit = 100
    /// PEM files; with both the shop speaks HTTPS only.
    public var certificateFile: String?
    /// See ``certificateFile``.
    public var privateKeyFile: String?
    /// Wanted in `X-Simulator-Token` for `/__simulator/`; without one only loopback addresses may use it.
    public var adminToken: String?

    /// Everything as stated above.
    public init() {}
}
