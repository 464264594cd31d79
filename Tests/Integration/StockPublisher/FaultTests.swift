import Domain
import Foundation
import ShopSimulators
import TestStack
import Testing

@Suite("The known faults of other connectors are none of stock-publisher's", .timeLimit(.minutes(20)))
struct FaultTests {
    @Test("fault 3: state is kept per shelf, so that one success does not hide another's failure")
    func stateOfEachShelf() async throws {
        try await PublisherBench.with([
            ShopSetup(name: "hanoi", catalogue: threeProducts), ShopSetup(name: "saigon", catalogue: threeProducts),
        ]) { bench in
            let stock = [("SOAP", 5), ("SHAMPOO", 6), ("CREAM", 7)].map { (code: $0.0, units: $0.1) }
            try bench.simulator("saigon").inject(Fault(.partialBatch, items: [11]))
            try await bench.stock(stock, sequence: 1)
            try await bench.release()
            #expect(try await bench.shows(5, of: "10", in: "saigon"))
            #expect(try await bench.shows(7, of: "12", in: "saigon"))
            for (listing, units) in [("10", 5), ("11", 6), ("12", 7)] {
                #expect(try await bench.shows(units, of: listing, in: "hanoi"))
            }
            #expect(
                try await bench.system.number(
                    """
                    SELECT count(*) FROM publishing.shelves WHERE shop = 'saigon' AND shelf = '11'
                    AND rejected_version = version AND confirmed_version < version AND rejection <> ''
                    """) == 1)
            #expect(try await bench.runsEnded())
            #expect(try await bench.count("confirmed", of: "saigon") == 2)
            #expect(try await bench.count("rejected", of: "saigon") == 1)
            #expect(try await bench.count("confirmed", of: "hanoi") == 3)
            #expect(try bench.simulator("saigon").stock(of: "11") == 0)
            try bench.simulator("saigon").clearFaults()
            try await bench.stock(stock, sequence: 2)
            #expect(try await bench.shows(6, of: "11", in: "saigon"), "the next run tries again what was refused")
        }
    }

    @Test("fault 8: five, four, five is three pushes")
    func fiveFourFive() async throws {
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: threeProducts)]) { bench in
            try await bench.stock([("SOAP", 5)], sequence: 1)
            try await bench.release()
            for (sequence, units) in [(1, 5), (2, 4), (3, 5)] {
                if sequence > 1 { try await bench.stock([("SOAP", units)], sequence: Int64(sequence)) }
                #expect(try await bench.shows(units, of: "10"))
            }
            #expect(try bench.levels(of: "10") == [5, 4, 5])
            #expect(
                try await bench.system.number("SELECT version::int FROM publishing.shelves WHERE shelf = '10'") == 3)
            #expect(
                try await bench.system.number("SELECT count(*) FROM publishing.pushes WHERE result = 'confirmed'") == 3)
        }
    }

    @Test("fault 11: an empty SKU matches nothing, whatever the file and the shop say")
    func emptySKU() async throws {
        let catalogue = [
            CatalogueProduct(id: 10, sku: "SOAP", name: "Soap", stock: 0),
            CatalogueProduct(id: 20, sku: "", name: "No SKU", stock: 8),
            CatalogueProduct(id: 21, sku: nil, name: "No SKU either", stock: 9),
            CatalogueProduct(id: 22, sku: "  ", name: "Blanks", stock: 7),
        ]
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: catalogue)]) { bench in
            try await bench.stock([("SOAP", 5), ("", 1)], sequence: 1)
            try await bench.release()
            #expect(try await bench.shows(5, of: "10"))
            #expect(try await bench.runsEnded())
            #expect(try await bench.count("unmapped") == 3)
            let simulator = try bench.simulator()
            #expect(Set(simulator.journal.map(\.id)) == ["10"])
            #expect(["20", "21", "22"].map { simulator.stock(of: $0) } == [8, 9, 7])
            #expect(
                try await bench.system.number("SELECT count(*) FROM publishing.listings WHERE mapping = 'blank'") == 3)
            #expect(try await bench.system.number("SELECT count(*) FROM publishing.shelves") == 1)
        }
    }

    @Test("fault 12: a push that failed and is tried again later writes today's number")
    func todaysNumber() async throws {
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: threeProducts)]) { bench in
            try await bench.stock([("SOAP", 5)], sequence: 1)
            try await bench.release()
            #expect(try await bench.shows(5, of: "10"))
            let simulator = try bench.simulator()
            simulator.inject(Fault(.status, status: 500))
            try await bench.stock([("SOAP", 9)], sequence: 2)
            #expect(try await eventually { simulator.statistics.faults["status"] ?? 0 >= 2 })
            try await bench.stock([("SOAP", 3)], sequence: 3)
            #expect(
                try await eventually {
                    try await bench.system.number(
                        "SELECT count(*) FROM publishing.shelves WHERE shelf = '10' AND wanted = 3") == 1
                })
            simulator.clearFaults()
            #expect(try await bench.shows(3, of: "10"))
            // Every request for the number of yesterday has been answered by now, in whatever order they came back.
            #expect(try await eventually { try await bench.system.ready("stock-publisher.push.hanoi") == 0 })
            #expect(try await eventually { try await bench.system.ready("stock-publisher.retry.1s") == 0 })
            #expect(try await eventually { try await bench.system.ready("stock-publisher.retry.2s") == 0 })
            #expect(try bench.levels(of: "10") == [5, 3])
            #expect(simulator.stock(of: "10") == 3)
        }
    }

    @Test("fault 14: a new stock feed with no mapping sets no shop to zero")
    func unmappedFeed() async throws {
        let catalogue = [
            CatalogueProduct(id: 10, sku: "SOAP", name: "Soap", stock: 0),
            CatalogueProduct(id: 11, sku: "SHAMPOO", name: "Dầu gội", stock: 8),
            CatalogueProduct(id: 12, sku: "CREAM", name: "Kem", stock: 4),
        ]
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: catalogue)]) { bench in
            try await bench.stock([("SOAP", 5)], sequence: 1)
            try await bench.release()
            #expect(try await bench.shows(5, of: "10"))
            try await bench.stock([("X-1", 0), ("X-2", 50), ("X-3", 0)], sequence: 1, source: "pos")
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT count(*) FROM publishing.stock WHERE source = 'pos'") == 3
                })
            try await bench.mapped()
            #expect(try await bench.runsEnded())
            let simulator = try bench.simulator()
            #expect(["10", "11", "12"].map { simulator.stock(of: $0) } == [5, 8, 4])
            #expect(simulator.journal.count == 1)
            #expect(try await bench.count("unmapped") == 2)
        }
    }
}
