import Foundation
import ShopSimulators
import Testing
import Transfer

@Suite("The simulated Shopify shop: catalogue and stock")
struct ShopifySimulatorStockTests {
    private static let levels = """
        query($ids: [ID!]!, $l: ID!) { nodes(ids: $ids) { ... on InventoryItem { id tracked
          inventoryLevel(locationId: $l) { quantities(names: ["available", "committed", "on_hand"]) {
            name quantity updatedAt } } } } }
        """

    private func quantities(_ shop: ShopifyUnderTest, _ variant: Int, location: Int = 501) async throws -> [String] {
        let item = ShopifySettings.inventoryItemID(ofVariant: variant)
        let reply = try await shop.query(
            Self.levels,
            "{\"ids\":[\"gid://shopify/InventoryItem/\(item)\"],\"l\":\"gid://shopify/Location/\(location)\"}")
        return reply.list("data.nodes.0.inventoryLevel.quantities.*.quantity")
    }

    private func codes(_ reply: ShopifyUnderTest.Reply) -> [String] {
        reply.list("data.inventorySetQuantities.userErrors.*.code")
    }

    @Test(arguments: [
        ("ID", ["SOAP", "0042", "", "TEE-M", "TEE-L", "BAG-RED", "SET", "ELSEWHERE"]),
        ("SKU", ["", "0042", "BAG-RED", "ELSEWHERE", "SET", "SOAP", "TEE-L", "TEE-M"]),
    ])
    func `all variants come in pages, and a parent's stock is its variant's`(
        sortKey: String, expected: [String]
    ) async throws {
        try await withShopify { shop in
            var skus: [String] = []
            var cursor = "null"
            var pages = 0
            while cursor != "" {
                let reply = try await shop.query(
                    """
                    query($c: String) { productVariants(first: 3, after: $c, sortKey: \(sortKey)) {
                      nodes { sku legacyResourceId inventoryQuantity product { title status } }
                      pageInfo { hasNextPage endCursor } } }
                    """, "{\"c\":\(cursor)}")
                skus += reply.list("data.productVariants.nodes.*.sku")
                pages += 1
                let more = reply["data.productVariants.pageInfo.hasNextPage"] == "1"
                cursor = more ? "\"\(reply["data.productVariants.pageInfo.endCursor"])\"" : ""
            }
            #expect(pages == 3)
            #expect(skus == expected)
            #expect(try await quantities(shop, 31) == ["9", "0", "9"])
            #expect(shop.simulator.stock["30/31"] == 9)
        }
    }

    @Test func `search looks at no capital letters, and a filter that does not exist is left out`() async throws {
        try await withShopify { shop in
            func skus(_ query: String) async throws -> (skus: [String], warning: String) {
                let reply = try await shop.query(
                    "query($q: String) { productVariants(first: 50, query: $q) { nodes { sku } } }",
                    "{\"q\":\"\(query)\"}")
                return (
                    reply.list("data.productVariants.nodes.*.sku"), reply["extensions.search.0.warnings.0.field"]
                )
            }
            #expect(try await skus("sku:'tee-m' OR sku:SOAP").skus == ["SOAP", "TEE-M"])
            #expect(try await skus("sku:TEE*").skus == ["TEE-M", "TEE-L"])
            #expect(try await skus("(id:>=21 AND id:<31) -sku:'TEE-L'").skus == ["TEE-M"])
            let wrong = try await skus("sky:SOAP")
            #expect(wrong.skus.count == 8 && wrong.warning == "sky")
        }
    }

    @Test func `quantities are set, told back, and written into the journal`() async throws {
        try await withShopify { shop in
            let reply = try await shop.set([(21, 12, "7"), (22, 8, "8"), (10, 0, "null")])
            #expect(codes(reply) == [])
            let group = "data.inventorySetQuantities.inventoryAdjustmentGroup"
            // A row that changes nothing is not among the changes.
            #expect(reply.list("\(group).changes.*.delta") == ["5", "-5"])
            #expect(reply["\(group).changes.0.item.id"] == "gid://shopify/InventoryItem/70000021")
            #expect(try await quantities(shop, 21) == ["12", "0", "12"])
            #expect(shop.simulator.journal.map(\.id) == ["20/21", "20/22", "10"])
            let counts = shop.simulator.statistics
            #expect(counts.writeRequests == 1 && counts.itemsWritten == 3 && counts.graphQLCalls == 2)
            let same = try await shop.set([(21, 12, "12")])
            #expect(same[group] == "<null>" && codes(same) == [])
        }
    }

