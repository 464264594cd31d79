import Foundation

/// Writes orders in the shape of the REST API v3.
struct OrderText {
    let items: ShopItems
    let utcOffsetSeconds: Int
    /// Decimals of all money; the shop's setting, or what the call asked for (`dp`).
    let decimals: Int
    var fields: Set<String>?

    func text(of order: SimulatedOrder) -> String {
        var writer = JSONObjectWriter(fields: fields)
        writer.add("id", order.id)
        writer.add("parent_id", 0)
        writer.add("status", order.status)
        writer.add("currency", order.currency)
        writer.add("version", "10.0.2")
        writer.add("prices_include_tax", false)
        addTime("date_created", order.placedAt, to: &writer)
        addTime("date_modified", order.updatedAt, to: &writer)
        writer.add("discount_total", money(order.discountTotal))
        writer.add("discount_tax", money(.zero))
        writer.add("shipping_total", money(order.shippingTotal))
        writer.add("shipping_tax", money(.zero))
        writer.add("cart_tax", money(order.taxTotal))
        writer.add("total", money(order.total))
        writer.add("total_tax", money(order.taxTotal))
        writer.add("customer_id", order.customer.id)
        writer.add("order_key", "wc_order_simulated\(order.id)")
        writer.add("billing", raw: Self.address(order.billing, email: order.customer.email, order.customer.phone))
        writer.add("shipping", raw: Self.address(order.shippingAddress, email: nil, order.shippingAddress.phone))
        writer.add("payment_method", order.paymentMethod)
        writer.add("payment_method_title", order.paymentMethod == "cod" ? "Thanh toán khi nhận" : "Chuyển khoản")
        writer.add("transaction_id", "")
        writer.add("created_via", "checkout")
        writer.add("customer_note", order.note)
        addTime("date_completed", order.facts.fulfilledAt, to: &writer)
        addTime("date_paid", order.facts.paidAt, to: &writer)
        writer.add("number", order.number)
        writer.add("meta_data", raw: Self.metaData(order))
        writer.add("line_items", raw: list(order.lines.filter { $0.quantity > 0 }) { text(of: $0) })
        writer.add("tax_lines", raw: taxLines(order))
        writer.add("shipping_lines", raw: list(order.shipping.map { [$0] } ?? []) { text(of: $0) })
        writer.add("fee_lines", raw: "[]")
        writer.add("coupon_lines", raw: list(order.discountCodes) { text(of: $0) })
        writer.add("refunds", raw: list(order.refunds) { summary(of: $0) })
        return writer.finish()
    }

    /// `GET /orders/{id}/refunds`
    func text(of refund: OrderRefund, order: SimulatedOrder) -> String {
        var writer = JSONObjectWriter()
        writer.add("id", refund.id)
        addTime("date_created", refund.createdAt, to: &writer)
        writer.add("amount", money(refund.amount))
        writer.add("reason", refund.reason)
        writer.add("refunded_payment", false)
        let lines = list(refund.lines) { line in
            var writer = JSONObjectWriter()
            let sold = order.lines.first { $0.id == line.lineID }
            writer.add("id", line.lineID + 1_000_000)
            writer.add("name", sold?.name ?? "")
            writer.add("product_id", sold?.productID ?? 0)
            writer.add("variation_id", sold?.variationID ?? 0)
            writer.add("quantity", -line.quantity)
            writer.add("total", money(.zero - line.amount))
            writer.add("meta_data", raw: "[{\"id\":1,\"key\":\"_refunded_item_id\",\"value\":\"\(line.lineID)\"}]")
            return writer.finish()
        }
        writer.add("line_items", raw: lines)
        return writer.finish()
    }

    func text(of note: ShopNote) -> String {
        var writer = JSONObjectWriter()
        writer.add("id", note.id)
        writer.add("author", "system")
        addTime("date_created", note.createdAt, to: &writer)
        writer.add("note", note.text)
        writer.add("customer_note", note.isForCustomer)
        return writer.finish()
    }

    /// Twice: as the clocks of the shop's town show it, and in UTC; neither says so.
    func addTime(_ name: String, _ date: Date?, to writer: inout JSONObjectWriter) {
        writer.add(name, date.map { ShopItems.time($0.addingTimeInterval(Double(utcOffsetSeconds))) })
        writer.add(name + "_gmt", date.map { ShopItems.time($0) })
    }

    // MARK: - Parts

    private func list<Part>(_ parts: [Part], _ text: (Part) -> String) -> String {
        "[" + parts.map(text).joined(separator: ",") + "]"
    }

    /// Rounded to the shop's decimals and filled up to them.
    private func money(_ amount: Amount) -> String {
        amount.times(1, over: 1, decimals: decimals).text(minimumDecimals: decimals)
    }

