import Foundation

/// Many orders at once; the same for the same seed, catalogue and stock.
public struct BulkOrderRequest: Codable, Sendable {
    /// How many.
    public var count: Int
    /// Placed and last changed evenly over so many seconds up to now.
    public var overSeconds: Double?
    /// Decides who buys what.
    public var seed: UInt64?
    /// Sells also what the shop does not have; yes unless stated.
    public var oversell: Bool?

    /// - Parameters: as the properties of the same names.
    public init(count: Int, overSeconds: Double? = nil, seed: UInt64? = nil, oversell: Bool? = nil) {
        (self.count, self.overSeconds, self.seed, self.oversell) = (count, overSeconds, seed, oversell)
    }

    private enum CodingKeys: String, CodingKey {
        case count, seed, oversell
        case overSeconds = "over_seconds"
    }
}

extension SimulatedShop.State {
    /// Places many orders of which no webhook tells. Returns the first and the last id.
    mutating func placeBulk(
        _ request: BulkOrderRequest, by author: Author
    ) throws(SimulatorProblem) -> (first: Int, last: Int) {
        let first = orders.nextID
        guard (1...1_000_000).contains(request.count) else { throw .bad("count is 1 to 1,000,000.") }
        let sellable = items.all.values.filter { item in
            item.status == "publish" && ["simple", "variation"].contains(item.type)
        }.sorted { $0.id < $1.id }
        guard !sellable.isEmpty else { throw .bad("The shop sells nothing.") }
        var random = SplitMix64(state: request.seed ?? 1)
        let over = request.overSeconds ?? 0
        for index in 0..<request.count {
            var order = OrderRequest()
            var chosen: [Int: Int] = [:]
            for _ in 0..<(1 + Int(random.next() % 3)) {
                if let item = choose(among: sellable, &random, oversell: request.oversell ?? true) {
                    chosen[item.id] = 1 + Int(random.next() % 2)
                }
            }
            order.lines = chosen.sorted { $0.key < $1.key }.compactMap { id, quantity in
                items.all[id].map { OrderRequest.Line(id: $0.key, quantity: quantity) }
            }
            order.placedSecondsAgo = over * Double(request.count - index) / Double(request.count)
            order.paymentMethod = random.next() % 3 == 0 ? "cod" : "bacs"
            order.paid = order.paymentMethod == "bacs"
            order.oversell = true
            if order.lines?.isEmpty == false { _ = try place(order, by: author, silently: true) }
        }
        return (first, orders.nextID - 1)
    }

    /// Something to buy, if possible something that is there.
    private func choose(among items: [ShopItem], _ random: inout SplitMix64, oversell: Bool) -> ShopItem? {
        var item: ShopItem?
        for _ in 0..<8 {
            let candidate = items[Int(random.next() % UInt64(items.count))]
            let holder = self.items.stockHolder(of: self.items.all[candidate.id] ?? candidate)
            if !holder.managesStock || (holder.stock ?? 0) >= 2 { return candidate }
            item = candidate
        }
        return oversell ? item : nil
    }
}
