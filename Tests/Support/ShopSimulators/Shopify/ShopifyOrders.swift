import Foundation

/// Orders as objects of the API.
extension ShopifyView {
    /// How far back an app sees orders without `read_all_orders`.
    static let visibleSeconds = 60 * 86_400.0

    /// The order with this id, if the app may see it.
    func order(_ id: Int) -> SimulatedOrder? {
        orders[id].flatMap { order in
            let isOld = order.placedAt < now.addingTimeInterval(-Self.visibleSeconds)
            return order.facts.isDeleted || (isOld && !allows("read_all_orders")) ? nil : order
        }
    }

    func orderPage(_ field: BoundField, _ warnings: inout [String]) throws(GraphQLProblem) -> GraphQLPage {
        var search = ShopifySearch.all([])
        if let text = field.arguments["query"]?.string, !text.isEmpty {
            search = ShopifySearch.read(text)
            Self.warn(field, text, search, Self.orderFilters, &warnings)
        }
        let sortKey = field.arguments["sortKey"]?.string ?? "PROCESSED_AT"
        func key(_ order: SimulatedOrder) -> ShopifyKey {
            switch sortKey {
            case "UPDATED_AT": ShopifyKey(number: Double(Self.second(order.updatedAt)), id: order.id)
            case "CREATED_AT", "PROCESSED_AT": ShopifyKey(number: Double(Self.second(order.placedAt)), id: order.id)
            default: ShopifyKey(number: Double(order.id), id: order.id)
            }
        }
        let found = candidates(search).compactMap(order).filter { order in
            search.holds { matches(order, $0) }
        }
        let page = try GraphQLPage(
            found.sorted { key($0) < key($1) }, field, sortKey: sortKey, key: key, node: orderObject)
        listed += page.cursors.compactMap { (try? ShopifyKey.read($0, sortKey))?.id }
        return page
    }

    private static let orderFilters = [
        "", "updated_at", "created_at", "processed_at", "status", "id", "name", "financial_status",
        "fulfillment_status", "tag", "test",
    ]

    /// Ids that may match: with bounds of `updated_at` only those between them are looked at.
    private func candidates(_ search: ShopifySearch) -> [Int] {
        guard case .all(let parts) = search else { return Array(orders.ids) }
        var (from, to) = (Int.min, Int.max)
        for case .term(let term) in parts where term.field == "updated_at" {
            guard let second = term.time.map(Self.second) else { continue }
            if term.comparison.hasPrefix(">") { from = max(from, second) }
            if term.comparison.hasPrefix("<") { to = min(to, second) }
        }
        if from == .min && to == .max { return Array(orders.ids) }
        let range = orders.byUpdate.range(after: from == .min ? nil : from - 1, before: to == .max ? nil : to + 1)
        return orders.byUpdate.keys[range].map(\.id)
    }

    private func matches(_ order: SimulatedOrder, _ term: ShopifySearch.Term) -> Bool {
        switch term.field {
        case "updated_at": term.holds(Self.second(order.updatedAt), term.time.map(Self.second))
        case "created_at", "processed_at": term.holds(Self.second(order.placedAt), term.time.map(Self.second))
        case "id": term.holds(order.id, term.number)
        case "name", "": term.matches(order.number) || term.matches(String(order.number.drop { $0 == "#" }))
        case "financial_status": term.matches(Self.financialStatus(order))
        case "fulfillment_status": term.matches(Self.fulfillmentStatus(order))
        case "test": term.value == "false"
        case "tag": (shopify.tags[order.id] ?? []).contains(where: term.matches)
        case "status":
            switch term.value.lowercased() {
            case "any": true
            case "open": Self.closedAt(order) == nil && !order.facts.isCancelled
            case "closed": Self.closedAt(order) != nil
            case "cancelled": order.facts.isCancelled
            case "not_closed": Self.closedAt(order) == nil
            default: false
            }
        default: true
        }
    }

    static func financialStatus(_ order: SimulatedOrder) -> String {
        let facts = order.facts
        if facts.isRefunded { return "REFUNDED" }
        if order.refundTotal > .zero { return "PARTIALLY_REFUNDED" }
        if facts.isPaid { return "PAID" }
        if facts.hasFailed { return "EXPIRED" }
        return facts.isCancelled ? "VOIDED" : "PENDING"
    }

    static func fulfillmentStatus(_ order: SimulatedOrder) -> String {
        order.facts.isFulfilled ? "FULFILLED" : order.facts.isOnHold ? "ON_HOLD" : "UNFULFILLED"
    }

    static func closedAt(_ order: SimulatedOrder) -> Date? {
        order.facts.cancelledAt ?? (order.facts.isPaid ? order.facts.fulfilledAt : nil)
    }
}

/// Money of one order as money bags.
struct ShopifyMoney {
    let currency: String

