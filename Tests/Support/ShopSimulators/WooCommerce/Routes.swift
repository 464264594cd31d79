import Foundation

/// The part of WooCommerce's REST API v3 that the simulator speaks.
enum WooCommerceRoute: Sendable {
    case products
    case product(Int)
    case productsBatch
    case variations(parent: Int)
    case variation(parent: Int, Int)
    case variationsBatch(parent: Int)
    case orders
    case order(Int)
    case orderNotes(Int)
    case orderRefunds(Int)
    case webhooks
    case webhook(Int)

    static let prefix = ["wp-json", "wc", "v3"]

    static func find(_ call: Call) -> WooCommerceRoute? {
        let segments = call.segments
        guard segments.starts(with: prefix) else { return nil }
        let rest = Array(segments.dropFirst(prefix.count))
        switch rest.count {
        case 1 where rest == ["products"]: return .products
        case 2 where rest == ["products", "batch"]: return .productsBatch
        case 2 where rest[0] == "products": return Int(rest[1]).map { .product($0) }
        case 3 where rest[0] == "products" && rest[2] == "variations":
            return Int(rest[1]).map { .variations(parent: $0) }
        case 4 where rest[0] == "products" && rest[2] == "variations":
            guard let parent = Int(rest[1]) else { return nil }
            return rest[3] == "batch"
                ? .variationsBatch(parent: parent) : Int(rest[3]).map { .variation(parent: parent, $0) }
        case 1 where rest == ["orders"]: return .orders
        case 2 where rest[0] == "orders": return Int(rest[1]).map { .order($0) }
        case 3 where rest[0] == "orders" && rest[2] == "notes": return Int(rest[1]).map { .orderNotes($0) }
        case 3 where rest[0] == "orders" && rest[2] == "refunds": return Int(rest[1]).map { .orderRefunds($0) }
        case 1 where rest == ["webhooks"]: return .webhooks
        case 2 where rest[0] == "webhooks": return Int(rest[1]).map { .webhook($0) }
        default: return nil
        }
    }

    /// The items that a call to this route would change.
    func changes(_ call: Call) -> [String] {
        guard call.method != "GET" else { return [] }
        switch self {
        case .products, .variations, .orders, .order, .orderNotes, .orderRefunds, .webhooks, .webhook: return []
        case .product(let id): return ["\(id)"]
        case .variation(let parent, let id): return ["\(parent)/\(id)"]
        case .productsBatch: return Batch.read(call.body, parent: nil)?.keys ?? []
        case .variationsBatch(let parent): return Batch.read(call.body, parent: parent)?.keys ?? []
        }
    }
}

extension SimulatedShop {
    /// Authenticates a call and does what it asks.
    func perform(_ call: Call, fault: Fault?, late: Bool) -> Answer {
        switch configuration.platform {
        case .wooCommerce: performWooCommerce(call, fault: fault, late: late)
        case .shopify: performShopify(call, fault: fault, late: late)
        }
    }

    /// The items that a call would change, as the journal names them.
    func changes(_ call: Call) -> [String] {
        switch configuration.platform {
        case .wooCommerce: WooCommerceRoute.find(call)?.changes(call) ?? []
        case .shopify: shopifyChanges(call)
        }
    }

    private func performWooCommerce(_ call: Call, fault: Fault?, late: Bool) -> Answer {
        let now = Date()
        return with { state in
            if let refusal = state.refuse(call, configuration, now: now) { return refusal }
            guard let route = WooCommerceRoute.find(call) else {
                return call.segments.first == "wp-json"
                    ? .refusal(
                        404, "rest_no_route", "No route was found matching the URL and request method.")
                    : .page("Page not found", status: 404)
            }
            let author = Author(request: call.number, client: call.client, source: late ? .late : .api, time: now)
            if let answer = state.perform(route, call, by: author) { return answer }
            return state.items.perform(route, call, fault: fault, limit: configuration.batchLimit, by: author)
        }
    }
}

extension ShopItems {
    fileprivate mutating func perform(
        _ route: WooCommerceRoute, _ call: Call, fault: Fault?, limit: Int, by author: Author
    ) -> Answer {
        switch (route, call.method) {
        case (.products, "GET"):
            return listed(call) { listProducts(call, $0) }
        case (.variations(let parent), "GET"):
            return listed(call) { listVariations(of: parent, call, $0) }
        case (.product(let id), "GET"):
            return one(id, parent: nil, call)
        case (.variation(let parent, let id), "GET"):
            return one(id, parent: parent, call)
        case (.product(let id), "PUT"), (.product(let id), "POST"), (.product(let id), "PATCH"):
            return changed(id, parent: nil, call, by: author)
        case (.variation(let parent, let id), "PUT"), (.variation(let parent, let id), "POST"),
            (.variation(let parent, let id), "PATCH"):
            return changed(id, parent: parent, call, by: author)
        case (.productsBatch, "POST"), (.productsBatch, "PUT"), (.productsBatch, "PATCH"):
            return batched(nil, call, fault, limit, by: author)
        case (.variationsBatch(let parent), "POST"), (.variationsBatch(let parent), "PUT"),
            (.variationsBatch(let parent), "PATCH"):
            return batched(parent, call, fault, limit, by: author)
        default:
            return .refusal(404, "rest_no_route", "No route was found matching the URL and request method.")
        }
    }

    private func listed(_ call: Call, _ list: (ListingRequest) -> Answer) -> Answer {
        switch ListingRequest.read(call) {
        case .success(let request): list(request)
        case .failure(let refused): refused.answer
        }
    }

    private func one(_ id: Int, parent: Int?, _ call: Call) -> Answer {
        guard let item = all[id], item.parentID == parent ?? 0 else {
            let kind = parent == nil ? "product" : "product_variation"
            return .refusal(404, "woocommerce_rest_\(kind)_invalid_id", "Invalid ID.")
        }
        return Answer(text(of: item, fields: call.list("_fields").map(Set.init)))
    }

    private static let invalidJSON = Answer.refusal(400, "rest_invalid_json", "Invalid JSON body passed.")

    private mutating func changed(_ id: Int, parent: Int?, _ call: Call, by author: Author) -> Answer {
        guard let body = try? JSONDecoder().decode(JSONValue.self, from: Data(call.body)) else {
            return Self.invalidJSON
        }
        return update(id, body, parent: parent, by: author)
    }

    private mutating func batched(
        _ parent: Int?, _ call: Call, _ fault: Fault?, _ limit: Int, by author: Author
    ) -> Answer {
        guard let batch = Batch.read(call.body, parent: parent) else { return Self.invalidJSON }
        let twist = fault.map { BatchTwist($0, count: batch.updates.count) } ?? BatchTwist()
        return perform(batch, twist: twist, limit: limit, by: author)
    }
}
