import Foundation

/// The queries that the API answers.
extension ShopifyView {
    func query(_ field: BoundField, _ warnings: inout [String]) throws(GraphQLProblem) -> GraphQLValue {
        let arguments = field.arguments
        switch field.field.name {
        case "shop": return .object(shopObject())
        case "currentAppInstallation": return .object(installation())
        case "node": return try node(arguments["id"]).map { .object($0) } ?? .null
        case "nodes":
            let ids = arguments["ids"]?.elements ?? []
            try Self.checkSize(ids.count)
            var result: [GraphQLValue] = []
            for id in ids { result.append(try node(id).map { .object($0) } ?? .null) }
            return .list(result)
        case "location", "productVariant", "inventoryItem", "order":
            let type = field.field.type.name
            guard arguments["id"] != nil else {
                return settings.locations.first.map { .object(locationObject($0)) } ?? .null
            }
            guard ShopifyID.number(arguments["id"], type) != nil else {
                throw GraphQLProblem(
                    message: "Invalid global id '\(arguments["id"]?.string ?? "")'", code: "RESOURCE_NOT_FOUND")
            }
            return try node(arguments["id"]).map { .object($0) } ?? .null
        case "locations":
            return .connection(
                try GraphQLPage(settings.locations, field, key: { ShopifyKey(number: Double($0.id), id: $0.id) }) {
                    self.locationObject($0)
                })
        case "productVariants": return .connection(try variants(field, &warnings))
        case "orders": return .connection(try orderPage(field, &warnings))
        case "webhookSubscriptions": return .connection(try subscriptions(field))
        default: return .null
        }
    }

    static func checkSize(_ count: Int) throws(GraphQLProblem) {
        guard count <= 250 else {
            throw GraphQLProblem(
                message: "The input array size of \(count) is greater than the maximum allowed of 250.",
                code: "MAX_INPUT_SIZE_EXCEEDED")
        }
    }

    /// The object of an id; nil if there is none.
    func node(_ value: JSONValue?) throws(GraphQLProblem) -> GraphQLObject? {
        guard let text = value?.string, let id = ShopifyID.read(text) else {
            throw GraphQLProblem(
                message: "Invalid global id '\(value?.string ?? "")'", code: "argumentLiteralsIncompatible")
        }
        switch id.type {
        case "ProductVariant": return variant(id.id).map(variantObject)
        case "InventoryItem": return variant(id.id - ShopifySettings.inventoryItemOffset).map(inventoryItemObject)
        case "Product": return items.all[id.id].flatMap { $0.parentID == 0 ? productObject($0) : nil }
        case "Location": return locationObject(id.id)
        case "Order":
            guard allows("read_orders") else { throw Self.denied("order", "read_orders") }
            return order(id.id).map(orderObject)
        case "WebhookSubscription": return webhooks.shopify(id.id).map(subscriptionObject)
        default: return nil
        }
    }

    /// Whether the app has a scope. A key that may only read has no `write_…`.
    func allows(_ scope: String) -> Bool {
        let isRefused =
            switch configuration.permissions {
            case .read: scope.hasPrefix("write_")
            case .write: scope.hasPrefix("read_")
            case .readWrite: false
            }
        // Whoever may write may also read.
        let isImplied = scope.hasPrefix("read_") && settings.scopes.contains("write_" + scope.dropFirst(5))
        return !isRefused && (settings.scopes.contains(scope) || isImplied)
    }

    static func denied(_ field: String, _ scope: String) -> GraphQLProblem {
        GraphQLProblem(
            message: "Access denied for \(field) field. Required access: `\(scope)` access scope.",
            code: "ACCESS_DENIED",
            details: [
                ("documentation", "\"https://shopify.dev/api/usage/access-scopes\""),
                ("requiredAccess", JSONObjectWriter.quoted("`\(scope)` access scope.")),
            ])
    }

