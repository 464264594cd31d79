internal import Domain
internal import Foundation

/// Makes an order of WooCommerce's REST API v3 a canonical one. Pure.
///
/// Amounts come from the decimal text of `subtotal`, `total` and their taxes, never from a line's `price`, which is a
/// binary fraction. WooCommerce states all of them without tax and the tax beside them, whatever the shop shows.
struct WooCommerceOrderMapping {
    let shop: ShopName

    /// The fields to ask for.
    static let fields = [
        "id", "number", "status", "currency", "prices_include_tax", "date_created", "date_created_gmt",
        "date_modified_gmt", "date_paid_gmt", "discount_total", "discount_tax", "shipping_total", "shipping_tax",
        "total", "total_tax", "customer_id", "billing", "shipping", "payment_method", "transaction_id",
        "customer_note", "line_items", "tax_lines", "shipping_lines", "fee_lines", "coupon_lines", "refunds",
        "meta_data",
    ].joined(separator: ",")

    /// Names under which extensions keep the customer's tax number.
    private static let taxIDKeys: Set<String> = [
        "_billing_tax_id", "billing_tax_id", "_billing_vat", "billing_vat", "_billing_vat_number",
        "billing_vat_number", "_vat_number", "vat_number", "_billing_tax_code", "billing_tax_code", "_billing_mst",
        "billing_mst",
    ]

    /// The order, or what cannot be read of it.
    func read(_ tree: JSONTree) -> OrderReadingResult {
        let facts = JSONFacts(tree: tree)
        do throws(UnreadableFact) {
            return .order(try order(facts))
        } catch {
            return .unreadable(
                UnreadableOrder(
                    externalID: (try? facts["id"].identifier()) ?? "without an id",
                    updatedAt: Self.moment(facts["date_modified_gmt"]), problem: error.description))
        }
    }

    private func order(_ facts: JSONFacts) throws(UnreadableFact) -> Order {
        let id = try facts["id"].identifier()
        guard let placedAt = Self.moment(facts["date_created_gmt"]) else {
            throw facts["date_created_gmt"].problem("is not a time")
        }
        let refunds = try refunds(facts)
        let total = try facts["total"].amount()
        let method = facts["payment_method"].words
        let paidAt = Self.moment(facts["date_paid_gmt"])
        let status = WooCommerceOrderStatus(
            word: try facts["status"].text(), method: method, isPaid: paidAt != nil,
            refunded: refunds.reduce(.zero) { $0 + $1.amount }, total: total)
        let billing = Self.address(facts["billing"])
        return Order(
            shop: shop, externalID: id, number: facts["number"].textIfAny ?? id, placedAt: placedAt,
            updatedAt: Self.moment(facts["date_modified_gmt"]) ?? placedAt,
            utcOffsetSeconds: Self.offset(facts["date_created"], from: placedAt), status: status.status,
            currency: CurrencyCode(facts["currency"].words), pricesIncludeTax: facts["prices_include_tax"].isTrue,
            lines: try lines(facts), charges: try charges(facts),
            promotionCodes: try facts["coupon_lines"].list().compactMap { $0["code"].textIfAny },
            totals: OrderTotals(
                discount: try facts["discount_total"].amountOrZero() + facts["discount_tax"].amountOrZero(),
                shipping: try facts["shipping_total"].amountOrZero() + facts["shipping_tax"].amountOrZero(),
                tax: try facts["total_tax"].amountOrZero(), total: total),
            payment: OrderPayment(method: method, reference: facts["transaction_id"].words, paidAt: paidAt),
            refunds: refunds, customer: Self.customer(facts), billingAddress: billing,
            shippingAddress: Self.address(facts["shipping"]) ?? billing, note: facts["customer_note"].words)
    }

    // MARK: - Parts

    private func lines(_ facts: JSONFacts) throws(UnreadableFact) -> [OrderLine] {
        let rates = try rates(facts)
        var lines: [OrderLine] = []
        for line in try facts["line_items"].list() {
            let quantity = try line["quantity"].quantity()
            guard !quantity.isNegative else { throw line["quantity"].problem("is below zero") }
            let (net, tax) = (try line["total"].amount(), try line["total_tax"].amountOrZero())
            let subtotal = try line["subtotal"].exists ? line["subtotal"].amount() : net
            // The tax before discount is missing from some answers; it is in proportion.
            let subtotalTax =
                try line["subtotal_tax"].exists
                ? line["subtotal_tax"].amountOrZero() : net == subtotal ? tax : tax.scaled(by: subtotal, over: net)
            let gross = subtotal + subtotalTax
            lines.append(
                OrderLine(
                    id: try line["id"].identifier(), listing: Self.listing(line),
                    sku: line["sku"].textIfAny.map { ShopSKU(rawValue: $0) }, name: line["name"].words,
                    quantity: quantity, orderedQuantity: quantity, unitNet: subtotal.divided(by: quantity),
                    unitGross: gross.divided(by: quantity), discount: gross - net - tax,
                    taxRate: try Self.rate(line, rates), tax: tax, total: net + tax))
        }
        return lines
    }

