import Foundation

/// Orders and webhooks as tests, operators and `/__simulator/` ask for them.
extension SimulatedShop {
    /// What a change of orders is written down as.
    private static func author(_ client: String) -> Author { Author(client: client, source: .sale) }

    func placeOrder(_ request: OrderRequest, client: String = "") throws(SimulatorProblem) -> OrderReport {
        let platform = configuration.platform
        return try with { (state) throws(SimulatorProblem) in
            OrderReport(try state.place(request, by: Self.author(client)), platform: platform)
        }
    }

    func placeOrders(_ request: BulkOrderRequest, client: String = "") throws(SimulatorProblem) -> ClosedRange<Int> {
        try with { (state) throws(SimulatorProblem) in
            let (first, last) = try state.placeBulk(request, by: Self.author(client))
            return first...max(first, last)
        }
    }

    /// Changes one order and tells how it is now.
    func changeOrder(
        _ id: Int, client: String = "",
        _ change: (inout State, Author) throws(SimulatorProblem) -> Void
    ) throws(SimulatorProblem) -> OrderReport {
        let platform = configuration.platform
        return try with { (state) throws(SimulatorProblem) in
            try change(&state, Self.author(client))
            guard let order = state.orders[id] else { throw .noOrder(id) }
            return OrderReport(order, platform: platform)
        }
    }

    func order(_ id: Int) -> OrderReport? {
        let platform = configuration.platform
        return with { $0.orders[id] }.map { OrderReport($0, platform: platform) }
    }

    func orders(after id: Int, limit: Int) -> [OrderReport] {
        let platform = configuration.platform
        let orders = with { state in
            let first = max(state.orders.ids.lowerBound, id == .max ? id : id + 1)
            return first < state.orders.ids.upperBound
                ? (first..<state.orders.ids.upperBound).prefix(limit).compactMap { state.orders[$0] } : []
        }
        return orders.map { OrderReport($0, platform: platform) }
    }

    /// Somebody subscribes in the shop's own pages.
    func subscribe(_ topics: [String], url: String, secret: String?) -> [Int] {
        let platform = configuration.platform
        return with { state in
            topics.map { topic in
                switch platform {
                case .wooCommerce:
                    return state.addWebhook(name: nil, topic: topic, url: url, secret: secret).id
                case .shopify:
                    let secret = secret ?? state.configuration.webhookSecret
                    let now = state.clock.now()
                    return state.webhooks.add(name: "", topic: topic, url: url, secret: secret, at: now).id
                }
            }
        }
    }

    var subscriptions: [WebhookSubscriptionReport] {
        with { $0.webhooks.all }.map {
            WebhookSubscriptionReport(
                id: $0.id, topic: $0.topic, url: $0.url, status: $0.status.rawValue, failures: $0.failures)
        }
    }

    var deliveries: [WebhookDeliveryReport] { with { $0.webhooks.reports } }
}