    private func shopObject() -> GraphQLObject {
        GraphQLObject(
            "Shop",
            [
                "id": .text(ShopifyID.text("Shop", 1)), "name": .text(configuration.name),
                "currencyCode": .text(configuration.currency), "myshopifyDomain": .text(settings.domain),
                "ianaTimezone": .text("Asia/Ho_Chi_Minh"), "timezoneOffset": .text("+0700"),
                "taxesIncluded": .boolean(false), "email": .text("shop@example.com"),
            ])
    }

    private func installation() -> GraphQLObject {
        let scopes = settings.scopes.filter(allows).map {
            GraphQLObject("AccessScope", ["handle": .text($0), "description": .text($0)])
        }
        return GraphQLObject(
            "AppInstallation", ["id": .text(ShopifyID.text("AppInstallation", 1)), "accessScopes": .objects(scopes)])
    }

    // MARK: - Variants

    private func variants(_ field: BoundField, _ warnings: inout [String]) throws(GraphQLProblem) -> GraphQLPage {
        var list = items.variants
        if let text = field.arguments["query"]?.string, !text.isEmpty {
            let search = ShopifySearch.read(text)
            if let skus = search.skus {
                list = list.filter { skus.contains($0.sku.lowercased()) }
            } else {
                let known = [
                    "", "sku", "id", "product_id", "product_status", "updated_at", "inventory_quantity", "title",
                    "barcode", "location_id",
                ]
                Self.warn(field, text, search, known, &warnings)
                list = list.filter { item in search.holds { self.matches(item, $0, known) } }
            }
        }
        let sortKey = field.arguments["sortKey"]?.string ?? "ID"
        func key(_ item: ShopItem) -> ShopifyKey {
            switch sortKey {
            case "SKU": ShopifyKey(text: item.sku, id: item.id)
            case "TITLE", "NAME", "FULL_TITLE": ShopifyKey(text: item.name, id: item.id)
            case "INVENTORY_QUANTITY": ShopifyKey(number: Double(totalQuantity(item)), id: item.id)
            default: ShopifyKey(number: Double(item.id), id: item.id)
            }
        }
        if sortKey != "ID" { list.sort { key($0) < key($1) } }
        return try GraphQLPage(list, field, sortKey: sortKey, key: key, node: variantObject)
    }

    private func matches(_ item: ShopItem, _ term: ShopifySearch.Term, _ known: [String]) -> Bool {
        switch term.field {
        case "sku": term.matches(item.sku)
        case "id": term.holds(item.id, term.number)
        case "product_id": term.holds(product(of: item).id, term.number)
        case "product_status": term.matches(Self.status(product(of: item)))
        case "inventory_quantity": term.holds(totalQuantity(item), term.number)
        case "updated_at": term.holds(Self.second(item.modifiedAt), term.time.map(Self.second))
        case "barcode": false
        case "location_id": term.number.map { available(item, at: $0) != nil } ?? false
        case "", "title": (product(of: item).name + " " + item.sku).lowercased().contains(term.value.lowercased())
        default: !known.contains(term.field)
        }
    }

    static func second(_ date: Date) -> Int { Int(date.timeIntervalSince1970.rounded(.down)) }

    /// A filter that does not exist is no error: it is left out, and `extensions.search` says so.
    static func warn(
        _ field: BoundField, _ text: String, _ search: ShopifySearch, _ known: [String], _ warnings: inout [String]
    ) {
        let wrong = search.terms.map(\.field).filter { !known.contains($0) }
        guard !wrong.isEmpty else { return }
        let list = wrong.map {
            "{\"field\":\(JSONObjectWriter.quoted($0)),\"message\":\"Invalid search field for this query.\","
                + "\"code\":\"invalid_field\"}"
        }
        warnings.append(
            "{\"path\":[\(JSONObjectWriter.quoted(field.key))],\"query\":\(JSONObjectWriter.quoted(text)),"
                + "\"warnings\":[\(list.joined(separator: ","))]}")
    }
}
