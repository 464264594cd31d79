internal import Crypto
internal import Domain
internal import Foundation

/// Reads and writes what can be sold of a Shopify shop's inventory items at one location.
struct ShopifyStock: StockReading, StockWriting {
    let client: ShopifyClient
    let location: String

    var maximumBatch: Int { client.configuration.batchLimit }
    var comparesAndSets: Bool { true }

    func readGroups(_ ids: [ListingID]) -> [[ListingID]] { groups(ids) }

    func groups(_ ids: [ListingID]) -> [[ListingID]] {
        var seen: Set<ListingID> = []
        let unique = ids.filter { seen.insert($0).inserted }
        return stride(from: 0, to: unique.count, by: maximumBatch).map {
            Array(unique[$0..<min($0 + maximumBatch, unique.count)])
        }
    }

    // MARK: - Reading

    private static func reading(_ count: Int) -> ShopifyDocument {
        ShopifyDocument(
            name: "stock of \(count)",
            text: """
                query Stock($ids: [ID!]!, $location: ID!) {
                  nodes(ids: $ids) {
                    ... on InventoryItem {
                      id tracked inventoryLevel(locationId: $location) {
                        updatedAt quantities(names: ["available"]) { quantity }
                      }
                    }
                  }
                }
                """, cost: 3 * count)
    }

    func read(_ ids: [ListingID]) async throws(ConnectorError) -> [ListingID: ObservedStock] {
        var result: [ListingID: ObservedStock] = [:]
        for group in groups(ids) {
            let items = try items(group, .readStock)
            let reply = try await client.call(
                Self.reading(items.count),
                ["ids": .array(items.map { .string($0) }), "location": .string(location)], for: .readStock)
            guard let nodes = try? reply.data["nodes"].list() else {
                throw client.unexpected(reply, "no list of inventory items")
            }
            let known = Dictionary(zip(items, group)) { first, _ in first }
            for node in nodes {
                guard let text = node["id"].textIfAny, let id = known[text] else { continue }
                result[id] = Self.observed(node)
            }
        }
        return result
    }

    /// What an inventory item says; one that is not stocked at the location has no number yet.
    static func observed(_ item: JSONFacts) -> ObservedStock {
        let level = item["inventoryLevel"]
        let isManaged = item["tracked"].isTrue && level.exists
        let quantity = (try? level["quantities"].list())?.first?["quantity"].textIfAny.flatMap { Quantity($0) }
        return ObservedStock(
            quantity: isManaged ? quantity : nil, managed: isManaged,
            updatedAt: level["updatedAt"].textIfAny.flatMap { UTCTimestamp.parse($0) })
    }

    /// Shopify's ids of what is kept under ours.
    private func items(_ ids: [ListingID], _ action: ShopCall.Action) throws(ConnectorError) -> [String] {
        var items: [String] = []
        for id in ids {
            guard let item = ShopifyID.inventoryItem(id) else {
                throw .invalidCall(
                    ShopCall(shop: client.configuration.shop, action: action),
                    detail: "\"\(id)\" is not where Shopify keeps stock")
            }
            items.append(item)
        }
        return items
    }

    // MARK: - Writing

    /// One call. Two kinds of rows cost a further one, and neither may have been changed by the first: those that are
    /// not stocked at the location yet are put there, and those that were stale are read.
    func write(_ writes: [StockWrite]) async throws(ConnectorError) -> [ListingID: StockWriteResult] {
        let call = ShopCall(shop: client.configuration.shop, action: .writeStock)
        guard groups(writes.map(\.id)).count <= 1, Set(writes.map(\.id)).count == writes.count else {
            throw .invalidCall(call, detail: "the writes are not one group, or one id comes twice")
        }
        _ = try items(writes.map(\.id), .writeStock)
        let batch = ShopifyStockBatch(
            writes, location: location, changesFrom: client.configuration.comparesByChangeFrom)
        guard !batch.rows.isEmpty else { return batch.unsent }
        let reply = try await client.call(batch.document, batch.variables, for: .writeStock)
        let payload = reply.data["inventorySetQuantities"]
        guard payload.exists, let errors = try? payload["userErrors"].list() else {
            throw client.unexpected(reply, "no answer to inventorySetQuantities")
        }
        var results = batch.unsent
        do throws(ShopifyStockBatch.Refusal) {
            let words = { (text: String, limit: Int) in client.cleaned(text, limit: limit, reply) }
            try batch.read(errors, payload, words).forEach { results[$0] = $1 }
        } catch {
            throw .refused(
                call, status: 200, code: client.cleaned(error.code, limit: 100, reply),
                message: client.cleaned(error.message, limit: 300, reply))
        }
        return await afterRefusals(results, batch)
    }

    private func afterRefusals(
        _ results: [ListingID: StockWriteResult], _ batch: ShopifyStockBatch
    ) async -> [ListingID: StockWriteResult] {
        var results = results
        for row in batch.rows {
            guard case .rejected(ShopifyStockBatch.notStocked, _)? = results[row.id] else { continue }
            results[row.id] = await activate(row)
        }
        let stale = batch.rows.map(\.id).filter { results[$0] == .mismatch(observed: nil) }
        guard !stale.isEmpty else { return results }
        do throws(ConnectorError) {
            for (id, stock) in try await read(stale) { results[id] = .mismatch(observed: stock.quantity) }
        } catch {
            // The caller reads for itself what is not known.
        }
        return results
    }

    /// Puts an item at the location, with its quantity.
    private func activate(_ row: StockWrite) async -> StockWriteResult {
        guard let item = ShopifyID.inventoryItem(row.id) else { return .notWritten }
        let hasKeys = client.configuration.comparesByChangeFrom
        let document = ShopifyDocument(
            name: "activate",
            text: """
                mutation Activate($item: ID!, $location: ID!, $available: Int\(hasKeys ? ", $k: String!" : "")) {
                  inventoryActivate(inventoryItemId: $item, locationId: $location, available: $available)\
                \(hasKeys ? " @idempotent(key: $k)" : "") {
                    inventoryLevel { quantities(names: ["available"]) { quantity } } userErrors { field message }
                  }
                }
                """, cost: 10, isMutation: true)
        var variables: [String: JSONTree] = [
            "item": .string(item), "location": .string(location),
            "available": .number(String(row.quantity.flooredUnits)),
        ]
        if hasKeys { variables["k"] = .string(ShopifyStockBatch.key([row], salt: "activate")) }
        do throws(ConnectorError) {
            let reply = try await client.call(document, variables, for: .writeStock)
            let payload = reply.data["inventoryActivate"]
            if let error = (try? payload["userErrors"].list())?.first {
                return .rejected(
                    code: ShopifyStockBatch.notStocked,
                    message: client.cleaned(error["message"].words, limit: 300, reply))
            }
            let levels = try? payload["inventoryLevel"]["quantities"].list()
            let answered = levels?.first?["quantity"].textIfAny.flatMap { Quantity($0) }
            return answered == row.quantity ? .confirmed(row.quantity) : .altered(answered: answered)
        } catch {
            return error.mayHaveBeenApplied ? .unanswered : .notWritten
        }
    }
}
