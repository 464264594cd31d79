import Domain
import ShopConnectors
import ShopSimulators
import Testing

@Suite("Every connector reads a catalogue")
struct CatalogueContractTests {
    /// Reads a catalogue to its end; `between` runs after each page.
    private func readAll(
        _ catalogue: any CatalogueReading, between: (Int) throws -> Void = { _ in }
    ) async throws -> [Listing] {
        var listings: [Listing] = []
        var cursor: CatalogueCursor?
        var pages = 0
        repeat {
            let page = try await catalogue.page(after: cursor)
            listings += page.listings
            cursor = page.next
            pages += 1
            try between(pages)
        } while cursor != nil && pages < 1_000
        return listings
    }

    @Test(arguments: ShopKind.allCases)
    func `every sellable product and variation comes exactly once`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let listings = try await readAll(shop.catalogue())
            #expect(listings.map(\.id.rawValue) == ["10", "11", "12", "20/21", "20/22", "30/31"])
            #expect(listings.map(\.sku) == ["SOAP", "0042", nil, "TEE-M", "TEE-L", "BAG-RED"])
            #expect(listings.map(\.stock) == [5, 0, nil, 7, 8, 9])
            #expect(listings.map(\.stockManaged) == [true, true, false, true, true, true])
            #expect(listings.map(\.title) == ["Soap", "Sữa rửa mặt", "No SKU", "Tee - M", "Tee - L", "Bag - Red"])
            #expect(listings.allSatisfy { $0.updatedAt != nil && $0.isPublished })
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `a variation that inherits its stock names its parent as the place of the stock`(
        kind: ShopKind
    ) async throws {
        try await withShop(kind) { shop in
            let listings = try await readAll(shop.catalogue())
            #expect(listings.map(\.stockID.rawValue) == ["10", "11", "12", "20/21", "20/22", "30"])
            let write = StockWrite(id: "30", quantity: 4)
            #expect(try await shop.writer().write([write]) == ["30": .confirmed(4)])
            #expect(try await readAll(shop.catalogue()).last?.stock == 4)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `a draft is listed and is not published`(kind: ShopKind) async throws {
        let products = [
            CatalogueProduct(id: 1, sku: "A", status: "draft", stock: 1),
            CatalogueProduct(
                id: 2, sku: "B", type: "variable",
                variations: [.init(id: 3, sku: "C", stock: 1, status: "private"), .init(id: 4, sku: "D", stock: 1)]),
        ]
        try await withShop(kind, catalogue: products) { shop in
            let listings = try await readAll(shop.catalogue())
            #expect(listings.map(\.id.rawValue) == ["1", "2/3", "2/4"])
            #expect(listings.map(\.isPublished) == [false, false, true])
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `many pages and more than a page of variations are complete`(kind: ShopKind) async throws {
        var products = (1...350).map { CatalogueProduct(id: $0 * 1_000, sku: "P\($0)", stock: $0) }
        let sizes = (1...230).map { CatalogueProduct.Variation(id: 500_000_000 + $0, sku: "V\($0)", stock: $0) }
        products.append(CatalogueProduct(id: 150_500, sku: "V", type: "variable", variations: sizes))
        try await withShop(kind, catalogue: products) { shop in
            let listings = try await readAll(shop.catalogue())
            #expect(listings.count == 580)
            #expect(Set(listings.map(\.id)).count == 580)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `an empty shop has an empty catalogue`(kind: ShopKind) async throws {
        try await withShop(kind, catalogue: []) { shop in
            let listings = try await readAll(shop.catalogue())
            #expect(listings.isEmpty)
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `deleting and adding products while the catalogue is read loses and repeats none`(
        kind: ShopKind
    ) async throws {
        let products = (1...600).map { CatalogueProduct(id: $0, sku: "P\($0)", stock: 1) }
        try await withShop(kind, catalogue: products) { shop in
            let listings = try await readAll(shop.catalogue()) { page in
                // More than a page is deleted before the place that was reached, its last item included, and new
                // products come both there and at the end.
                if page == 2 { for id in 20...199 { shop.simulator.remove(id) } }
                if page == 3 {
                    for id in 20...60 { try shop.simulator.add(CatalogueProduct(id: id, sku: "back \(id)")) }
                }
                if page == 3 { try shop.simulator.add(CatalogueProduct(id: 900, sku: "new", stock: 1)) }
            }
            #expect(Set(listings.map(\.id)).count == listings.count, "none comes twice")
            let untouched = (1...19).map { "\($0)" } + (200...600).map { "\($0)" } + ["900"]
            #expect(Set(untouched).isSubset(of: listings.map(\.id.rawValue)), "none is missing")
        }
    }

    @Test(arguments: ShopKind.allCases)
    func `a stranger's cursor is refused and nothing is sent`(kind: ShopKind) async throws {
        try await withShop(kind) { shop in
            let catalogue = try await shop.catalogue()
            let before = shop.simulator.statistics.requests
            let error = await connectorError { _ = try await catalogue.page(after: CatalogueCursor(rawValue: "x")) }
            #expect(error?.disposition == .defect)
            #expect(shop.simulator.statistics.requests == before)
        }
    }
}
