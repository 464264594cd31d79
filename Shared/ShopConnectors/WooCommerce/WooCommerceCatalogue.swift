internal import Domain

/// Reads a WooCommerce catalogue: products in the order of their ids, and the variations of those that have any.
///
/// WooCommerce cannot list "products after id N", only from an offset, and an offset shifts when something before it is
/// deleted or restored. So every page begins one item before the place that was reached: while the last id read is
/// still there nothing was skipped; if it is not, the reading steps back until it overlaps what it knows.
///
/// A variation that inherits its parent's stock (`manage_stock` is `parent`) has the parent's id as stock id.
struct WooCommerceCatalogue: CatalogueReading {
    let client: WooCommerceClient
    private var pageSize: Int { WooCommerceConfiguration.platformLimit }

    func page(after cursor: CatalogueCursor?) async throws(ConnectorError) -> CataloguePage {
        let position = try CataloguePosition(cursor, shop: client.configuration.shop)
        let page = try await items("products", WooCommerceItem.productFields, from: position)
        var listings: [Listing] = []
        for product in page.items {
            if Self.hasVariations(product) {
                listings += try await variations(of: product)
            } else if product.type != "grouped" && product.type != "external" {
                // Those two are never sold from this shop's own stock.
                listings.append(Listing(product: product))
            }
        }
        let progress = page.total.map { $0 == 0 ? 1 : min(1, Double(page.next?.offset ?? $0) / Double($0)) }
        return CataloguePage(listings: listings, next: page.next?.cursor, progress: progress)
    }

    /// Nothing if the product was deleted since it was listed.
    private func variations(of parent: WooCommerceItem) async throws(ConnectorError) -> [Listing] {
        var listings: [Listing] = []
        var position: CataloguePosition? = CataloguePosition()
        while let here = position {
            let page: Page
            do throws(ConnectorError) {
                page = try await items("products/\(parent.id)/variations", WooCommerceItem.variationFields, from: here)
            } catch .refused(_, 404, _, _) {
                return []
            }
            listings += page.items.map { Listing(variation: $0, of: parent) }
            position = page.next
        }
        return listings
    }

    private struct Page {
        let items: [WooCommerceItem]
        let next: CataloguePosition?
        let total: Int?
    }

    private static func hasVariations(_ product: WooCommerceItem) -> Bool {
        !product.variations.isEmpty || product.type?.hasPrefix("variable") == true
    }

    private func items(
        _ path: String, _ fields: String, from position: CataloguePosition
    ) async throws(ConnectorError) -> Page {
        var overlap = min(position.offset, 1)
        while true {
            let offset = position.offset - overlap
            let answer = try await client.get(
                path,
                [
                    ("_fields", fields), ("offset", String(offset)), ("order", "asc"), ("orderby", "id"),
                    ("per_page", String(pageSize)),
                ], for: .readCatalogue)
            let items = try client.decode([WooCommerceItem].self, from: answer).sorted { $0.id < $1.id }
            let overlaps = offset == 0 || items.first.map { $0.id <= position.lastID } ?? false
            if !overlaps {
                // Something before the offset was deleted: go back, further each time.
                overlap = min(position.offset, overlap + pageSize)
                continue
            }
            let next = CataloguePosition(
                offset: offset + items.count, lastID: max(position.lastID, items.last?.id ?? 0))
            // Ids are counted up from 1, so no more items than that can lie before one.
            guard next.offset <= next.lastID else {
                throw client.unexpected(answer, "a list that does not go by its offset")
            }
            let new = items.filter { $0.id > position.lastID }
            return Page(items: new, next: items.count < pageSize ? nil : next, total: answer.total)
        }
    }
}

/// How far a reading came: the number of items before the next one when it was last seen, and the highest id read.
struct CataloguePosition: Equatable {
    var offset = 0
    var lastID = 0

    var cursor: CatalogueCursor { CatalogueCursor(rawValue: "\(offset):\(lastID)") }

    init(offset: Int = 0, lastID: Int = 0) {
        self.offset = offset
        self.lastID = lastID
    }

    init(_ cursor: CatalogueCursor?, shop: ShopName) throws(ConnectorError) {
        guard let cursor else {
            self.init()
            return
        }
        let parts = cursor.rawValue.split(separator: ":").compactMap { Int($0) }
        guard parts.count == 2, parts.allSatisfy({ $0 >= 0 }) else {
            throw .invalidCall(
                ShopCall(shop: shop, action: .readCatalogue), detail: "the cursor is not one of WooCommerce's")
        }
        self.init(offset: parts[0], lastID: parts[1])
    }
}

extension Listing {
    fileprivate init(product: WooCommerceItem) {
        self.init(
            id: ListingID(rawValue: String(product.id)), sku: product.sku.flatMap(Self.named),
            title: product.name ?? "",
            stock: product.stockManagement == .none ? nil : product.stockQuantity,
            stockManaged: product.stockManagement != .none,
            isPublished: product.status == nil || product.status == "publish",
            updatedAt: product.modifiedAt)
    }

    fileprivate init(variation: WooCommerceItem, of parent: WooCommerceItem) {
        let parentID = ListingID(rawValue: String(parent.id))
        let options = variation.options.isEmpty ? variation.name ?? "" : variation.options.joined(separator: ", ")
        let parentPublished = parent.status == nil || parent.status == "publish"
        self.init(
            id: ListingID(parent: parentID.rawValue, variation: String(variation.id)),
            stockID: variation.stockManagement == .parent ? parentID : nil,
            sku: variation.sku.flatMap(Self.named),
            title: [parent.name ?? "", options].filter { !$0.isEmpty }.joined(separator: " - "),
            stock: variation.stockManagement == .none ? nil : variation.stockQuantity,
            stockManaged: variation.stockManagement != .none,
            isPublished: parentPublished && (variation.status == nil || variation.status == "publish"),
            updatedAt: variation.modifiedAt)
    }

    private static func named(_ text: String) -> ShopSKU? {
        let sku = ShopSKU(rawValue: text)
        return sku.isBlank ? nil : sku
    }
}
