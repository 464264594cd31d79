/// Which order: an order is (shop, external id), and the shop it came from never changes (domain.md, Orders).
public struct OrderReference: Sendable, Hashable, Comparable, CustomStringConvertible, Codable {
    /// The shop it was placed in.
    public var shop: ShopName
    /// The platform's own id of it, as text.
    public var externalID: String

    /// An order of a shop.
    public init(shop: ShopName, externalID: String) {
        self.shop = shop
        self.externalID = externalID
    }

    /// Reads `shop:external_id`; nil without a colon or with an empty side. A shop's name never holds a colon.
    public init?(_ text: some StringProtocol) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let (shop, id) = (text[..<colon], text[text.index(after: colon)...])
        guard !shop.isEmpty, !id.isEmpty else { return nil }
        self.init(shop: ShopName(shop), externalID: String(id))
    }

    /// `shop:external_id`, which is also the reference that the ERP is given.
    public var description: String { "\(shop):\(externalID)" }

    /// Orders by shop, then by id.
    public static func < (left: Self, right: Self) -> Bool {
        (left.shop, left.externalID) < (right.shop, right.externalID)
    }

    private enum CodingKeys: String, CodingKey {
        case shop
        case externalID = "external_id"
    }
}
