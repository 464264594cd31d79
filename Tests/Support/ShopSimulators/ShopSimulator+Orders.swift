public import Foundation

// MARK: - Orders

extension ShopSimulator {
    /// A customer buys. Stock goes down, and who subscribed hears of it.
    @discardableResult
    public func placeOrder(_ request: OrderRequest) throws(SimulatorProblem) -> OrderReport {
        try shop.placeOrder(request)
    }

    /// A customer buys so many of each item (`product` or `parent/variation`).
    @discardableResult
    public func placeOrder(_ items: KeyValuePairs<String, Int>) throws(SimulatorProblem) -> OrderReport {
        try shop.placeOrder(OrderRequest(items.map { OrderRequest.Line(id: $0.key, quantity: $0.value) }))
    }

    /// Many orders of which no webhook tells.
    ///
    /// - Returns: their ids.
    @discardableResult
    public func placeOrders(_ request: BulkOrderRequest) throws(SimulatorProblem) -> ClosedRange<Int> {
        try shop.placeOrders(request)
    }

    /// An order as it is now, also from the bin; nil if there never was one.
    public func order(_ id: Int) -> OrderReport? { shop.order(id) }

    /// All orders by their ids, those in the bin included.
    ///
    /// - Parameters:
    ///   - id: only orders after this one.
    ///   - limit: the most that are returned.
    public func orders(after id: Int = 0, limit: Int = .max) -> [OrderReport] { shop.orders(after: id, limit: limit) }

    /// Calls an order off; its units go back unless told otherwise.
    @discardableResult
    public func cancelOrder(_ id: Int, restock: Bool = true) throws(SimulatorProblem) -> OrderReport {
        try shop.changeOrder(id) { (state, author) throws(SimulatorProblem) in
            try state.cancelOrder(id, restock: restock, by: author)
        }
    }

    /// Somebody of the shop edits an order; stock follows by the difference.
    @discardableResult
    public func editOrder(_ id: Int, _ edit: OrderEdit) throws(SimulatorProblem) -> OrderReport {
        try shop.changeOrder(id) { (state, author) throws(SimulatorProblem) in
            try state.editOrder(id, edit, by: author)
        }
    }

    /// The money arrives.
    @discardableResult
    public func payOrder(_ id: Int) throws(SimulatorProblem) -> OrderReport {
        try shop.changeOrder(id) { (state, _) throws(SimulatorProblem) in try state.payOrder(id) }
    }

    /// The goods leave.
    @discardableResult
    public func fulfillOrder(_ id: Int) throws(SimulatorProblem) -> OrderReport {
        try shop.changeOrder(id) { (state, _) throws(SimulatorProblem) in try state.fulfillOrder(id) }
    }

    /// Money goes back: all of it unless told otherwise. Units stay where they are unless told otherwise.
    @discardableResult
    public func refundOrder(
        _ id: Int, _ request: OrderRefundRequest = OrderRefundRequest()
    ) throws(SimulatorProblem) -> OrderReport {
        try shop.changeOrder(id) { (state, author) throws(SimulatorProblem) in
            try state.refundOrder(id, request, by: author)
        }
    }

    /// Only the time of the last change moves.
    @discardableResult
    public func touchOrder(_ id: Int) throws(SimulatorProblem) -> OrderReport {
        try shop.changeOrder(id) { (state, _) throws(SimulatorProblem) in try state.touchOrder(id) }
    }

    /// Moves an order to the bin.
    @discardableResult
    public func deleteOrder(_ id: Int) throws(SimulatorProblem) -> OrderReport {
        try shop.changeOrder(id) { (state, _) throws(SimulatorProblem) in try state.deleteOrder(id) }
    }
}

// MARK: - Webhooks and the clock

extension ShopSimulator {
    /// Somebody subscribes in the shop's own pages.
    ///
    /// - Parameters:
    ///   - topics: in the platform's words, such as `order.updated`.
    ///   - secret: the shop's unless stated.
    /// - Returns: the numbers of the subscriptions, one a topic.
    @discardableResult
    public func subscribe(_ topics: [String], url: String, secret: String? = nil) -> [Int] {
        shop.subscribe(topics, url: url, secret: secret)
    }

    /// All subscriptions, by number.
    public var subscriptions: [WebhookSubscriptionReport] { shop.subscriptions }

    /// The last 2,000 deliveries, by number.
    public var deliveries: [WebhookDeliveryReport] { shop.deliveries }

    /// Sends a delivery again as it was, `copies` times at once. False if it is not known any more.
    @discardableResult
    public func replayWebhook(delivery: Int, copies: Int = 1) -> Bool {
        shop.with { $0.webhooks.replay(delivery, copies: copies) }
    }

    /// Sends word of an order with a wrong signature. False if nobody subscribed.
    @discardableResult
    public func forgeWebhook(order: Int) -> Bool { shop.with { $0.forgeWebhook(of: order) } }

    /// The shop's own time, wrong if it is set to be.
    public var clock: Date { shop.with { $0.clock.now() } }

    /// Sets how far everybody on the test bench is from the machine's clock, and how far this shop is from everybody.
    public func setClock(offsetSeconds: Double? = nil, skewSeconds: Double? = nil) {
        shop.with { state in
            state.clock.offsetSeconds = offsetSeconds ?? state.clock.offsetSeconds
            state.clock.skewSeconds = skewSeconds ?? state.clock.skewSeconds
        }
    }
}
