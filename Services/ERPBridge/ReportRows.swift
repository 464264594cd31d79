import Domain
import Foundation
import SpreadsheetWriting

/// Turns orders into rows of *Lines* and *Changes*. Pure.
struct ReportRows: Sendable {
    let batch: String
    let shop: BridgeSettings.Shop
    /// The longest name that the ERP takes, in characters.
    let nameLimit: Int

    /// The columns of *Lines*; those of *Changes* begin with the same.
    static let columns: [Column] =
        [
            Column("batch", width: 24), Column("shop"), Column("order no."), Column("order id"),
            Column("revision", width: 9, kind: .integer), Column("placed at (local)", width: 20, kind: .dateTime),
            Column("placed at (UTC)", width: 20, kind: .dateTime), Column("status"), Column("payment method"),
            Column("payment state"), Column("customer", width: 24), Column("phone", width: 16),
            Column("e-mail", width: 26), Column("tax id"),
        ] + address("billing") + address("shipping") + [
            Column("line no.", width: 8, kind: .integer), Column("shop SKU", width: 18),
            Column("ERP code", width: 18), Column("name", width: 22), Column("name in full", width: 40),
            Column("quantity", width: 10), Column("units per pack", width: 10, kind: .integer),
            Column("ERP quantity", width: 12), Column("unit", width: 12), Column("unit net", kind: .money(places: 2)),
            Column("unit gross", kind: .money(places: 2)), Column("discount", kind: .money(places: 2)),
            Column("tax rate", width: 9), Column("tax amount", kind: .money(places: 2)),
            Column("line total", kind: .money(places: 2)), Column("shipping", kind: .money(places: 2)),
            Column("other charges", kind: .money(places: 2)), Column("order total", kind: .money(places: 2)),
            Column("currency", width: 9), Column("carrier", width: 20), Column("note", width: 30),
        ]

    /// What *Changes* has besides.
    static let changeColumns: [Column] = [
        Column("change", width: 12), Column("what changed", width: 36), Column("previous batch", width: 24),
        Column("old quantity", width: 12), Column("new quantity", width: 12), Column("old ERP quantity", width: 14),
        Column("new ERP quantity", width: 14),
    ]

    /// The rows of a new order, one a line.
    func lines(_ said: OrderStatement, revision: Int) -> [[Cell]] {
        let head = head(said.order, revision: revision)
        let mappings = said.mappings
        return said.order.lines.enumerated().map { index, line in
            let quantity = LineQuantity(line.quantity, mappings[line.id])
            return head + self.line(line, number: index + 1, quantity, mappings[line.id])
                + tail(said.order, isFirst: index == 0)
        }
    }

    /// The rows of an order that was sent before: its lines as they are now, then those that are gone.
    func changes(
        from old: OrderStatement?, to new: OrderStatement, revision: Int, previousBatch: String?
    ) -> [[Cell]] {
        let head = head(new.order, revision: revision)
        let (mappings, oldMappings) = (new.mappings, old?.mappings ?? [:])
        let oldLines = Dictionary((old?.order.lines ?? []).map { ($0.id, $0) }) { first, _ in first }
        let present = Set(new.order.lines.map(\.id))
        let gone = (old?.order.lines ?? []).filter { !present.contains($0.id) }
        let words = old.map { OrderComparison.differences(from: $0, to: new) } ?? []
        let what: [Cell] = [
            .text(new.isCancelled ? "cancelled" : "edited"), .text(words.joined(separator: ", ")),
            .text(previousBatch ?? ""),
        ]
        func quantities(_ before: LineQuantity, _ now: LineQuantity) -> [Cell] {
            [before.shopCell, now.shopCell, before.erpCell, now.erpCell]
        }
        var rows: [[Cell]] = []
        for line in new.order.lines {
            let mapping = mappings[line.id]
            let now = new.isCancelled ? .none : LineQuantity(line.quantity, mapping)
            let wasCancelled = old?.isCancelled ?? false
            let before = wasCancelled ? .none : LineQuantity(oldLines[line.id]?.quantity, oldMappings[line.id])
            rows.append(
                head + self.line(line, number: rows.count + 1, now, mapping)
                    + tail(new.order, isFirst: rows.isEmpty) + what + quantities(before, now))
        }
        for line in gone {
            let before = LineQuantity(line.quantity, oldMappings[line.id])
            rows.append(
                head + self.line(line, number: rows.count + 1, .none, oldMappings[line.id])
                    + tail(new.order, isFirst: rows.isEmpty) + what + quantities(before, .none))
        }
        guard rows.isEmpty else { return rows }
        let none = Array(repeating: Cell.empty, count: Self.lineCells)
        return [head + none + tail(new.order, isFirst: true) + what + quantities(.none, .none)]
    }

