import Foundation

extension SimulatedShop.State {
    /// A customer buys. Stock goes down at once.
    mutating func place(
        _ request: OrderRequest, by author: Author, silently: Bool = false
    ) throws(SimulatorProblem) -> SimulatedOrder {
        let now = clock.now().addingTimeInterval(-(request.placedSecondsAgo ?? 0).rounded())
        let currency = request.currency ?? configuration.currency
        let decimals = Amount.decimals(of: currency)
        let discount = try Self.amount(request.discount, "discount") ?? .zero
        let shipping = try Self.amount(request.shipping, "shipping")
        let totalOffBy = try Self.amount(request.totalOffBy, "total_off_by") ?? .zero
        guard (0...10_000).contains(request.taxBasisPoints ?? 0) else { throw .bad("tax_basis_points is 0 to 10,000.") }
        var lines: [OrderLine] = []
        // Nothing is sold unless everything can be: what is missing is found before the first unit leaves.
        let wanted = request.noLines == true ? [] : request.lines ?? []
        let found = try wanted.map { line throws(SimulatorProblem) in try find(line) }
        if request.oversell != true { try requireStock(zip(found, wanted).map { ($0, $1.quantity) }) }
        for (item, line) in zip(found, wanted) {
            lines.append(try newLine(item, line, request.taxBasisPoints ?? 0, decimals, by: author))
        }
        if request.blankSKULine == true && request.noLines != true { lines.append(blankLine(decimals)) }
        Self.spread(discount, over: &lines, decimals: decimals)
        let id = orders.nextID
        let customer = Self.customer(request.customer, number: id)
        let address = Self.address(request.customer, of: customer, number: id)
        var order = SimulatedOrder(
            id: id, sequence: orders.count + 1, number: number(of: id, sequence: orders.count + 1), currency: currency,
            placedAt: now, updatedAt: now, facts: OrderFacts(), lines: lines, shipping: nil, discountCodes: [],
            customer: customer, billing: address, shippingAddress: address,
            paymentMethod: request.paymentMethod ?? "bacs", note: request.note ?? "")
        let unpaid = ["pending", "on-hold", "failed", "cancelled"]
        if request.paid ?? !unpaid.contains(request.status ?? "") { order.facts.paidAt = now }
        if let status = request.status { order.facts.set(status, at: now) }
        order.shipping = ShippingLine(
            id: orders.nextPartID(), title: "Giao hàng tiêu chuẩn",
            price: shipping ?? (decimals == 0 ? .units(30_000) : Amount(micro: 2_500_000)))
        if let code = request.coupon {
            order.discountCodes = [DiscountCode(id: orders.nextPartID(), code: code, amount: discount)]
        }
        order.totalOffBy = totalOffBy
        orders.add(order, silently: silently)
        return order
    }

    private func number(of id: Int, sequence: Int) -> String {
        switch configuration.platform {
        case .wooCommerce: "\(id)"
        case .shopify: "#\(1_000 + sequence)"
        }
    }

    // MARK: - Lines

    private func find(_ line: OrderRequest.Line) throws(SimulatorProblem) -> ShopItem {
        guard line.quantity > 0 else { throw .bad("A line's quantity is 1 or more.") }
        try Self.requireSane(line.quantity, at: Self.amount(line.unitPrice, "unit_price") ?? .units(1_000_000))
        guard let item = items.find(key: line.id, sku: line.sku) else {
            throw SimulatorProblem(
                status: 404, code: "simulator_no_item",
                description: "The shop has no item \(line.id ?? line.sku ?? "without id and SKU").")
        }
        return item
    }

    /// Sums stay within what 64 bits hold.
    static func requireSane(_ quantity: Int, at price: Amount) throws(SimulatorProblem) {
        let (value, overflow) = price.micro.multipliedReportingOverflow(by: quantity)
        guard quantity <= 100_000, !overflow, value.magnitude <= Amount.units(10_000_000_000).micro.magnitude else {
            throw .bad("A line's quantity is at most 100,000 and its value at most 10,000,000,000.")
        }
    }

    /// Several lines may want the same item, or variations that share their parent's stock.
    private func requireStock(_ wanted: [(item: ShopItem, quantity: Int)]) throws(SimulatorProblem) {
        var left: [Int: Int] = [:]
        for (item, quantity) in wanted {
            let holder = items.stockHolder(of: item)
            guard holder.managesStock, let stock = holder.stock else { continue }
            left[holder.id] = (left[holder.id] ?? stock) - quantity
            guard left[holder.id, default: 0] >= 0 else {
                throw SimulatorProblem(
                    status: 409, code: "simulator_not_enough",
                    description: "The shop does not have \(quantity) of item \(item.key).")
            }
        }
    }

