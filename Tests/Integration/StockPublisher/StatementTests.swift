import Contracts
import Domain
import Foundation
import PostgreSQL
import RabbitMQ
import ShopSimulators
import TestStack
import Testing

@Suite("What stock-publisher tells the others about its shops", .timeLimit(.minutes(20)))
struct StatementTests {
    /// The whole statement that answers a request, or the first of a run where there is no request.
    private func statement(
        of shop: ShopName, request: UUID?, _ bench: PublisherBench
    ) async throws -> (header: StockPublished.Header, listings: [PublishedListing]) {
        var header: StockPublished.Header?
        var listings: [PublishedListing] = []
        var chunks = 0
        for _ in 0..<200 {
            if let header, header.chunks == chunks { return (header, listings) }
            let deliveries = try await bench.system.take(1, from: "reconciler", within: .seconds(30))
            guard let delivery = deliveries.first else { break }
            guard delivery.properties.type == StockPublished.type.name else { continue }
            let message = try ContractCoding.decode(StockPublished.self, from: delivery.body)
            guard message.statement.shop == shop, message.statement.request == request else { continue }
            switch message {
            case .header(let found): header = found
            case .chunk(let chunk):
                listings += chunk.listings
                chunks += 1
            }
        }
        throw TestStackProblem("The statement did not come within the time.")
    }

    /// The next chunk about a mapping; other events are dropped.
    private func nextMapping(_ bench: PublisherBench) async throws -> MappingChanged {
        for _ in 0..<100 {
            let deliveries = try await bench.system.take(1, from: "order-collector", within: .seconds(30))
            guard let delivery = deliveries.first else { break }
            guard delivery.properties.type == MappingChanged.type.name else { continue }
            return try ContractCoding.decode(MappingChanged.self, from: delivery.body)
        }
        throw TestStackProblem("No mapping came within the time.")
    }

    /// A shelf of a repair, as reconciler names it.
    private static func seen(_ shelf: String, _ units: Int64, at now: Date) -> JSONValue {
        .object([
            "shelf": .string(shelf), "observed": .integer(units), "read_from": .string(UTCTimestamp.format(now)),
            "read_to": .string(UTCTimestamp.format(now.addingTimeInterval(1))),
        ])
    }

    @Test("at the end of a run every listing is told, with its breakdown, its state and the shop's answer")
    func endOfRun() async throws {
        let catalogue =
            threeProducts + [CatalogueProduct(id: 13, sku: "NOWHERE", name: "Not in the ERP", stock: 3)]
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: catalogue)]) { bench in
            try bench.simulator().inject(Fault(.partialBatch, items: [11]))
            try await bench.mapped()
            try await bench.stock([("SOAP", 5), ("SHAMPOO", 6), ("CREAM", 0)], sequence: 1)
            let shadow = try await statement(of: "hanoi", request: nil, bench)
            #expect(shadow.header.isShadow && shadow.header.cause == "snapshot")
            try await bench.release()
            let (header, listings) = try await statement(of: "hanoi", request: nil, bench)
            #expect(header.cause == "release" && !header.isShadow && header.sources.map(\.source) == ["erp"])
            let counts = try #require(header.counts)
            #expect(counts.isBalanced && counts.listed == 4 && counts.unmapped == 1 && counts.rejected == 1)
            #expect(listings.map(\.listing) == ["10", "11", "12", "13"])
            let soap = listings[0]
            #expect(soap.wanted == 5 && soap.expectedAtShop == 5 && soap.outcome == "confirmed" && !soap.isPending)
            #expect(soap.breakdown?.gross == 5 && soap.asOf == header.sources[0].asOf && soap.erpCode == "SOAP")
            #expect(listings[1].outcome == "rejected" && listings[1].answer?.isEmpty == false)
            #expect(listings[3].mapping == "unmapped" && listings[3].wanted == nil)
        }
    }

    @Test("republish sends stock of some listings or all, and the mapping under a higher number")
    func republish() async throws {
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: threeProducts)]) { bench in
            try await bench.stock([("SOAP", 5), ("SHAMPOO", 1)], sequence: 1)
            try await bench.release()
            #expect(try await bench.shows(5, of: "10"))
            let request = UUID()
            try await bench.command(
                .republish,
                [
                    "shop": .string("hanoi"), "what": .string("stock"), "request": .string(request.uuidString),
                    "listings": .array([.string("10")]),
                ])
            let (header, listings) = try await statement(of: "hanoi", request: request, bench)
            #expect(header.counts == nil && header.cause == "request" && listings.map(\.listing) == ["10"])
            try await bench.stock([("SHAMPOO", 2)], sequence: 2)
            #expect(try await bench.shows(2, of: "11"))
            try await bench.command(.republish, ["shop": .string("hanoi"), "what": .string("mapping")])
            // The first statement about the mapping comes before what somebody asked for.
            var change = try await nextMapping(bench)
            let first = change
            for _ in 0..<10 where change.sequence == first.sequence || change.entries.count < 3 {
                change = try await nextMapping(bench)
            }
            #expect(change.sequence > first.sequence)
            let entries = change.entries.sorted { $0.listing < $1.listing }
            #expect(entries.map(\.listing) == ["10", "11", "12"])
            #expect(entries.map(\.state) == ["mapped", "mapped", "unmapped"])
            #expect(entries.first?.erpCode == "SOAP")
        }
    }

    @Test("a listing that vanishes is told as gone")
    func gone() async throws {
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: threeProducts)]) { bench in
            try await bench.mapped()
            #expect(try bench.simulator().remove(12))
            try await bench.command(.catalogue, ["shop": .string("hanoi")])
            var states: [String] = []
            for _ in 0..<10 where !states.contains("gone") {
                states = try await nextMapping(bench).entries.filter { $0.listing == "12" }.map(\.state)
            }
            #expect(states == ["gone"])
        }
    }

    @Test("a repair sets aside what was confirmed and pushes again; one that saw what should be there does nothing")
    func repair() async throws {
        try await PublisherBench.with([ShopSetup(name: "hanoi", catalogue: threeProducts)]) { bench in
            try await bench.stock([("SOAP", 5), ("SHAMPOO", 6)], sequence: 1)
            try await bench.release()
            #expect(try await bench.shows(5, of: "10"))
            #expect(try await bench.shows(6, of: "11"))
            try bench.simulator().setStock(of: "10", to: 9)
            let now = Date().addingTimeInterval(1)
            let shelves = [Self.seen("10", 9, at: now), Self.seen("11", 6, at: now)]
            try await bench.command(.repair, ["shop": .string("hanoi"), "shelves": .array(shelves)])
            #expect(
                try await eventually {
                    try await bench.system.number(
                        "SELECT count(*) FROM publishing.shelf_versions WHERE cause_kind = 'repair'") == 1
                })
            #expect(try await bench.shows(5, of: "10"))
            let version = "SELECT version::int FROM publishing.shelves WHERE shelf = '11'"
            #expect(try await bench.system.number(version) == 1)
        }
    }
}
