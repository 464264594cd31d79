import Contracts
import Domain
import Foundation
import PostgreSQL
import ShopSimulators
import TestStack
import Testing

@Suite("Orders of one shop change the levels of the others", .timeLimit(.minutes(20)))
struct OrderTests {
    /// Two shops that show ten pieces of soap, written long enough ago for an order to come after it by any clock.
    private func withTenSoaps(
        staleReserve: Int = 0, clock: TestClock = TestClock(), collected: Bool = true,
        _ body: (PublisherBench, TestClock) async throws -> Void
    ) async throws {
        try await PublisherBench.with(
            [
                ShopSetup(name: "hanoi", catalogue: threeProducts),
                ShopSetup(name: "saigon", catalogue: threeProducts, staleReserve: staleReserve),
            ], clock: clock.clock
        ) { bench in
            try await bench.stock([("SOAP", 10)], sequence: 1)
            try await bench.release()
            for shop: ShopName in ["hanoi", "saigon"] {
                try #require(try await bench.shows(10, of: "10", in: shop))
                if collected { try await bench.collected(shop, upTo: clock.now) }
            }
            clock.advance(minutes: 2)
            try await body(bench, clock)
        }
    }

    private func soap(
        _ quantity: Int, _ clock: TestClock, id: String = "1", revision: Int = 1
    ) -> TestOrder {
        TestOrder(shop: "hanoi", id: id, lines: [("10", "SOAP", quantity)], revision: revision, placedAt: clock.now)
    }