    func bag(_ amount: Amount) -> GraphQLValue {
        let money = GraphQLObject(
            "MoneyV2", ["amount": .text(amount.text(minimumDecimals: 1)), "currencyCode": .text(currency)])
        return .object(GraphQLObject("MoneyBag", ["shopMoney": .object(money), "presentmentMoney": .object(money)]))
    }
}

extension OrderLine {
    /// The line as it was ordered.
    var asOrdered: OrderLine {
        var line = self
        if quantity != orderedQuantity { line.change(quantity: orderedQuantity) }
        return line
    }

    /// Units that were neither taken out nor given back for money.
    var currentQuantity: Int { max(0, quantity - refundedQuantity) }
}

extension ShopifyView {
    func orderObject(_ order: SimulatedOrder) -> GraphQLObject {
        let money = ShopifyMoney(currency: order.currency)
        let fixed = facts(order).merging(amounts(order, money)) { $1 }
        return GraphQLObject("Order") { (field) throws(GraphQLProblem) in
            switch field.field.name {
            case "lineItems":
                return .connection(
                    try GraphQLPage(order.lines, field, key: { ShopifyKey(number: Double($0.id), id: $0.id) }) {
                        self.lineObject($0, of: order)
                    })
            case "shippingLines":
                let lines = order.shipping.map { [$0] } ?? []
                return .connection(
                    try GraphQLPage(lines, field, key: { ShopifyKey(number: Double($0.id), id: $0.id) }) {
                        Self.shippingObject($0, money)
                    })
            case "shippingLine": return order.shipping.map { .object(Self.shippingObject($0, money)) } ?? .null
            case "transactions": return .objects(Self.limited(Self.transactions(order, money), field))
            case "refunds": return .objects(Self.limited(self.refunds(order, money), field))
            case "fulfillments": return .objects(Self.limited(Self.fulfillments(order), field))
            case "customer": return self.customerObject(order)
            case "billingAddress": return .object(Self.addressObject(order.billing, order.id, "billing"))
            case "shippingAddress": return .object(Self.addressObject(order.shippingAddress, order.id, "shipping"))
            case "taxLines", "currentTaxLines": return .objects(Self.taxLines(order.taxTotal, order.lines, money))
            default: return fixed[field.field.name] ?? .null
            }
        }
    }

    private static func limited(_ objects: [GraphQLObject], _ field: BoundField) -> [GraphQLObject] {
        Array(objects.prefix(field.arguments["first"]?.integer ?? objects.count))
    }

    private func facts(_ order: SimulatedOrder) -> [String: GraphQLValue] {
        func time(_ date: Date?) -> GraphQLValue { .text(date.map(ShopifyTime.text)) }
        let closed = Self.closedAt(order)
        let units = order.lines.reduce(0) { $0 + $1.orderedQuantity }
        return [
            "id": .text(ShopifyID.text("Order", order.id)), "legacyResourceId": .text("\(order.id)"),
            "name": .text(order.number), "number": .number(1_000 + order.sequence),
            "email": .text(order.customer.email), "phone": .text(order.customer.phone),
            "note": order.note.isEmpty ? .null : .text(order.note), "tags": .texts(shopify.tags[order.id] ?? []),
            "test": .boolean(false), "confirmed": .boolean(true), "closed": .boolean(closed != nil),
            "createdAt": time(order.placedAt), "processedAt": time(order.placedAt), "updatedAt": time(order.updatedAt),
            "cancelledAt": time(order.facts.cancelledAt), "closedAt": time(closed),
            "cancelReason": order.facts.isCancelled ? .text(shopify.cancelReasons[order.id] ?? "OTHER") : .null,
            "displayFinancialStatus": .text(Self.financialStatus(order)),
            "displayFulfillmentStatus": .text(Self.fulfillmentStatus(order)), "returnStatus": .text("NO_RETURN"),
            "fullyPaid": .boolean(order.facts.isPaid), "unpaid": .boolean(!order.facts.isPaid),
            "currencyCode": .text(order.currency), "presentmentCurrencyCode": .text(order.currency),
            "taxesIncluded": .boolean(false), "paymentGatewayNames": .texts([order.paymentMethod]),
            "discountCode": .text(order.discountCodes.first?.code),
            "discountCodes": .texts(order.discountCodes.map(\.code)), "sourceName": .text("web"),
            "subtotalLineItemsQuantity": .number(units),
            "currentSubtotalLineItemsQuantity": .number(order.lines.reduce(0) { $0 + $1.currentQuantity }),
            "customAttributes": .objects(
                order.customer.taxID.isEmpty
                    ? []
                    : [
                        GraphQLObject(
                            "Attribute", ["key": .text("tax_id"), "value": .text(order.customer.taxID)])
                    ]),
        ]
    }

