import Contracts
import Domain
import Foundation
import ShopSimulators
import TestStack
import Testing

/// Twelve products with 10 to 21 units.
private let products = (0..<12).map { number in
    CatalogueProduct(id: 10 + number, sku: "SKU-\(number)", name: "Product \(10 + number)", stock: 10 + number)
}
private let listings = (0..<12).map { number in
    PublishedListing.right("\(10 + number)", sku: "SKU-\(number)", units: 10 + number)
}

@Suite("Reconciling shops", .timeLimit(.minutes(20)))
struct ReconcilingTests {
    @Test("three planted differences are found and classified, and no others")
    func threeDifferences() async throws {
        var catalogue = products
        catalogue[2].status = "draft"
        try await ReconcilerBench.with(["hanoi": catalogue, "saigon": products]) { bench in
            let hanoi = try bench.simulator("hanoi")
            hanoi.setStock(of: "10", to: 99)
            hanoi.remove(11)
            let snapshot = UUID()
            for shop in bench.simulators.keys.sorted() {
                bench.publisher.state(listings, of: shop)
                try await bench.publisher.endRun(of: shop, snapshot: snapshot, chunk: 5)
            }
            let report = try #require(try await bench.nextReport())
            #expect(report.isComplete && !report.isUpdate && report.day == "2026-11-22")
            #expect(report.shops.map(\.shop) == ["hanoi", "saigon"])
            #expect(
                report.shops.map(\.categories)
                    == [["ok": 9, "edited_on_site": 1, "missing_on_site": 1, "disabled": 1], ["ok": 12]])
            #expect(report.shops.allSatisfy { $0.compared == 12 })
            #expect(report.differences == 3)
            #expect(report.findings.map(\.category) == ["edited_on_site", "missing_on_site", "disabled"])
            #expect(report.findings.first?.expected == 10 && report.findings.first?.observed == 99)
            #expect(report.sources == ["erp: its newest numbers are of 2026-11-22 05:52 and came at 2026-11-22 06:02."])
            let workbook = try await bench.file(report.workbookID)
            #expect(workbook.starts(with: Array("PK".utf8)))
            let picture = try await bench.file(try #require(report.pictureID))
            #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]))
            #expect(bench.publisher.repairs.isEmpty, "repairs are off unless a shop allows them")
            #expect(try await bench.system.ready("reconciler.dead") == 0)
        }
    }

    @Test("a sale while the shop is read is in flight, no difference")
    func saleDuringReading() async throws {
        try await ReconcilerBench.with(["hanoi": products]) { bench in
            try bench.simulator("hanoi").setStock(of: "10", to: 8)
            bench.publisher.state(listings, of: "hanoi")
            bench.publisher.beforeAnswering {
                try await bench.order("500", in: "hanoi", listing: "10", units: 2)
                try await bench.reaches(1, "SELECT count(*) FROM reconciliation.orders")
            }
            try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
            let report = try #require(try await bench.nextReport())
            #expect(report.shops.first?.categories == ["ok": 11, "in_flight": 1])
            #expect(report.differences == 0 && report.findings.isEmpty)
        }
    }

    @Test("a difference that the fresh statement explains is none")
    func explained() async throws {
        try await ReconcilerBench.with(["hanoi": products]) { bench in
            try bench.simulator("hanoi").setStock(of: "10", to: 8)
            bench.publisher.state(listings, of: "hanoi")
            bench.publisher.beforeAnswering {
                var changed = listings
                changed[0] = .right("10", sku: "SKU-0", units: 8)
                bench.publisher.state(changed, of: "hanoi")
            }
            try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
            let report = try #require(try await bench.nextReport())
            #expect(report.shops.first?.categories == ["ok": 12])
            #expect(bench.publisher.requests == 1)
        }
    }

