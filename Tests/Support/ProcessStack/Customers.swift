import Foundation
public import ShopSimulators

/// Who buys at the shops of a system: articles that lie in both warehouses in plenty, so that nothing runs out by
/// chance.
public struct Customers: Sendable {
    /// Codes of the ERP of which both warehouses have plenty, sorted.
    public let plenty: [String]

    private let stack: ProcessStack
    /// Items by shop and code; packs are left out.
    private let items: [String: [String: String]]

    /// Knows the morning of a system.
    public init(_ stack: ProcessStack) {
        self.stack = stack
        plenty = stack.morning.stock.filter { _, warehouses in
            warehouses.count == 2 && warehouses.values.allSatisfy { (Decimal(string: $0) ?? 0) >= 40 }
        }.map(\.key).sorted()
        items = stack.shops.keys.reduce(into: [:]) { items, shop in
            let facts = stack.morning.shops[shop]
            for (item, code) in facts?.codes ?? [:] where facts?.packs?[item] == nil {
                items[shop, default: [:]][code] = item
            }
        }
    }

    /// What a shop calls an article of the ERP: `product` or `product/variation`.
    public func item(_ code: String, at shop: String) -> String? { items[shop]?[code] }

    /// An order of one to three articles.
    ///
    /// - Parameter change: What else is special about it.
    @discardableResult
    public func buy(
        at shop: String, _ dice: inout Dice, _ change: (inout OrderRequest) -> Void = { _ in }
    ) throws -> OrderReport {
        let codes = plenty.filter { item($0, at: shop) != nil }
        guard !codes.isEmpty else { throw ProcessStackProblem("\(shop) has plenty of nothing: take more SKUs.") }
        var lines: [String: Int] = [:]
        for _ in 0..<(1 + dice.roll(3)) {
            if let item = item(codes[dice.roll(codes.count)], at: shop) { lines[item] = 1 + dice.roll(3) }
        }
        var request = OrderRequest(lines.sorted { $0.key < $1.key }.map { .init(id: $0.key, quantity: $0.value) })
        request.paymentMethod = dice.roll(3) == 0 ? "cod" : "bacs"
        request.oversell = true
        change(&request)
        return try stack.shop(shop).placeOrder(request)
    }
}
