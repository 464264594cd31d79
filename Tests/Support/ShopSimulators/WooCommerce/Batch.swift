import Foundation

/// `POST …/batch`, read but not yet done.
struct Batch: Sendable {
    /// nil for products, else the parent of the variations.
    let parent: Int?
    let updates: [JSONValue]
    let others: Int

    static func read(_ body: [UInt8], parent: Int?) -> Batch? {
        if body.isEmpty { return Batch(parent: parent, updates: [], others: 0) }
        guard let json = try? JSONDecoder().decode(JSONValue.self, from: Data(body)) else { return nil }
        let others = ["create", "delete"].map { json[$0]?.elements?.count ?? 0 }.reduce(0, +)
        return Batch(parent: parent, updates: json["update"]?.elements ?? [], others: others)
    }

    var count: Int { updates.count + others }

    /// The items that it would change, as the journal names them.
    var keys: [String] {
        updates.map { update in
            let id = update["id"]?.phpInteger ?? 0
            return parent.map { "\($0)/\(id)" } ?? "\(id)"
        }
    }
}

/// What a fault does to a batch.
struct BatchTwist: Sendable {
    var rejected: (@Sendable (_ index: Int, _ id: Int) -> Bool)?
    var rejectionCode = "woocommerce_rest_product_invalid_id"
    var silent: (@Sendable (_ index: Int, _ id: Int) -> Bool)?
    var alteration = 0

    init() {}

    init(_ fault: Fault, count: Int) {
        let items = fault.items
        switch fault.kind {
        case .partialBatch:
            rejected = { index, id in items?.contains(id) ?? (index % 2 == 1) }
            rejectionCode = fault.code ?? rejectionCode
        case .silentItems:
            silent = { index, id in items?.contains(id) ?? (index == count - 1) }
        case .alteredQuantity:
            alteration = -1
        default: break
        }
    }
}

extension ShopItems {
    /// Does a batch. Each item is on its own: one that is refused carries an `error` and the others stay done.
    mutating func perform(_ batch: Batch, twist: BatchTwist, limit: Int, by author: Author) -> Answer {
        if batch.count > limit {
            return .refusal(
                413, "woocommerce_rest_request_entity_too_large",
                "Unable to accept more than \(limit) items for this request.")
        }
        if batch.others > 0 {
            return .refusal(501, "simulator_not_built", "The simulator does not create or delete items in a batch.")
        }
        // PHP writes an empty answer as a list.
        if batch.updates.isEmpty { return Answer("[]") }
        var texts: [String] = []
        for (index, update) in batch.updates.enumerated() {
            let id = update["id"]?.phpInteger ?? 0
            let text: String
            if twist.rejected?(index, id) ?? false {
                text = Self.error(id, twist.rejectionCode, "Refused by a fault of the simulator.", status: 400)
            } else {
                text = self.update(id, update, parent: batch.parent, alteration: twist.alteration, by: author)
            }
            if !(twist.silent?(index, id) ?? false) { texts.append(text) }
        }
        return Answer("{\"update\":[\(texts.joined(separator: ","))]}")
    }

    /// `PUT /products/{id}` and `PUT /products/{parent}/variations/{id}`
    mutating func update(_ id: Int, _ body: JSONValue, parent: Int?, by author: Author) -> Answer {
        if let quantity = body["stock_quantity"], quantity != .null {
            guard case .number(let number) = quantity, number == Decimal(quantity.phpInteger) else {
                return .invalid("stock_quantity", "stock_quantity is not of type integer.")
            }
        }
        if let refusal = refusal(id, parent: parent) { return .refusal(refusal.status, refusal.code, refusal.message) }
        apply(body, to: id, alteration: 0, by: author)
        guard let item = all[id] else { return .refusal(404, "woocommerce_rest_product_invalid_id", "Invalid ID.") }
        return Answer(text(of: item, fields: nil))
    }

    private mutating func update(
        _ id: Int, _ body: JSONValue, parent: Int?, alteration: Int, by author: Author
    ) -> String {
        if let refusal = refusal(id, parent: parent) {
            return Self.error(id, refusal.code, refusal.message, status: refusal.status)
        }
        apply(body, to: id, alteration: alteration, by: author)
        return all[id].map { text(of: $0, fields: nil) } ?? "null"
    }

    private func refusal(_ id: Int, parent: Int?) -> (status: Int, code: String, message: String)? {
        guard let item = all[id] else {
            let kind = parent == nil ? "product" : "product_variation"
            return (400, "woocommerce_rest_\(kind)_invalid_id", "Invalid ID.")
        }
        if parent == nil && item.parentID != 0 {
            return (
                404, "woocommerce_rest_invalid_product_id",
                "To manipulate product variations you should use the "
                    + "/products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint."
            )
        }
        if let parent, item.parentID != parent {
            return (404, "woocommerce_rest_product_variation_invalid_id", "Invalid ID.")
        }
        return nil
    }

    /// Quantities are whole: PHP cuts off what comes after the point, and takes text that is no number for 0.
    private mutating func apply(_ body: JSONValue, to id: Int, alteration: Int, by author: Author) {
        let manages = body["manage_stock"].map(\.wordPressBoolean)
        let asked = body["stock_quantity"].flatMap { $0 == .null ? nil : $0.phpInteger + alteration }
        let willManage = manages ?? all[id]?.managesStock ?? false
        // Without stock management a quantity is ignored.
        if manages != nil || (asked != nil && willManage) {
            setStock(id, manages: manages, quantity: willManage ? asked : nil, by: author)
        }
    }

    private static func error(_ id: Int, _ code: String, _ message: String, status: Int) -> String {
        "{\"id\":\(id),\"error\":\(Answer.refusalText(status, code, message))}"
    }
}
