import Foundation

extension SimulatedShop.State {
    /// Does what a call about orders or webhooks asks; nil for any other.
    mutating func perform(_ route: WooCommerceRoute, _ call: Call, by author: Author) -> Answer? {
        switch (route, call.method) {
        case (.orders, "GET"): listOrders(call)
        case (.order(let id), "GET"): orders[id].map { Answer(text(of: $0, call)) } ?? Self.noOrder(404)
        case (.order(let id), "PUT"), (.order(let id), "POST"), (.order(let id), "PATCH"):
            orders[id] == nil ? Self.noOrder(400) : changeOrder(id, call, by: author)
        case (.order(let id), "DELETE"): binOrder(id, call)
        case (.orderNotes(let id), "GET"):
            orders[id].map { order in
                let writer = orderText(call)
                return Answer("[" + order.shopNotes.map { writer.text(of: $0) }.joined(separator: ",") + "]")
            } ?? Self.noOrder(404)
        case (.orderNotes(let id), "POST"): orders[id] == nil ? Self.noOrder(404) : addNote(id, call)
        case (.orderRefunds(let id), "GET"):
            orders[id].map { order in
                let writer = orderText(call)
                let refunds = order.refunds.map { writer.text(of: $0, order: order) }
                return Answer("[" + refunds.joined(separator: ",") + "]")
            } ?? Self.noOrder(404)
        case (.webhooks, "GET"): listWebhooks(call)
        case (.webhooks, "POST"): createWebhook(call)
        case (.webhook(let id), _): oneWebhook(id, call)
        default: nil
        }
    }

    private static func noOrder(_ status: Int) -> Answer {
        .refusal(status, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
    }

    private func orderText(_ call: Call?) -> OrderText {
        let decimals = call?.parameter("dp").flatMap { Int($0) } ?? Amount.decimals(of: configuration.currency)
        return OrderText(
            items: items, utcOffsetSeconds: clock.utcOffsetSeconds, decimals: min(6, max(0, decimals)),
            fields: call?.list("_fields").map(Set.init))
    }

    /// An order in the shape of the REST API v3.
    func text(of order: SimulatedOrder, _ call: Call? = nil) -> String { orderText(call).text(of: order) }

    private mutating func listOrders(_ call: Call) -> Answer {
        let allowed = OrderFilter.orders.filter { $0 != "modified" || supportsOrderByModified }
        switch ListingRequest.read(call, orders: allowed) {
        case .failure(let refused): return refused.answer
        case .success(let request):
            switch OrderFilter.read(call, utcOffsetSeconds: clock.utcOffsetSeconds) {
            case .failure(let refused): return refused.answer
            case .success(let filter):
                let page = orders.page(filter, request)
                let writer = orderText(call)
                let texts = page.ids.compactMap { orders[$0] }.map { writer.text(of: $0) }
                let answer = request.answer(texts, total: page.total, call: call)
                editWhileListing(page.ids)
                return answer
            }
        }
    }

    /// The fault of that name: the first order of a page that was just read changes.
    mutating func editWhileListing(_ ids: [Int]) {
        guard let id = ids.first, faults.nextListing(at: SimulatedShop.steadySeconds()) else { return }
        orders.change(id, at: clock.now(), as: .edited) { $0.note += "(sửa khi đang đọc)" }
    }

    // MARK: - One order

    private mutating func changeOrder(_ id: Int, _ call: Call, by author: Author) -> Answer {
        guard let body = try? JSONDecoder().decode(JSONValue.self, from: Data(call.body)), var order = orders[id] else {
            return .refusal(400, "rest_invalid_json", "Invalid JSON body passed.")
        }
        let now = clock.now()
        var kind: OrderEvent.Kind?
        if body["set_paid"]?.wordPressBoolean == true, !order.facts.isPaid {
            order.facts.paidAt = now
            kind = .paid
        }
        if let status = body["status"]?.string, status != order.status {
            guard !status.isEmpty, status != "trash", status != "any" else {
                return .invalid("status", "status is not one of the statuses of an order.")
            }
            if status == "cancelled" { restock(&order, by: author) }
            order.facts.set(status, at: now)
            kind = status == "cancelled" ? .cancelled : status == "completed" ? .fulfilled : .updated
        }
        if let note = body["customer_note"]?.string, note != order.note {
            order.note = note
            kind = kind ?? .updated
        }
        for entry in body["meta_data"]?.elements ?? [] {
            guard let key = entry["key"]?.string, let value = entry["value"] else { continue }
            if let index = order.metaData.firstIndex(where: { $0.key == key }) {
                order.metaData[index].value = value
            } else {
                order.metaData.append((orders.nextPartID(), key, value))
            }
            kind = kind ?? .updated
        }
        // Saving what is as it was does not move its time.
        if let kind { orders.change(id, at: now, as: kind) { $0 = order } }
        return Answer(orders[id].map { text(of: $0, call) } ?? "null")
    }

    private mutating func binOrder(_ id: Int, _ call: Call) -> Answer {
        guard let order = orders[id] else { return Self.noOrder(404) }
        if order.facts.isDeleted {
            return .refusal(410, "woocommerce_rest_already_trashed", "The shop_order has already been deleted.")
        }
        let now = clock.now()
        orders.change(id, at: now, as: .deleted) { $0.facts.deletedAt = now }
        return Answer(text(of: order, call))
    }

    private mutating func addNote(_ id: Int, _ call: Call) -> Answer {
        let body = try? JSONDecoder().decode(JSONValue.self, from: Data(call.body))
        guard let text = body?["note"]?.string else {
            return .refusal(400, "rest_missing_callback_param", "Missing parameter(s): note")
        }
        let note = ShopNote(
            id: orders.nextPartID(), text: text, isForCustomer: body?["customer_note"]?.wordPressBoolean ?? false,
            createdAt: clock.now())
        orders.add(note, to: id)
        return Answer(orderText(nil).text(of: note), status: 201)
    }
}
