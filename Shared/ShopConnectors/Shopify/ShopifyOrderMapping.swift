internal import Domain
internal import Foundation

/// Makes an order of Shopify's Admin API a canonical one. Pure.
///
/// **Quantities.** A line's quantity is what is on the order after edits: `currentQuantity`, and the units that were
/// refunded but not taken off the order, because money that goes back says nothing about goods. Units refunded with
/// `CANCEL` were taken off. Lines that were taken off as a whole are left out.
///
/// **Totals.** `currentTotalPriceSet` is what is left after edits and refunds; the canonical total does not take
/// refunds
/// off, so they are added back, less what was taken off the order with them. Where that is not the sum of the parts but
/// another of the shop's own totals is, that one counts: Shopify does not say how refunds without lines are treated.
/// Shopify states a line's discount and tax for all units ever ordered: of fewer they are taken in proportion, rounded
/// as the currency is, tax by its rate where there is one.
struct ShopifyOrderMapping {
    let shop: ShopName
    /// The shop's IANA zone, if it is known.
    let timeZone: String?

    /// The order, or what cannot be read of it.
    func read(_ facts: JSONFacts, _ parts: Parts) -> OrderReadingResult {
        do throws(UnreadableFact) {
            return .order(try order(facts, parts))
        } catch {
            return .unreadable(
                UnreadableOrder(
                    externalID: ShopifyID.number(facts["id"].textIfAny, "Order") ?? "without an id",
                    updatedAt: Self.moment(facts["updatedAt"]), problem: error.description))
        }
    }

    private func order(_ facts: JSONFacts, _ parts: Parts) throws(UnreadableFact) -> Order {
        guard let id = ShopifyID.number(facts["id"].textIfAny, "Order") else {
            throw facts["id"].problem("is no id of an order")
        }
        if let problem = parts.problem { throw problem }
        let placedAt = try facts["createdAt"].moment()
        let currency = CurrencyCode(facts["currencyCode"].words)
        let taken = try Taken(parts.refunds)
        let reader = ShopifyLineReader(
            taxesIncluded: facts["taxesIncluded"].isTrue, decimals: Self.decimals(of: currency), taken: taken)
        var (lines, takenValue) = ([OrderLine](), Amount.zero)
        for line in parts.lines {
            let (read, value) = try reader.line(line)
            takenValue += value
            if read.quantity > .zero { lines.append(read) }
        }
        let charges = try reader.charges(facts["shippingLines"])
        let refunds = try refunds(parts)
        let total = try Self.total(
            facts, sum: (lines.map(\.total) + charges.map(\.total)).reduce(.zero, +),
            refunded: refunds.reduce(.zero) { $0 + $1.amount }, taken: takenValue)
        let billing = Self.address(facts["billingAddress"])
        let payment = try ShopifyPayment(facts)
        return Order(
            shop: shop, externalID: id, number: facts["name"].textIfAny ?? id, placedAt: placedAt,
            updatedAt: try facts["updatedAt"].moment(), utcOffsetSeconds: offset(at: placedAt),
            status: payment.status(facts), currency: currency, pricesIncludeTax: facts["taxesIncluded"].isTrue,
            lines: lines, charges: charges,
            promotionCodes: try facts["discountCodes"].list().compactMap(\.textIfAny),
            totals: OrderTotals(
                discount: try Self.money(facts["currentTotalDiscountsSet"]),
                shipping: charges.reduce(.zero) { $0 + $1.total }, tax: try Self.money(facts["currentTotalTaxSet"]),
                total: total),
            payment: payment.payment, refunds: refunds, customer: Self.customer(facts), billingAddress: billing,
            shippingAddress: Self.address(facts["shippingAddress"]) ?? billing, note: facts["note"].words)
    }

    static func money(_ bag: JSONFacts) throws(UnreadableFact) -> Amount {
        try bag["shopMoney"]["amount"].amount()
    }

    private static func total(
        _ facts: JSONFacts, sum: Amount, refunded: Amount, taken: Amount
    ) throws(UnreadableFact) -> Amount {
        let current = try money(facts["currentTotalPriceSet"])
        let usual = current + refunded - taken
        let others = try facts["totalPriceSet"].exists ? [current, money(facts["totalPriceSet"])] : [current]
        return usual == sum ? usual : others.first { $0 == sum } ?? usual
    }

    private func refunds(_ parts: Parts) throws(UnreadableFact) -> [OrderRefund] {
        var refunds: [OrderRefund] = []
        for refund in parts.refunds {
            refunds.append(
                OrderRefund(
                    id: ShopifyID.number(refund["id"].textIfAny, "Refund") ?? refund["id"].words,
                    amount: try Self.money(refund["totalRefundedSet"]).magnitude, reason: refund["note"].words,
                    refundedAt: Self.moment(refund["createdAt"])))
        }
        return refunds
    }

    // MARK: - People

    private static let taxIDKeys: Set<String> = [
        "tax_id", "taxid", "tax id", "vat_number", "vat", "tax_code", "mst", "mã số thuế",
    ]

