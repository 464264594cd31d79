/// What a simulated Shopify shop has that other platforms do not.
public struct ShopifySettings: Sendable {
    /// A place where stock lies.
    public struct Location: Sendable {
        /// The number at the end of `gid://shopify/Location/…`.
        public var id: Int
        /// As the shop's people see it.
        public var name: String

        /// - Parameters: as the properties of the same names.
        public init(id: Int, name: String) { (self.id, self.name) = (id, name) }
    }

    /// What the app may do. Without `read_all_orders` orders older than 60 days are not there.
    public var scopes: [String] = [
        "read_products", "write_products", "read_inventory", "write_inventory", "read_locations", "read_orders",
        "write_orders", "read_all_orders", "read_customers",
    ]
    /// The first one has the stock of the catalogue; others are empty until stock is activated there.
    public var locations = [Location(id: 501, name: "Kho chính")]
    /// Variants that are stocked nowhere.
    public var notStocked: Set<Int> = []
    /// The shop's permanent address.
    public var domain = "simulated-shop.myshopify.com"
    /// Points of the bucket.
    public var maximumPoints = 2_000.0
    /// Points that come back each second.
    public var restoreRate = 100.0
    /// HTTP status of an answer that says `THROTTLED`: 200 or 429.
    public var throttledStatus = 200
    /// How long an access token of the client-credentials grant is good.
    public var tokenSeconds = 86_399.0
    /// A token that never ends, as admin-created apps from before 2026 have; nil for none.
    public var permanentToken: String?
    /// The version in the headers of webhooks; the platform takes it from the app's settings.
    public var webhookVersion = "2026-10"
    /// Shortens the waits before a webhook is tried again: 1 is the platform's, four hours in all.
    public var webhookWaitScale = 1.0
    /// The failed deliveries in a row that remove a subscription.
    public var webhookFailureLimit = 8

    /// Everything as stated above.
    public init() {}

    /// The number at the end of a variant's `gid://shopify/InventoryItem/…`: never the variant's own, as on the
    /// platform.
    public static func inventoryItemID(ofVariant id: Int) -> Int { id + inventoryItemOffset }

    static let inventoryItemOffset = 70_000_000
}
