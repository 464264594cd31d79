import Domain
import Testing
import Transfer

@testable import ShopConnectors

@Suite("Stock goes to WooCommerce in groups")
struct WooCommerceStockTests {
    @Test func `simple products go together and variations by parent, in the order they came, once each`() {
        let stock = WooCommerceStock(client: client(ScriptedHTTP { (_) in json("{}") }))
        let groups = stock.groups(["7", "20/21", "8", "30/31", "20/22", "7"])
        #expect(groups == [["7", "8"], ["20/21", "20/22"], ["30/31"]])
        #expect(stock.groups([]) == [])
    }

    @Test(arguments: [(0, 1), (50, 50), (1_000, 100)])
    func `a batch holds between one and a hundred items`(limit: Int, expected: Int) {
        let configuration = WooCommerceConfiguration(
            shop: "s", url: "https://a", key: "k", secret: "s", batchLimit: limit)
        #expect(configuration.batchLimit == expected)
    }

    @Test func `a write sends absolute quantities and turns stock management on`() async throws {
        let http = ScriptedHTTP { (_) in
            json("{\"update\":[{\"id\":21,\"manage_stock\":true,\"stock_quantity\":12}]}")
        }
        let results = try await WooCommerceStock(client: client(http)).write([StockWrite(id: "20/21", quantity: 12)])
        #expect(results == ["20/21": .confirmed(12)])
        let request = try #require(http.sent.first)
        #expect(request.method == "POST" && request.url.hasSuffix("/wc/v3/products/20/variations/batch"))
        let body = String(decoding: request.body ?? [], as: UTF8.self)
        #expect(body == "{\"update\":[{\"id\":21,\"manage_stock\":true,\"stock_quantity\":12}]}")
    }

    @Test(
        arguments: [
            ("{\"id\":1,\"manage_stock\":true,\"stock_quantity\":4}", .altered(answered: 4)),
            ("{\"id\":1,\"manage_stock\":false,\"stock_quantity\":null}", .altered(answered: nil)),
            ("{\"id\":1,\"manage_stock\":true,\"stock_quantity\":\"5\"}", .confirmed(5)),
            ("{\"id\":2,\"manage_stock\":true,\"stock_quantity\":5}", .unanswered),
            (
                "{\"id\":1,\"error\":{\"code\":\"c\",\"message\":\"m cs_secret1\"}}",
                .rejected(code: "c", message: "m [redacted]")
            ),
            ("{\"id\":1,\"error\":{}}", .rejected(code: "unknown", message: "")),
        ] as [(String, StockWriteResult)])
    func `only the quantity that was asked for is confirmed`(item: String, expected: StockWriteResult) async throws {
        let http = ScriptedHTTP { (_) in json("{\"update\":[\(item)]}") }
        let results = try await WooCommerceStock(client: client(http)).write([StockWrite(id: "1", quantity: 5)])
        #expect(results == ["1": expected])
    }

    @Test func `no writes make no call`() async throws {
        let http = ScriptedHTTP { (_) in json("[]") }
        let results = try await WooCommerceStock(client: client(http)).write([])
        #expect(results.isEmpty && http.sent.isEmpty)
    }

    @Test func `a configuration shows no credentials`() {
        let configuration = WooCommerceConfiguration(shop: "s", url: "https://a", key: "ck_hidden", secret: "cs_hidden")
        for text in ["\(configuration)", String(reflecting: configuration)] { #expect(!text.contains("hidden")) }
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("hidden"))
    }
}