    private func charges(_ facts: JSONFacts) throws(UnreadableFact) -> [OrderCharge] {
        var charges: [OrderCharge] = []
        for line in try facts["shipping_lines"].list() {
            charges.append(try Self.charge(.shipping, line["method_title"].words, line))
        }
        for line in try facts["fee_lines"].list() {
            charges.append(try Self.charge(.fee, line["name"].words, line))
        }
        return charges
    }

    private static func charge(
        _ kind: OrderCharge.Kind, _ name: String, _ line: JSONFacts
    ) throws(UnreadableFact) -> OrderCharge {
        let tax = try line["total_tax"].amountOrZero()
        return OrderCharge(kind: kind, name: name, tax: tax, total: try line["total"].amountOrZero() + tax)
    }

    /// Totals of refunds are negative.
    private func refunds(_ facts: JSONFacts) throws(UnreadableFact) -> [OrderRefund] {
        var refunds: [OrderRefund] = []
        for refund in try facts["refunds"].list() {
            refunds.append(
                OrderRefund(
                    id: try refund["id"].identifier(), amount: try refund["total"].amount().magnitude,
                    reason: refund["reason"].words))
        }
        return refunds
    }

    /// Percentages by the id of their rate.
    private func rates(_ facts: JSONFacts) throws(UnreadableFact) -> [String: Quantity] {
        var rates: [String: Quantity] = [:]
        for line in try facts["tax_lines"].list() {
            guard let id = line["rate_id"].textIfAny, let percent = line["rate_percent"].textIfAny else { continue }
            rates[id] = Quantity(percent)
        }
        return rates
    }

    /// The rate of a line that is taxed by one; of several nobody could say which.
    private static func rate(_ line: JSONFacts, _ rates: [String: Quantity]) throws(UnreadableFact) -> Quantity? {
        let taxes = try line["taxes"].list().filter { $0["total"].textIfAny != nil }
        guard taxes.count == 1, let id = taxes.first?["id"].textIfAny else { return nil }
        return rates[id]
    }

    private static func listing(_ line: JSONFacts) -> ListingID? {
        guard let product = line["product_id"].textIfAny, product != "0" else { return nil }
        guard let variation = line["variation_id"].textIfAny, variation != "0" else { return ListingID(product) }
        return ListingID(parent: product, variation: variation)
    }

    // MARK: - People

    private static func customer(_ facts: JSONFacts) -> OrderCustomer? {
        let billing = facts["billing"]
        let id = facts["customer_id"].textIfAny.flatMap { $0 == "0" ? nil : $0 }
        let customer = OrderCustomer(
            id: id, name: name(billing), email: ContactNormalizer.email(billing["email"].textIfAny),
            phone: ContactNormalizer.phone(billing["phone"].textIfAny, country: billing["country"].textIfAny),
            taxID: taxID(facts))
        return customer == OrderCustomer(name: "") ? nil : customer
    }

    private static func taxID(_ facts: JSONFacts) -> String? {
        // What an extension has spoilt here is no reason to refuse the order.
        guard let entries = try? facts["meta_data"].list() else { return nil }
        for entry in entries {
            guard let key = entry["key"].textIfAny, taxIDKeys.contains(key) else { continue }
            if let value = entry["value"].textIfAny { return value }
        }
        return nil
    }

    private static func name(_ facts: JSONFacts) -> String {
        [facts["first_name"].words, facts["last_name"].words].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// Nil if it names neither a person nor a place; the country alone is only the form's preset.
    private static func address(_ facts: JSONFacts) -> PostalAddress? {
        let country = facts["country"].words
        let address = PostalAddress(
            name: name(facts), company: facts["company"].words,
            street: [facts["address_1"].words, facts["address_2"].words].filter { !$0.isEmpty },
            city: facts["city"].words, province: facts["state"].words, postcode: facts["postcode"].words,
            country: country, phone: ContactNormalizer.phone(facts["phone"].textIfAny, country: country))
        let isEmpty = address.name.isEmpty && address.company.isEmpty && address.street.isEmpty && address.city.isEmpty
        return isEmpty && address.postcode.isEmpty ? nil : address
    }

    // MARK: - Times

    static func moment(_ facts: JSONFacts) -> Date? { facts.textIfAny.flatMap(WooCommerceDate.parse) }

    /// How far the shop's own clock is ahead of UTC, from the same moment in both.
    private static func offset(_ local: JSONFacts, from utc: Date) -> Int {
        guard let local = moment(local) else { return 0 }
        let seconds = local.timeIntervalSince(utc)
        return seconds.magnitude <= 14 * 3_600 ? Int(seconds) : 0
    }
}
