import Domain
import Foundation
import Testing

@Suite("Levels")
struct LevelTests {
    private func stock(_ onHand: Quantity, safety: Quantity = .zero, _ name: WarehouseName = "HN") -> WarehouseStock {
        WarehouseStock(warehouse: name, onHand: onHand, safety: safety)
    }

    @Test
    func theLevelFollowsTheFormulaStepByStep() throws {
        let inputs = LevelInputs(
            warehouses: [stock(40, safety: 5), stock(-3, "HCM"), stock(2, safety: 6, "DN")], open: 4, holds: 1,
            staleReserve: 2, policy: LevelPolicy(buffer: 3, share: try #require(Share("0.5")), cap: 99_999),
            unitsPerPack: 2)
        let breakdown = inputs.breakdown()
        #expect(breakdown.warehouses.map(\.counted) == [35, 0, 0])
        #expect(breakdown.gross == 35 && breakdown.atp == 25)
        #expect(breakdown.level == 6, "half of 25 is 12 units, which are 6 packs")
        #expect(breakdown.whyZero == nil)
    }

    @Test
    func reservedInTheERPIsShownButNotSubtracted() {
        let warehouse = WarehouseStock(warehouse: "HN", onHand: 10, reserved: 4)
        let breakdown = LevelInputs(warehouses: [warehouse]).breakdown()
        #expect(breakdown.level == 10 && breakdown.warehouses[0].reserved == 4)
    }

    @Test
    func belowStopSellingNothingIsShownAndAtItEverything() {
        let policy = LevelPolicy(stopSellingAt: 5)
        #expect(LevelInputs(warehouses: [stock(4)], policy: policy).breakdown().level == 0)
        #expect(LevelInputs(warehouses: [stock(5)], policy: policy).breakdown().level == 5)
    }

    @Test(arguments: LevelBreakdown.ZeroReason.allCases)
    func everyZeroHasItsReason(_ reason: LevelBreakdown.ZeroReason) throws {
        var inputs = LevelInputs(warehouses: [stock(10)])
        switch reason {
        case .noStatement: inputs.warehouses = []
        case .outOfStock: inputs.warehouses = [stock(-10), stock(0, "HCM")]
        case .warehouseSafety: inputs.warehouses = [stock(10, safety: 10)]
        case .openOrders: inputs.open = 12
        case .holds: (inputs.open, inputs.holds) = (4, 6)
        case .buffer: inputs.policy.buffer = 10
        case .staleReserve: inputs.staleReserve = 11
        case .belowStopSelling: inputs.policy.stopSellingAt = 11
        case .share: inputs.policy.share = try #require(Share("0.05"))
        case .cap: inputs.policy.cap = 0
        case .lessThanOnePack: inputs.unitsPerPack = 12
        }
        let breakdown = inputs.breakdown()
        #expect(breakdown.level == 0 && breakdown.whyZero == reason)
        #expect(!reason.sentence.isEmpty)
    }

    @Test
    func aLevelIsNeverNegativeAboveTheCapOrMoreThanIsThere() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            func random(_ range: ClosedRange<Int64>) -> Quantity {
                Quantity(micro: Int64.random(in: range, using: &generator))
            }
            let inputs = LevelInputs(
                warehouses: (0..<Int.random(in: 0...3)).map {
                    stock(random(-50_000_000...200_000_000), safety: random(0...20_000_000), WarehouseName("W\($0)"))
                },
                open: random(0...90_000_000), holds: random(0...9_000_000), staleReserve: random(0...9_000_000),
                policy: LevelPolicy(
                    buffer: random(0...9_000_000), stopSellingAt: random(0...9_000_000),
                    share: try #require(Share(millionths: Int.random(in: 0...1_000_000))),
                    cap: Int.random(in: 0...150)),
                unitsPerPack: Int.random(in: 1...4))
            let breakdown = inputs.breakdown()
            #expect(breakdown.level >= 0 && breakdown.level * inputs.unitsPerPack <= inputs.policy.cap)
            #expect(Quantity(breakdown.level * inputs.unitsPerPack) <= max(breakdown.atp, .zero))
            #expect((breakdown.level == 0) == (breakdown.whyZero != nil))
            var more = inputs
            more.open = inputs.open + 1
            #expect(more.breakdown().level <= breakdown.level, "one more sold cannot raise the level")
        }
    }

    @Test
    func aShareIsExact() throws {
        let tenth = try #require(Share("0.1"))
        #expect(tenth.flooredUnits(of: 30) == 3 && tenth.flooredUnits(of: 29) == 2)
        #expect(Share.whole.flooredUnits(of: .max) == 9_223_372_036_854)
        #expect(Share.none.flooredUnits(of: .max) == 0 && Share.whole.flooredUnits(of: -4) == 0)
        #expect(Share("1.1") == nil && Share("-0.1") == nil && Share("0.3")?.description == "0.3")
    }

    @Test
    func kitsAreLimitedByTheScarcestComponent() {
        let parts = [KitComponent(atp: 10, required: 3), KitComponent(atp: 4, required: 1)]
        #expect(promisableKits(parts) == 3)
        #expect(promisableKits(parts + [KitComponent(atp: -1, required: 1)]) == 0)
        #expect(promisableKits([]) == 0)
    }

    @Test
    func theBreakdownSurvivesJSON() throws {
        let breakdown = LevelInputs(warehouses: [stock(1, safety: 1)], open: 2).breakdown()
        let bytes = try JSONEncoder().encode(breakdown)
        #expect(try JSONDecoder().decode(LevelBreakdown.self, from: bytes) == breakdown)
        #expect(String(decoding: bytes, as: UTF8.self).contains(#""why_zero":"warehouse_safety""#))
    }

    @Test
    func theNewerStatementIsTheOneAsOfLater() {
        let (early, late) = (Date(timeIntervalSince1970: 1), Date(timeIntervalSince1970: 2))
        #expect(SnapshotOrder(asOf: late, comparedTo: early) == .newer)
        #expect(SnapshotOrder(asOf: early, comparedTo: late) == .older)
        #expect(SnapshotOrder(asOf: early, comparedTo: nil) == .newer)
        #expect(SnapshotNovelty(asOf: late, digest: [1], live: (early, [1])) == .candidate)
        #expect(SnapshotNovelty(asOf: late, digest: [1], live: (late, [1])) == .repetition)
        #expect(SnapshotNovelty(asOf: late, digest: [2], live: (late, [1])) == .correction)
        #expect(SnapshotNovelty(asOf: early, digest: [1], live: (late, [1])) == .outdated)
    }

    @Test
    func anUnchangedCodeIsRestatedAndAnOlderStatementLoses() {
        var statement = StockStatement(onHand: 5, asOf: Date(timeIntervalSince1970: 10))
        let restated = statement.restate(nil, asOf: Date(timeIntervalSince1970: 20))
        #expect(!restated)
        #expect(statement.asOf == Date(timeIntervalSince1970: 20) && statement.onHand == 5)
        let older = statement.restate(9, asOf: Date(timeIntervalSince1970: 15))
        #expect(!older && statement.onHand == 5)
        let newer = statement.restate(9, asOf: Date(timeIntervalSince1970: 30))
        #expect(newer && statement.onHand == 9)
    }
}
