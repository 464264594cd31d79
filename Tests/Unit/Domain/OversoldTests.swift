import Domain
import Testing

@Suite("Articles that are sold and not there")
struct OversoldTests {
    private func breakdown(onHand: Int, open: Int, safety: Int = 0, holds: Int = 0) -> LevelBreakdown {
        LevelInputs(
            warehouses: [
                WarehouseStock(
                    warehouse: WarehouseName("HN"), onHand: Quantity(onHand), safety: Quantity(safety))
            ], open: Quantity(open), holds: Quantity(holds)
        ).breakdown()
    }

    @Test("open orders that take more than there is are an oversell; safety stock and holds are still there")
    func rule() {
        #expect(breakdown(onHand: 5, open: 6).isOversold)
        #expect(!breakdown(onHand: 5, open: 5).isOversold)
        #expect(!breakdown(onHand: 5, open: 4, safety: 2).isOversold)
        #expect(!breakdown(onHand: 5, open: 3, holds: 4).isOversold)
        #expect(breakdown(onHand: -2, open: 1).isOversold)
        #expect(!breakdown(onHand: -2, open: 0).isOversold)
    }
}
