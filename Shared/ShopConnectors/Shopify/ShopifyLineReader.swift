internal import Domain

/// Reads the lines and charges of one order.
struct ShopifyLineReader {
    /// Whether prices and discounts contain the tax.
    let taxesIncluded: Bool
    /// Of the order's currency.
    let decimals: Int
    let taken: ShopifyOrderMapping.Taken

    /// A line, and what the units that were taken off it together with money were worth.
    func line(_ line: JSONFacts) throws(UnreadableFact) -> (OrderLine, taken: Amount) {
        let id = try line["id"].identifier()
        let ordered = try line["quantity"].quantity()
        let current = min(
            ordered, try line["currentQuantity"].quantity() + (taken.refunded[id] ?? .zero))
        let values = try Values(line, ordered: ordered, self)
        let now = values.of(current)
        let cancelled = taken.cancelled[id].map { values.of($0).total } ?? .zero
        let unit = try ShopifyOrderMapping.money(line["originalUnitPriceSet"])
        let unitTax = values.taxOfOneUnit(unit)
        let variant = ShopifyID.number(line["variant"]["id"].textIfAny, "ProductVariant")
        let product = ShopifyID.number(line["variant"]["product"]["id"].textIfAny, "Product")
        return (
            OrderLine(
                id: ShopifyID.number(id, "LineItem") ?? id,
                listing: variant.flatMap { variant in product.map { ListingID(parent: $0, variation: variant) } },
                sku: line["sku"].textIfAny.map { ShopSKU(rawValue: $0) }, name: line["name"].words, quantity: current,
                orderedQuantity: ordered, unitNet: taxesIncluded ? unit - unitTax : unit,
                unitGross: taxesIncluded ? unit : unit + unitTax, discount: now.discount, taxRate: values.rate,
                tax: now.tax, total: now.total),
            cancelled
        )
    }

    /// Shipping, after discounts.
    func charges(_ lines: JSONFacts) throws(UnreadableFact) -> [OrderCharge] {
        var charges: [OrderCharge] = []
        for line in try lines["nodes"].list() {
            let price = try ShopifyOrderMapping.money(line["discountedPriceSet"])
            let tax = try Self.sum(line["taxLines"], "priceSet")
            charges.append(
                OrderCharge(
                    kind: .shipping, name: line["title"].words, tax: tax, total: taxesIncluded ? price : price + tax))
        }
        return charges
    }

    private static func sum(_ list: JSONFacts, _ name: String) throws(UnreadableFact) -> Amount {
        var sum = Amount.zero
        for element in try list.list() { sum += try ShopifyOrderMapping.money(element[name]) }
        return sum
    }

    /// What a line is worth, for any number of its units.
    private struct Values {
        let unit: Amount
        let ordered: Quantity
        /// Of all units ever ordered.
        let discount: Amount
        let tax: Amount
        /// Percent, if one rate applies.
        let rate: Quantity?
        let reader: ShopifyLineReader

        init(_ line: JSONFacts, ordered: Quantity, _ reader: ShopifyLineReader) throws(UnreadableFact) {
            unit = try ShopifyOrderMapping.money(line["originalUnitPriceSet"])
            self.ordered = ordered
            self.reader = reader
            discount = try ShopifyLineReader.sum(line["discountAllocations"], "allocatedAmountSet")
            tax = try ShopifyLineReader.sum(line["taxLines"], "priceSet")
            let rates = try line["taxLines"].list()
            rate = rates.count == 1 ? rates.first?["ratePercentage"].textIfAny.flatMap { Quantity($0) } : nil
        }

        func of(_ units: Quantity) -> (discount: Amount, tax: Amount, total: Amount) {
            let price = unit.times(units)
            guard units != ordered else {
                // The shop's own numbers.
                let total = price - discount + (reader.taxesIncluded ? .zero : tax)
                return (grossDiscount(discount), tax, total)
            }
            let discount = rounded(share(discount, units))
            let tax = taxed(price - discount) ?? rounded(share(tax, units))
            return (grossDiscount(discount), tax, price - discount + (reader.taxesIncluded ? .zero : tax))
        }

        /// Of one unit before discount; in proportion where no single rate is known.
        func taxOfOneUnit(_ unit: Amount) -> Amount {
            if let rate {
                return reader.taxesIncluded
                    ? unit.scaled(by: Amount(micro: rate.micro), over: Amount(100) + Amount(micro: rate.micro))
                    : unit.scaled(by: Amount(micro: rate.micro), over: Amount(100))
            }
            let price = unit.times(ordered) - discount
            return tax.scaled(by: unit, over: price)
        }

        /// Discounts are stated as prices are; a line's is with tax.
        private func grossDiscount(_ discount: Amount) -> Amount {
            guard !reader.taxesIncluded, let rate else { return discount }
            return discount + rounded(discount.scaled(by: Amount(micro: rate.micro), over: Amount(100)))
        }

        private func taxed(_ price: Amount) -> Amount? {
            guard let rate else { return nil }
            let percent = Amount(micro: rate.micro)
            return rounded(price.scaled(by: percent, over: reader.taxesIncluded ? Amount(100) + percent : Amount(100)))
        }

        private func share(_ amount: Amount, _ units: Quantity) -> Amount {
            amount.scaled(by: Amount(micro: units.micro), over: Amount(micro: ordered.micro))
        }

        /// To the currency's decimals, half away from zero.
        private func rounded(_ amount: Amount) -> Amount {
            var step: Int64 = Quantity.microPerUnit
            for _ in 0..<reader.decimals { step /= 10 }
            let half = amount.micro < 0 ? -step / 2 : step / 2
            // An amount at the end of the range is wrong anyway; it must not stop the process.
            return Amount(micro: (amount + Amount(micro: half)).micro / step * step)
        }
    }
}
