import Domain
import Foundation
import StockFiles
import Testing

@Suite struct FileGateTests {
    static let live = SnapshotStatistics(
        asOf: Date(timeIntervalSince1970: 1_000_000), digest: "a", rows: 1_000, totalUnits: 10_000)

    static func next(
        asOf: Double = 1_086_400, digest: String = "b", rows: Int = 1_000, units: Int = 10_000
    ) -> SnapshotStatistics {
        SnapshotStatistics(
            asOf: Date(timeIntervalSince1970: asOf), digest: digest, rows: rows, totalUnits: Quantity(units))
    }

    static func decide(
        _ snapshot: SnapshotStatistics, withStock: Int = 500, toZero: Int = 0, limits: GateLimits = GateLimits()
    ) -> GateDecision {
        let previous = PreviousSnapshot(statistics: live, skusWithStock: withStock, skusGoingToZero: toZero)
        return gateDecision(statistics: snapshot, previous: previous, limits: limits)
    }

    @Test func `the first snapshot of a source is accepted`() {
        #expect(gateDecision(statistics: Self.live, previous: nil, limits: GateLimits()) == .accept)
    }

    @Test func `a quiet day is accepted, and so is the same content on a new day`() {
        #expect(Self.decide(Self.next()) == .accept)
        #expect(Self.decide(Self.next(digest: "a")) == .accept)
    }

    @Test func `the same digest with the same time is a no-op`() {
        #expect(Self.decide(Self.live) == .unchanged)
    }

    @Test func `an older file is refused, whatever it contains`() {
        let older = Self.next(asOf: 999_999, digest: "a", rows: 1)
        #expect(Self.decide(older) == .refuseOlder(asOf: older.asOf, live: Self.live.asOf))
    }

    @Test func `another content with the same time is held as a correction`() {
        let correction = Self.next(asOf: 1_000_000)
        #expect(Self.decide(correction) == .hold([.correction(asOf: Self.live.asOf)]))
    }

    @Test(arguments: [(800, true), (799, false), (1_200, true), (1_201, false), (0, false), (1_000, true)])
    func `rows may move by the limit and no further`(rows: Int, accepted: Bool) {
        let expected: GateDecision =
            accepted ? .accept : .hold([.rowChange(before: 1_000, after: rows, limit: 0.2)])
        #expect(Self.decide(Self.next(rows: rows)) == expected)
    }

    @Test(arguments: [(0, true), (150, true), (151, false), (300, false), (500, false)])
    func `the limit's share of SKUs may go to zero and no more`(skus: Int, accepted: Bool) {
        let expected: GateDecision = accepted ? .accept : .hold([.goingToZero(skus: skus, of: 500, limit: 0.3)])
        #expect(Self.decide(Self.next(), toZero: skus) == expected)
    }

    @Test(arguments: [(5_000, true), (4_999, false), (15_000, true), (15_001, false)])
    func `units may move by the limit and no further`(units: Int, accepted: Bool) {
        let expected: GateDecision =
            accepted ? .accept : .hold([.unitsChange(before: 10_000, after: Quantity(units), limit: 0.5)])
        #expect(Self.decide(Self.next(units: units)) == expected)
    }

    @Test func `every reason is named at once`() {
        let decision = Self.decide(Self.next(asOf: 1_000_000, rows: 10, units: 1), toZero: 400)
        guard case .hold(let reasons) = decision else {
            Issue.record("not held: \(decision)")
            return
        }
        #expect(reasons.map(\.label) == ["correction", "row_change", "going_to_zero", "units_change"])
    }

    @Test func `a limit of zero lets nothing move, and shares are exact in spite of binary fractions`() {
        let none = GateLimits(rowChange: 0, toZero: 0, unitsChange: 0)
        #expect(Self.decide(Self.next(), limits: none) == .accept)
        #expect(Self.decide(Self.next(), toZero: 1, limits: none) != .accept)
        for whole in stride(from: 10, through: 100_000, by: 10) {
            let limits = GateLimits(rowChange: 1, toZero: 0.3, unitsChange: 1)
            #expect(Self.decide(Self.next(), withStock: whole, toZero: whole * 3 / 10, limits: limits) == .accept)
        }
    }

    @Test func `stock that appears where there was none is no reason to hold`() {
        let empty = SnapshotStatistics(asOf: Self.live.asOf, digest: "e", rows: 0, totalUnits: .zero)
        let previous = PreviousSnapshot(statistics: empty, skusWithStock: 0, skusGoingToZero: 0)
        #expect(gateDecision(statistics: Self.next(), previous: previous, limits: GateLimits()) == .accept)
    }

    @Test func `reasons read as sentences`() {
        let reason = HoldReason.goingToZero(skus: 300, of: 500, limit: 0.3)
        #expect("\(reason)" == "300 of 500 SKUs with stock would have none, which is more than 30.0 %.")
    }
}
