import Foundation

/// A product or variation as the simulated shop keeps it.
struct ShopItem: Sendable {
    let id: Int
    /// 0 for a product.
    var parentID = 0
    var name = ""
    var type = "simple"
    var status = "publish"
    var sku = ""
    var option = ""
    var managesStock = false
    var stock: Int?
    var modifiedAt = Date(timeIntervalSince1970: 0)
    /// In the order of their ids.
    var variations: [Int] = []

    /// `product`, or `parent/variation`.
    var key: String { parentID == 0 ? "\(id)" : "\(parentID)/\(id)" }
}

/// The items of a simulated shop and their rules. A value: locking is somebody else's business.
struct ShopItems: Sendable {
    /// A catalogue that contradicts itself.
    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var all: [Int: ShopItem] = [:]
    /// Ids of products, ascending.
    private(set) var productIDs: [Int] = []
    private(set) var journal = Journal()
    /// The item with the smallest id of each SKU that is not blank.
    private var bySKU: [String: Int] = [:]

    init(_ products: [CatalogueProduct], at now: Date) throws {
        all.reserveCapacity(products.count)
        for product in products { try insert(product, at: now) }
        productIDs.sort()
    }

    mutating func add(_ product: CatalogueProduct, at now: Date) throws {
        try insert(product, at: now)
        productIDs.sort()
    }

    mutating func remove(_ productID: Int) -> Bool {
        guard let product = all[productID], product.parentID == 0 else { return false }
        var skus: Set<String> = []
        for id in product.variations + [productID] {
            if let item = all.removeValue(forKey: id) { skus.insert(item.sku) }
        }
        productIDs.removeAll { $0 == productID }
        for sku in skus { bySKU[sku] = all.values.lazy.filter { $0.sku == sku }.map(\.id).min() }
        return true
    }

    /// Hides or shows an item; false if there is none.
    mutating func setStatus(_ id: Int, _ status: String, at now: Date) -> Bool {
        guard var item = all[id] else { return false }
        (item.status, item.modifiedAt) = (status, now)
        all[id] = item
        return true
    }

    mutating func resetJournal() { journal.reset() }

    /// The item with this key (`product`, `parent/variation`) or, failing that, this SKU.
    func find(key: String?, sku: String?) -> ShopItem? {
        if let key, let id = key.split(separator: "/").last.flatMap({ Int($0) }), let item = all[id], item.key == key {
            return item
        }
        guard let sku, !sku.isEmpty else { return nil }
        return bySKU[sku].flatMap { all[$0] }
    }

    /// The item that holds an item's stock: itself, or the parent whose stock a variation shares.
    func stockHolder(of item: ShopItem) -> ShopItem {
        guard item.parentID != 0, !item.managesStock, let parent = all[item.parentID], parent.managesStock else {
            return item
        }
        return parent
    }

    /// Changes stock as WooCommerce does: a quantity counts only where stock is managed; turning that off blanks it.
    ///
    /// - Parameters:
    ///   - manages: nil leaves it as it is.
    ///   - quantity: nil leaves it as it is.
    mutating func setStock(_ id: Int, manages: Bool?, quantity: Int?, by author: Author) {
        guard var item = all[id] else { return }
        let before = item.stock
        item.managesStock = manages ?? item.managesStock
        item.stock = item.managesStock ? quantity ?? item.stock ?? 0 : nil
        item.modifiedAt = author.time
        all[id] = item
        if quantity != nil || before != item.stock {
            journal.record(id: item.key, sku: item.sku, before: before, after: item.stock, by: author)
        }
    }

    /// A customer buys. Nil if the shop would not have sold that many.
    mutating func sell(_ item: ShopItem, quantity: Int, oversell: Bool, by author: Author) -> Int? {
        let holder = stockHolder(of: item)
        guard holder.managesStock, let stock = holder.stock else { return Int.max }
        guard oversell || stock >= quantity else { return nil }
        setStock(holder.id, manages: nil, quantity: stock - quantity, by: author)
        return stock - quantity
    }

    /// What the shop has now, in the shape of a catalogue file.
    func catalogue() -> [CatalogueProduct] {
        productIDs.compactMap { all[$0] }.map { product in
            let variations = product.variations.compactMap { all[$0] }.map {
                CatalogueProduct.Variation(
                    id: $0.id, sku: $0.sku, option: $0.option, stock: $0.stock, manageStock: $0.managesStock,
                    status: $0.status)
            }
            return CatalogueProduct(
                id: product.id, sku: product.sku, name: product.name, type: product.type, status: product.status,
                stock: product.stock, manageStock: product.managesStock,
                variations: variations.isEmpty ? nil : variations)
        }
    }

    private mutating func insert(_ product: CatalogueProduct, at now: Date) throws {
        let variations = product.variations ?? []
        for id in [product.id] + variations.map(\.id) where id <= 0 || all[id] != nil {
            throw Mistake(description: "Id \(id) of the catalogue is not positive or comes twice.")
        }
        var item = ShopItem(id: product.id)
        item.name = product.name ?? product.sku ?? "Product \(product.id)"
        item.type = product.type ?? (variations.isEmpty ? "simple" : "variable")
        item.status = product.status ?? "publish"
        item.sku = product.sku ?? ""
        item.managesStock = product.manageStock ?? (product.stock != nil)
        item.stock = item.managesStock ? product.stock ?? 0 : nil
        item.modifiedAt = now
        item.variations = variations.map(\.id).sorted()
        store(item)
        productIDs.append(item.id)
        for variation in variations {
            var child = ShopItem(id: variation.id)
            child.parentID = product.id
            child.name = variation.option ?? ""
            child.type = "variation"
            child.status = variation.status ?? "publish"
            child.option = variation.option ?? ""
            // A variation without a SKU of its own shows its parent's.
            child.sku = variation.sku ?? ""
            child.managesStock = variation.manageStock ?? (variation.stock != nil)
            child.stock = child.managesStock ? variation.stock ?? 0 : nil
            child.modifiedAt = now
            store(child)
        }
    }

    private mutating func store(_ item: ShopItem) {
        all[item.id] = item
        if !item.sku.isEmpty { bySKU[item.sku] = min(bySKU[item.sku] ?? item.id, item.id) }
    }
}
