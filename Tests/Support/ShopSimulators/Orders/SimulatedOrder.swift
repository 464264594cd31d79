import Foundation

/// An order as a simulated shop keeps it, in the terms of no platform. Times are whole seconds of the shop's clock.
struct SimulatedOrder: Sendable {
    /// Unique in the shop, growing with each order.
    let id: Int
    /// 1 for the shop's first order.
    let sequence: Int
    /// What the customer sees.
    var number: String
    let currency: String
    let placedAt: Date
    /// Raised by every change.
    var updatedAt: Date
    var facts: OrderFacts
    var lines: [OrderLine]
    var shipping: ShippingLine?
    var discountCodes: [DiscountCode]
    var customer: OrderCustomer
    var billing: PostalAddress
    var shippingAddress: PostalAddress
    /// The platform's code, such as `cod` or `bacs`.
    var paymentMethod: String
    /// The customer's note.
    var note: String
    /// By how much the shop's total is wrong.
    var totalOffBy = Amount.zero
    /// Notes of the shop's people and of programs.
    var shopNotes: [ShopNote] = []
    var refunds: [OrderRefund] = []
    /// What programs have attached: key, value as raw JSON.
    var metaData: [(id: Int, key: String, value: JSONValue)] = []

    var decimals: Int { Amount.decimals(of: currency) }
    /// Before discount, without tax.
    var subtotal: Amount { lines.reduce(.zero) { $0 + $1.subtotal } }
    var discountTotal: Amount { lines.reduce(.zero) { $0 + $1.discount } }
    var taxTotal: Amount { lines.reduce(.zero) { $0 + $1.tax } }
    var shippingTotal: Amount { shipping?.price ?? .zero }
    var refundTotal: Amount { refunds.reduce(.zero) { $0 + $1.amount } }
    /// What the customer pays as the shop says it: the sum of the rest, and ``totalOffBy``.
    var total: Amount { subtotal - discountTotal + taxTotal + shippingTotal + totalOffBy }
}

/// What a shop says about an order's state; each axis on its own.
struct OrderFacts: Sendable, Equatable {
    var paidAt: Date?
    var cancelledAt: Date?
    var fulfilledAt: Date?
    var isOnHold = false
    var hasFailed = false
    /// In the bin: no list shows it unless it is asked for.
    var deletedAt: Date?
    /// All of it was given back.
    var isRefunded = false
    /// A status that an extension of the shop invented; shown in place of what the facts say.
    var customStatus: String?

    var isPaid: Bool { paidAt != nil }
    var isCancelled: Bool { cancelledAt != nil }
    var isFulfilled: Bool { fulfilledAt != nil }
    var isDeleted: Bool { deletedAt != nil }
}

/// A line of an order.
struct OrderLine: Sendable {
    /// Unique in the shop.
    let id: Int
    /// 0 for a line without a product.
    let itemID: Int
    /// `product` or `parent/variation`; blank for a line without a product.
    let itemKey: String
    /// As it was shown when the order was placed.
    let sku: String
    let name: String
    /// With what an edit added, where the platform counts that as ordered.
    var orderedQuantity: Int
    /// After edits; 0 for a line that was taken out.
    var quantity: Int
    /// Before discount and tax.
    let unitPrice: Amount
    /// Of the whole line.
    var discount: Amount
    /// In hundredths of a per cent, on top of the price.
    let taxBasisPoints: Int
    /// Units that this line has taken out of stock and not given back.
    var takenFromStock = 0
    /// Units given back for money.
    var refundedQuantity = 0
    /// Of the order's currency.
    let decimals: Int

    var subtotal: Amount { unitPrice * quantity }
    /// After discount, without tax.
    var total: Amount { subtotal - discount }
    var tax: Amount { total.times(taxBasisPoints, over: 10_000, decimals: decimals) }
    var productID: Int { itemKey.split(separator: "/").first.flatMap { Int($0) } ?? 0 }
    var variationID: Int { itemKey.contains("/") ? itemID : 0 }

    /// Sets the quantity; the discount shrinks and grows with it.
    mutating func change(quantity new: Int) {
        discount = discount.times(new, over: quantity, decimals: decimals)
        quantity = new
    }
}

/// What a delivery costs.
struct ShippingLine: Sendable {
    let id: Int
    let title: String
    let price: Amount
}

/// A code that the customer typed, and what it took off.
struct DiscountCode: Sendable {
    let id: Int
    let code: String
    let amount: Amount
}

/// Who bought. Made up: nobody of that name and address exists.
struct OrderCustomer: Sendable {
    /// 0 for a guest.
    var id = 0
    var firstName = ""
    var lastName = ""
    var email = ""
    var phone = ""
    var taxID = ""
}

/// Where something goes.
struct PostalAddress: Sendable, Equatable {
    var firstName = ""
    var lastName = ""
    var company = ""
    var address1 = ""
    var city = ""
    var state = ""
    var postcode = ""
    var country = "VN"
    var phone = ""
}

/// A note of the shop's people or of a program.
struct ShopNote: Sendable {
    let id: Int
    let text: String
    /// Whether the customer was sent it.
    let isForCustomer: Bool
    let createdAt: Date
}

/// Money given back.
struct OrderRefund: Sendable {
    struct Line: Sendable {
        let lineID: Int
        let quantity: Int
        let amount: Amount
    }

    let id: Int
    let amount: Amount
    let reason: String
    let lines: [Line]
    let restocked: Bool
    let createdAt: Date
}

/// Something that happened to an order, for whoever subscribed to it.
struct OrderEvent: Sendable {
    enum Kind: Sendable, Equatable {
        case created, updated, edited, paid, cancelled, fulfilled, refunded, deleted
    }

    let kind: Kind
    let orderID: Int
}
