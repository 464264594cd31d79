import Domain
import Foundation
import PostgreSQL
import ShopSimulators
import TestStack
import Testing

@Suite("A sale does not wait behind a whole run", .timeLimit(.minutes(20)))
struct UrgencyTests {
    private static let count = 3_000
    private static let catalogue = (1...count).map { number in
        CatalogueProduct(id: number, sku: "SKU-\(number)", name: "Product \(number)", stock: 0)
    }

    private func units(_ number: Int) -> [(code: String, units: Int)] {
        (1...Self.count).map { ("SKU-\($0)", number) }
    }

    @Test("while a run of thousands of shelves is being pushed, a sale lowers the other shop within seconds")
    func sale() async throws {
        let shops = ["hanoi", "saigon"].map { name in
            ShopSetup(name: ShopName(rawValue: name), catalogue: Self.catalogue, requestsPerSecond: 8, burst: 8)
        }
        try await PublisherBench.with(shops) { bench in
            try await bench.stock(units(50), sequence: 1)
            try await bench.release()
            let last = "\(Self.count)"
            #expect(try await bench.shows(50, of: last, in: "saigon", within: .seconds(120)))
            for simulator in bench.simulators.values {
                simulator.inject(Fault(.slow, probability: 1, seed: 1, latencyMilliseconds: 50))
            }
            try await bench.stock(units(40), sequence: 2)
            #expect(try await eventually { try bench.simulator("saigon").journal.contains { $0.after == 40 } })
            var latencies: [Duration] = []
            for number in 0..<5 {
                let listing = "\(Self.count - number * 3)"
                try bench.simulator("hanoi").sell(listing, quantity: 1)
                let began = ContinuousClock.now
                try await bench.order(
                    TestOrder(shop: "hanoi", id: "\(number)", lines: [(listing, "SKU-\(listing)", 30)]))
                let simulator = try bench.simulator("saigon")
                #expect(
                    try await eventually(within: .seconds(30), every: .milliseconds(10)) {
                        simulator.stock(of: listing).map { $0 <= 20 } ?? false
                    })
                latencies.append(ContinuousClock.now - began)
            }
            let isBusy = try await bench.system.number(
                "SELECT count(*) FROM publishing.shelves WHERE shop = 'saigon' AND due")
            print("sale to the other shop's shelf, with \(isBusy) shelves of a run still to go: \(latencies)")
            // A shared machine under test is slower than the goal of two seconds, but far from the run's length.
            #expect(latencies.allSatisfy { $0 < .seconds(6) }, "\(latencies)")
        }
    }
}
