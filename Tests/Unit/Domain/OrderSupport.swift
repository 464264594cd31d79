import Domain
import Foundation

/// Orders and surroundings for the tests of the order rules.
enum OrderSupport {
    static let noon = Date(timeIntervalSince1970: 1_795_000_000)

    static func line(
        _ id: String, sku: String? = "SOAP", listing: String? = nil, quantity: Int = 1, total: Int = 100
    ) -> OrderLine {
        OrderLine(
            id: id, listing: listing.map { ListingID(rawValue: $0) }, sku: sku.map { ShopSKU(rawValue: $0) },
            name: "Xà phòng", quantity: Quantity(quantity), orderedQuantity: Quantity(quantity),
            unitNet: Amount(total), unitGross: Amount(total), total: Amount(total))
    }

    static func order(
        _ lines: [OrderLine] = [line("1")], total: Amount? = nil, currency: CurrencyCode = "VND",
        status: OrderStatus = OrderStatus(shopStatus: "processing", payment: .paid), updatedAt: Date = noon
    ) -> Order {
        let sum = lines.reduce(Amount.zero) { $0 + $1.total }
        return Order(
            shop: "saigon", externalID: "1001", number: "1001", placedAt: noon, updatedAt: updatedAt, status: status,
            currency: currency, lines: lines, totals: OrderTotals(total: total ?? sum))
    }

    static let mapping = OrderMapping([
        .init(listing: "10", sku: "SOAP", state: .mapped, erpCode: "ERP-SOAP", unitsPerPack: 1),
        .init(listing: "11", sku: "BOX", state: .mapped, erpCode: "ERP-SOAP", unitsPerPack: 6),
        .init(listing: "12", sku: "TWICE", state: .ambiguous, erpCode: nil, unitsPerPack: 1),
        .init(listing: "13", sku: nil, state: .blank, erpCode: nil, unitsPerPack: 1),
        .init(listing: "14", sku: "OLD", state: .gone, erpCode: "ERP-OLD", unitsPerPack: 2),
    ])

    static let policy = OrderPolicy(
        currencies: ["VND"], roundingTolerance: Amount(1), shipLagSeconds: 86_400, unpaidReserveSeconds: 3_600)

    static func around(_ mapping: OrderMapping = mapping, at now: Date = noon) -> OrderSurroundings {
        OrderSurroundings(mapping: mapping, policy: policy, now: now)
    }

    static func first(_ order: Order = order(), _ mapping: OrderMapping = mapping) -> OrderRecord {
        OrderRecord.first(order, digest: "a", readAt: noon, around: around(mapping)).record
    }

    static func cancelled(_ fulfilment: OrderStatus.Fulfilment = .none) -> OrderStatus {
        OrderStatus(shopStatus: "cancelled", payment: .paid, fulfilment: fulfilment, isCancelled: true)
    }
}
