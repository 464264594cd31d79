/// What decides whether and where an order stands in the next order report.
///
/// Statements about one order are numbered from 1: each different thing that there was to tell the ERP about it, in
/// the order in which we learnt them. An order asked to be sent once more gets one more, with the same content.
public struct ReportCandidate: Sendable, Hashable {
    /// The number of the newest statement.
    public var newest: Int
    /// The number of the newest statement that a batch carries; nil if none does.
    public var carried: Int?
    /// The shop no longer wants it: cancelled there, whether or not that is final.
    public var isWithdrawn: Bool
    /// The cancellation is final.
    public var isCancelled: Bool
    /// Something keeps it back from the ERP.
    public var isHeld: Bool
    /// The customer has still to pay before it counts.
    public var awaitsPayment: Bool
    /// Somebody asked for it to be sent once more as if it had not been.
    public var isRepeated: Bool
    /// A report before this one has counted the newest statement among those cancelled before they were ever sent.
    public var isCounted: Bool

    /// What is known of an order.
    public init(
        newest: Int, carried: Int? = nil, isWithdrawn: Bool = false, isCancelled: Bool = false, isHeld: Bool = false,
        awaitsPayment: Bool = false, isRepeated: Bool = false, isCounted: Bool = false
    ) {
        self.newest = newest
        self.carried = carried
        self.isWithdrawn = isWithdrawn
        self.isCancelled = isCancelled
        self.isHeld = isHeld
        self.awaitsPayment = awaitsPayment
        self.isRepeated = isRepeated
        self.isCounted = isCounted
    }
}

/// Where an order stands in an order report.
public enum ReportPlace: String, Sendable, Hashable, CaseIterable {
    /// On *Lines*: it was never sent.
    case lines
    /// On *Changes*: it was sent, and there is something newer to say.
    case changes
    /// On *Held*: there is something to say, and something keeps it back.
    case held
    /// Only counted: it was cancelled before it was ever sent.
    case counted
}

/// Which orders stand where in an order report (domain.md, "Order report").
///
/// "Complete, and not yet in a batch": never by time.
public enum ReportSelection {
    /// Where an order stands; nil if there is nothing new to say about it.
    public static func place(of order: ReportCandidate) -> ReportPlace? {
        guard let carried = order.carried else {
            if order.isWithdrawn || order.isCancelled { return order.isCounted ? nil : .counted }
            return order.isHeld || order.awaitsPayment ? .held : .lines
        }
        if carried >= order.newest { return nil }
        // The ERP has it and must learn of its end, whatever keeps the order itself back.
        if order.isCancelled { return .changes }
        if order.isHeld || order.awaitsPayment { return .held }
        return order.isRepeated ? .lines : .changes
    }

    /// The order in the ledger after a batch carried or counted it there.
    public static func settled(_ order: ReportCandidate, at place: ReportPlace) -> ReportCandidate {
        var order = order
        switch place {
        case .lines, .changes:
            order.carried = order.newest
            order.isRepeated = false
        case .counted: order.isCounted = true
        case .held: break
        }
        return order
    }
}
