public import Foundation

/// What the ERP was told about an order.
public struct OrderReportFacts: Sendable, Hashable, Codable {
    /// When a batch first carried it: what the ERP may have begun to ship since.
    public var firstSentAt: Date
    /// When the newest batch carried it.
    public var sentAt: Date
    /// The newest batch.
    public var batchID: String
    /// The version that the newest batch carried.
    public var version: OrderVersion
    /// Whether the newest batch said that it is cancelled.
    public var asCancelled: Bool

    /// What the ERP was told.
    public init(firstSentAt: Date, sentAt: Date, batchID: String, version: OrderVersion, asCancelled: Bool) {
        self.firstSentAt = firstSentAt
        self.sentAt = sentAt
        self.batchID = batchID
        self.version = version
        self.asCancelled = asCancelled
    }
}

/// How far a cancellation is, where the ERP gives no answers (domain.md section 3, Holding).
public enum OrderCancellationRule {
    /// The state that the facts ask for.
    ///
    /// Not yet reported, or reported less than the ship lag ago: final when the shop says so. Later: a task for a
    /// person. Shipped by the shop's own word: refused.
    public static func wanted(
        status: OrderStatus, report: OrderReportFacts?, now: Date, shipLagSeconds: Double
    ) -> OrderCancellation? {
        guard status.isCancelled else { return nil }
        if status.fulfilment == .shipped { return .refused }
        guard let report, !report.asCancelled else { return .cancelled }
        if status.fulfilment == .partShipped { return .requested }
        return now < report.firstSentAt.addingTimeInterval(shipLagSeconds) ? .cancelled : .requested
    }

    /// Whether the table of transitions allows to go from one state to another; a state may always stay.
    ///
    /// - Parameter toldERP: Whether the ERP was told that the order is cancelled.
    public static func allows(
        _ present: OrderCancellation?, _ next: OrderCancellation?, toldERP: Bool
    ) -> Bool {
        switch (present, next) {
        case _ where present == next: true
        case (nil, .requested), (nil, .cancelled), (nil, .refused): true
        // The shop takes its wish back, the ERP answers, or it has shipped meanwhile.
        case (.requested, nil), (.requested, .pendingERP), (.requested, .cancelled), (.requested, .refused): true
        case (.pendingERP, .cancelled), (.pendingERP, .refused): true
        // Opened again at the shop: possible until the ERP has heard of the cancellation.
        case (.cancelled, nil): !toldERP
        case (.refused, nil): true
        default: false
        }
    }

    /// The state after the shop's word, and whether the table refused what it asks for.
    ///
    /// A state that is final or waits for somebody does not change because time has passed or the same wish is read
    /// again.
    public static func next(
        after present: OrderCancellation?, status: OrderStatus, report: OrderReportFacts?, now: Date,
        shipLagSeconds: Double
    ) -> (state: OrderCancellation?, isRefused: Bool) {
        var wanted = wanted(status: status, report: report, now: now, shipLagSeconds: shipLagSeconds)
        if status.isCancelled, let present, present != .refused, wanted != .refused || present == .cancelled {
            wanted = present
        }
        let isAllowed = allows(present, wanted, toldERP: report?.asCancelled ?? false)
        return isAllowed ? (wanted, false) : (present, true)
    }
}
