/// What an order looks like to the ERP: the shop's facts, and what each line is in the ERP.
public struct OrderStatement: Sendable, Hashable, Codable {
    /// The facts of the shop.
    public var order: Order
    /// What each line is in the ERP.
    public var lines: [OrderLineMapping]
    /// How far a cancellation is; nil if nobody wishes one.
    public var cancellation: OrderCancellation?

    /// A statement.
    public init(order: Order, lines: [OrderLineMapping], cancellation: OrderCancellation? = nil) {
        self.order = order
        self.lines = lines
        self.cancellation = cancellation
    }

    /// The cancellation is final: the ERP's people are told that there is no such order any more.
    public var isCancelled: Bool {
        cancellation == .cancelled || cancellation == nil && order.status.isCancelled
    }

    /// The shop no longer wants it. An order that the ERP never got needs no more than the wish.
    public var isWithdrawn: Bool {
        order.status.isCancelled && cancellation != .refused || cancellation.map { $0 != .refused } == true
    }

    /// What a line is in the ERP, by the line's id.
    public var mappings: [String: OrderLineMapping] {
        Dictionary(lines.map { ($0.lineID, $0) }) { first, _ in first }
    }

    /// ERP units by line id; none if it is cancelled.
    public var erpQuantities: [String: Quantity] {
        isCancelled ? [:] : mappings.mapValues(\.erpQuantity)
    }
}

/// Says in a few words what is different between two statements about an order.
public enum OrderComparison {
    /// What is different, such as `quantity, address`; empty if nothing is that a report shows.
    public static func differences(from old: OrderStatement, to new: OrderStatement) -> [String] {
        var found: [String] = []
        func note(_ word: String, _ isDifferent: Bool) { if isDifferent { found.append(word) } }
        note("cancelled", new.isCancelled && !old.isCancelled)
        note("no longer cancelled", old.isCancelled && !new.isCancelled)
        note("cancellation wished", !new.isCancelled && new.isWithdrawn && !old.isWithdrawn)
        let (before, after) = (byID(old.order.lines), byID(new.order.lines))
        note("line added", after.keys.contains { before[$0] == nil })
        note("line removed", before.keys.contains { after[$0] == nil })
        let both = before.compactMap { id, line in after[id].map { (line, $0) } }
        note("quantity", both.contains { $0.quantity != $1.quantity })
        note("price", both.contains { prices($0) != prices($1) })
        note("discount", both.contains { $0.discount != $1.discount })
        note("article", both.contains { ($0.sku, $0.name) != ($1.sku, $1.name) })
        note("mapping", old.mappings.contains { id, line in new.mappings[id].map { code($0) != code(line) } ?? false })
        note("charges", old.order.charges != new.order.charges)
        note("total", old.order.totals != new.order.totals)
        note("payment", payment(old.order) != payment(new.order))
        note("refund", old.order.refunds != new.order.refunds)
        note("customer", old.order.customer != new.order.customer)
        note("address", addresses(old.order) != addresses(new.order))
        note("note", old.order.note != new.order.note)
        note("status", state(old.order) != state(new.order))
        return found
    }

    private static func byID(_ lines: [OrderLine]) -> [String: OrderLine] {
        Dictionary(lines.map { ($0.id, $0) }) { first, _ in first }
    }

    /// What one unit costs; sums change with the quantity.
    private static func prices(_ line: OrderLine) -> [Amount] { [line.unitNet, line.unitGross] }

    private static func code(_ line: OrderLineMapping) -> [String] {
        [line.erpCode?.rawValue ?? "", "\(line.unitsPerPack)"]
    }

    private static func payment(_ order: Order) -> [String] {
        [order.payment.method, order.status.payment.rawValue]
    }

    private static func addresses(_ order: Order) -> [PostalAddress?] { [order.billingAddress, order.shippingAddress] }

    private static func state(_ order: Order) -> [String] {
        [order.status.shopStatus, order.status.fulfilment.rawValue]
    }
}
