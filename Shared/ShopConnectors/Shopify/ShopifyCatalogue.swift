internal import Domain
internal import Foundation

/// Reads a Shopify catalogue: variants in the order of their ids, each page those behind the last id, so that nothing
/// shifts when something is added or deleted and no limit of paging is met.
struct ShopifyCatalogue: CatalogueReading {
    let client: ShopifyClient
    let location: String

    /// 150 variants at 5 points each, below the 1,000 that one query may cost.
    static let pageSize = 150

    private static let document = ShopifyDocument(
        name: "catalogue",
        text: """
            query Catalogue($first: Int!, $query: String!, $location: ID!) {
              productVariants(first: $first, sortKey: ID, query: $query) {
                nodes {
                  id sku title updatedAt
                  product { id title status }
                  inventoryItem { id tracked inventoryLevel(locationId: $location) {
                    quantities(names: ["available"]) { quantity } } }
                }
                pageInfo { hasNextPage }
              }
            }
            """, cost: 2 + 5 * pageSize)

    func page(after cursor: CatalogueCursor?) async throws(ConnectorError) -> CataloguePage {
        let last = cursor?.rawValue ?? "0"
        guard ShopifyID.isNumber(last) else {
            throw .invalidCall(
                ShopCall(shop: client.configuration.shop, action: .readCatalogue),
                detail: "the cursor is not one of Shopify's")
        }
        let reply = try await client.call(
            Self.document,
            [
                "first": .number(String(Self.pageSize)), "query": .string("id:>\(last)"),
                "location": .string(location),
            ], for: .readCatalogue)
        let variants = reply.data["productVariants"]
        var listings: [Listing] = []
        var highest = Int(last) ?? 0
        do throws(UnreadableFact) {
            for node in try variants["nodes"].list() {
                let (number, listing) = try Self.listing(node)
                // Search is lenient with what it does not understand: never go back.
                guard number > Int(last) ?? 0 else { continue }
                highest = max(highest, number)
                listings.append(listing)
            }
        } catch {
            throw client.unexpected(reply, error.description)
        }
        let goesOn = variants["pageInfo"]["hasNextPage"].isTrue && highest > Int(last) ?? 0
        return CataloguePage(
            listings: listings, next: goesOn ? CatalogueCursor(rawValue: String(highest)) : nil, progress: nil)
    }

    private static func listing(_ node: JSONFacts) throws(UnreadableFact) -> (Int, Listing) {
        guard let variant = ShopifyID.number(node["id"].textIfAny, "ProductVariant"), let number = Int(variant) else {
            throw node["id"].problem("is no id of a variant")
        }
        guard let product = ShopifyID.number(node["product"]["id"].textIfAny, "Product") else {
            throw node["product"]["id"].problem("is no id of a product")
        }
        let item = node["inventoryItem"]
        guard let stock = ShopifyID.number(item["id"].textIfAny, "InventoryItem") else {
            throw item["id"].problem("is no id of an inventory item")
        }
        let observed = ShopifyStock.observed(item)
        let names = [node["product"]["title"].words, node["title"].words]
        let listing = Listing(
            id: ListingID(parent: product, variation: variant), stockID: ShopifyID.stockID(item: stock),
            sku: node["sku"].textIfAny.map { ShopSKU(rawValue: $0) },
            title: names.filter { !$0.isEmpty && $0 != "Default Title" }.joined(separator: " - "),
            stock: observed.quantity, stockManaged: observed.managed,
            isPublished: node["product"]["status"].textIfAny == "ACTIVE",
            updatedAt: node["updatedAt"].textIfAny.flatMap { UTCTimestamp.parse($0) })
        return (number, listing)
    }
}
