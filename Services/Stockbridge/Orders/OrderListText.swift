import Foundation

/// A list of orders for a person.
struct OrderListText {
    let orders: [OrderLineItem]
    let heldOnly: Bool
    let wording: Wording
    let style: TextStyle

    var text: String {
        guard !orders.isEmpty else { return heldOnly ? "No order is kept back." : "There are no orders." }
        let now = orders.map(\.placedAt).max() ?? Date()
        var table = TextTable([
            ("shop", .left), ("order", .left), ("placed", .left), ("total", .right), ("", .left), ("state", .left),
            (heldOnly ? "why" : "batch", .left),
        ])
        for order in orders {
            let why = order.holds.joined(separator: " ")
            table.add([
                order.shop, order.number, wording.moment(order.placedAt, now: now), order.total, order.currency,
                order.state == "held" ? style.warning("held") : order.state, heldOnly ? why : order.batch ?? "",
            ])
        }
        return table.text(style: style)
    }
}
