import ShopSimulators
import Testing
import Transfer

@Suite("The simulated Shopify shop: access and GraphQL")
struct ShopifySimulatorAccessTests {
    @Test func `a token comes for the right client only, as a form or as JSON, and ends`() async throws {
        try await withShopify(configure: { $0.shopify.tokenSeconds = 3_600 }) { shop in
            func ask(_ body: String, _ type: String) async throws -> ShopifyUnderTest.Reply {
                try await shop.post(
                    "/admin/oauth/access_token", body, headers: [HTTPHeader("Content-Type", type)])
            }
            let form = "application/x-www-form-urlencoded"
            let wrong = try await ask(
                "client_id=ck_simulator&client_secret=no&grant_type=client_credentials", form)
            #expect(wrong.status == 401 && wrong["error"] == "invalid_client")
            #expect(try await ask("client_id=ck_simulator&client_secret=cs_simulator", form).status == 400)
            let granted = try await ask(
                "client_id=ck_simulator&client_secret=cs_simulator&grant_type=client_credentials", form)
            #expect(granted.status == 200 && granted["expires_in"] == "3600")
            #expect(granted["scope"].contains("write_inventory"))
            let json = try await ask(
                #"{"client_id":"ck_simulator","client_secret":"cs_simulator","grant_type":"client_credentials"}"#,
                "application/json")
            for token in [granted["access_token"], json["access_token"]] {
                #expect(try await shop.query("{ shop { name } }", token: token)["data.shop.name"] == "simulated shop")
            }
            shop.simulator.setClock(offsetSeconds: 3_601)
            let late = try await shop.query("{ shop { name } }", token: granted["access_token"])
            #expect(late.status == 401 && late["errors"].contains("Invalid API key or access token"))
            #expect(shop.simulator.statistics.unauthorized == 2)
        }
    }

    @Test func `versions: a retired one falls forward, and the answer says which one it was`() async throws {
        try await withShopify { shop in
            for (asked, got) in [
                ("2026-10", "2026-10"), ("2025-10", "2025-10"), ("2024-01", "2025-10"), ("2026-02", "2026-04"),
                ("2031-01", "2026-10"),
            ] {
                let reply = try await shop.query("{ shop { currencyCode } }", version: asked)
                #expect(reply.header("X-Shopify-API-Version") == got)
                #expect(reply["data.shop.currencyCode"] == "VND")
            }
            #expect(try await shop.query("{ shop { name } }", version: "nonsense").status == 404)
        }
    }

    @Test func `a query may be phrased freely: aliases, fragments, directives, literals, variables`() async throws {
        try await withShopify { shop in
            let reply = try await shop.query(
                """
                # A comment.
                query Free($ids: [ID!]!, $more: Boolean = false) {
                  __typename
                  things: nodes(ids: $ids) { ...Thing ... on ProductVariant @include(if: $more) { title } }
                  page: productVariants(first: 2, query: "sku:'TEE-M' OR sku:\\"tee-l\\"", sortKey: SKU) {
                    edges { cursor node { code: sku } } pageInfo { hasNextPage } }
                }
                fragment Thing on Node { id __typename ... on InventoryItem { tracked variant { sku } } }
                """,
                "{\"ids\":[\"gid://shopify/ProductVariant/21\",\"gid://shopify/InventoryItem/70000022\","
                    + "\"gid://shopify/Order/1\"]}")
            #expect(reply.error == "")
            #expect(reply["data.__typename"] == "QueryRoot")
            #expect(reply["data.things.0.__typename"] == "ProductVariant" && reply["data.things.0.title"] == "")
            #expect(reply["data.things.1.variant.sku"] == "TEE-L" && reply["data.things.1.tracked"] == "1")
            #expect(reply["data.things.2"] == "<null>")
            #expect(reply.list("data.page.edges.*.node.code") == ["TEE-L", "TEE-M"])
        }
    }