    @Test("the verdict waits for the shop's orders, so that a sale that is collected late is no edit")
    func lateOrder() async throws {
        try await ReconcilerBench.with(["hanoi": products]) { bench in
            try bench.simulator("hanoi").setStock(of: "10", to: 8)
            try await bench.collected("hanoi", upTo: bench.clock.now.addingTimeInterval(-30))
            try await bench.reaches(1, "SELECT count(*) FROM reconciliation.feeds")
            bench.publisher.state(listings, of: "hanoi")
            try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
            #expect(
                try await eventually {
                    try await bench.system.number(
                        "SELECT count(*) FROM reconciliation.run_shops WHERE state = 'settling'") == 1
                })
            try await bench.order("500", in: "hanoi", listing: "10", units: 2)
            try await bench.reaches(1, "SELECT count(*) FROM reconciliation.orders")
            try await bench.collected("hanoi", upTo: bench.clock.now)
            let report = try #require(try await bench.nextReport())
            #expect(report.shops.first?.categories == ["ok": 11, "in_flight": 1])
        }
    }

    @Test("a Shopify shop is read back and compared in the same way")
    func shopify() async throws {
        try await ReconcilerBench.with(["hanoi": products], shopify: ["hanoi"]) { bench in
            bench.publisher.state([], of: "hanoi")
            try await bench.command(.run)
            let strange = try #require(try await bench.nextReport())
            #expect(strange.shops.first?.categories == ["ok": 0, "unmapped": 12], "listings nobody has stated")
            let found = try await bench.seen(in: "hanoi")
            let stated = found.map { seen in
                var listing = PublishedListing.right(
                    seen.listing, sku: seen.sku, units: (Int(seen.sku.dropFirst(4)) ?? 0) + 10)
                listing.shelf = ListingID(rawValue: seen.shelf)
                return listing
            }
            try bench.simulator("hanoi").setStock(of: "10", to: 99)
            try bench.simulator("hanoi").remove(11)
            bench.publisher.state(stated, of: "hanoi")
            try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
            let report = try #require(try await bench.nextReport())
            #expect(report.shops.first?.categories == ["ok": 10, "edited_on_site": 1, "missing_on_site": 1])
        }
    }

    @Test("safe repairs are asked for with what was seen, where the shop allows it")
    func repairs() async throws {
        try await ReconcilerBench.with(["hanoi": products], repairs: true) { bench in
            try bench.simulator("hanoi").setStock(of: "10", to: 99)
            bench.publisher.state(listings, of: "hanoi")
            try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
            let report = try #require(try await bench.nextReport())
            #expect(report.findings.first?.action == "None: it is being pushed again.")
            #expect(try await eventually { bench.publisher.repairs.count == 1 })
            let repair = bench.publisher.repairs.first?.object
            #expect(repair?["shelf"] == .string("10") && repair?["observed"] == .integer(99))
            #expect(repair?["read_from"]?.string != nil && repair?["read_to"]?.string != nil)
        }
    }

    @Test("an operator's run asks for a statement of its own and is answered by a report")
    func onDemand() async throws {
        try await ReconcilerBench.with(["hanoi": products, "saigon": products]) { bench in
            bench.publisher.state(listings, of: "hanoi")
            try await bench.command(.run, ["shop": .string("hanoi")])
            let report = try #require(try await bench.nextReport())
            #expect(report.shops.map(\.shop) == ["hanoi"] && report.isComplete && !report.isUpdate)
            #expect(report.shops.first?.categories == ["ok": 12])
        }
    }

    @Test("the age of a difference counts on from day to day, and begins anew once it was gone")
    func age() async throws {
        try await ReconcilerBench.with(["hanoi": products]) { bench in
            try bench.simulator("hanoi").setStock(of: "10", to: 99)
            bench.publisher.state(listings, of: "hanoi")
            var ages: [Int?] = []
            for day in 0..<4 {
                bench.jump(toMinute: 3, day: day)
                if day == 2 { try bench.simulator("hanoi").setStock(of: "10", to: 10) }
                if day == 3 { try bench.simulator("hanoi").setStock(of: "10", to: 98) }
                try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
                let report = try #require(try await bench.nextReport())
                ages.append(report.findings.first { $0.category == "edited_on_site" }?.ageDays)
            }
            #expect(ages == [0, 1, nil, 0])
        }
    }
}