    @Test func `one stale row fails the whole call and is named`() async throws {
        try await withShopify { shop in
            let reply = try await shop.set([(10, 4, "5"), (21, 1, "7"), (22, 1, "9"), (31, 3, "9")])
            #expect(codes(reply) == ["CHANGE_FROM_QUANTITY_STALE"])
            let field = reply.list("data.inventorySetQuantities.userErrors.0.field.*")
            #expect(field == ["input", "quantities", "2", "changeFromQuantity"])
            #expect(shop.simulator.journal.isEmpty)
        }
    }

    @Test func `what is wrong with a row is told by its code`() async throws {
        try await withShopify(configure: { configuration in
            configuration.shopify.locations.append(.init(id: 502, name: "Kho hai"))
            configuration.shopify.notStocked = [11]
        }) { shop in
            #expect(codes(try await shop.set([(99, 1, "0")])) == ["INVALID_INVENTORY_ITEM"])
            #expect(codes(try await shop.set([(21, 1, "7")], location: 777)) == ["INVALID_LOCATION"])
            #expect(codes(try await shop.set([(21, 1, "7")], location: 502)) == ["ITEM_NOT_STOCKED_AT_LOCATION"])
            #expect(codes(try await shop.set([(11, 1, "0")])) == ["ITEM_NOT_STOCKED_AT_LOCATION"])
            #expect(codes(try await shop.set([(21, -1, "7")])) == ["INVALID_QUANTITY_NEGATIVE"])
            #expect(
                codes(try await shop.set([(21, 1, "7"), (21, 2, "7")]))
                    == ["NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"])
            let many = (0..<251).map { (variant: $0, quantity: 1, from: "0") }
            #expect(try await shop.set(many)["errors.0.extensions.code"] == "MAX_INPUT_SIZE_EXCEEDED")
            #expect(shop.simulator.journal.isEmpty)

            let activation = try await shop.query(
                """
                mutation { inventoryActivate(inventoryItemId: "gid://shopify/InventoryItem/70000011",
                  locationId: "gid://shopify/Location/501", available: 3) @idempotent(key: "a") {
                    inventoryLevel { quantities(names: ["available"]) { quantity } } userErrors { field message } } }
                """)
            #expect(activation["data.inventoryActivate.inventoryLevel.quantities.0.quantity"] == "3")
            #expect(codes(try await shop.set([(11, 1, "3")])) == [])
        }
    }

    @Test func `a key works once: again it replays, with other parameters it is refused`() async throws {
        try await withShopify { shop in
            let first = try await shop.set([(21, 12, "7")], key: "k1")
            let again = try await shop.set([(21, 12, "7")], key: "k1")
            let group = "data.inventorySetQuantities.inventoryAdjustmentGroup.id"
            #expect(first[group] == again[group] && codes(again) == [])
            #expect(codes(try await shop.set([(21, 11, "7")], key: "k1")) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"])
            #expect(shop.simulator.journal.count == 1 && shop.simulator.statistics.replayedWrites == 1)
            // A key whose first use failed is used up as well.
            #expect(codes(try await shop.set([(22, 1, "3")], key: "k2")) == ["CHANGE_FROM_QUANTITY_STALE"])
            let spent = try await shop.set([(22, 1, "3")], key: "k2")
            #expect(codes(spent) == ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"])
            shop.simulator.setClock(offsetSeconds: 86_401)
            #expect(codes(try await shop.set([(21, 11, "12")], key: "k1")) == [])
        }
    }

    @Test func `two calls at once with one key: the second is told to wait`() async throws {
        try await withShopify { shop in
            shop.simulator.inject(Fault(.slow, method: "POST", times: 1, latencyMilliseconds: 5_000))
            async let slow = shop.set([(21, 12, "7")], key: "k1")
            try await eventually("the first call is under way") { shop.simulator.statistics.concurrentRequests == 1 }
            try await Task.sleep(for: .milliseconds(50))
            let second = try await shop.set([(21, 12, "7")], key: "k1")
            #expect(codes(second) == ["IDEMPOTENCY_CONCURRENT_REQUEST"])
            #expect(codes(try await slow) == [])
            #expect(shop.simulator.journal.count == 1)
            #expect(shop.simulator.statistics.overlappingWrites == ["20/21": 2])
        }
    }

    @Test func `each version wants its own arguments`() async throws {
        try await withShopify { shop in
            func set(_ version: String, _ row: String, _ input: String = "", key: Bool = false) async throws -> String {
                let reply = try await shop.query(
                    """
                    mutation { inventorySetQuantities(input: { name: "available", reason: "correction", \(input)
                      quantities: [{ inventoryItemId: "gid://shopify/InventoryItem/70000021",
                        locationId: "gid://shopify/Location/501", quantity: 3 \(row) }] })
                      \(key ? "@idempotent(key: \"\(UUID().uuidString)\")" : "") { userErrors { code } } }
                    """, version: version)
                let code = reply["data.inventorySetQuantities.userErrors.0.code"]
                shop.simulator.setStock(of: "20/21", to: 7)
                return reply.error.isEmpty ? code : reply.error
            }
            let accepted = try await set("2025-10", "compareQuantity: 7")
            #expect(accepted == "")
            #expect(try await set("2025-10", "compareQuantity: 6") == "COMPARE_QUANTITY_STALE")
            #expect(try await set("2025-10", "") == "COMPARE_QUANTITY_REQUIRED")
            #expect(try await set("2025-10", "", "ignoreCompareQuantity: true") == "")
            #expect(try await set("2025-10", "changeFromQuantity: 7").contains("doesn't accept"))
            #expect(try await set("2025-10", "compareQuantity: 7", key: true).contains("@idempotent is not defined"))
            #expect(try await set("2026-01", "changeFromQuantity: 7") == "")
            #expect(try await set("2026-01", "compareQuantity: 7", key: true) == "")
            #expect(try await set("2026-04", "changeFromQuantity: 7").contains("@idempotent directive is required"))
            #expect(try await set("2026-04", "", key: true).contains("must include the following argument"))
            #expect(try await set("2026-10", "compareQuantity: 7", key: true).contains("doesn't accept"))
            #expect(try await set("2026-10", "changeFromQuantity: null", key: true) == "")
        }
    }

    @Test func `a sale takes from what is available and is committed until the goods leave`() async throws {
        try await withShopify { shop in
            let order = try shop.simulator.placeOrder(["20/21": 2])
            #expect(try await quantities(shop, 21) == ["5", "2", "7"])
            #expect(codes(try await shop.set([(21, 6, "7")])) == ["CHANGE_FROM_QUANTITY_STALE"])
            try shop.simulator.fulfillOrder(order.id)
            #expect(try await quantities(shop, 21) == ["5", "0", "5"])
        }
    }

    @Test func `faults: a lost answer is done, a late write is caught by its key, others do nothing`() async throws {
        try await withShopify { shop in
            let simulator = shop.simulator
            simulator.inject(Fault(.lostAnswer, method: "POST", times: 1))
            // A query is not hit by a fault of writes.
            #expect(try await shop.query("{ shop { name } }").error == "")
            await #expect(throws: TransferError.self) {
                try await shop.set([(21, 12, "7")], key: "k1", timeoutSeconds: 3)
            }
            #expect(simulator.stock(of: "20/21") == 12)
            #expect(codes(try await shop.set([(21, 12, "7")], key: "k1")) == [])
            #expect(simulator.journal.count == 1)

            simulator.inject(Fault(.lateWrite, method: "POST", times: 1, delayMilliseconds: 300))
            await #expect(throws: TransferError.self) {
                try await shop.set([(22, 3, "8")], key: "k2", timeoutSeconds: 2)
            }
            #expect(codes(try await shop.set([(22, 3, "8")], key: "k2")) == [])
            try await eventually("the late write comes") { simulator.statistics.replayedWrites == 2 }
            #expect(simulator.journal.map(\.id) == ["20/21", "20/22"])

            for fault in [
                Fault(.reset, times: 1), Fault(.timeoutBeforeWrite, times: 1, holdMilliseconds: 50),
            ] {
                simulator.inject(fault)
                await #expect(throws: TransferError.self) { try await shop.set([(10, 1, "5")], key: "k3") }
            }
            simulator.inject(Fault(.status, times: 1, status: 503))
            simulator.inject(Fault(.html, path: "/admin/api/2026-10/graphql.json#inventorySet", times: 1))
            #expect(try await shop.set([(10, 1, "5")], key: "k3").status == 503)
            #expect(try await shop.set([(10, 1, "5")], key: "k3").header("content-type")?.contains("html") == true)
            #expect(simulator.stock(of: "10") == 5)
            simulator.inject(Fault(.partialBatch, times: 1, items: [10]))
            #expect(codes(try await shop.set([(10, 1, "5"), (21, 0, "12")])) == ["INVALID_INVENTORY_ITEM"])
            #expect(simulator.stock(of: "21") == nil && simulator.stock(of: "20/21") == 12)
            simulator.inject(Fault(.alteredQuantity, times: 1))
            #expect(codes(try await shop.set([(10, 3, "5")])) == [])
            #expect(simulator.stock(of: "10") == 2)
        }
    }
}