    @Test("an order waits while a shop is being mapped, since the mapping could not see it (docs/decisions/0010)")
    func mappingAndOrdersTakeTurns() async throws {
        try await withTenSoaps { bench, clock in
            // The lock that a mapping holds, without a mapping that would be over at once.
            let mapping = PostgresConnection(bench.system.databaseAdministrator)
            try await mapping.begin()
            _ = try await mapping.query("SELECT pg_advisory_xact_lock(7733020)")
            try await bench.order(soap(3, clock))
            #expect(
                try await eventually {
                    try await bench.system.number(
                        """
                        SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                        WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted
                        """) == 1
                })
            #expect(try await bench.system.number("SELECT count(*) FROM publishing.order_lines") == 0)
            await mapping.rollback()
            #expect(try await bench.shows(7, of: "10", in: "saigon"))
            await mapping.close()
        }
    }

    @Test("a sale at one shop lowers the other at once, and is not pushed back")
    func sale() async throws {
        try await withTenSoaps { bench, clock in
            let order = soap(3, clock)
            try #require(try bench.simulator("hanoi").sell("10", quantity: 3))
            let began = ContinuousClock.now
            try await bench.order(order)
            #expect(try await bench.shows(7, of: "10", in: "saigon"))
            #expect(ContinuousClock.now - began < .seconds(20))
            #expect(try await bench.wants(7, of: "10", in: "hanoi"))
            #expect(try await bench.isQuiet())
            #expect(try bench.levels(of: "10", in: "saigon") == [10, 7])
            #expect(try bench.simulator("hanoi").stock(of: "10") == 7)
            #expect(
                try bench.simulator("hanoi").journal.filter { $0.id == "10" && $0.after == 7 && $0.before == 10 }.count
                    <= 1)
            #expect(
                try await bench.system.number(
                    "SELECT count(*) FROM publishing.pushes WHERE shop = 'hanoi' AND level = 7") == 0,
                "nothing is pushed back")
            // The same order again, and an older statement about it, change nothing.
            try await bench.order(order)
            var older = order
            older.revision = 0
            older.lines[0].quantity = 9
            try await bench.order(older)
            try await bench.order(soap(1, clock, id: "2"))
            #expect(try await bench.shows(6, of: "10", in: "saigon"))
        }
    }

    @Test("an order within the clock tolerance of our write makes the shelf unknown: it is read")
    func withinTolerance() async throws {
        try await withTenSoaps { bench, clock in
            try await bench.stock([("SOAP", 9)], sequence: 2)
            #expect(try await bench.shows(9, of: "10", in: "hanoi"))
            let reads = try bench.simulator("hanoi").statistics.requests
            // Whether the shop sold it before or after our write nobody can tell; it did before.
            try await bench.order(soap(2, clock))
            #expect(try await bench.shows(7, of: "10", in: "hanoi"))
            #expect(try bench.simulator("hanoi").statistics.requests > reads)
            #expect(try await bench.shows(7, of: "10", in: "saigon"))
        }
    }

    @Test("a cancelled order raises the others only once every feed has passed the cancellation")
    func cancellation() async throws {
        try await withTenSoaps { bench, clock in
            try #require(try bench.simulator("hanoi").sell("10", quantity: 4))
            var order = soap(4, clock)
            try await bench.order(order)
            #expect(try await bench.shows(6, of: "10", in: "saigon"))
            clock.advance(minutes: 1)
            order.updatedAt = clock.now
            (order.revision, order.change, order.cancellation) = (2, .cancelled, .cancelled)
            try bench.simulator("hanoi").setStock(of: "10", to: 10)
            try await bench.order(order)
            #expect(try await bench.wants(10, of: "10", in: "saigon"))
            try await bench.collected("saigon", upTo: clock.now.addingTimeInterval(10))
            #expect(try bench.simulator("saigon").stock(of: "10") == 6, "hanoi's feed is behind")
            #expect(
                try await bench.system.number(
                    "SELECT count(*) FROM publishing.shelves WHERE shop = 'saigon' AND deferral = 'feeds'") == 1)
            clock.advance(minutes: 0.5)
            try await bench.collected("hanoi", upTo: clock.now)
            #expect(try await bench.shows(10, of: "10", in: "saigon"))
        }
    }

    @Test("a wish to cancel releases nothing; an unpaid order's units come back when its reserve ends")
    func wishesAndReserves() async throws {
        try await withTenSoaps { bench, clock in
            var wish = soap(2, clock)
            (wish.cancellation, wish.change) = (.requested, .updated)
            try await bench.order(wish)
            #expect(try await bench.shows(8, of: "10", in: "saigon"))
            var unpaid = soap(3, clock, id: "2")
            (unpaid.awaitsPayment, unpaid.reservedUntil) = (true, clock.now.addingTimeInterval(600))
            try await bench.order(unpaid)
            #expect(try await bench.shows(5, of: "10", in: "saigon"))
            #expect(try await bench.shows(5, of: "10", in: "hanoi"), "whether it took its own stock is read")
            clock.advance(minutes: 11, bench.simulators.values)
            for shop: ShopName in ["hanoi", "saigon"] {
                try await bench.collected(shop, upTo: clock.now.addingTimeInterval(30))
            }
            #expect(try await bench.wants(8, of: "10", in: "saigon"))
            #expect(try await bench.shows(8, of: "10", in: "saigon"))
        }
    }

    @Test("a dead feed holds an increase up for feed_stale_after, then its reserve is kept back and it goes out")
    func deadFeed() async throws {
        try await withTenSoaps(staleReserve: 2) { bench, clock in
            try await bench.stock([("SOAP", 20)], sequence: 2, asOf: clock.now)
            #expect(try await bench.wants(20, of: "10", in: "hanoi"))
            try await bench.collected("hanoi", upTo: clock.now.addingTimeInterval(5))
            #expect(
                try await eventually {
                    try await bench.system.number(
                        "SELECT count(*) FROM publishing.shelves WHERE deferral = 'feeds'") == 2
                })
            #expect(try bench.simulator("hanoi").stock(of: "10") == 10)
            clock.advance(minutes: 31, bench.simulators.values)
            try await bench.collected("hanoi", upTo: clock.now.addingTimeInterval(5))
            #expect(try await bench.shows(18, of: "10", in: "hanoi"))
            #expect(try await bench.shows(18, of: "10", in: "saigon"))
            clock.advance(minutes: 1)
            for shop: ShopName in ["hanoi", "saigon"] {
                try await bench.collected(shop, upTo: clock.now.addingTimeInterval(30))
            }
            #expect(try await bench.shows(20, of: "10", in: "hanoi"), "the feed is back, and so is its reserve")
        }
    }

    @Test("an order after the report is subtracted from the next file, one reported long before is not")
    func reflection() async throws {
        try await withTenSoaps { bench, clock in
            let (early, late) = (soap(2, clock, id: "early"), soap(3, clock, id: "late"))
            try await bench.order(early)
            try await bench.order(late)
            #expect(try await bench.shows(5, of: "10", in: "saigon"))
            try await bench.reported(early, sentAt: clock.now)
            #expect(
                try await eventually {
                    try await bench.system.number(
                        "SELECT count(*) FROM publishing.order_lines WHERE report_sent_at IS NOT NULL") == 1
                })
            // The ERP ships within two hours: a file of one hour later still holds the units, one of three does not.
            let report = clock.now
            for shop: ShopName in ["hanoi", "saigon"] {
                try await bench.collected(shop, upTo: clock.now.addingTimeInterval(4 * 3_600))
            }
            try await bench.stock([("SOAP", 10)], sequence: 2, asOf: report.addingTimeInterval(3_600))
            #expect(try await bench.runsEnded())
            #expect(try await bench.wants(5, of: "10", in: "saigon"))
            try await bench.stock([("SOAP", 8)], sequence: 3, asOf: report.addingTimeInterval(3 * 3_600))
            #expect(try await bench.shows(5, of: "10", in: "saigon"))
            // A snapshot that does not name the code restates it all the same; one it is missing from does not.
            try await bench.reported(late, sentAt: report.addingTimeInterval(3_600 * 1.5))
            for shop: ShopName in ["hanoi", "saigon"] {
                try await bench.collected(shop, upTo: clock.now.addingTimeInterval(9 * 3_600))
            }
            try await bench.stock(
                [("CREAM", 1)], sequence: 4, asOf: report.addingTimeInterval(4 * 3_600), missing: ["SOAP"])
            #expect(try await bench.wants(1, of: "12", in: "saigon"))
            #expect(try await bench.runsEnded())
            #expect(try await bench.wants(5, of: "10", in: "saigon"), "it keeps the time of the last statement")
            try await bench.stock([("CREAM", 2)], sequence: 5, asOf: report.addingTimeInterval(5 * 3_600))
            #expect(try await bench.shows(8, of: "10", in: "saigon"), "restated unchanged")
        }
    }

    @Test("an edited order counts with its new quantity, and anew if the ERP was told another one")
    func edit() async throws {
        try await withTenSoaps { bench, clock in
            var order = soap(2, clock)
            try await bench.order(order)
            #expect(try await bench.shows(8, of: "10", in: "saigon"))
            try await bench.reported(order, sentAt: clock.now)
            (order.revision, order.change, order.updatedAt) = (2, .updated, clock.now)
            order.lines[0].quantity = 5
            try await bench.order(order)
            #expect(try await bench.shows(5, of: "10", in: "saigon"))
            #expect(
                try await bench.system.number(
                    """
                    SELECT count(*) FROM publishing.order_lines
                    WHERE report_sent_at IS NULL AND reported_quantity = 2 AND quantity = 5
                    """) == 1)
            // A line that the edit took out counts no more.
            (order.revision, order.lines) = (3, [("11", nil, 1)])
            try await bench.order(order)
            #expect(try await bench.wants(10, of: "10", in: "saigon"))
        }
    }

    @Test("what was taken and put back between two statements makes the shelf unknown, even if the ERP knew it first")
    func gaps() async throws {
        try await withTenSoaps { bench, clock in
            let placed = clock.now.addingTimeInterval(-180)
            var order = TestOrder(
                shop: "hanoi", id: "1", lines: [("10", "SOAP", 1)], revision: 2, placedAt: placed, updatedAt: clock.now,
                change: .cancelled, cancellation: .cancelled)
            // The shop took one before our write, and put it back after it.
            try bench.simulator("hanoi").setStock(of: "10", to: 11)
            try await bench.reported(order, sentAt: clock.now)
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT count(*) FROM publishing.order_lines") == 1
                })
            try await bench.order(order)
            #expect(try await bench.shows(10, of: "10", in: "hanoi"))
            // Of a known order a statement in between was never heard of, and the line is as it was.
            clock.advance(minutes: 2)
            try bench.simulator("hanoi").setStock(of: "10", to: 12)
            (order.revision, order.updatedAt) = (4, clock.now)
            try await bench.order(order)
            #expect(try await bench.shows(10, of: "10", in: "hanoi"))
        }
    }

    @Test("a sale that no order shows yet is not put on sale again: its orders are fetched first")
    func unseenSale() async throws {
        try await withTenSoaps { bench, clock in
            try #require(try bench.simulator("saigon").sell("10", quantity: 3))
            for shop: ShopName in ["hanoi", "saigon"] {
                try await bench.collected(shop, upTo: clock.now.addingTimeInterval(-30))
            }
            try await bench.stock([("SOAP", 12)], sequence: 2, asOf: clock.now.addingTimeInterval(-60))
            #expect(
                try await eventually { try await bench.system.ready("order-collector") > 0 },
                "the orders are asked for")
            #expect(
                try await eventually {
                    try await bench.system.number(
                        "SELECT count(*) FROM publishing.shelves WHERE shop = 'saigon' AND expected_at_shop = 7") == 1
                })
            #expect(try bench.simulator("saigon").stock(of: "10") == 7, "nothing was written over the sale")
            var sale = soap(3, clock)
            sale.shop = "saigon"
            sale.placedAt = clock.now.addingTimeInterval(-60)
            try await bench.order(sale)
            #expect(
                try await bench.passes(over: ["hanoi", "saigon"], from: clock.now.addingTimeInterval(20)) {
                    try bench.simulator("saigon").stock(of: "10") == 9 && bench.simulator("hanoi").stock(of: "10") == 9
                })
        }
    }
}