    private static func customer(_ facts: JSONFacts) -> OrderCustomer? {
        let person = facts["customer"]
        let country = (facts["shippingAddress"].exists ? facts["shippingAddress"] : facts["billingAddress"])[
            "countryCodeV2"
        ].textIfAny
        var name = [person["firstName"].words, person["lastName"].words].filter { !$0.isEmpty }.joined(separator: " ")
        if name.isEmpty { name = facts["billingAddress"]["name"].textIfAny ?? facts["shippingAddress"]["name"].words }
        let phone = facts["phone"].textIfAny ?? person["phone"].textIfAny ?? facts["shippingAddress"]["phone"].textIfAny
        let customer = OrderCustomer(
            id: ShopifyID.number(person["id"].textIfAny, "Customer"), name: name,
            email: ContactNormalizer.email(facts["email"].textIfAny ?? person["email"].textIfAny),
            phone: ContactNormalizer.phone(phone, country: country), taxID: taxID(facts))
        return customer == OrderCustomer(name: "") ? nil : customer
    }

    private static func taxID(_ facts: JSONFacts) -> String? {
        let attributes = (try? facts["customAttributes"].list()) ?? []
        let found = attributes.first {
            taxIDKeys.contains($0["key"].words.lowercased()) && $0["value"].textIfAny != nil
        }
        return found?["value"].textIfAny
    }

    private static func address(_ facts: JSONFacts) -> PostalAddress? {
        guard facts.exists else { return nil }
        let country = facts["countryCodeV2"].words
        let address = PostalAddress(
            name: facts["name"].words, company: facts["company"].words,
            street: [facts["address1"].words, facts["address2"].words].filter { !$0.isEmpty },
            city: facts["city"].words, province: facts["province"].words, postcode: facts["zip"].words,
            country: country, phone: ContactNormalizer.phone(facts["phone"].textIfAny, country: country))
        return address == PostalAddress(country: country) ? nil : address
    }

    // MARK: - Times and currencies

    static func moment(_ facts: JSONFacts) -> Date? { facts.textIfAny.flatMap { UTCTimestamp.parse($0) } }

    private func offset(at date: Date) -> Int {
        timeZone.flatMap { TimeZone(identifier: $0) }?.secondsFromGMT(for: date) ?? 0
    }

    /// Decimal places of a currency (ISO 4217).
    static func decimals(of currency: CurrencyCode) -> Int {
        switch currency.rawValue {
        case "VND", "JPY", "KRW", "CLP", "ISK", "PYG", "UGX", "XAF", "XOF", "XPF", "RWF", "KMF", "GNF", "DJF", "BIF",
            "VUV":
            0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        default: 2
        }
    }
}

extension ShopifyOrderMapping {
    /// The lists of an order, which may come in several answers.
    struct Parts {
        private(set) var lines: [JSONFacts] = []
        private(set) var refunds: [JSONFacts] = []
        /// Where to go on with the lines; nil if they are all here.
        private(set) var linesCursor: String?
        private(set) var hasMoreRefunds = false
        private(set) var problem: UnreadableFact?

        var isIncomplete: Bool { linesCursor != nil || hasMoreRefunds }

        init(_ order: JSONFacts) {
            add(lines: order["lineItems"])
            set(refunds: order["refunds"])
            hasMoreRefunds = refunds.contains { $0["refundLineItems"]["pageInfo"]["hasNextPage"].isTrue }
        }

        mutating func add(lines page: JSONFacts) {
            keep { (parts) throws(UnreadableFact) in parts.lines += try page["nodes"].list() }
            let goesOn = page["pageInfo"]["hasNextPage"].isTrue && problem == nil
            linesCursor = goesOn ? page["pageInfo"]["endCursor"].textIfAny : nil
        }

        mutating func set(refunds list: JSONFacts) {
            hasMoreRefunds = false
            keep { (parts) throws(UnreadableFact) in parts.refunds = try list.list() }
        }

        private mutating func keep(_ body: (inout Parts) throws(UnreadableFact) -> Void) {
            do throws(UnreadableFact) { try body(&self) } catch { problem = problem ?? error }
        }
    }

    /// Units of lines that were refunded, by the line's id.
    struct Taken {
        /// Money went back, the units are still part of the order.
        private(set) var refunded: [String: Quantity] = [:]
        /// Taken off the order together with the money.
        private(set) var cancelled: [String: Quantity] = [:]

        init(_ refunds: [JSONFacts]) throws(UnreadableFact) {
            for refund in refunds {
                for line in try refund["refundLineItems"]["nodes"].list() {
                    guard let id = line["lineItem"]["id"].textIfAny else { continue }
                    let units = try line["quantity"].quantity()
                    if line["restockType"].textIfAny == "CANCEL" {
                        cancelled[id, default: .zero] += units
                    } else {
                        refunded[id, default: .zero] += units
                    }
                }
            }
        }
    }
}
