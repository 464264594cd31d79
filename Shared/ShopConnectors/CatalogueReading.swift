public import Domain
public import Foundation

/// Reads everything a shop sells, page by page.
public protocol CatalogueReading: Sendable {
    /// The page after `cursor`, or the first one.
    ///
    /// Over one reading, from nil to a page without ``CataloguePage/next``, every listing that was there all the time
    /// comes exactly once, also when others are added or deleted meanwhile. A page may hold no listing at all and
    /// still have a next one. Reading is safe to repeat from any cursor.
    func page(after cursor: CatalogueCursor?) async throws(ConnectorError) -> CataloguePage
}

/// Where a reading of a catalogue stands. Opaque: only the connector that made it understands it. May be stored, so
/// that a reading goes on after a restart.
public struct CatalogueCursor: RawRepresentable, Sendable, Hashable, Codable {
    /// The connector's own text, below 100 bytes.
    public let rawValue: String
    /// Takes back what ``rawValue`` gave.
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A piece of a catalogue.
public struct CataloguePage: Sendable, Equatable {
    /// What the shop sells, in the shop's order.
    public let listings: [Listing]
    /// Where to go on; nil after the last page.
    public let next: CatalogueCursor?
    /// How far the reading has come, between 0 and 1, where the shop says how much there is. For progress bars only.
    public let progress: Double?

    /// - Parameters:
    ///   - listings: what the shop sells.
    ///   - next: nil after the last page.
    ///   - progress: between 0 and 1, if known.
    public init(listings: [Listing], next: CatalogueCursor?, progress: Double? = nil) {
        self.listings = listings
        self.next = next
        self.progress = progress
    }
}

/// What a shop sells as one thing: a simple product or one variation of a product.
public struct Listing: Sendable, Equatable, Codable {
    /// The shop's id of it; a variation is `parent/variation`.
    public let id: ListingID
    /// Where its stock is read and written: ``id``, unless the shop keeps one stock for several listings (WooCommerce:
    /// a variation that inherits its parent's stock). Read and write stock by this id, never by ``id``, and write it
    /// once: listings with the same stock id are one shelf.
    public let stockID: ListingID
    /// The SKU as the shop shows it; blank counts as none, and a blank SKU never matches anything (domain.md 5).
    public let sku: ShopSKU?
    /// The shop's name of it, as plain text.
    public let title: String
    /// What the shop says it has; nil where it tracks no stock for it.
    public let stock: Quantity?
    /// Whether the shop tracks stock for it at present. Writing stock turns this on.
    public let stockManaged: Bool
    /// Whether customers can see and buy it; a draft is false.
    public let isPublished: Bool
    /// When the shop last changed it, by the shop's clock.
    public let updatedAt: Date?

    /// - Parameters:
    ///   - id: the shop's id of it.
    ///   - stockID: where its stock is kept; nil means at ``id``.
    ///   - sku: the SKU as the shop shows it, nil if blank.
    ///   - title: the shop's name of it.
    ///   - stock: what the shop says it has.
    ///   - stockManaged: whether the shop tracks it.
    ///   - isPublished: whether customers see it.
    ///   - updatedAt: by the shop's clock.
    public init(
        id: ListingID, stockID: ListingID? = nil, sku: ShopSKU?, title: String, stock: Quantity?, stockManaged: Bool,
        isPublished: Bool = true, updatedAt: Date? = nil
    ) {
        self.id = id
        self.stockID = stockID ?? id
        self.sku = sku
        self.title = title
        self.stock = stock
        self.stockManaged = stockManaged
        self.isPublished = isPublished
        self.updatedAt = updatedAt
    }
}
