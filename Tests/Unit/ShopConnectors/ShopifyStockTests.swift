import Domain
import Foundation
import Testing
import Transfer

@testable import ShopConnectors

@Suite("Stock is written to Shopify by compare and set")
struct ShopifyStockTests {
    private func stock(_ http: ScriptedHTTP, version: String = "2026-04") -> ShopifyStock {
        ShopifyStock(client: shopify(http, version: version), location: "gid://shopify/Location/9")
    }

    /// An answer to `inventorySetQuantities`.
    private func answer(errors: String = "", changes: String = "") -> HTTPResponse {
        json(
            """
            {"data":{"inventorySetQuantities":{"inventoryAdjustmentGroup":{"changes":[\(changes)]},\
            "userErrors":[\(errors)]}}}
            """)
    }

    private func change(_ item: Int, _ after: Int, name: String = "available") -> String {
        """
        {"name":"\(name)","quantityAfterChange":\(after),"item":{"id":"gid://shopify/InventoryItem/\(item)"}}
        """
    }

    private func error(_ code: String, row: Int?) -> String {
        let field = row.map { "[\"input\",\"quantities\",\"\($0)\",\"quantity\"]" } ?? "null"
        return "{\"code\":\"\(code)\",\"field\":\(field),\"message\":\"m\"}"
    }

    private func variables(_ http: ScriptedHTTP) throws -> JSONFacts {
        JSONFacts(tree: try JSONTree(http.sent.first?.body ?? []))["variables"]
    }

    private let writes = [
        StockWrite(id: "item-1", quantity: 12, expected: 10, attempt: "a1"),
        StockWrite(id: "item-2", quantity: 3, attempt: "a2"),
        StockWrite(id: "item-3", quantity: 0, expected: 5, attempt: "a3"),
    ]

    @Test func `each row says what it replaces and the call names its attempt`() async throws {
        let http = ScriptedHTTP { (_) in self.answer(changes: self.change(1, 12) + "," + self.change(3, 0)) }
        let results = try await stock(http).write(writes)
        #expect(results == ["item-1": .confirmed(12), "item-2": .confirmed(3), "item-3": .confirmed(0)])
        let sent = try variables(http)
        let rows = try sent["in"]["quantities"].list()
        #expect(rows.map { $0["changeFromQuantity"].tree } == [.number("10"), .null, .number("5")])
        #expect(rows.map { $0["quantity"].textIfAny } == ["12", "3", "0"])
        #expect(rows.allSatisfy { $0["locationId"].textIfAny == "gid://shopify/Location/9" })
        #expect(try sent["k"].text().count == 36)
        let body = String(decoding: http.sent.first?.body ?? [], as: UTF8.self)
        #expect(body.contains("@idempotent(key: $k)"))
    }

