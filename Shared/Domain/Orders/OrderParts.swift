public import Foundation

/// Something besides goods that an order costs.
public struct OrderCharge: Sendable, Hashable, Codable {
    /// What it is for.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Carrying the goods.
        case shipping
        /// Any other fee.
        case fee
        /// Ours, not the shop's: what the shop's total differs from the sum of its parts, within the tolerance.
        case rounding
    }

    /// What it is for.
    public var kind: Kind
    /// The shop's name of it, such as the carrier.
    public var name: String
    /// The tax that is in ``total``.
    public var tax: Amount
    /// What it costs: after discount, with tax; may be negative.
    public var total: Amount

    /// A charge.
    public init(kind: Kind, name: String, tax: Amount = .zero, total: Amount) {
        self.kind = kind
        self.name = name
        self.tax = tax
        self.total = total
    }
}

/// The sums as the shop states them. With tax, after discount; money that went back is not taken off.
public struct OrderTotals: Sendable, Hashable, Codable {
    /// What was taken off all lines together.
    public var discount: Amount
    /// Shipping.
    public var shipping: Amount
    /// The tax that is in ``total``.
    public var tax: Amount
    /// What the customer pays: the authority over everything that is added up.
    public var total: Amount

    /// The sums of an order.
    public init(discount: Amount = .zero, shipping: Amount = .zero, tax: Amount = .zero, total: Amount) {
        self.discount = discount
        self.shipping = shipping
        self.tax = tax
        self.total = total
    }
}

/// How an order is paid.
public struct OrderPayment: Sendable, Hashable, Codable {
    /// The platform's name of the method, such as `cod`.
    public var method: String
    /// The payment provider's reference.
    public var reference: String
    /// When it was paid.
    public var paidAt: Date?

    /// A payment.
    public init(method: String = "", reference: String = "", paidAt: Date? = nil) {
        self.method = method
        self.reference = reference
        self.paidAt = paidAt
    }

    private enum CodingKeys: String, CodingKey {
        case method, reference
        case paidAt = "paid_at"
    }
}

/// Money that went back to the customer. Implies nothing about goods (domain.md, State).
public struct OrderRefund: Sendable, Hashable, Codable {
    /// The platform's id of it.
    public var id: String
    /// How much, as a positive amount.
    public var amount: Amount
    /// Why, in the shop's words.
    public var reason: String
    /// When, where the shop says so.
    public var refundedAt: Date?

    /// A refund.
    public init(id: String, amount: Amount, reason: String = "", refundedAt: Date? = nil) {
        self.id = id
        self.amount = amount
        self.reason = reason
        self.refundedAt = refundedAt
    }

    private enum CodingKeys: String, CodingKey {
        case id, amount, reason
        case refundedAt = "refunded_at"
    }
}

/// Who bought. Personal data: never in a log, a metric or an error.
public struct OrderCustomer: Sendable, Hashable, Codable {
    /// The platform's id of the customer; nil for a guest.
    public var id: String?
    /// The name.
    public var name: String
    /// Normalised: trimmed, lower-case; nil if there is none.
    public var email: String?
    /// Normalised: digits with a leading `+` where the country is known; nil if there is none.
    public var phone: String?
    /// The tax id for the invoice, where the shop asks for one.
    public var taxID: String?

    /// A customer.
    public init(id: String? = nil, name: String, email: String? = nil, phone: String? = nil, taxID: String? = nil) {
        self.id = id
        self.name = name
        self.email = email
        self.phone = phone
        self.taxID = taxID
    }

    private enum CodingKeys: String, CodingKey {
        case id, name, email, phone
        case taxID = "tax_id"
    }
}

/// A postal address. Personal data: never in a log, a metric or an error.
public struct PostalAddress: Sendable, Hashable, Codable {
    /// Who lives there.
    public var name: String
    /// The company.
    public var company: String
    /// Street and house, one or two lines.
    public var street: [String]
    /// Ward or district, where the shop keeps it apart.
    public var district: String
    /// City.
    public var city: String
    /// Province or state.
    public var province: String
    /// Postal code, as text.
    public var postcode: String
    /// ISO 3166 letters.
    public var country: String
    /// Normalised as the customer's.
    public var phone: String?

    /// An address.
    public init(
        name: String = "", company: String = "", street: [String] = [], district: String = "", city: String = "",
        province: String = "", postcode: String = "", country: String = "", phone: String? = nil
    ) {
        self.name = name
        self.company = company
        self.street = street
        self.district = district
        self.city = city
        self.province = province
        self.postcode = postcode
        self.country = country
        self.phone = phone
    }
}
