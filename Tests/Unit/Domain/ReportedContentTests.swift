import Domain
import Foundation
import Testing

@Suite("What a report said of an order, after a restore")
struct ReportedContentTests {
    private static let noon = Date(timeIntervalSince1970: 1_795_323_600)

    private func content(
        _ quantity: Quantity = 2, total: Amount = Amount(230), cancelled: Bool = false
    ) -> ReportedContent {
        ReportedContent(
            lines: [
                .init(sku: "B", code: "B-E", quantity: 0, units: 0),
                .init(sku: "A", code: "A-E", quantity: quantity, units: Quantity(12)),
            ], total: total, isCancelled: cancelled)
    }

    private func holds(_ now: ReportedContent, updated seconds: Double, known: Bool = true) -> Bool {
        content().stillHolds(
            now, updatedAt: Self.noon.addingTimeInterval(seconds), knownUpTo: known ? Self.noon : nil)
    }

    @Test("It holds if nothing is different and the shop touched the order well before the report knew its orders")
    func holds() { #expect(holds(content(), updated: -121)) }

    @Test("In doubt the order is told again: touched since, or within what two clocks may differ, or nobody knows")
    func doubt() {
        #expect(!holds(content(), updated: -119))
        #expect(!holds(content(), updated: 60))
        #expect(!holds(content(), updated: -7_200, known: false))
    }

    @Test("Another quantity, another total or a cancellation is told again, whenever it came")
    func differences() {
        #expect(!holds(content(3), updated: -7_200))
        #expect(!holds(content(total: Amount(231)), updated: -7_200))
        #expect(!holds(content(cancelled: true), updated: -7_200))
    }

    @Test("Lines without goods, and the lines of a cancelled order, do not count")
    func emptyLines() {
        #expect(content().lines.map(\.sku) == ["A"])
        #expect(content(cancelled: true).lines == [])
    }
}
