public import Foundation

/// An order in canonical form: the facts of the shop and nothing of ours (domain.md, Canonical order).
///
/// What we add to it (holds, mapping, phase) stands beside it, so that two readings of an unchanged order are equal
/// but for ``updatedAt``. All amounts are in ``currency``.
public struct Order: Sendable, Hashable, Codable {
    /// The shop it was placed in.
    public var shop: ShopName
    /// The platform's own id of it.
    public var externalID: String
    /// What customers and the shop's people call it.
    public var number: String
    /// When the customer placed it.
    public var placedAt: Date
    /// When the shop last changed it, by the shop's clock; left out of the digest.
    public var updatedAt: Date
    /// How far the shop's local time is ahead of UTC, in seconds.
    public var utcOffsetSeconds: Int
    /// What the shop says about payment, goods and cancellation.
    public var status: OrderStatus
    /// The currency of every amount in it.
    public var currency: CurrencyCode
    /// Whether the shop's prices are stated with tax.
    public var pricesIncludeTax: Bool
    /// What was bought, in the shop's order.
    public var lines: [OrderLine]
    /// Shipping and other charges.
    public var charges: [OrderCharge]
    /// Coupons and promotions that were used.
    public var promotionCodes: [String]
    /// The sums as the shop states them.
    public var totals: OrderTotals
    /// How it is paid.
    public var payment: OrderPayment
    /// Money that went back.
    public var refunds: [OrderRefund]
    /// Who bought; nil where the shop says nothing.
    public var customer: OrderCustomer?
    /// Where the invoice goes.
    public var billingAddress: PostalAddress?
    /// Where the goods go.
    public var shippingAddress: PostalAddress?
    /// What the customer wrote.
    public var note: String

    /// An order.
    public init(
        shop: ShopName, externalID: String, number: String, placedAt: Date, updatedAt: Date, utcOffsetSeconds: Int = 0,
        status: OrderStatus, currency: CurrencyCode, pricesIncludeTax: Bool = true, lines: [OrderLine],
        charges: [OrderCharge] = [], promotionCodes: [String] = [], totals: OrderTotals,
        payment: OrderPayment = OrderPayment(), refunds: [OrderRefund] = [], customer: OrderCustomer? = nil,
        billingAddress: PostalAddress? = nil, shippingAddress: PostalAddress? = nil, note: String = ""
    ) {
        self.shop = shop
        self.externalID = externalID
        self.number = number
        self.placedAt = placedAt
        self.updatedAt = updatedAt
        self.utcOffsetSeconds = utcOffsetSeconds
        self.status = status
        self.currency = currency
        self.pricesIncludeTax = pricesIncludeTax
        self.lines = lines
        self.charges = charges
        self.promotionCodes = promotionCodes
        self.totals = totals
        self.payment = payment
        self.refunds = refunds
        self.customer = customer
        self.billingAddress = billingAddress
        self.shippingAddress = shippingAddress
        self.note = note
    }

    /// Which order it is.
    public var reference: OrderReference { OrderReference(shop: shop, externalID: externalID) }

    private enum CodingKeys: String, CodingKey {
        case shop, number, status, currency, lines, charges, totals, payment, refunds, customer, note
        case externalID = "external_id"
        case placedAt = "placed_at"
        case updatedAt = "updated_at"
        case utcOffsetSeconds = "utc_offset_seconds"
        case pricesIncludeTax = "prices_include_tax"
        case promotionCodes = "promotion_codes"
        case billingAddress = "billing_address"
        case shippingAddress = "shipping_address"
    }
}

/// What a shop says about an order, each axis by itself (domain.md, State).
public struct OrderStatus: Sendable, Hashable, Codable {
    /// How far the money is.
    public enum Payment: String, Sendable, Hashable, Codable, CaseIterable {
        /// Not there yet; cash on delivery is pending too.
        case pending
        /// All of it is there, or authorised.
        case paid
        /// Some of it went back.
        case partRefunded = "part_refunded"
        /// All of it went back.
        case refunded
        /// It failed, was voided or expired.
        case denied
    }

