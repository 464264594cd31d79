/// What the configuration says about a shop's orders, in the terms of the rules.
public struct OrderPolicy: Sendable, Hashable {
    /// The currencies whose orders are taken.
    public var currencies: Set<CurrencyCode>
    /// How far the total may be from the sum of the parts before the order is held.
    public var roundingTolerance: Amount
    /// Seconds after its report for which an order counts as not yet shipped by the ERP.
    public var shipLagSeconds: Double
    /// Seconds for which the units of an unpaid order count as open.
    public var unpaidReserveSeconds: Double

    /// A policy.
    public init(
        currencies: Set<CurrencyCode>, roundingTolerance: Amount, shipLagSeconds: Double, unpaidReserveSeconds: Double
    ) {
        self.currencies = currencies
        self.roundingTolerance = roundingTolerance
        self.shipLagSeconds = shipLagSeconds
        self.unpaidReserveSeconds = unpaidReserveSeconds
    }
}

/// What we add to the facts of an order: what its lines are in the ERP, and why it may not go there yet
/// (domain.md section 3, Holding). A function of the order, the mapping and the configuration alone.
public struct OrderAssessment: Sendable, Hashable {
    /// The facts, with a rounding charge where the shop's total differs from its parts within the tolerance.
    public let order: Order
    /// One entry a line.
    public let lines: [OrderLineMapping]
    /// Why it is kept back; empty if it is not. One hold a code, in the order of the codes.
    public let holds: [OrderHold]

    /// Assesses an order. A rounding charge of an earlier assessment is set aside first, so that the result does not
    /// depend on what was assessed before.
    public init(of facts: Order, mapping: OrderMapping, policy: OrderPolicy) {
        var order = facts
        order.charges.removeAll { $0.kind == .rounding }
        var lines: [OrderLineMapping] = []
        var troubled: [OrderHold.Code: [OrderLine]] = [:]
        for line in order.lines {
            var code: ERPCode?
            var units = 1
            // A line that was edited away needs no code.
            let matters = line.quantity > .zero
            switch mapping.resolution(of: line) {
            case .mapped(let found, let perPack): (code, units) = (found, perPack)
            case .unmapped: if matters { troubled[.unmappedSKU, default: []].append(line) }
            case .blank: if matters { troubled[.blankSKU, default: []].append(line) }
            case .ambiguous: if matters { troubled[.ambiguousSKU, default: []].append(line) }
            }
            lines.append(
                OrderLineMapping(
                    lineID: line.id, erpCode: code, unitsPerPack: units,
                    erpQuantity: line.quantity.multiplied(by: units)))
        }
        var holds = OrderHold.Code.allCases.compactMap { code in
            troubled[code].map { OrderHold(code, Self.sentence(code, $0), lineIDs: $0.map(\.id)) }
        }
        if order.lines.isEmpty { holds.append(OrderHold(.noLines, "The shop names no lines for it.")) }
        let difference = order.totals.total - Self.sum(order)
        if difference.magnitude > policy.roundingTolerance {
            holds.append(
                OrderHold(
                    .totalMismatch,
                    "Its lines and charges add up to \(Self.sum(order)), the shop's total is \(order.totals.total) "
                        + "\(order.currency)."))
        } else if !difference.isZero {
            order.charges.append(OrderCharge(kind: .rounding, name: "rounding", total: difference))
        }
        if !policy.currencies.contains(order.currency) {
            let known = policy.currencies.sorted().map(\.rawValue).joined(separator: ", ")
            holds.append(
                OrderHold(
                    .unknownCurrency, "Its currency '\(order.currency)' is none of the shop's (\(known))."))
        }
        if let risk = order.status.risk {
            holds.append(OrderHold(.risk, "The platform says that it may be fraud: \(risk.prefix(200))"))
        }
        self.order = order
        self.lines = lines
        self.holds = holds
    }

    private static func sum(_ order: Order) -> Amount {
        order.lines.reduce(.zero) { $0 + $1.total } + order.charges.reduce(.zero) { $0 + $1.total }
    }

    private static func sentence(_ code: OrderHold.Code, _ lines: [OrderLine]) -> String {
        let names = Array(Set(lines.map { $0.sku?.rawValue ?? "" })).sorted().filter { !$0.isEmpty }
        let list = names.prefix(10).map { "'\($0.prefix(60))'" }.joined(separator: ", ")
        let more = names.count > 10 ? " and \(names.count - 10) more" : ""
        switch code {
        case .blankSKU: return "\(lines.count) of its lines have no SKU, and their listings no mapping."
        case .ambiguousSKU: return "Several ERP codes are possible for \(list)\(more)."
        default: return "There is no ERP code for \(list)\(more)."
        }
    }
}

extension [OrderHold] {
    /// What still holds after a person has let some causes go: a cause is let go for the lines that it was seen on, and
    /// a cause that concerns the whole order as long as it is the very same.
    public func without(released: [OrderHold]) -> [OrderHold] {
        filter { hold in
            !released.contains { past in
                past.code == hold.code
                    && (hold.lineIDs.isEmpty
                        ? past.text == hold.text : Set(hold.lineIDs).isSubset(of: Set(past.lineIDs)))
            }
        }
    }
}
