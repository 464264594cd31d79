public import Foundation

/// What an order report said of an order, as far as it can be read back from the report itself: after the database was
/// restored to a moment before that report, nobody knows better.
public struct ReportedContent: Sendable, Hashable, Codable {
    /// Goods that are to be sent.
    public struct Line: Sendable, Hashable, Codable, Comparable {
        /// The shop's SKU; empty if it has none.
        public var sku: String
        /// The ERP's code.
        public var code: String
        /// In the shop's units.
        public var quantity: Quantity
        /// In the ERP's units.
        public var units: Quantity

        /// A line.
        public init(sku: String, code: String, quantity: Quantity, units: Quantity) {
            self.sku = sku
            self.code = code
            self.quantity = quantity
            self.units = units
        }

        /// By SKU, code, quantities.
        public static func < (left: Line, right: Line) -> Bool {
            (left.sku, left.code, left.quantity, left.units) < (right.sku, right.code, right.quantity, right.units)
        }
    }

    /// Sorted; none if it was called off.
    public var lines: [Line]
    /// What the customer pays.
    public var total: Amount
    /// It was called off.
    public var isCancelled: Bool

    /// What stood in a report.
    public init(lines: [Line], total: Amount, isCancelled: Bool) {
        self.lines = isCancelled ? [] : lines.filter { $0.quantity != .zero }.sorted()
        self.total = total
        self.isCancelled = isCancelled
    }

    /// What a report would say of an order now.
    public init(_ said: OrderStatement) {
        let mappings = said.mappings
        let lines = said.order.lines.map { line in
            let mapping = mappings[line.id]
            return Line(
                sku: line.sku?.rawValue ?? "", code: mapping?.erpCode?.rawValue ?? "", quantity: line.quantity,
                units: mapping?.erpQuantity ?? .zero)
        }
        self.init(lines: lines, total: said.order.totals.total, isCancelled: said.isCancelled)
    }

    private enum CodingKeys: String, CodingKey {
        case lines, total
        case isCancelled = "is_cancelled"
    }

    /// The shop's clock and ours may be so many seconds apart, generously.
    private static let doubtSeconds = 120.0

    /// Whether the ERP need not be told of an order again after a restore: a report said the same, and the shop has
    /// not touched the order since that report knew its orders. In doubt it is told again, as a change, which sets the
    /// ERP right whatever it knows and is no second order.
    ///
    /// - Parameters:
    ///   - now: what a report would say now.
    ///   - updatedAt: when the shop touched the order last.
    ///   - knownUpTo: up to when the orders were known to the report that said `self`; nil if nobody knows.
    public func stillHolds(_ now: ReportedContent, updatedAt: Date, knownUpTo: Date?) -> Bool {
        guard let knownUpTo, updatedAt <= knownUpTo.addingTimeInterval(-Self.doubtSeconds) else { return false }
        return self == now
    }
}