    /// How far the goods are.
    public enum Fulfilment: String, Sendable, Hashable, Codable, CaseIterable {
        /// Nothing has been shipped.
        case none
        /// Some lines have been shipped.
        case partShipped = "part_shipped"
        /// All lines have been shipped.
        case shipped
        /// The goods came back.
        case returned
    }

    /// The platform's own word, such as `processing`.
    public var shopStatus: String
    /// How far the money is.
    public var payment: Payment
    /// How far the goods are.
    public var fulfilment: Fulfilment
    /// The shop says that it is cancelled (or deleted).
    public var isCancelled: Bool
    /// When it was cancelled, where the shop says so.
    public var cancelledAt: Date?
    /// The customer has still to pay before the order counts: it is reserved for a while, and not handed to the ERP.
    /// Cash on delivery does not wait.
    public var awaitsPayment: Bool
    /// Why the platform thinks it may be fraud; nil if it does not.
    public var risk: String?

    /// A status.
    public init(
        shopStatus: String, payment: Payment, fulfilment: Fulfilment = .none, isCancelled: Bool = false,
        cancelledAt: Date? = nil, awaitsPayment: Bool = false, risk: String? = nil
    ) {
        self.shopStatus = shopStatus
        self.payment = payment
        self.fulfilment = fulfilment
        self.isCancelled = isCancelled
        self.cancelledAt = cancelledAt
        self.awaitsPayment = awaitsPayment
        self.risk = risk
    }

    private enum CodingKeys: String, CodingKey {
        case payment, fulfilment, risk
        case shopStatus = "shop_status"
        case isCancelled = "is_cancelled"
        case cancelledAt = "cancelled_at"
        case awaitsPayment = "awaits_payment"
    }
}

/// One line of an order, in units of the listing.
public struct OrderLine: Sendable, Hashable, Codable {
    /// The platform's id of the line.
    public var id: String
    /// What the shop sold: ``Listing``'s id, so that a changed SKU is found all the same; nil once it is deleted.
    public var listing: ListingID?
    /// The SKU as the shop shows it; nil or blank matches nothing (domain.md section 5).
    public var sku: ShopSKU?
    /// The shop's name of it.
    public var name: String
    /// Units that the order is for now, after edits.
    public var quantity: Quantity
    /// Units that were ordered first.
    public var orderedQuantity: Quantity
    /// The price of one unit before discount, without tax.
    public var unitNet: Amount
    /// The price of one unit before discount, with tax.
    public var unitGross: Amount
    /// What was taken off the line, with tax.
    public var discount: Amount
    /// Percent; nil where the shop does not say.
    public var taxRate: Quantity?
    /// The tax that is in ``total``.
    public var tax: Amount
    /// What the line costs: after discount, with tax.
    public var total: Amount

    /// A line.
    public init(
        id: String, listing: ListingID?, sku: ShopSKU?, name: String, quantity: Quantity, orderedQuantity: Quantity,
        unitNet: Amount, unitGross: Amount, discount: Amount = .zero, taxRate: Quantity? = nil, tax: Amount = .zero,
        total: Amount
    ) {
        self.id = id
        self.listing = listing
        self.sku = sku
        self.name = name
        self.quantity = quantity
        self.orderedQuantity = orderedQuantity
        self.unitNet = unitNet
        self.unitGross = unitGross
        self.discount = discount
        self.taxRate = taxRate
        self.tax = tax
        self.total = total
    }

    private enum CodingKeys: String, CodingKey {
        case id, listing, sku, name, quantity, discount, tax, total
        case orderedQuantity = "ordered_quantity"
        case unitNet = "unit_net"
        case unitGross = "unit_gross"
        case taxRate = "tax_rate"
    }
}