    @Test(arguments: [
        ("{ shop { name ", "Expected"),
        ("{ shop { nick } }", "Field 'nick' doesn't exist on type 'Shop'"),
        ("{ shop }", "Field must have selections"),
        ("{ shop { name { first } } }", "Selections can't be made on scalars"),
        ("{ locations(number: 1) { nodes { id } } }", "doesn't accept argument 'number'"),
        ("{ nodes { id } }", "missing required arguments: ids"),
        ("{ locations(first: \"one\") { nodes { id } } }", "invalid value"),
        ("{ productVariants(first: 1, sortKey: COLOUR) { nodes { id } } }", "invalid value"),
        ("query($a: ID!) { shop { name } }", "declared by anonymous query but not used"),
        ("{ node(id: $b) { id } }", "Variable $b is used but not declared"),
        ("query($a: Int!) { node(id: $a) { id } }", "Type mismatch on variable $a"),
        ("{ shop { ...Nothing } }", "Fragment Nothing was used, but not defined"),
        ("{ locations(first: 251) { nodes { id } } }", "greater than the maximum allowed of 250"),
        ("{ locations { nodes { id } } }", "you must provide one of first or last"),
        (
            "{ productVariants(first: 250) { nodes { product { id } inventoryItem { id variant { id } } } } }",
            "Query cost is 1002, which exceeds the single query max cost limit (1000)."
        ),
    ])
    func `what is no valid query is refused with what is wrong`(query: String, message: String) async throws {
        try await withShopify { shop in
            let reply = try await shop.query(query)
            #expect(reply.status == 200)
            #expect(reply.error.contains(message), "\(reply.error)")
        }
    }

    @Test func `a variable that does not fit its type is named with its place`() async throws {
        try await withShopify { shop in
            let reply = try await shop.query(
                "mutation($in: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $in) "
                    + "{ userErrors { code } } }",
                #"{"in":{"name":"available","reason":"correction","quantities":[{"quantity":1.5,"compare":1}]}}"#)
            #expect(reply.error.contains("quantities.0.compare (Field is not defined on InventoryQuantityInput)"))
            #expect(reply.error.contains("quantities.0.inventoryItemId (Expected value to not be null)"))
            #expect(reply.error.contains("quantities.0.quantity (Could not coerce value 1.5 to Int)"))
            #expect(reply["errors.0.extensions.code"] == "INVALID_VARIABLE")
        }
    }

    @Test func `a scope that is missing is told field by field`() async throws {
        try await withShopify(configure: { $0.permissions = .read }) { shop in
            let scopes = try await shop.query("{ currentAppInstallation { accessScopes { handle } } }")
            #expect(!scopes.list("data.currentAppInstallation.accessScopes.*.handle").contains("write_inventory"))
            let reply = try await shop.set([(21, 1, "7")])
            #expect(reply["errors.0.extensions.code"] == "ACCESS_DENIED")
            #expect(reply["data.inventorySetQuantities"] == "<null>")
            #expect(shop.simulator.stock(of: "20/21") == 7)
        }
    }

    @Test(arguments: [200, 429])
    func `points: each answer tells them, and too many are throttled`(status: Int) async throws {
        try await withShopify(configure: {
            ($0.shopify.maximumPoints, $0.shopify.restoreRate, $0.shopify.throttledStatus) = (120, 1, status)
        }) { shop in
            let text = "{ productVariants(first: 50) { nodes { id product { id } } } }"
            let reply = try await shop.query(text)
            // A connection 2, and 50 times a variant and its product; there are 8 variants.
            #expect(reply["extensions.cost.requestedQueryCost"] == "102")
            #expect(reply["extensions.cost.actualQueryCost"] == "18")
            #expect(reply["extensions.cost.throttleStatus.maximumAvailable"] == "120.0")
            var throttled: ShopifyUnderTest.Reply?
            for _ in 0..<6 where throttled == nil {
                let again = try await shop.query(text)
                if !again.error.isEmpty { throttled = again }
            }
            #expect(throttled?.status == status && throttled?["errors.0.extensions.code"] == "THROTTLED")
            #expect(throttled?["extensions.cost.actualQueryCost"] == "<null>")
            #expect(shop.simulator.statistics.throttled == 1)
        }
    }
}
