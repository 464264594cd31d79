import Domain
import Foundation
import ShopSimulators
import TestStack
import Testing

@Suite("Several replicas of stock-publisher against strict and hostile shops", .timeLimit(.minutes(20)))
struct ReplicaTests {
    private static let products = 120
    private static let rounds = 3

    private static let catalogue = (1...products).map { number in
        CatalogueProduct(id: number, sku: "SKU-\(number)", name: "Product \(number)", stock: 0)
    }

    /// Levels grow from round to round, so that an older one is always a smaller one.
    private func units(_ round: Int) -> [(code: String, units: Int)] {
        (1...Self.products).map { ("SKU-\($0)", round * 100 + $0 % 50) }
    }

    @Test(
        "no call comes too fast, no shelf is written twice at once, none goes back to an older level",
        arguments: [2, 3])
    func replicas(_ count: Int) async throws {
        let shops = ["hanoi", "saigon"].map { name in
            ShopSetup(
                name: ShopName(rawValue: name), catalogue: Self.catalogue, requestsPerSecond: 20, burst: 10,
                inFlight: 3, batch: 2, simulatorLimit: 20)
        }
        try await PublisherBench.with(shops, replicas: count) { bench in
            let seed = UInt64.random(in: 1...1_000_000)
            try await bench.stock(units(1), sequence: 1)
            try await bench.release()
            for simulator in bench.simulators.values {
                simulator.inject(Fault(.lostAnswer, method: "POST", probability: 0.01, seed: seed))
                simulator.inject(Fault(.status, probability: 0.02, seed: seed + 1, status: 500))
                simulator.inject(Fault(.slow, probability: 0.1, seed: seed + 2, latencyMilliseconds: 300))
            }
            for round in 2...Self.rounds {
                try await Task.sleep(for: .milliseconds(700))
                try await bench.stock(units(round), sequence: Int64(round))
            }
            let wanted = units(Self.rounds)
            for (shop, simulator) in bench.simulators {
                #expect(
                    try await eventually(within: .seconds(240), every: .milliseconds(250)) {
                        let stock = simulator.stock
                        return wanted.enumerated().allSatisfy { stock["\($0.offset + 1)"] == $0.element.units }
                    }, "shop \(shop), seed \(seed): not all shelves got their level")
                let statistics = simulator.statistics
                #expect(statistics.throttled == 0, "shop \(shop), seed \(seed)")
                #expect(statistics.overlappingWrites.isEmpty, "shop \(shop), seed \(seed)")
                var highest: [String: Int] = [:]
                for entry in simulator.journal {
                    guard let after = entry.after else { continue }
                    #expect(after >= highest[entry.id] ?? 0, "shop \(shop), seed \(seed): \(entry.id) went back")
                    highest[entry.id] = after
                }
            }
            #expect(try await bench.system.ready("stock-publisher.dead") == 0, "seed \(seed)")
        }
    }

    @Test("a first stock file whose chunks replicas take in at the same time leaves no listing without its article")
    func firstFile() async throws {
        let shops = ["hanoi", "saigon"].map { name in
            ShopSetup(name: ShopName(rawValue: name), catalogue: Self.catalogue)
        }
        try await PublisherBench.with(shops, replicas: 3) { bench in
            try await bench.mapped()
            try await bench.stock(units(1), sequence: 1, chunk: 6)
            let listings = shops.count * Self.products
            let mapped = "SELECT count(*) FROM publishing.listings WHERE erp_code IS NOT NULL"
            _ = try await eventually(within: .seconds(60)) { try await bench.system.number(mapped) == listings }
            #expect(try await bench.system.number(mapped) == listings)
        }
    }
}
