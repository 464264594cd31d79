import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ShopSimulators
import TestStack
import Testing

@testable import Reconciler

private let products = (0..<5).map { number in
    CatalogueProduct(id: 10 + number, sku: "SKU-\(number)", name: "Product \(10 + number)", stock: 10)
}
private let listings = (0..<5).map { PublishedListing.right("\(10 + $0)", sku: "SKU-\($0)", units: 10) }

@Suite("The reconciliation's mail", .timeLimit(.minutes(20)))
struct MailingTests {
    /// Both shops are known; hanoi has published and is compared, saigon has not published yet.
    private func compareHanoi(_ bench: ReconcilerBench) async throws {
        for shop in bench.simulators.keys.sorted() { bench.publisher.state(listings, of: shop) }
        try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
        #expect(
            try await eventually {
                try await bench.system.number("SELECT count(*) FROM reconciliation.run_shops WHERE state = 'done'") == 1
            })
    }

    @Test("a shop that is out is named by the set time; one update follows when it is back, never a third")
    func shopOut() async throws {
        try await ReconcilerBench.with(["hanoi": products, "saigon": products]) { bench in
            let saigon = try bench.simulator("saigon")
            saigon.inject(Fault(.status, status: 503))
            let snapshot = UUID()
            for shop in bench.simulators.keys.sorted() {
                bench.publisher.state(listings, of: shop)
                try await bench.publisher.endRun(of: shop, snapshot: snapshot)
            }
            #expect(
                try await eventually {
                    try await bench.system.number(
                        """
                        SELECT count(*) FROM reconciliation.run_shops
                        WHERE state = 'done' AND shop = 'hanoi' OR problem IS NOT NULL AND shop = 'saigon'
                        """) == 2
                })
            #expect(try await bench.nextReport(within: .seconds(2)) == nil, "it waits until the set time")
            bench.jump(toMinute: 30)
            let first = try #require(try await bench.nextReport())
            #expect(!first.isComplete && !first.isUpdate)
            #expect(first.shops.map(\.isComplete) == [true, false])
            let problem = first.shops.last?.problem ?? ""
            #expect(problem.contains("saigon"), "\(problem)")
            saigon.clearFaults()
            let second = try #require(try await bench.nextReport())
            #expect(second.isComplete && second.isUpdate && second.runID == first.runID)
            try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
            try await bench.publisher.endRun(of: "saigon", snapshot: UUID())
            try await bench.command(.mail)
            #expect(try await bench.nextReport(within: .seconds(5)) == nil)
        }
    }

    @Test("a day without a stock file is a mail too; the file that comes later is its update")
    func noFile() async throws {
        try await ReconcilerBench.with(["hanoi": products]) { bench in
            try await bench.reaches(1, "SELECT count(*) FROM shared.schedules WHERE service = 'reconciler'")
            bench.jump(toMinute: 30)
            let first = try #require(try await bench.nextReport())
            #expect(!first.isComplete && !first.isUpdate && first.shops.count == 1 && first.differences == 0)
            #expect(first.shops.first?.problem?.contains("No stock file of the day") == true)
            #expect(first.sources == ["erp: no stock file was ever taken in."])
            bench.publisher.state(listings, of: "hanoi")
            try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
            let second = try #require(try await bench.nextReport())
            #expect(second.isComplete && second.isUpdate)
        }
    }

    @Test(
        "a shop in shadow is named when the mail is due, and compared when it is let out; then nothing is kept for it")
    func shadow() async throws {
        try await ReconcilerBench.with(["hanoi": products, "saigon": products]) { bench in
            let pool = PostgresPool(bench.system.database(.reconciler), maximumConnections: 1)
            let clock = bench.clock
            let database = ServiceDatabase(pool: pool, service: .reconciler) { clock.now }
            func kept() async throws -> Int {
                try await Retention.tidy(database)
                return try await bench.system.number("SELECT count(*) FROM reconciliation.readings")
            }
            let snapshot = UUID()
            bench.publisher.state(listings, of: "hanoi", inShadow: true)
            bench.publisher.state(listings, of: "saigon")
            for shop in bench.simulators.keys.sorted() {
                try await bench.publisher.endRun(of: shop, snapshot: snapshot)
            }
            let settled = try await eventually {
                try await bench.system.number(
                    "SELECT count(*) FROM reconciliation.run_shops WHERE state IN ('done', 'skipped')") == 2
            }
            #expect(settled, "hanoi is left out and saigon compared")
            bench.jump(toMinute: 30)
            let first = try #require(try await bench.nextReport())
            #expect(!first.isComplete && first.shops.first?.problem?.contains("shadow") == true)
            #expect(try await kept() == listings.count, "the update has every listing of the other shop too")
            bench.publisher.state(listings, of: "hanoi")
            try await bench.publisher.release("hanoi")
            let second = try #require(try await bench.nextReport())
            #expect(second.isComplete && second.isUpdate)
            #expect(try await kept() == 0)
            #expect(
                try await bench.system.number("SELECT count(DISTINCT statement) FROM reconciliation.statement_listings")
                    == 2, "the newest statement of each shop stays")
            await pool.close()
        }
    }

    @Test("a run by command on a day without a file is mailed, and the set time's mail goes out all the same")
    func commandBeforeMail() async throws {
        try await ReconcilerBench.with(["hanoi": products]) { bench in
            bench.publisher.state(listings, of: "hanoi")
            try await bench.command(.run)
            #expect(try #require(try await bench.nextReport()).isComplete)
            bench.jump(toMinute: 30)
            let set = try #require(try await bench.nextReport())
            #expect(!set.isComplete && !set.isUpdate)
        }
    }

    @Test("a newer snapshot takes the place of a run that is not through, and is reported for the day")
    func newerSnapshot() async throws {
        try await ReconcilerBench.with(["hanoi": products, "saigon": products]) { bench in
            try await compareHanoi(bench)
            let newer = UUID()
            for shop in bench.simulators.keys.sorted() { try await bench.publisher.endRun(of: shop, snapshot: newer) }
            let report = try #require(try await bench.nextReport())
            #expect(report.isComplete && report.shops.count == 2)
            #expect(
                try await bench.system.number("SELECT count(*) FROM reconciliation.runs WHERE state = 'superseded'")
                    == 1)
        }
    }

    @Test("a shop that has not published by the deadline is stated on request")
    func lateShop() async throws {
        try await ReconcilerBench.with(["hanoi": products, "saigon": products]) { bench in
            try await compareHanoi(bench)
            bench.jump(toMinute: 26)
            let report = try #require(try await bench.nextReport())
            #expect(report.isComplete && !report.isUpdate && bench.publisher.requests == 1)
        }
    }

    @Test("three replicas make one mail")
    func replicas() async throws {
        try await ReconcilerBench.with(["hanoi": products, "saigon": products], replicas: 3) { bench in
            try bench.simulator("hanoi").setStock(of: "10", to: 3)
            let snapshot = UUID()
            for shop in bench.simulators.keys.sorted() {
                bench.publisher.state(listings, of: shop)
                try await bench.publisher.endRun(of: shop, snapshot: snapshot, chunk: 2)
            }
            let report = try #require(try await bench.nextReport())
            #expect(report.isComplete && report.differences == 1)
            bench.jump(toMinute: 31)
            #expect(try await bench.nextReport(within: .seconds(5)) == nil)
            #expect(try await bench.system.number("SELECT mails FROM reconciliation.days") == 1)
            #expect(try await bench.system.number("SELECT count(*) FROM reconciliation.runs") == 1)
        }
    }
}
