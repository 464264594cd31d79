internal import Domain

/// Reads and writes stock of a WooCommerce shop, at most 100 items a call.
///
/// Simple products go together, variations only with those of one parent: a variation id among products is answered
/// with an error of its own.
struct WooCommerceStock: StockReading, StockWriting {
    let client: WooCommerceClient

    var maximumBatch: Int { client.configuration.batchLimit }
    var comparesAndSets: Bool { false }

    func readGroups(_ ids: [ListingID]) -> [[ListingID]] { groups(ids) }

    func groups(_ ids: [ListingID]) -> [[ListingID]] {
        var order: [String?] = []
        var members: [String?: [ListingID]] = [:]
        var seen: Set<ListingID> = []
        for id in ids where seen.insert(id).inserted {
            let parent = id.variation == nil ? nil : id.parent
            if members[parent] == nil { order.append(parent) }
            members[parent, default: []].append(id)
        }
        return order.flatMap { parent in
            let all = members[parent] ?? []
            return stride(from: 0, to: all.count, by: maximumBatch).map {
                Array(all[$0..<min($0 + maximumBatch, all.count)])
            }
        }
    }

    // MARK: - Reading

    func read(_ ids: [ListingID]) async throws(ConnectorError) -> [ListingID: ObservedStock] {
        var result: [ListingID: ObservedStock] = [:]
        for group in groups(ids) {
            let target = try Target(group, shop: client.configuration.shop, action: .readStock)
            let answer = try await client.get(
                target.collection,
                [
                    ("_fields", WooCommerceItem.productFields),
                    ("include", target.numbers.map(String.init).joined(separator: ",")),
                    ("per_page", String(WooCommerceConfiguration.platformLimit)),
                ], for: .readStock)
            for item in try client.decode([WooCommerceItem].self, from: answer) {
                guard let id = target.ids[item.id] else { continue }
                result[id] = ObservedStock(
                    quantity: item.stockManagement == .none ? nil : item.stockQuantity,
                    managed: item.stockManagement != .none,
                    movedTo: item.stockManagement == .parent ? ListingID(rawValue: id.parent) : nil,
                    updatedAt: item.modifiedAt)
            }
        }
        return result
    }

    // MARK: - Writing

    func write(_ writes: [StockWrite]) async throws(ConnectorError) -> [ListingID: StockWriteResult] {
        let call = ShopCall(shop: client.configuration.shop, action: .writeStock)
        guard groups(writes.map(\.id)).count <= 1, Set(writes.map(\.id)).count == writes.count else {
            throw .invalidCall(call, detail: "the writes are not one group, or one id comes twice")
        }
        let target = try Target(writes.map(\.id), shop: client.configuration.shop, action: .writeStock)
        var result: [ListingID: StockWriteResult] = [:]
        var asked: [ListingID: Quantity] = [:]
        for write in writes {
            if write.quantity.isWhole {
                asked[write.id] = write.quantity
                result[write.id] = .unanswered
            } else {
                result[write.id] = .rejected(
                    code: "stockbridge_fractional_quantity",
                    message: "WooCommerce keeps whole units only; \(write.quantity) was not sent")
            }
        }
        let sendable = writes.filter { asked[$0.id] != nil }
        if sendable.isEmpty { return result }
        let body = try Self.body(sendable, target: target, call: call)
        let answer = try await client.post("\(target.collection)/batch", body, items: sendable.count, for: .writeStock)
        let reading = AnswerReading(response: answer.response, configuration: client.configuration, call: call)
        for item in try reading.decode(WooCommerceBatchAnswer.self).update {
            guard let id = target.ids[item.id], let quantity = asked[id] else { continue }
            result[id] = Self.outcome(of: item, asked: quantity, reading: reading)
        }
        return result
    }

    private static func outcome(
        of item: WooCommerceItem, asked: Quantity, reading: AnswerReading
    ) -> StockWriteResult {
        if let error = item.error {
            return .rejected(
                code: reading.cleaned(error.code ?? "unknown", limit: 100),
                message: reading.cleaned(error.message ?? "", limit: 300))
        }
        let answered = item.stockManagement == .own ? item.stockQuantity : nil
        return answered == asked ? .confirmed(asked) : .altered(answered: answered)
    }

    /// `manage_stock` goes along because WooCommerce ignores a quantity for an item whose stock it does not track.
    private static func body(
        _ writes: [StockWrite], target: Target, call: ShopCall
    ) throws(ConnectorError) -> [UInt8] {
        var items: [String] = []
        for write in writes {
            guard let number = target.number(of: write.id) else { continue }
            items.append("{\"id\":\(number),\"manage_stock\":true,\"stock_quantity\":\(write.quantity.flooredUnits)}")
        }
        return Array("{\"update\":[\(items.joined(separator: ","))]}".utf8)
    }

    /// The collection that holds some ids, and their numbers in it.
    private struct Target {
        let collection: String
        let numbers: [Int]
        let ids: [Int: ListingID]

        init(_ group: [ListingID], shop: ShopName, action: ShopCall.Action) throws(ConnectorError) {
            var numbers: [Int] = []
            var ids: [Int: ListingID] = [:]
            for id in group {
                guard let number = Self.number(id), Int(id.parent).map({ $0 > 0 }) == true else {
                    throw .invalidCall(
                        ShopCall(shop: shop, action: action), detail: "\"\(id)\" is not an id of WooCommerce")
                }
                numbers.append(number)
                ids[number] = id
            }
            self.numbers = numbers
            self.ids = ids
            let parent = group.first.flatMap { $0.variation == nil ? nil : $0.parent }
            collection = parent.map { "products/\($0)/variations" } ?? "products"
        }

        func number(of id: ListingID) -> Int? { Self.number(id) }

        private static func number(_ id: ListingID) -> Int? {
            Int(id.variation ?? id.rawValue).flatMap { $0 > 0 ? $0 : nil }
        }
    }
}
