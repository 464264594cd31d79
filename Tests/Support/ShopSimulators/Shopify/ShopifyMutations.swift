import Foundation

/// The mutations that the API knows: each is done at once, and says how its answer is to be made.
extension SimulatedShop.State {
    typealias Payload = (ShopifyView) throws(GraphQLProblem) -> GraphQLValue

    mutating func mutate(
        _ field: BoundField, _ version: String, fault: Fault?, by author: Author
    ) throws(GraphQLProblem) -> Payload {
        let type = field.field.type.name
        switch field.field.name {
        case "inventorySetQuantities":
            let outcome = try setQuantities(field, version, fault: fault, by: author)
            return { view in .object(view.payload(type, outcome)) }
        case "inventoryActivate":
            let outcome = try activate(field, version, by: author)
            let item = inventoryItem(field.arguments["inventoryItemId"]?.string)
            let location = shopifyLocation(field.arguments["locationId"]?.string)
            return { view in
                var level = GraphQLValue.null
                if outcome.errors.isEmpty, let item = item.flatMap({ view.variant($0.id) }), let location {
                    level = .object(view.levelObject(item, at: location))
                }
                return .object(ShopifyView.payload(type, ["inventoryLevel": level], outcome.errors))
            }
        case "orderCancel": return cancelShopifyOrder(field, by: author)
        case "orderMarkAsPaid": return markShopifyOrderAsPaid(field)
        case "tagsAdd": return addShopifyTags(field)
        case "webhookSubscriptionCreate": return subscribeShopify(field, author.time)
        case "webhookSubscriptionDelete": return unsubscribeShopify(field)
        default: throw GraphQLProblem(message: "The simulator does not know \(field.field.name).")
        }
    }

    private func orderID(_ value: JSONValue?) -> Int? {
        ShopifyID.number(value, "Order").flatMap { id in
            orders[id].flatMap { $0.facts.isDeleted ? nil : $0.id }
        }
    }

    private mutating func cancelShopifyOrder(_ field: BoundField, by author: Author) -> Payload {
        let type = field.field.type.name
        var errors: [ShopifyUserError] = []
        if let note = field.arguments["staffNote"]?.string, note.count > 255 {
            errors.append(.init(code: "INVALID", field: ["staffNote"], message: "Staff note is too long."))
        } else if let id = orderID(field.arguments["orderId"]) {
            do throws(SimulatorProblem) {
                try cancelOrder(id, restock: field.arguments["restock"] == .boolean(true), by: author)
                shopify.cancelReasons[id] = field.arguments["reason"]?.string
            } catch {
                errors.append(
                    .init(code: "INVALID", field: ["orderId"], message: "Cannot cancel an order that is cancelled."))
            }
        } else {
            errors.append(.init(code: "NOT_FOUND", field: ["orderId"], message: "Order does not exist"))
        }
        let job = GraphQLObject("Job", ["id": .text("gid://shopify/Job/\(author.request)"), "done": .boolean(true)])
        let found = errors
        return { _ in
            let list = GraphQLValue.objects(found.map { ShopifyView.errorObject($0, "OrderCancelUserError") })
            let done = found.isEmpty ? GraphQLValue.object(job) : .null
            return .object(ShopifyView.payload(type, ["job": done, "orderCancelUserErrors": list], found))
        }
    }

    private mutating func markShopifyOrderAsPaid(_ field: BoundField) -> Payload {
        let type = field.field.type.name
        let id = orderID(field.arguments["input"]?["id"])
        var errors: [ShopifyUserError] = []
        if let id {
            do throws(SimulatorProblem) {
                try payOrder(id)
            } catch {
                errors.append(.init(field: ["id"], message: "Order cannot be marked as paid."))
            }
        } else {
            errors.append(.init(field: ["id"], message: "Order does not exist"))
        }
        return orderPayload(type, "order", id, errors)
    }

    private mutating func addShopifyTags(_ field: BoundField) -> Payload {
        let type = field.field.type.name
        let id = orderID(field.arguments["id"])
        guard let id else {
            return orderPayload(type, "node", nil, [.init(field: ["id"], message: "Resource does not exist")])
        }
        var tags = shopify.tags[id] ?? []
        let before = tags.count
        for tag in (field.arguments["tags"]?.elements ?? []).compactMap(\.string) where !tags.contains(tag) {
            tags.append(tag)
        }
        shopify.tags[id] = tags
        if tags.count > before { orders.change(id, at: clock.now(), as: .updated) { _ in } }
        return orderPayload(type, "node", id, [])
    }

    private func orderPayload(_ type: String, _ name: String, _ id: Int?, _ errors: [ShopifyUserError]) -> Payload {
        { view in
            let order = id.flatMap(view.order).map { GraphQLValue.object(view.orderObject($0)) }
            return .object(ShopifyView.payload(type, [name: errors.isEmpty ? order ?? .null : .null], errors))
        }
    }
}

extension ShopifyView {
    static func errorObject(_ error: ShopifyUserError, _ type: String) -> GraphQLObject {
        GraphQLObject(
            type,
            [
                "code": .text(error.code), "field": error.field.map { .texts($0) } ?? .null,
                "message": .text(error.message),
            ])
    }

    static func payload(
        _ type: String, _ fields: [String: GraphQLValue], _ errors: [ShopifyUserError]
    ) -> GraphQLObject {
        let errorType =
            type == "InventorySetQuantitiesPayload" ? "InventorySetQuantitiesUserError" : "UserError"
        let list = GraphQLValue.objects(errors.map { errorObject($0, errorType) })
        return GraphQLObject(type, fields.merging(["userErrors": list]) { $1 })
    }

    func payload(_ type: String, _ outcome: StockOutcome) -> GraphQLObject {
        guard outcome.group != 0 else {
            return Self.payload(type, ["inventoryAdjustmentGroup": .null], outcome.errors)
        }
        let group = GraphQLObject("InventoryAdjustmentGroup") { (field) throws(GraphQLProblem) in
            switch field.field.name {
            case "id": return .text(ShopifyID.text("InventoryAdjustmentGroup", outcome.group))
            case "createdAt": return .text(ShopifyTime.text(outcome.at))
            case "reason": return .text(outcome.reason)
            case "referenceDocumentUri": return .text(outcome.document)
            case "changes":
                let names = field.arguments["quantityNames"]?.elements?.compactMap(\.string)
                return .objects(
                    outcome.changes.filter { names?.contains($0.name) ?? true }.map(self.changeObject))
            default: return .null
            }
        }
        return Self.payload(type, ["inventoryAdjustmentGroup": .object(group)], outcome.errors)
    }

    private func changeObject(_ change: StockOutcome.Change) -> GraphQLObject {
        GraphQLObject("InventoryChange") { (field) throws(GraphQLProblem) in
            switch field.field.name {
            case "name": .text(change.name)
            case "delta": .number(change.delta)
            case "quantityAfterChange": .number(change.after)
            case "item": self.variant(change.place.itemID).map { .object(self.inventoryItemObject($0)) } ?? .null
            case "location": self.locationObject(change.place.locationID).map { .object($0) } ?? .null
            default: .null
            }
        }
    }
}