    /// Amounts without `current` are those of the order as it was placed.
    private func amounts(_ order: SimulatedOrder, _ money: ShopifyMoney) -> [String: GraphQLValue] {
        let lines = order.lines.map(\.asOrdered)
        let subtotal = lines.reduce(Amount.zero) { $0 + $1.total }
        let tax = lines.reduce(Amount.zero) { $0 + $1.tax }
        let discount = lines.reduce(Amount.zero) { $0 + $1.discount }
        let total = subtotal + tax + order.shippingTotal + order.totalOffBy
        let current = max(.zero, order.total - order.refundTotal)
        let received = order.facts.isPaid ? order.total : .zero
        return [
            "subtotalPriceSet": money.bag(subtotal), "totalTaxSet": money.bag(tax),
            "totalDiscountsSet": money.bag(discount), "totalPriceSet": money.bag(total),
            "originalTotalPriceSet": money.bag(total), "totalShippingPriceSet": money.bag(order.shippingTotal),
            "currentShippingPriceSet": money.bag(order.shippingTotal),
            "currentSubtotalPriceSet": money.bag(order.subtotal - order.discountTotal),
            "currentTotalTaxSet": money.bag(order.taxTotal), "currentTotalPriceSet": money.bag(current),
            "currentTotalDiscountsSet": money.bag(order.discountTotal), "totalReceivedSet": money.bag(received),
            "totalRefundedSet": money.bag(order.refundTotal), "netPaymentSet": money.bag(received - order.refundTotal),
            "totalOutstandingSet": money.bag(order.facts.isPaid || order.facts.isCancelled ? .zero : current),
        ]
    }

    func lineObject(_ line: OrderLine, of order: SimulatedOrder) -> GraphQLObject {
        let money = ShopifyMoney(currency: order.currency)
        let ordered = line.asOrdered
        let names = line.name.split(separator: " - ", maxSplits: 1).map(String.init)
        let unit = ordered.total.times(1, over: ordered.quantity, decimals: order.decimals)
        let allocation = GraphQLObject("DiscountAllocation", ["allocatedAmountSet": money.bag(ordered.discount)])
        let variant = variant(line.itemID)
        let open = order.facts.isFulfilled || order.facts.isCancelled ? 0 : line.currentQuantity
        return GraphQLObject(
            "LineItem",
            [
                "id": .text(ShopifyID.text("LineItem", line.id)), "sku": line.sku.isEmpty ? .null : .text(line.sku),
                "title": .text(names.first ?? line.name), "name": .text(line.name),
                "variantTitle": names.count > 1 ? .text(names[1]) : .null, "quantity": .number(line.orderedQuantity),
                "currentQuantity": .number(line.currentQuantity), "unfulfilledQuantity": .number(open),
                "refundableQuantity": .number(line.currentQuantity), "requiresShipping": .boolean(true),
                "originalUnitPriceSet": money.bag(line.unitPrice), "originalTotalSet": money.bag(ordered.subtotal),
                "discountedTotalSet": money.bag(ordered.total), "discountedUnitPriceSet": money.bag(unit),
                "discountedUnitPriceAfterAllDiscountsSet": money.bag(unit),
                "totalDiscountSet": money.bag(ordered.discount),
                "unfulfilledDiscountedTotalSet": money.bag(line.total), "taxable": .boolean(line.taxBasisPoints > 0),
                "taxLines": .objects(Self.taxLines(line.tax, [line], money)), "customAttributes": .list([]),
                "discountAllocations": .objects(ordered.discount > .zero ? [allocation] : []),
                "variant": variant.map { .object(variantObject($0)) } ?? .null,
                "product": variant.map { .object(productObject(product(of: $0))) } ?? .null,
            ])
    }

    private static func taxLines(_ tax: Amount, _ lines: [OrderLine], _ money: ShopifyMoney) -> [GraphQLObject] {
        guard let points = lines.first(where: { $0.taxBasisPoints > 0 })?.taxBasisPoints else { return [] }
        return [
            GraphQLObject(
                "TaxLine",
                [
                    "title": .text("VAT"), "rate": .json(Amount(micro: points * 100).text()),
                    "ratePercentage": .json(Amount(micro: points * 10_000).text()), "priceSet": money.bag(tax),
                ])
        ]
    }

    private static func shippingObject(_ line: ShippingLine, _ money: ShopifyMoney) -> GraphQLObject {
        GraphQLObject(
            "ShippingLine",
            [
                "id": .text(ShopifyID.text("ShippingLine", line.id)), "title": .text(line.title),
                "code": .text(line.title), "originalPriceSet": money.bag(line.price),
                "discountedPriceSet": money.bag(line.price), "currentDiscountedPriceSet": money.bag(line.price),
                "taxLines": .list([]), "source": .text("shopify"), "isRemoved": .boolean(false),
            ])
    }
}
