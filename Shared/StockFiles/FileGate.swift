public import Domain
public import Foundation

/// What the gate knows of a snapshot.
public struct SnapshotStatistics: Sendable, Equatable {
    /// When the ERP extracted it.
    public var asOf: Date
    /// The digest of the content.
    public var digest: String
    /// Accepted rows.
    public var rows: Int
    /// Units over all rows, negatives counted as 0.
    public var totalUnits: Quantity

    /// - Parameters:
    ///   - asOf: When the ERP extracted it.
    ///   - digest: The digest of the content.
    ///   - rows: Accepted rows.
    ///   - totalUnits: Units over all rows, negatives counted as 0.
    public init(asOf: Date, digest: String, rows: Int, totalUnits: Quantity) {
        self.asOf = asOf
        self.digest = digest
        self.rows = rows
        self.totalUnits = totalUnits
    }
}

/// The live snapshot, and what taking the new one would do to it.
public struct PreviousSnapshot: Sendable, Equatable {
    /// The live snapshot.
    public var statistics: SnapshotStatistics
    /// SKUs that have stock now.
    public var skusWithStock: Int
    /// Those of them that would have none.
    public var skusGoingToZero: Int

    /// - Parameters:
    ///   - statistics: The live snapshot.
    ///   - skusWithStock: SKUs that have stock now.
    ///   - skusGoingToZero: Those of them that would have none, after the source's rule for missing SKUs.
    public init(statistics: SnapshotStatistics, skusWithStock: Int, skusGoingToZero: Int) {
        self.statistics = statistics
        self.skusWithStock = skusWithStock
        self.skusGoingToZero = skusGoingToZero
    }
}

/// How far a snapshot may move from the one before; shares of 1. A movement of exactly the limit passes.
public struct GateLimits: Sendable, Equatable {
    /// The number of rows, up or down.
    public var rowChange: Double
    /// The share of SKUs with stock that would have none.
    public var toZero: Double
    /// The total units, up or down.
    public var unitsChange: Double

    /// The defaults of the configuration, unless stated.
    public init(rowChange: Double = 0.2, toZero: Double = 0.3, unitsChange: Double = 0.5) {
        self.rowChange = rowChange
        self.toZero = toZero
        self.unitsChange = unitsChange
    }
}

/// Why a snapshot waits for an operator.
public enum HoldReason: Sendable, Equatable {
    /// The number of rows moved too far.
    case rowChange(before: Int, after: Int, limit: Double)
    /// Too many SKUs would have no stock.
    case goingToZero(skus: Int, of: Int, limit: Double)
    /// The total units moved too far.
    case unitsChange(before: Quantity, after: Quantity, limit: Double)
    /// Another content with the `as_of` of the live snapshot: a correction.
    case correction(asOf: Date)

    /// From a closed set: safe as a metric's dimension.
    public var label: String {
        switch self {
        case .rowChange: "row_change"
        case .goingToZero: "going_to_zero"
        case .unitsChange: "units_change"
        case .correction: "correction"
        }
    }
}

/// What becomes of a snapshot.
public enum GateDecision: Sendable, Equatable {
    /// It becomes the live one.
    case accept
    /// It is the live one already: same digest, same `as_of`. Recorded, nothing else.
    case unchanged
    /// It waits for an operator; the live one stays.
    case hold([HoldReason])
    /// It is older than the live one and can never replace it.
    case refuseOlder(asOf: Date, live: Date)
}

/// Decides over a new snapshot (domain.md section 2, "The file gate").
///
/// - Parameters:
///   - snapshot: The new one.
///   - previous: The live one, nil for a source's first: that has nothing to be compared with and is accepted.
///   - limits: How far it may move.
public func gateDecision(
    statistics snapshot: SnapshotStatistics, previous: PreviousSnapshot?, limits: GateLimits
) -> GateDecision {
    guard let previous else { return .accept }
    let live = previous.statistics
    if snapshot.asOf < live.asOf { return .refuseOlder(asOf: snapshot.asOf, live: live.asOf) }
    var reasons: [HoldReason] = []
    if snapshot.asOf == live.asOf {
        if snapshot.digest == live.digest { return .unchanged }
        reasons.append(.correction(asOf: snapshot.asOf))
    }
    if moved(from: Double(live.rows), to: Double(snapshot.rows), beyond: limits.rowChange) {
        reasons.append(.rowChange(before: live.rows, after: snapshot.rows, limit: limits.rowChange))
    }
    let zero = previous.skusGoingToZero
    if exceeds(Double(zero), share: limits.toZero, of: Double(previous.skusWithStock)) {
        reasons.append(.goingToZero(skus: zero, of: previous.skusWithStock, limit: limits.toZero))
    }
    let units = (before: live.totalUnits, after: snapshot.totalUnits)
    if moved(from: Double(units.before.micro), to: Double(units.after.micro), beyond: limits.unitsChange) {
        reasons.append(.unitsChange(before: units.before, after: units.after, limit: limits.unitsChange))
    }
    return reasons.isEmpty ? .accept : .hold(reasons)
}

/// From nothing to something is no movement that a share could measure: stock that appears is no danger to a shelf.
private func moved(from before: Double, to after: Double, beyond share: Double) -> Bool {
    before > 0 && exceeds(abs(after - before), share: share, of: before)
}

/// Compared as a product with a little slack: 200 of 1,000 is not more than 0.2, whatever binary fractions make of it.
private func exceeds(_ part: Double, share: Double, of whole: Double) -> Bool {
    part > share * whole * (1 + 1e-12)
}

extension HoldReason: CustomStringConvertible {
    /// A sentence for the operator who decides.
    public var description: String {
        switch self {
        case .rowChange(let before, let after, let limit):
            return "The number of rows went from \(before) to \(after), which is more than \(percent(limit)) away."
        case .goingToZero(let skus, let all, let limit):
            return "\(skus) of \(all) SKUs with stock would have none, which is more than \(percent(limit))."
        case .unitsChange(let before, let after, let limit):
            return "The total went from \(before) to \(after) units, which is more than \(percent(limit)) away."
        case .correction(let asOf):
            return "The content differs from the live snapshot, although both are as of \(asOf.formatted(.iso8601))."
        }
    }

    private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
}
