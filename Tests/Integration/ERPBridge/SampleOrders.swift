import Contracts
import Domain
import Foundation

/// An order of two units, sold an hour before noon.
func sampleOrder(
    _ id: String, revision: Int = 1, state: Int = 1, units: Int = 2, sku: ShopSKU = "00123", name: String = "Kem",
    customer: String = "Khách", note: String = "", lines: Int = 1, holds: [OrderHold] = [],
    awaitsPayment: Bool = false, cancellation: OrderCancellation? = nil, minutesBeforeNoon: Double = 60
) -> OrderChanged {
    let placed = BridgeBench.noon.addingTimeInterval(-minutesBeforeNoon * 60)
    let all = (1...max(lines, 1)).prefix(lines).map { number in
        OrderLine(
            id: "\(id)-\(number)", listing: ListingID(rawValue: "\(number)"), sku: sku, name: name,
            quantity: Quantity(units), orderedQuantity: Quantity(units), unitNet: Amount(90), unitGross: Amount(100),
            tax: Amount(10 * units), total: Amount(100 * units))
    }
    let order = Order(
        shop: "saigon", externalID: id, number: "#\(id)", placedAt: placed,
        updatedAt: placed.addingTimeInterval(Double(revision) * 60), utcOffsetSeconds: 25_200,
        status: OrderStatus(
            shopStatus: cancellation == nil ? "processing" : "cancelled", payment: .pending,
            isCancelled: cancellation != nil, awaitsPayment: awaitsPayment),
        currency: "VND", lines: Array(all),
        charges: [OrderCharge(kind: .shipping, name: "GHN", total: Amount(25))],
        totals: OrderTotals(shipping: Amount(25), total: all.reduce(Amount(25)) { $0 + $1.total }),
        payment: OrderPayment(method: "cod"),
        customer: OrderCustomer(name: customer, email: "khach@example.com", phone: "+84901234567"),
        shippingAddress: PostalAddress(
            name: customer, street: ["1 Lê Lợi"], city: "TP. Hồ Chí Minh", postcode: "070000", country: "VN"),
        note: note)
    let mappings = all.map {
        OrderLineMapping(lineID: $0.id, erpCode: "E-00123", unitsPerPack: 1, erpQuantity: $0.quantity)
    }
    return OrderChanged(
        change: cancellation != nil ? .cancelled : revision == 1 ? .created : .updated, order: order,
        version: OrderVersion(revision: revision, stateVersion: state), lines: Array(mappings), holds: holds,
        cancellation: cancellation, learntAt: placed.addingTimeInterval(Double(revision) * 60))
}
