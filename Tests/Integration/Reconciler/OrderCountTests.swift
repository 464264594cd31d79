import Contracts
import Domain
import Foundation
import ShopSimulators
import TestStack
import Testing

@Suite("Orders in the reconciliation", .timeLimit(.minutes(20)))
struct OrderCountTests {
    private static let products = [CatalogueProduct(id: 10, sku: "SOAP", name: "Soap", stock: 50)]

    @Test("orders are counted in shop, hub and ERP, and one that we do not hold is named")
    func counts() async throws {
        try await ReconcilerBench.with(["hanoi": Self.products]) { bench in
            let simulator = try bench.simulator("hanoi")
            let known = try simulator.placeOrder(["10": 1])
            try simulator.placeOrder(["10": 2])
            let units = try #require(simulator.stock(of: "10"))
            try await bench.order("\(known.id)", in: "hanoi", listing: "10", units: 1)
            try await bench.reaches(1, "SELECT count(*) FROM reconciliation.orders")
            try await bench.collected("hanoi", upTo: bench.clock.now.addingTimeInterval(5))
            try await bench.reaches(1, "SELECT count(*) FROM reconciliation.feeds")
            bench.jump(toMinute: 4)
            try await bench.collected("hanoi", upTo: bench.clock.now)
            bench.publisher.state([.right("10", sku: "SOAP", units: units)], of: "hanoi")
            try await bench.publisher.endRun(of: "hanoi", snapshot: UUID())
            let report = try #require(try await bench.nextReport())
            #expect(report.shops.first?.categories == ["ok": 1])
            let orders = try #require(report.shops.first?.orders)
            #expect(orders.inShop == 2 && orders.inHub == 1 && orders.inERP == 0 && orders.held == 0)
            #expect(orders.value == ["VND": Amount(10)])
            let missing = try await bench.system.number(
                "SELECT count(*) FROM reconciliation.order_findings WHERE kind = 'missing'")
            #expect(missing == 1)
            #expect(
                try await bench.system.number(
                    "SELECT count(*) FROM reconciliation.order_findings WHERE kind = 'total_mismatch'") == 1)
        }
    }
}
