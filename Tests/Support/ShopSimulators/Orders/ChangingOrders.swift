import Foundation

extension SimulatedShop.State {
    private func require(_ id: Int) throws(SimulatorProblem) -> SimulatedOrder {
        guard let order = orders[id], !order.facts.isDeleted else { throw .noOrder(id) }
        return order
    }

    /// Somebody of the shop, or the customer, cancels.
    mutating func cancelOrder(_ id: Int, restock: Bool, by author: Author) throws(SimulatorProblem) {
        var order = try require(id)
        guard !order.facts.isCancelled else { throw .bad("Order \(id) is cancelled already.") }
        if restock { self.restock(&order, by: author) }
        let now = clock.now()
        orders.change(id, at: now, as: .cancelled) { changed in
            changed.lines = order.lines
            changed.facts.set("cancelled", at: now)
        }
    }

    /// Gives all units of an order back.
    mutating func restock(_ order: inout SimulatedOrder, by author: Author) {
        for index in order.lines.indices {
            take(-order.lines[index].takenFromStock, for: &order.lines[index], by: author)
        }
    }

    /// Somebody of the shop changes quantities, adds lines, or writes another note or address. Stock follows by the
    /// difference.
    mutating func editOrder(_ id: Int, _ edit: OrderEdit, by author: Author) throws(SimulatorProblem) {
        var order = try require(id)
        for wanted in edit.lines ?? [] {
            guard wanted.quantity >= 0, let line = order.lines.first(where: { $0.id == wanted.lineID }) else {
                throw .bad("Order \(id) has no line \(wanted.lineID), or the quantity is less than 0.")
            }
            try Self.requireSane(wanted.quantity, at: line.unitPrice)
        }
        try requireStock(for: edit.add ?? [])
        for wanted in edit.lines ?? [] {
            guard let index = order.lines.firstIndex(where: { $0.id == wanted.lineID }) else { continue }
            take(wanted.quantity - order.lines[index].quantity, for: &order.lines[index], by: author)
            order.lines[index].change(quantity: wanted.quantity)
            // Shopify's `quantity` holds all units that were ever ordered, those of an edit too.
            if configuration.platform == .shopify {
                order.lines[index].orderedQuantity = max(order.lines[index].orderedQuantity, wanted.quantity)
            }
        }
        for line in edit.add ?? [] { order.lines.append(try addedLine(line, to: order, by: author)) }
        order.note = edit.note ?? order.note
        order.shippingAddress.address1 = edit.address ?? order.shippingAddress.address1
        orders.change(id, at: clock.now(), as: .edited) { $0 = order }
    }

    /// The money arrives.
    mutating func payOrder(_ id: Int) throws(SimulatorProblem) {
        let order = try require(id)
        guard !order.facts.isPaid else { throw .bad("Order \(id) is paid already.") }
        let now = clock.now()
        orders.change(id, at: now, as: .paid) { order in
            order.facts.paidAt = now
            order.facts.isOnHold = false
            order.facts.hasFailed = false
        }
    }

    /// The goods leave.
    mutating func fulfillOrder(_ id: Int) throws(SimulatorProblem) {
        _ = try require(id)
        let now = clock.now()
        let isWooCommerce = configuration.platform == .wooCommerce
        orders.change(id, at: now, as: .fulfilled) { order in
            order.facts.fulfilledAt = order.facts.fulfilledAt ?? now
            // WooCommerce takes a completed order for paid.
            if isWooCommerce { order.facts.set("completed", at: now) }
        }
    }

    /// Money goes back. A refund restocks only when it is told to.
    mutating func refundOrder(
        _ id: Int, _ request: OrderRefundRequest, by author: Author
    ) throws(SimulatorProblem) {
        var order = try require(id)
        let wanted = request.lines ?? []
        var lines: [OrderRefund.Line] = []
        var sum = Amount.zero
        for line in wanted {
            guard let index = order.lines.firstIndex(where: { $0.id == line.lineID }), line.quantity > 0,
                order.lines[index].refundedQuantity + line.quantity <= order.lines[index].quantity
            else { throw .bad("Order \(id) has no line \(line.lineID) with \(line.quantity) units left to refund.") }
            let whole = order.lines[index].total + order.lines[index].tax
            let amount = whole.times(line.quantity, over: order.lines[index].quantity, decimals: order.decimals)
            lines.append(.init(lineID: line.lineID, quantity: line.quantity, amount: amount))
            sum += amount
            order.lines[index].refundedQuantity += line.quantity
            if request.restock == true { take(-line.quantity, for: &order.lines[index], by: author) }
        }
        let rest = order.total - order.refundTotal
        let amount = try Self.amount(request.amount, "amount") ?? (wanted.isEmpty ? rest : sum)
        guard amount > .zero || wanted.isEmpty == false, amount <= rest else {
            throw .bad("Order \(id) has \(rest.text()) left to refund.")
        }
        if wanted.isEmpty && request.restock == true { restock(&order, by: author) }
        let now = clock.now()
        order.refunds.append(
            OrderRefund(
                id: orders.nextPartID(), amount: amount, reason: request.reason ?? "", lines: lines,
                restocked: request.restock == true, createdAt: now))
        order.facts.isRefunded = order.refundTotal >= order.total
        orders.change(id, at: now, as: .refunded) { $0 = order }
    }

    /// Only the time of the last change moves, as when an extension saves an order.
    mutating func touchOrder(_ id: Int) throws(SimulatorProblem) {
        _ = try require(id)
        orders.change(id, at: clock.now(), as: .updated) { _ in }
    }

    /// Into the bin.
    mutating func deleteOrder(_ id: Int) throws(SimulatorProblem) {
        _ = try require(id)
        let now = clock.now()
        orders.change(id, at: now, as: .deleted) { $0.facts.deletedAt = now }
    }
}
