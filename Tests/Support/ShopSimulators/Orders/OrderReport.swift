import Foundation

/// An order as `/__simulator/orders` shows it: what tests and the demonstration compare reports with. Money is exact
/// decimal text, times are ISO 8601 in UTC as the shop's own clock has them.
public struct OrderReport: Codable, Sendable, Equatable {
    /// A line, those that were taken out included.
    public struct Line: Codable, Sendable, Equatable {
        /// Unique in the shop.
        public let lineID: Int
        /// `product` or `parent/variation`; blank for a line without a product.
        public let item: String
        /// As it was shown when the order was placed.
        public let sku: String
        /// As it was shown when the order was placed.
        public let name: String
        /// Units at first.
        public let ordered: Int
        /// Units now.
        public let quantity: Int
        /// Units given back for money.
        public let refunded: Int
        /// Before discount and tax.
        public let unitPrice: String
        /// Of the whole line.
        public let discount: String
        /// Of the whole line.
        public let tax: String
        /// After discount, before tax.
        public let total: String

        private enum CodingKeys: String, CodingKey {
            case item, sku, name, ordered, quantity, refunded, discount, tax, total
            case lineID = "line_id"
            case unitPrice = "unit_price"
        }
    }

    /// Unique in the shop, growing.
    public let id: Int
    /// As the platform's API names it.
    public let reference: String
    /// What the customer sees.
    public let number: String
    /// In WooCommerce's words, whatever the platform.
    public let status: String
    /// Whether the money has come.
    public let paid: Bool
    /// Whether it was called off.
    public let cancelled: Bool
    /// Whether the goods have left.
    public let fulfilled: Bool
    /// Whether all the money was given back.
    public let refunded: Bool
    /// Whether somebody of the shop has stopped it.
    public let onHold: Bool
    /// Whether it is in the bin.
    public let deleted: Bool
    /// When it was placed.
    public let placedAt: String
    /// When it was last changed.
    public let updatedAt: String
    /// ISO 4217, or what was given in its place.
    public let currency: String
    /// What the shop says the customer pays.
    public let total: String
    /// Of all lines.
    public let discount: String
    /// Of all lines.
    public let tax: String
    /// Before tax.
    public let shipping: String
    /// Given back.
    public let refundTotal: String
    /// What the customer typed.
    public let discountCodes: [String]
    /// Given and family name.
    public let customer: String
    /// Made up.
    public let email: String
    /// Made up.
    public let phone: String
    /// Blank for none.
    public let taxID: String
    /// House and street that it goes to.
    public let address: String
    /// The platform's code.
    public let paymentMethod: String
    /// The customer's.
    public let note: String
    /// All lines.
    public let lines: [Line]

    private enum CodingKeys: String, CodingKey {
        case id, reference, number, status, paid, cancelled, fulfilled, refunded, deleted, currency, total, discount
        case tax, shipping, customer, email, phone, address, note, lines
        case onHold = "on_hold"
        case placedAt = "placed_at"
        case updatedAt = "updated_at"
        case refundTotal = "refund_total"
        case discountCodes = "discount_codes"
        case taxID = "tax_id"
        case paymentMethod = "payment_method"
    }
}

extension OrderReport {
    init(_ order: SimulatedOrder, platform: SimulatorConfiguration.Platform) {
        id = order.id
        reference = platform == .shopify ? "gid://shopify/Order/\(order.id)" : "\(order.id)"
        number = order.number
        status = order.status
        (paid, cancelled) = (order.facts.isPaid, order.facts.isCancelled)
        (fulfilled, refunded) = (order.facts.isFulfilled, order.facts.isRefunded)
        (onHold, deleted) = (order.facts.isOnHold, order.facts.isDeleted)
        (placedAt, updatedAt) = (ShopItems.time(order.placedAt) + "Z", ShopItems.time(order.updatedAt) + "Z")
        (currency, total) = (order.currency, order.total.text())
        (discount, tax) = (order.discountTotal.text(), order.taxTotal.text())
        (shipping, refundTotal) = (order.shippingTotal.text(), order.refundTotal.text())
        discountCodes = order.discountCodes.map(\.code)
        customer = "\(order.customer.firstName) \(order.customer.lastName)"
        (email, phone, taxID) = (order.customer.email, order.customer.phone, order.customer.taxID)
        (address, paymentMethod, note) = (order.shippingAddress.address1, order.paymentMethod, order.note)
        lines = order.lines.map { line in
            Line(
                lineID: line.id, item: line.itemKey, sku: line.sku, name: line.name, ordered: line.orderedQuantity,
                quantity: line.quantity, refunded: line.refundedQuantity, unitPrice: line.unitPrice.text(),
                discount: line.discount.text(), tax: line.tax.text(), total: line.total.text())
        }
    }
}

extension SimulatedOrder {
    /// In WooCommerce's words; whoever calls off, gives back or throws away comes before the rest.
    var status: String {
        if facts.isDeleted { return "trash" }
        if let custom = facts.customStatus { return custom }
        if facts.isCancelled { return "cancelled" }
        if facts.isRefunded { return "refunded" }
        if facts.hasFailed { return "failed" }
        if facts.isOnHold { return "on-hold" }
        if facts.isFulfilled { return "completed" }
        // What is paid on delivery is worked on at once.
        return facts.isPaid || paymentMethod == "cod" ? "processing" : "pending"
    }
}
