import Foundation

/// Products, variants and stock as objects of the API.
extension ShopifyView {
    func locationObject(_ location: ShopifySettings.Location) -> GraphQLObject {
        GraphQLObject(
            "Location",
            [
                "id": .text(ShopifyID.text("Location", location.id)), "legacyResourceId": .text("\(location.id)"),
                "name": .text(location.name), "isActive": .boolean(true), "shipsInventory": .boolean(true),
                "fulfillsOnlineOrders": .boolean(location.id == settings.locations.first?.id),
            ])
    }

    func locationObject(_ id: Int) -> GraphQLObject? {
        settings.locations.first { $0.id == id }.map(locationObject)
    }

    func productObject(_ product: ShopItem) -> GraphQLObject {
        GraphQLObject("Product") { (field) throws(GraphQLProblem) in
            switch field.field.name {
            case "id": .text(ShopifyID.text("Product", product.id))
            case "legacyResourceId": .text("\(product.id)")
            case "title": .text(product.name)
            case "handle": .text("product-\(product.id)")
            case "status": .text(Self.status(product))
            case "updatedAt", "createdAt": .text(ShopifyTime.text(product.modifiedAt))
            case "variants":
                .connection(
                    try GraphQLPage(
                        product.variations.isEmpty ? [product] : product.variations.compactMap { self.items.all[$0] },
                        field, key: { ShopifyKey(number: Double($0.id), id: $0.id) }, node: self.variantObject))
            default: .null
            }
        }
    }

    static func status(_ product: ShopItem) -> String {
        switch product.status {
        case "publish": "ACTIVE"
        case "draft", "pending": "DRAFT"
        default: "ARCHIVED"
        }
    }

    func product(of variant: ShopItem) -> ShopItem { items.all[variant.parentID] ?? variant }

    /// Units at all locations.
    func totalQuantity(_ variant: ShopItem) -> Int {
        settings.locations.reduce(0) { $0 + (available(variant, at: $1.id) ?? 0) }
    }

    func variantObject(_ variant: ShopItem) -> GraphQLObject {
        let product = product(of: variant)
        return GraphQLObject("ProductVariant") { (field) throws(GraphQLProblem) in
            switch field.field.name {
            case "id": .text(ShopifyID.text("ProductVariant", variant.id))
            case "legacyResourceId": .text("\(variant.id)")
            case "sku": .text(variant.sku)
            case "title": .text(variant.option.isEmpty ? "Default Title" : variant.option)
            case "displayName":
                .text(product.name + " - " + (variant.option.isEmpty ? "Default Title" : variant.option))
            case "price":
                .text(
                    Fiction.price(of: variant.id, decimals: Amount.decimals(of: self.configuration.currency))
                        .text(minimumDecimals: 2))
            case "inventoryQuantity": .number(self.totalQuantity(variant))
            case "inventoryPolicy": .text("DENY")
            case "availableForSale": .boolean(!variant.managesStock || self.totalQuantity(variant) > 0)
            case "createdAt", "updatedAt": .text(ShopifyTime.text(variant.modifiedAt))
            case "selectedOptions":
                .objects([
                    GraphQLObject(
                        "SelectedOption",
                        [
                            "name": .text("Title"),
                            "value": .text(variant.option.isEmpty ? "Default Title" : variant.option),
                        ])
                ])
            case "product": .object(self.productObject(product))
            case "inventoryItem": .object(self.inventoryItemObject(variant))
            default: .null
            }
        }
    }

    func inventoryItemObject(_ variant: ShopItem) -> GraphQLObject {
        let id = ShopifySettings.inventoryItemID(ofVariant: variant.id)
        return GraphQLObject("InventoryItem") { (field) throws(GraphQLProblem) in
            switch field.field.name {
            case "id": return .text(ShopifyID.text("InventoryItem", id))
            case "legacyResourceId": return .text("\(id)")
            case "sku": return .text(variant.sku)
            case "tracked": return .boolean(variant.managesStock)
            case "requiresShipping": return .boolean(true)
            case "createdAt", "updatedAt": return .text(ShopifyTime.text(variant.modifiedAt))
            case "variant": return .object(self.variantObject(variant))
            case "inventoryLevel":
                guard let place = ShopifyID.number(field.arguments["locationId"], "Location"),
                    self.available(variant, at: place) != nil
                else { return .null }
                return .object(self.levelObject(variant, at: place))
            case "inventoryLevels":
                let places = self.settings.locations.filter { self.available(variant, at: $0.id) != nil }
                return .connection(
                    try GraphQLPage(places, field, key: { ShopifyKey(number: Double($0.id), id: $0.id) }) {
                        self.levelObject(variant, at: $0.id)
                    })
            default: return .null
            }
        }
    }

    func levelObject(_ variant: ShopItem, at locationID: Int) -> GraphQLObject {
        let item = ShopifySettings.inventoryItemID(ofVariant: variant.id)
        let id = "\(ShopifyID.text("InventoryLevel", locationID))?inventory_item_id=\(item)"
        let changed = ShopifyTime.text(variant.modifiedAt)
        return GraphQLObject("InventoryLevel") { (field) throws(GraphQLProblem) in
            switch field.field.name {
            case "id": return .text(id)
            case "isActive": return .boolean(true)
            case "createdAt", "updatedAt": return .text(changed)
            case "item": return .object(self.inventoryItemObject(variant))
            case "location": return self.locationObject(locationID).map { .object($0) } ?? .null
            case "quantities":
                var result: [GraphQLObject] = []
                for name in field.arguments["names"]?.elements?.compactMap(\.string) ?? [] {
                    guard let quantity = self.quantity(name, of: variant, at: locationID) else {
                        throw GraphQLProblem(message: "The quantity name '\(name)' is not valid.", code: "BAD_REQUEST")
                    }
                    result.append(
                        GraphQLObject(
                            "InventoryQuantity",
                            [
                                "id": .text("gid://shopify/InventoryQuantity/\(locationID)-\(item)-\(name)"),
                                "name": .text(name), "quantity": .number(quantity), "updatedAt": .text(changed),
                            ]))
                }
                return .objects(result)
            default: return .null
            }
        }
    }
}