    private func text(of line: OrderLine) -> String {
        var writer = JSONObjectWriter()
        writer.add("id", line.id)
        writer.add("name", line.name)
        writer.add("product_id", line.productID)
        writer.add("variation_id", line.variationID)
        writer.add("quantity", line.quantity)
        writer.add("tax_class", "")
        writer.add("subtotal", money(line.subtotal))
        let subtotalTax = line.subtotal.times(line.taxBasisPoints, over: 10_000, decimals: line.decimals)
        writer.add("subtotal_tax", money(subtotalTax))
        writer.add("total", money(line.total))
        writer.add("total_tax", money(line.tax))
        writer.add("taxes", raw: taxes(line, subtotalTax))
        writer.add("meta_data", raw: "[]")
        // Read live: an item's SKU of today, and none once it is gone.
        let item = items.all[line.itemID]
        writer.add("sku", line.itemID == 0 ? line.sku : item.map { items.shownSKU(of: $0) })
        writer.add("price", raw: Self.price(line))
        return writer.finish()
    }

    private func taxes(_ line: OrderLine, _ subtotalTax: Amount) -> String {
        if line.taxBasisPoints == 0 { return "[]" }
        var writer = JSONObjectWriter()
        writer.add("id", line.taxBasisPoints)
        writer.add("total", money(line.tax))
        writer.add("subtotal", money(subtotalTax))
        return "[\(writer.finish())]"
    }

    /// One rate for all lines; its number says how high it is.
    private func taxLines(_ order: SimulatedOrder) -> String {
        guard let rate = order.lines.map(\.taxBasisPoints).max(), rate > 0 else { return "[]" }
        var writer = JSONObjectWriter()
        writer.add("id", 1)
        writer.add("rate_code", "VN-VAT-1")
        writer.add("rate_id", rate)
        writer.add("label", "VAT")
        writer.add("compound", false)
        writer.add("tax_total", money(order.taxTotal))
        writer.add("shipping_tax_total", money(.zero))
        writer.add("rate_percent", raw: Amount(micro: rate * 10_000).text())
        return "[\(writer.finish())]"
    }

    /// A binary fraction, as PHP writes it: 63333.333333333336. This is why clients must not count with it.
    private static func price(_ line: OrderLine) -> String {
        let price = Double(line.total.micro) / 1_000_000 / Double(max(1, line.quantity))
        return price == price.rounded() && price.magnitude < 1e15 ? String(Int(price)) : "\(price)"
    }

    private func text(of shipping: ShippingLine) -> String {
        var writer = JSONObjectWriter()
        writer.add("id", shipping.id)
        writer.add("method_title", shipping.title)
        writer.add("method_id", "flat_rate")
        writer.add("instance_id", "1")
        writer.add("total", money(shipping.price))
        writer.add("total_tax", money(.zero))
        writer.add("taxes", raw: "[]")
        writer.add("meta_data", raw: "[]")
        return writer.finish()
    }

    private func text(of code: DiscountCode) -> String {
        var writer = JSONObjectWriter()
        writer.add("id", code.id)
        writer.add("code", code.code)
        writer.add("discount", money(code.amount))
        writer.add("discount_tax", money(.zero))
        writer.add("meta_data", raw: "[]")
        return writer.finish()
    }

    private func summary(of refund: OrderRefund) -> String {
        var writer = JSONObjectWriter()
        writer.add("id", refund.id)
        writer.add("reason", refund.reason)
        writer.add("total", money(.zero - refund.amount))
        return writer.finish()
    }

    private static func address(_ address: PostalAddress, email: String?, _ phone: String) -> String {
        var writer = JSONObjectWriter()
        writer.add("first_name", address.firstName)
        writer.add("last_name", address.lastName)
        writer.add("company", address.company)
        writer.add("address_1", address.address1)
        writer.add("address_2", "")
        writer.add("city", address.city)
        writer.add("state", address.state)
        writer.add("postcode", address.postcode)
        writer.add("country", address.country)
        if let email { writer.add("email", email) }
        writer.add("phone", phone)
        return writer.finish()
    }

    /// WooCommerce has no field for a tax number; extensions keep it here.
    private static func metaData(_ order: SimulatedOrder) -> String {
        var entries = order.metaData.map { ($0.id, $0.key, $0.value.jsonText) }
        if !order.customer.taxID.isEmpty {
            entries.insert((1, "_billing_tax_id", JSONObjectWriter.quoted(order.customer.taxID)), at: 0)
        }
        let texts = entries.map { id, key, value in
            var writer = JSONObjectWriter()
            writer.add("id", id)
            writer.add("key", key)
            writer.add("value", raw: value)
            return writer.finish()
        }
        return "[" + texts.joined(separator: ",") + "]"
    }
}

extension JSONValue {
    /// As JSON.
    var jsonText: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .number(let value): "\(value)"
        case .string(let text): JSONObjectWriter.quoted(text)
        case .array(let values): "[" + values.map(\.jsonText).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }
                .map { JSONObjectWriter.quoted($0.key) + ":" + $0.value.jsonText }.joined(separator: ",") + "}"
        }
    }
}