    private mutating func newLine(
        _ item: ShopItem, _ line: OrderRequest.Line, _ taxBasisPoints: Int, _ decimals: Int, by author: Author
    ) throws(SimulatorProblem) -> OrderLine {
        let price = try Self.amount(line.unitPrice, "unit_price") ?? Fiction.price(of: item.id, decimals: decimals)
        let parent = item.parentID == 0 ? nil : items.all[item.parentID]
        var new = OrderLine(
            id: orders.nextPartID(), itemID: item.id, itemKey: item.key, sku: items.shownSKU(of: item),
            name: parent.map { "\($0.name) - \(item.name)" } ?? item.name, orderedQuantity: line.quantity,
            quantity: line.quantity, unitPrice: price, discount: .zero, taxBasisPoints: taxBasisPoints,
            decimals: decimals)
        take(line.quantity, for: &new, by: author)
        return new
    }

    /// Adds a line to an order that exists.
    mutating func addedLine(
        _ line: OrderRequest.Line, to order: SimulatedOrder, by author: Author
    ) throws(SimulatorProblem) -> OrderLine {
        let tax = order.lines.first?.taxBasisPoints ?? 0
        return try newLine(find(line), line, tax, order.decimals, by: author)
    }

    /// Whether the shop could sell these lines.
    func requireStock(for lines: [OrderRequest.Line]) throws(SimulatorProblem) {
        var wanted: [(item: ShopItem, quantity: Int)] = []
        for line in lines { wanted.append((try find(line), line.quantity)) }
        try requireStock(wanted)
    }

    private mutating func blankLine(_ decimals: Int) -> OrderLine {
        OrderLine(
            id: orders.nextPartID(), itemID: 0, itemKey: "", sku: "", name: "Quà tặng (không có mã)",
            orderedQuantity: 1, quantity: 1, unitPrice: decimals == 0 ? .units(10_000) : .units(1), discount: .zero,
            taxBasisPoints: 0, decimals: decimals)
    }

    /// Takes units out of stock, or with a negative number gives them back.
    mutating func take(_ units: Int, for line: inout OrderLine, by author: Author) {
        guard units != 0, let item = items.all[line.itemID] else { return }
        let holder = items.stockHolder(of: item)
        guard holder.managesStock else { return }
        _ = items.sell(item, quantity: units, oversell: true, by: author)
        line.takenFromStock += units
    }

    /// Each line gets its share; the last one the rest.
    private static func spread(_ discount: Amount, over lines: inout [OrderLine], decimals: Int) {
        let subtotal = lines.reduce(Amount.zero) { $0 + $1.subtotal }
        guard discount > .zero, subtotal > .zero, let last = lines.indices.last else { return }
        var rest = min(discount, subtotal)
        for index in lines.indices where index != last {
            // Thousandths of the value are exact enough for a share; what is left over is the last line's.
            let share = discount.times(
                lines[index].subtotal.micro / 1_000, over: max(1, subtotal.micro / 1_000), decimals: decimals)
            lines[index].discount = min(share, rest)
            rest = rest - lines[index].discount
        }
        lines[last].discount = rest
    }

    // MARK: - Text from outside

    static func amount(_ text: String?, _ name: String) throws(SimulatorProblem) -> Amount? {
        guard let text else { return nil }
        guard let amount = Amount(text) else { throw .bad("\(name) \"\(text)\" is no decimal number.") }
        return amount
    }

    private static func customer(_ wanted: OrderRequest.Customer?, number: Int) -> OrderCustomer {
        var customer = Fiction.customer(number)
        customer.firstName = wanted?.firstName ?? customer.firstName
        customer.lastName = wanted?.lastName ?? customer.lastName
        customer.email = wanted?.email ?? customer.email
        customer.phone = wanted?.phone ?? customer.phone
        customer.taxID = wanted?.taxID ?? customer.taxID
        return customer
    }

    private static func address(
        _ wanted: OrderRequest.Customer?, of customer: OrderCustomer, number: Int
    ) -> PostalAddress {
        var address = Fiction.address(number, of: customer)
        address.address1 = wanted?.address ?? address.address1
        address.city = wanted?.city ?? address.city
        address.postcode = wanted?.postcode ?? address.postcode
        return address
    }
}

extension OrderFacts {
    /// Takes on a status in WooCommerce's words.
    mutating func set(_ status: String, at now: Date) {
        let before = self
        self = OrderFacts()
        paidAt = before.paidAt
        fulfilledAt = before.fulfilledAt
        switch status {
        case "pending": (paidAt, fulfilledAt) = (nil, nil)
        case "processing": (paidAt, fulfilledAt) = (before.paidAt ?? now, nil)
        case "on-hold": (isOnHold, fulfilledAt) = (true, nil)
        case "completed": (paidAt, fulfilledAt) = (before.paidAt ?? now, before.fulfilledAt ?? now)
        case "cancelled": cancelledAt = before.cancelledAt ?? now
        case "refunded": isRefunded = true
        case "failed": hasFailed = true
        case "trash":
            self = before
            deletedAt = before.deletedAt ?? now
        default: customStatus = status
        }
    }
}
