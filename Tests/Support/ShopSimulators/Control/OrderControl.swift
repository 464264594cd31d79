import Foundation

/// `/__simulator/orders` and `/__simulator/webhooks`
extension ControlRoutes {
    /// Answers a call about orders or webhooks; nil for any other.
    ///
    /// - Parameter segments: what comes after the prefix.
    func answerOrders(_ call: Call, _ segments: [String]) throws -> Answer? {
        switch (call.method, segments.first, segments.count) {
        case ("GET", "orders", 1):
            let after = call.parameter("after_id").flatMap { Int($0) } ?? 0
            let limit = call.parameter("limit").flatMap { Int($0) } ?? Int.max
            return try json(shop.orders(after: after, limit: max(0, limit)))
        case ("POST", "orders", 1): return try json(shop.placeOrder(body(call), client: call.client))
        case ("POST", "orders", 2) where segments[1] == "bulk": return try placeBulk(call)
        case ("GET", "orders", 2):
            guard let order = Int(segments[1]).flatMap({ shop.order($0) }) else { throw Self.noOrder(segments[1]) }
            return try json(order)
        case ("POST", "orders", 3):
            guard let id = Int(segments[1]) else { throw Self.noOrder(segments[1]) }
            return try changeOrder(id, segments[2], call)
        case ("GET", "webhooks", 1):
            return try json(Webhooks(subscriptions: shop.subscriptions, deliveries: shop.deliveries))
        case ("POST", "webhooks", 1):
            let wanted: Subscription = try body(call)
            return try json(["ids": shop.subscribe(wanted.topics, url: wanted.url, secret: wanted.secret)])
        case ("POST", "webhooks", 2) where segments[1] == "replay":
            let replay: Replay = try body(call)
            return shop.with { $0.webhooks.replay(replay.delivery, copies: replay.copies ?? 1) }
                ? done(()) : .refusal(404, "simulator_no_delivery", "The delivery is not known any more.")
        case ("POST", "webhooks", 2) where segments[1] == "forge":
            let forgery: Forgery = try body(call)
            return shop.with { $0.forgeWebhook(of: forgery.order) }
                ? done(()) : .refusal(404, "simulator_no_subscription", "Nobody subscribed, or there is no such order.")
        default: return nil
        }
    }

    private struct Webhooks: Encodable {
        let subscriptions: [WebhookSubscriptionReport]
        let deliveries: [WebhookDeliveryReport]
    }

    private struct Subscription: Decodable {
        let url: String
        let secret: String?
        let topics: [String]
    }

    private struct Replay: Decodable {
        let delivery: Int
        let copies: Int?
    }

    private struct Forgery: Decodable { let order: Int }

    private struct Cancellation: Decodable { let restock: Bool? }

    private static func noOrder(_ id: String) -> SimulatorProblem {
        SimulatorProblem(status: 404, code: "simulator_no_order", description: "There is no order \(id).")
    }

    private func placeBulk(_ call: Call) throws -> Answer {
        let ids = try shop.placeOrders(body(call), client: call.client)
        return try json(["first_id": ids.lowerBound, "last_id": ids.upperBound, "count": ids.count])
    }

    /// A body may be left out where everything in it may be.
    private func body<Value: Decodable>(_ call: Call, orNothing: Value.Type) throws -> Value {
        try JSONDecoder().decode(Value.self, from: call.body.isEmpty ? Data("{}".utf8) : Data(call.body))
    }

    private func changeOrder(_ id: Int, _ what: String, _ call: Call) throws -> Answer {
        let cancellation = try body(call, orNothing: Cancellation.self)
        let edit = try what == "edit" ? body(call, orNothing: OrderEdit.self) : OrderEdit()
        let refund = try what == "refund" ? body(call, orNothing: OrderRefundRequest.self) : OrderRefundRequest()
        let report = try shop.changeOrder(id, client: call.client) { (state, author) throws(SimulatorProblem) in
            switch what {
            case "cancel": try state.cancelOrder(id, restock: cancellation.restock ?? true, by: author)
            case "edit": try state.editOrder(id, edit, by: author)
            case "pay": try state.payOrder(id)
            case "fulfill": try state.fulfillOrder(id)
            case "refund": try state.refundOrder(id, refund, by: author)
            case "touch": try state.touchOrder(id)
            case "delete": try state.deleteOrder(id)
            default: throw .bad("An order is not to \(what): cancel, edit, pay, fulfill, refund, touch or delete it.")
            }
        }
        return try json(report)
    }
}
