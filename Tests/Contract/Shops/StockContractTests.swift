import Domain
import ShopConnectors
import ShopSimulators
import Testing

@Suite("Every connector reads and writes stock")
struct StockContractTests {
    @Test(arguments: ShopKind.allCases)
    func `what is written is confirmed and read back`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            let writes = [StockWrite(id: "10", quantity: 41), StockWrite(id: "12", quantity: 3)]
            #expect(try await writer.write(writes) == ["10": .confirmed(41), "12": .confirmed(3)])
            #expect(try await writer.write([StockWrite(id: "20/22", quantity: 0)]) == ["20/22": .confirmed(0)])
            let read = try await shop.reader().read(["10", "12", "20/22", "20/21"])
            #expect(read.mapValues(\.quantity) == ["10": 41, "12": 3, "20/22": 0, "20/21": 7])
            #expect(read.values.allSatisfy { $0.managed })
            #expect(shop.simulator.journal.map(\.id) == ["10", "12", "20/22"])
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `an id that no longer exists is absent from what is read`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let read = try await shop.reader().read(["10", "999", "20/998", "997/996"])
            #expect(Set(read.keys) == ["10"])
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `stock that is not tracked has no quantity and inherited stock says where it is`(
        kind: ShopKind
    ) async throws {
        try await withShop(kind) { shop in
            let read = try await shop.reader().read(["12", "30/31"])
            #expect(read["12"]?.managed == false && read["12"]?.quantity == nil)
            #expect(read["30/31"]?.movedTo == "30" && read["30/31"]?.quantity == 9)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `more than one call takes is split into groups that each go through`(kind: ShopKind) async throws {
        var products = (1...250).map { CatalogueProduct(id: $0, sku: "P\($0)", stock: 0) }
        for parent in [1_000, 2_000] {
            let variations = (1...120).map { CatalogueProduct.Variation(id: parent + $0, sku: "V", stock: 0) }
            products.append(CatalogueProduct(id: parent, sku: "V", type: "variable", variations: variations))
        }
        try await withShop(kind, catalogue: products) { shop in
            let writer = try await shop.writer()
            // Mixed up on purpose.
            let ids = Array(Set(shop.simulator.stock.keys)).map { ListingID(rawValue: $0) }
            let groups = writer.groups(ids + ids)
            #expect(groups.flatMap { $0 }.count == 490)
            #expect(Set(groups.flatMap { $0 }) == Set(ids))
            #expect(groups.allSatisfy { $0.count <= writer.maximumBatch })
            #expect(groups.count == 3 + 2 + 2)
            shop.simulator.reset()
            for group in groups {
                let results = try await writer.write(group.map { StockWrite(id: $0, quantity: 6) })
                #expect(results.count == group.count)
                #expect(results.values.allSatisfy { $0 == .confirmed(6) })
            }
            #expect(shop.simulator.statistics.writeRequests == groups.count, "one call for each group")
            #expect(shop.simulator.stock.values.allSatisfy { $0 == 6 })
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `writes that are not one group are a mistake of ours and are not sent`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            shop.simulator.reset()
            let wrong: [[StockWrite]] = [
                [.init(id: "10", quantity: 1), .init(id: "20/21", quantity: 1)],
                [.init(id: "10", quantity: 1), .init(id: "10", quantity: 2)],
                (1...101).map { StockWrite(id: ListingID(rawValue: "\($0)"), quantity: 1) },
                [.init(id: "SOAP", quantity: 1)],
            ]
            for writes in wrong {
                let error = await connectorError { _ = try await writer.write(writes) }
                #expect(error?.disposition == .defect && error?.mayHaveBeenApplied == false)
            }
            #expect(shop.simulator.statistics.requests == 0)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `an item that is refused does not fail the others`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            // 999 does not exist, 21 is a variation and is not written among products.
            let writes = [10, 999, 11, 21].map { StockWrite(id: ListingID(rawValue: "\($0)"), quantity: 2) }
            let results = try await writer.write(writes)
            #expect(results["10"] == .confirmed(2) && results["11"] == .confirmed(2))
            #expect(results["999"]?.code == "woocommerce_rest_product_invalid_id")
            #expect(results["21"]?.code == "woocommerce_rest_invalid_product_id")
            #expect(shop.simulator.stock(of: "20/21") == 7)

            shop.simulator.inject(Fault(.partialBatch, times: 1, items: [11], code: "some_plugin_says_no"))
            let second = try await writer.write([.init(id: "10", quantity: 8), .init(id: "11", quantity: 8)])
            #expect(second["10"] == .confirmed(8))
            #expect(second["11"]?.code == "some_plugin_says_no")
            #expect(shop.simulator.stock(of: "11") == 2)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `a quantity that the shop alters is not confirmed`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            shop.simulator.inject(Fault(.alteredQuantity, times: 1))
            #expect(try await writer.write([.init(id: "10", quantity: 8)]) == ["10": .altered(answered: 7)])
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `an item that the answer leaves out is unanswered`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            shop.simulator.inject(Fault(.silentItems, times: 1, items: [11]))
            let results = try await writer.write([.init(id: "10", quantity: 8), .init(id: "11", quantity: 8)])
            #expect(results == ["10": .confirmed(8), "11": .unanswered])
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `a fraction of a unit is rejected before it is sent`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let writer = try await shop.writer()
            shop.simulator.reset()
            let half = Quantity(micro: 2_500_000)
            let results = try await writer.write([.init(id: "10", quantity: half), .init(id: "11", quantity: 2)])
            #expect(results["10"]?.code == "stockbridge_fractional_quantity")
            #expect(results["11"] == .confirmed(2))
            #expect(shop.simulator.journal.map(\.id) == ["11"])
            #expect(try await writer.write([.init(id: "10", quantity: half)]).count == 1)
            #expect(shop.simulator.statistics.requests == 1, "nothing is left to send the second time")
        }
    }
}

extension StockWriteResult {
    /// The shop's code if it refused.
    var code: String? { if case .rejected(let code, _) = self { code } else { nil } }
}
