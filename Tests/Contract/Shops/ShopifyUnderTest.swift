import Foundation
import ShopSimulators
import Testing
import Transfer

/// A simulated Shopify shop, and a client that says what it is told to say.
struct ShopifyUnderTest: Sendable {
    static let token = "shpat_0123456789abcdef"

    let simulator: ShopSimulator
    let client: TransferClient

    struct Reply {
        let status: Int
        let headers: [HTTPHeader]
        let json: Any

        private func value(_ path: String) -> Any? {
            var place: Any? = json
            for step in path.split(separator: ".") {
                if let index = Int(step), let list = place as? [Any] {
                    place = list.indices.contains(index) ? list[index] : nil
                } else {
                    place = (place as? [String: Any])?[String(step)]
                }
            }
            return place
        }

        /// `data.orders.nodes.0.name`: what stands there, as text; blank where nothing stands.
        subscript(_ path: String) -> String { value(path).map { "\($0)" } ?? "" }

        /// `data.orders.nodes.*.name`: as many as there are.
        func list(_ path: String) -> [String] {
            var result: [String] = []
            while let next = value(path.replacingOccurrences(of: "*", with: "\(result.count)")) {
                result.append("\(next)")
            }
            return result
        }

        var error: String { self["errors.0.message"] }
        func header(_ name: String) -> String? { headers.last { $0.name.lowercased() == name.lowercased() }?.value }
    }

    func post(
        _ path: String, _ body: String, headers: [HTTPHeader], timeoutSeconds: Double = 10
    ) async throws -> Reply {
        let response = try await client.send(
            HTTPRequest(
                method: "POST", url: simulator.url + path, headers: headers, body: Array(body.utf8),
                timeoutSeconds: timeoutSeconds))
        let json = try? JSONSerialization.jsonObject(with: Data(response.body), options: .fragmentsAllowed)
        return Reply(
            status: response.status, headers: response.headers,
            json: json ?? String(decoding: response.body, as: UTF8.self))
    }

    func query(
        _ text: String, _ variables: String = "{}", version: String = "2026-10", token: String = Self.token,
        timeoutSeconds: Double = 10
    ) async throws -> Reply {
        let quoted = String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
        return try await post(
            "/admin/api/\(version)/graphql.json", "{\"query\":\(quoted),\"variables\":\(variables)}",
            headers: [HTTPHeader("Content-Type", "application/json"), HTTPHeader("X-Shopify-Access-Token", token)],
            timeoutSeconds: timeoutSeconds)
    }

    /// Sets `available` of variants: number, quantity, and what it is thought to be (`null` for no check).
    func set(
        _ rows: [(variant: Int, quantity: Int, from: String)], key: String? = nil, version: String = "2026-10",
        location: Int = 501, timeoutSeconds: Double = 10
    ) async throws -> Reply {
        let list = rows.map { row in
            let item = ShopifySettings.inventoryItemID(ofVariant: row.variant)
            return "{\"inventoryItemId\":\"gid://shopify/InventoryItem/\(item)\","
                + "\"locationId\":\"gid://shopify/Location/\(location)\",\"quantity\":\(row.quantity),"
                + "\"changeFromQuantity\":\(row.from)}"
        }
        return try await query(
            """
            mutation Set($in: InventorySetQuantitiesInput!, $k: String!) {
              inventorySetQuantities(input: $in) @idempotent(key: $k) {
                inventoryAdjustmentGroup { id reason changes(quantityNames: ["available"]) {
                  name delta quantityAfterChange item { id } location { id } } }
                userErrors { code field message }
              }
            }
            """,
            "{\"k\":\"\(key ?? UUID().uuidString)\",\"in\":{\"name\":\"available\",\"reason\":\"correction\","
                + "\"quantities\":[\(list.joined(separator: ","))]}}", version: version, timeoutSeconds: timeoutSeconds)
    }
}

/// Starts a simulated Shopify shop on a free port and ends it whatever happens.
func withShopify(
    catalogue: [CatalogueProduct] = smallCatalogue, configure: (inout SimulatorConfiguration) -> Void = { _ in },
    _ body: (ShopifyUnderTest) async throws -> Void
) async throws {
    var settings = SimulatorConfiguration()
    settings.platform = .shopify
    settings.shopify.permanentToken = ShopifyUnderTest.token
    configure(&settings)
    let simulator = try ShopSimulator(settings, catalogue: catalogue)
    try await simulator.start()
    let client = TransferClient(options: TransferOptions())
    do {
        try await body(ShopifyUnderTest(simulator: simulator, client: client))
    } catch {
        client.close()
        await simulator.stop()
        throw error
    }
    client.close()
    await simulator.stop()
}
