import Domain
import Foundation
import Testing

@testable import OrderCollector

@Suite("The digest of an order")
struct OrderDigestTests {
    private let order = Order(
        shop: "saigon", externalID: "1", number: "1", placedAt: Date(timeIntervalSince1970: 1_795_000_000),
        updatedAt: Date(timeIntervalSince1970: 1_795_000_000),
        status: OrderStatus(shopStatus: "processing", payment: .paid), currency: "VND", lines: [],
        totals: OrderTotals(total: Amount(5)))

    @Test("leaves out the time of the last change and what we add")
    func neutral() throws {
        var touched = order
        touched.updatedAt += 60
        touched.charges.append(OrderCharge(kind: .rounding, name: "rounding", total: Amount(1)))
        #expect(try OrderDigest.of(touched) == OrderDigest.of(order))
        #expect(try OrderDigest.of(order).utf8.count == 64)
    }

    @Test("changes with any fact of the shop")
    func facts() throws {
        var edited = order
        edited.note = "x"
        #expect(try OrderDigest.of(edited) != OrderDigest.of(order))
        var cancelled = order
        cancelled.status.isCancelled = true
        #expect(try OrderDigest.of(cancelled) != OrderDigest.of(order))
        var shipped = order
        shipped.charges = [OrderCharge(kind: .shipping, name: "GHN", total: .zero)]
        #expect(try OrderDigest.of(shipped) != OrderDigest.of(order))
    }
}

@Suite("Days as a shop has them")
struct LocalDayTests {
    @Test("a day begins at the shop's midnight")
    func midnight() throws {
        let zone = try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh"))
        let moment = try #require(UTCTimestamp.parse("2026-11-22T16:59:59Z"))
        #expect(UTCTimestamp.format(LocalDay.start(of: moment, in: zone)) == "2026-11-21T17:00:00Z")
        #expect(UTCTimestamp.format(LocalDay.start(of: moment + 1, in: zone)) == "2026-11-22T17:00:00Z")
    }
}
