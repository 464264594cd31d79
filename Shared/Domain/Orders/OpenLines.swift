public import Foundation

/// When the ERP's numbers contain what we told it (domain.md, Reflected), where it gives no answers.
public struct ReflectionPolicy: Sendable, Hashable {
    /// Net numbers: seconds after its report was sent that the ERP has entered an order.
    public var entryLagSeconds: Double
    /// Gross numbers: seconds after its report was sent that an order has left the warehouse.
    public var shipLagSeconds: Double

    /// - Parameters:
    ///   - entryLagSeconds: `erp_entry_lag`.
    ///   - shipLagSeconds: `erp_ship_lag`.
    public init(entryLagSeconds: Double, shipLagSeconds: Double) {
        self.entryLagSeconds = entryLagSeconds
        self.shipLagSeconds = shipLagSeconds
    }

    /// The shorter of the two, in seconds.
    public var shortestLagSeconds: Double { min(entryLagSeconds, shipLagSeconds) }

    /// What was reported up to this moment is contained in all of these statements: the oldest of them counts. Nil
    /// without a statement, and then nothing is.
    public func cutoff(of statements: some Sequence<StockAsOf>) -> Date? {
        statements.map { statement in
            statement.asOf.addingTimeInterval(-(statement.isNet ? entryLagSeconds : shipLagSeconds))
        }.min()
    }
}

/// One source's statement about one code.
public struct StockAsOf: Sendable, Hashable {
    /// When the ERP extracted it, or restated it unchanged.
    public var asOf: Date
    /// Whether the ERP already took its own open orders off.
    public var isNet: Bool

    /// A statement.
    public init(asOf: Date, isNet: Bool) {
        self.asOf = asOf
        self.isNet = isNet
    }
}

/// What of an order line decides whether its units are still to be taken off the stock.
public struct OpenLine: Sendable, Hashable {
    /// The present quantity in ERP units.
    public var quantity: Quantity
    /// When the batch was sent that carried this quantity; nil as long as none did.
    public var reportSentAt: Date?
    /// When its units stop counting, while it is not paid; nil where it does not wait for payment.
    public var reservedUntil: Date?
    /// Whether its cancellation is final.
    public var isCancelled: Bool

    /// A line.
    public init(
        quantity: Quantity, reportSentAt: Date? = nil, reservedUntil: Date? = nil, isCancelled: Bool = false
    ) {
        self.quantity = quantity
        self.reportSentAt = reportSentAt
        self.reservedUntil = reservedUntil
        self.isCancelled = isCancelled
    }

    /// Whether the stock contains it already. `cutoff` is ``ReflectionPolicy/cutoff(of:)``.
    public func isReflected(upTo cutoff: Date?) -> Bool {
        guard let cutoff, let reportSentAt else { return false }
        return reportSentAt <= cutoff
    }

    /// Whether its units have to be taken off: neither cancelled, nor reflected, nor unpaid for too long, whatever its
    /// phase (domain.md, Open lines).
    public func counts(upTo cutoff: Date?, at now: Date) -> Bool {
        guard !isCancelled, quantity > .zero, !isReflected(upTo: cutoff) else { return false }
        return reservedUntil.map { $0 > now } ?? true
    }
}

/// What a shop itself has taken off its own stock for one line, and what it takes once the line changes.
///
/// A sale at a shop is pushed to the others, not back to it (domain.md, Pushing).
public enum OwnSale: Sendable, Hashable {
    /// Nothing changed for the shop's stock.
    case none
    /// It took so many units of the listing; negative if it put them back on sale.
    case units(Int)
    /// Nobody can tell whether it did: platforms differ in when an unpaid order takes stock.
    case unknown

    /// The change from what is known to what an event says.
    ///
    /// - Parameters:
    ///   - known: units that the shop took so far.
    ///   - quantity: units of the listing that the line is for now; 0 once it is cancelled.
    ///   - awaitsPayment: the order waits for payment now.
    ///   - awaitedPayment: it did before; nil if it is new.
    public init(known: Int, quantity: Int, awaitsPayment: Bool, awaitedPayment: Bool?) {
        if awaitsPayment || awaitedPayment == true {
            let isSame = known == quantity && awaitsPayment == awaitedPayment
            self = isSame ? .none : .unknown
        } else {
            self = known == quantity ? .none : .units(quantity - known)
        }
    }
}
