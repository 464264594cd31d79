import Contracts
import Domain
import Foundation
import Testing

@testable import ERPBridge

/// 2026-11-22 12:00 in Viet Nam.
let noon = Date(timeIntervalSince1970: 1_795_323_600)

func testShop(_ name: ShopName = "saigon") throws -> BridgeSettings.Shop {
    let zone = try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh"))
    return BridgeSettings.Shop(
        name: name, timeZone: zone, report: Schedule(cron: try CronExpression("0 12 * * *"), timeZone: zone),
        isCollected: true)
}

func testLine(_ id: String, units: Int, name: String = "Kem dưỡng da ban đêm cho da khô", sku: ShopSKU = "00123")
    -> OrderLine
{
    OrderLine(
        id: id, listing: ListingID(rawValue: id), sku: sku, name: name, quantity: Quantity(units),
        orderedQuantity: Quantity(units), unitNet: Amount(90), unitGross: Amount(100), taxRate: Quantity(10),
        tax: Amount(10 * units), total: Amount(100 * units))
}

func testStatement(_ lines: [OrderLine], cancellation: OrderCancellation? = nil) -> OrderStatement {
    let total = lines.reduce(Amount(30)) { $0 + $1.total }
    let order = Order(
        shop: "saigon", externalID: "71", number: "#1071", placedAt: noon.addingTimeInterval(-3_600),
        updatedAt: noon, utcOffsetSeconds: 25_200,
        status: OrderStatus(shopStatus: "processing", payment: .pending, isCancelled: cancellation != nil),
        currency: "VND", lines: lines,
        charges: [
            OrderCharge(kind: .shipping, name: "GHN", total: Amount(25)),
            OrderCharge(kind: .rounding, name: "rounding", total: Amount(5)),
        ],
        totals: OrderTotals(shipping: Amount(25), total: total), payment: OrderPayment(method: "cod"),
        customer: OrderCustomer(name: "=cmd|' /C calc'!A0", email: "khach@example.com", phone: "+84901234567"),
        shippingAddress: PostalAddress(
            name: "Khách", street: ["1 Lê Lợi", "Tầng 2"], district: "Quận 1", city: "TP. Hồ Chí Minh",
            province: "Hồ Chí Minh", postcode: "070000", country: "VN"), note: "Giao buổi sáng 🌸")
    let mappings = lines.map {
        OrderLineMapping(
            lineID: $0.id, erpCode: "00123-E", unitsPerPack: 6, erpQuantity: Quantity(micro: $0.quantity.micro * 6))
    }
    return OrderStatement(order: order, lines: mappings, cancellation: cancellation)
}
