/// An order that somebody places in a simulated shop. In JSON the names are in snake case.
public struct OrderRequest: Codable, Sendable {
    /// One thing to buy; named by ``id`` or else by ``sku``.
    public struct Line: Codable, Sendable {
        /// `product` or `parent/variation`.
        public var id: String?
        /// The SKU as the shop shows it.
        public var sku: String?
        /// Units.
        public var quantity: Int
        /// Exact decimal, before discount and tax; the shop's price unless stated.
        public var unitPrice: String?

        /// - Parameters: as the properties of the same names.
        public init(id: String? = nil, sku: String? = nil, quantity: Int, unitPrice: String? = nil) {
            (self.id, self.sku, self.quantity, self.unitPrice) = (id, sku, quantity, unitPrice)
        }

        private enum CodingKeys: String, CodingKey {
            case id, sku, quantity
            case unitPrice = "unit_price"
        }
    }

    /// Who buys; what is left out is made up.
    public struct Customer: Codable, Sendable {
        /// Given name.
        public var firstName: String?
        /// Family name.
        public var lastName: String?
        /// At example.com unless stated.
        public var email: String?
        /// As typed.
        public var phone: String?
        /// Number for a tax invoice.
        public var taxID: String?
        /// House and street.
        public var address: String?
        /// Town.
        public var city: String?
        /// Text: it may begin with 0.
        public var postcode: String?

        /// Everything is made up.
        public init() {}

        private enum CodingKeys: String, CodingKey {
            case email, phone, address, city, postcode
            case firstName = "first_name"
            case lastName = "last_name"
            case taxID = "tax_id"
        }
    }

    /// What is bought.
    public var lines: [Line]?
    /// Whether it is paid at once; yes unless stated or ``status`` is that of an order without money.
    public var paid: Bool?
    /// A status in WooCommerce's words: `pending`, `on-hold`, `completed`, or one that an extension invented.
    public var status: String?
    /// Placed and last changed so long ago.
    public var placedSecondsAgo: Double?
    /// The shop's unless stated; may be one that does not exist.
    public var currency: String?
    /// Taken off the lines in proportion to their value; exact decimal.
    public var discount: String?
    /// Exact decimal; 30,000 unless stated in dong, 2.50 in any other currency.
    public var shipping: String?
    /// The code that the customer typed.
    public var coupon: String?
    /// Who buys; made up unless stated.
    public var customer: Customer?
    /// The customer's note.
    public var note: String?
    /// `bacs` (a transfer) unless stated; `cod` is payment on delivery.
    public var paymentMethod: String?
    /// On top of the prices, in hundredths of a per cent; none unless stated.
    public var taxBasisPoints: Int?
    /// By how much the shop's total is wrong; exact decimal.
    public var totalOffBy: String?
    /// Adds a line whose SKU is blank.
    public var blankSKULine: Bool?
    /// The order has no lines, whatever ``lines`` says.
    public var noLines: Bool?
    /// Sells what the shop does not have, as it does where backorders are allowed.
    public var oversell: Bool?

    /// - Parameter lines: what is bought; everything else is as usual.
    public init(_ lines: [Line] = []) { self.lines = lines }

    private enum CodingKeys: String, CodingKey {
        case lines, paid, status, currency, discount, shipping, coupon, customer, note, oversell
        case placedSecondsAgo = "placed_seconds_ago"
        case paymentMethod = "payment_method"
        case taxBasisPoints = "tax_basis_points"
        case totalOffBy = "total_off_by"
        case blankSKULine = "blank_sku_line"
        case noLines = "no_lines"
    }
}

/// What somebody of the shop changes about an order.
public struct OrderEdit: Codable, Sendable {
    /// A new quantity for a line; 0 takes it out.
    public struct Line: Codable, Sendable {
        /// As ``OrderReport/Line/lineID``.
        public var lineID: Int
        /// Units.
        public var quantity: Int

        /// - Parameters: as the properties of the same names.
        public init(lineID: Int, quantity: Int) { (self.lineID, self.quantity) = (lineID, quantity) }

        private enum CodingKeys: String, CodingKey {
            case quantity
            case lineID = "line_id"
        }
    }

    /// Lines with another quantity.
    public var lines: [Line]?
    /// Further lines.
    public var add: [OrderRequest.Line]?
    /// Another customer's note.
    public var note: String?
    /// Another house and street to deliver to.
    public var address: String?

    /// - Parameters: as the properties of the same names.
    public init(
        lines: [Line]? = nil, add: [OrderRequest.Line]? = nil, note: String? = nil, address: String? = nil
    ) {
        (self.lines, self.add, self.note, self.address) = (lines, add, note, address)
    }
}

/// Money that somebody of the shop gives back; everything unless lines or an amount are given.
public struct OrderRefundRequest: Codable, Sendable {
    /// What is given back; exact decimal.
    public var amount: String?
    /// Units of lines that come back.
    public var lines: [OrderEdit.Line]?
    /// Puts the units back on the shelf.
    public var restock: Bool?
    /// For the customer to read.
    public var reason: String?

    /// - Parameters: as the properties of the same names.
    public init(
        amount: String? = nil, lines: [OrderEdit.Line]? = nil, restock: Bool? = nil, reason: String? = nil
    ) {
        (self.amount, self.lines, self.restock, self.reason) = (amount, lines, restock, reason)
    }
}

/// Why a simulated shop does not do what it is told.
public struct SimulatorProblem: Error, Sendable, CustomStringConvertible {
    /// As HTTP has it.
    public let status: Int
    /// For programs.
    public let code: String
    /// For people.
    public let description: String

    static func noOrder(_ id: Int) -> SimulatorProblem {
        SimulatorProblem(status: 404, code: "simulator_no_order", description: "There is no order \(id).")
    }

    static func bad(_ description: String) -> SimulatorProblem {
        SimulatorProblem(status: 400, code: "simulator_bad_request", description: description)
    }
}