    @Test func `before 2026-01 rows compare by another field and there are no keys`() async throws {
        let http = ScriptedHTTP { (_) in self.answer(changes: self.change(1, 12) + "," + self.change(3, 0)) }
        let results = try await stock(http, version: "2025-10").write(writes)
        #expect(results == ["item-1": .confirmed(12), "item-2": .notWritten, "item-3": .confirmed(0)])
        let sent = try variables(http)
        let rows = try sent["in"]["quantities"].list()
        #expect(rows.map { $0["compareQuantity"].textIfAny } == ["10", "5"])
        #expect(rows.allSatisfy { !$0["changeFromQuantity"].exists } && !sent["k"].exists)
        #expect(sent["in"]["ignoreCompareQuantity"].tree == .boolean(false))
        let free = ScriptedHTTP { (_) in self.answer() }
        #expect(
            try await stock(free, version: "2025-10").write([StockWrite(id: "item-2", quantity: 3)])
                == ["item-2": .confirmed(3)])
        #expect(try variables(free)["in"]["ignoreCompareQuantity"].isTrue)
    }

    @Test func `keys depend on the attempts and the content and nothing else`() {
        let key = ShopifyStockBatch.key(writes, salt: "9")
        #expect(key == ShopifyStockBatch.key(writes, salt: "9"))
        #expect(key != ShopifyStockBatch.key(Array(writes.dropLast()), salt: "9"))
        #expect(key != ShopifyStockBatch.key(writes, salt: "8"))
        var other = writes
        other[0] = StockWrite(id: "item-1", quantity: 12, expected: 10, attempt: "b1")
        #expect(key != ShopifyStockBatch.key(other, salt: "9"))
        let nameless = [StockWrite(id: "item-1", quantity: 1)]
        #expect(ShopifyStockBatch.key(nameless, salt: "9") != ShopifyStockBatch.key(nameless, salt: "9"))
    }

    @Test func `a stale row is read, and the others were not written`() async throws {
        let http = ScriptedHTTP { (request) in
            String(decoding: request.body ?? [], as: UTF8.self).contains("query Stock")
                ? json(
                    """
                    {"data":{"nodes":[{"id":"gid://shopify/InventoryItem/1","tracked":true,\
                    "inventoryLevel":{"quantities":[{"quantity":8}]}}]}}
                    """) : self.answer(errors: self.error("CHANGE_FROM_QUANTITY_STALE", row: 0))
        }
        let results = try await stock(http).write(writes)
        #expect(
            results == ["item-1": .mismatch(observed: 8), "item-2": .notWritten, "item-3": .notWritten])
        #expect(http.sent.count == 2)
    }

    @Test(
        arguments: [
            ("CHANGE_FROM_QUANTITY_STALE", nil, [.mismatch(observed: nil), .notWritten, .mismatch(observed: nil)]),
            ("IDEMPOTENCY_CONCURRENT_REQUEST", nil, [.unanswered, .unanswered, .unanswered]),
            ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", nil, [.notWritten, .notWritten, .notWritten]),
            (
                "INVALID_INVENTORY_ITEM", 1,
                [.notWritten, .rejected(code: "INVALID_INVENTORY_ITEM", message: "m"), .notWritten]
            ),
            ("INVALID_INVENTORY_ITEM", 9, []), ("INVALID_REASON", nil, []),
            ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", nil, []),
        ] as [(String, Int?, [StockWriteResult])])
    func `an error means something for every row`(code: String, row: Int?, expected: [StockWriteResult]) throws {
        let batch = ShopifyStockBatch(writes, location: "l", changesFrom: true)
        let facts = JSONFacts(tree: try JSONTree(Array(error(code, row: row).utf8)))
        let nothing = JSONFacts(tree: .object([:]))
        if expected.isEmpty {
            #expect(throws: ShopifyStockBatch.Refusal.self) { _ = try batch.read([facts], nothing) { text, _ in text } }
        } else {
            let results = try batch.read([facts], nothing) { text, _ in text }
            #expect(writes.map { results[$0.id] } == expected)
        }
    }

    @Test func `an item that is not stocked at the location is put there`() async throws {
        let http = ScriptedHTTP { (request) in
            String(decoding: request.body ?? [], as: UTF8.self).contains("inventoryActivate")
                ? json(
                    """
                    {"data":{"inventoryActivate":{"inventoryLevel":{"quantities":[{"quantity":3}]},"userErrors":[]}}}
                    """) : self.answer(errors: self.error("ITEM_NOT_STOCKED_AT_LOCATION", row: 1))
        }
        let results = try await stock(http).write(writes)
        #expect(results == ["item-1": .notWritten, "item-2": .confirmed(3), "item-3": .notWritten])
    }

    @Test func `what was altered or left out is not confirmed`() async throws {
        let http = ScriptedHTTP { (_) in
            self.answer(changes: self.change(1, 11) + "," + self.change(3, 0, name: "on_hand"))
        }
        let results = try await stock(http).write(writes)
        #expect(
            results == ["item-1": .altered(answered: 11), "item-2": .confirmed(3), "item-3": .unanswered])
    }

    @Test func `fractions and strange ids are not sent`() async throws {
        let http = ScriptedHTTP { (_) in self.answer() }
        let half = StockWrite(id: "item-1", quantity: Quantity(micro: 500_000))
        let results = try await stock(http).write([half])
        guard case .rejected("stockbridge_fractional_quantity", _)? = results["item-1"] else {
            Issue.record("was not rejected")
            return
        }
        for id in ["10/11", "item-", "item-x", "7"] as [ListingID] {
            await #expect(throws: ConnectorError.self) {
                _ = try await stock(http).write([StockWrite(id: id, quantity: 1)])
            }
        }
        #expect(http.sent.isEmpty)
    }

    @Test func `untracked and unstocked items have no number, deleted ones are absent`() async throws {
        let http = ScriptedHTTP { (_) in
            json(
                """
                {"data":{"nodes":[{"id":"gid://shopify/InventoryItem/1","tracked":true,"inventoryLevel":null},
                {"id":"gid://shopify/InventoryItem/2","tracked":false,"inventoryLevel":{"quantities":[{"quantity":4}]}},
                null,{"id":"gid://shopify/InventoryItem/4","tracked":true,"inventoryLevel":
                {"updatedAt":"2026-11-22T00:00:00Z","quantities":[{"quantity":-4}]}}]}}
                """)
        }
        let read = try await stock(http).read(["item-1", "item-2", "item-3", "item-4"])
        #expect(Set(read.keys) == ["item-1", "item-2", "item-4"])
        #expect(read["item-1"]?.managed == false && read["item-2"]?.quantity == nil)
        #expect(read["item-4"]?.quantity == -4 && read["item-4"]?.updatedAt != nil)
    }
}
