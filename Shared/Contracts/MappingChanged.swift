public import Domain

/// `mapping.changed`: what some listings of a shop are in the ERP. A chunk of up to 1,000 listings, self-contained.
public struct MappingChanged: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("mapping.changed", 1, 0)

    /// The most listings of one message.
    public static let maximumListings = 1_000

    /// One listing.
    public struct Entry: Sendable, Hashable, Codable {
        /// The listing at the shop; a variation is `parent/variation`.
        public var listing: ListingID
        /// The SKU as the shop shows it; nil if it has none.
        public var sku: ShopSKU?
        /// How the mapping stands: `mapped`, `unmapped`, `ambiguous`, `blank`, or `gone` when the shop no longer lists
        /// it.
        public var state: String
        /// The ERP's code, where it is mapped.
        public var erpCode: ERPCode?
        /// ERP units in one unit of the listing.
        public var unitsPerPack: Int

        /// A listing's mapping.
        public init(listing: ListingID, sku: ShopSKU?, state: String, erpCode: ERPCode?, unitsPerPack: Int) {
            self.listing = listing
            self.sku = sku
            self.state = state
            self.erpCode = erpCode
            self.unitsPerPack = unitsPerPack
        }

        private enum CodingKeys: String, CodingKey {
            case listing, sku, state
            case erpCode = "erp_code"
            case unitsPerPack = "units_per_pack"
        }
    }

    /// The shop.
    public var shop: ShopName
    /// Increases with every change of the shop's mapping; an entry of a lower number never replaces one of a higher.
    public var sequence: Int64
    /// The listings.
    public var entries: [Entry]

    /// A chunk.
    public init(shop: ShopName, sequence: Int64, entries: [Entry]) {
        self.shop = shop
        self.sequence = sequence
        self.entries = entries
    }
}