    private static let lineCells = 15

    private static func address(_ kind: String) -> [Column] {
        [
            Column("\(kind) name", width: 24), Column("\(kind) company", width: 20),
            Column("\(kind) street", width: 32), Column("\(kind) district", width: 18),
            Column("\(kind) city", width: 18), Column("\(kind) province", width: 18),
            Column("\(kind) postcode", width: 12), Column("\(kind) country", width: 9),
            Column("\(kind) phone", width: 16),
        ]
    }

    private func head(_ order: Order, revision: Int) -> [Cell] {
        let ahead = shop.timeZone.secondsFromGMT(for: order.placedAt)
        return [
            .text(batch), .text(shop.name.rawValue), .text(order.number), .text(order.externalID),
            .integer(Int64(revision)), .dateTime(order.placedAt, offsetSeconds: ahead),
            .dateTime(order.placedAt, offsetSeconds: 0), .text(order.status.shopStatus),
            .text(order.payment.method), .text(order.status.payment.rawValue), .text(order.customer?.name ?? ""),
            .text(order.customer?.phone ?? ""), .text(order.customer?.email ?? ""), .text(order.customer?.taxID ?? ""),
        ] + address(order.billingAddress) + address(order.shippingAddress)
    }

    private func address(_ address: PostalAddress?) -> [Cell] {
        guard let address else { return Array(repeating: .empty, count: 9) }
        return [
            address.name, address.company, address.street.joined(separator: ", "), address.district, address.city,
            address.province, address.postcode, address.country, address.phone ?? "",
        ].map { .text($0) }
    }

    private func line(
        _ line: OrderLine, number: Int, _ quantity: LineQuantity, _ mapping: OrderLineMapping?
    ) -> [Cell] {
        let pack = mapping?.unitsPerPack ?? 1
        return [
            .integer(Int64(number)), .text(line.sku?.rawValue ?? ""), .text(mapping?.erpCode?.rawValue ?? ""),
            .text(String(line.name.prefix(nameLimit))), .text(line.name), quantity.shopCell, .integer(Int64(pack)),
            quantity.erpCell, .text(pack == 1 ? "unit" : "pack of \(pack)"), .decimal(line.unitNet.description),
            .decimal(line.unitGross.description), .decimal(line.discount.description),
            line.taxRate.map { .decimal($0.description) } ?? .empty, .decimal(line.tax.description),
            .decimal(line.total.description),
        ]
    }

    /// Charges and the note stand on the order's first line only, so that a column can be added up.
    private func tail(_ order: Order, isFirst: Bool) -> [Cell] {
        let shipping = order.charges.filter { $0.kind == .shipping }
        let other = order.charges.filter { $0.kind != .shipping }
        func sum(_ charges: [OrderCharge]) -> Cell {
            isFirst ? .decimal(charges.reduce(Amount.zero) { $0 + $1.total }.description) : .empty
        }
        return [
            sum(shipping), sum(other), .decimal(order.totals.total.description), .text(order.currency.rawValue),
            .text(shipping.first?.name ?? ""), isFirst ? .text(order.note) : .empty,
        ]
    }
}

/// How much of a line, in the shop's units and in the ERP's.
struct LineQuantity: Equatable {
    var shop: Quantity
    var erp: Quantity

    static let none = LineQuantity(shop: .zero, erp: .zero)

    private init(shop: Quantity, erp: Quantity) {
        self.shop = shop
        self.erp = erp
    }

    init(_ quantity: Quantity?, _ mapping: OrderLineMapping?) {
        self.init(shop: quantity ?? .zero, erp: quantity == nil ? .zero : mapping?.erpQuantity ?? .zero)
    }

    var shopCell: Cell { .decimal(shop.description) }
    var erpCell: Cell { .decimal(erp.description) }
}
