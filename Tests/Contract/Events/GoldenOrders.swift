import Contracts
import Domain
import Foundation

extension Golden {
    static let version = OrderVersion(revision: 2, stateVersion: 1)
    static let line = OrderLine(
        id: "551", listing: "310/311", sku: "00123", name: "Sữa tắm 500 ml", quantity: 2, orderedQuantity: 3,
        unitNet: Amount(181_818), unitGross: Amount(200_000), discount: Amount(20_000), taxRate: 10,
        tax: Amount(34_545), total: Amount(380_000))
    static let order = Order(
        shop: "hanoi", externalID: "10231", number: "#10231", placedAt: snapshot.asOf, updatedAt: moment,
        utcOffsetSeconds: 25_200,
        status: OrderStatus(shopStatus: "processing", payment: .partRefunded, awaitsPayment: false, risk: "high"),
        currency: "VND", lines: [line],
        charges: [
            OrderCharge(kind: .shipping, name: "Giao nhanh", total: Amount(30_000)),
            OrderCharge(kind: .rounding, name: "Rounding", total: Amount(micro: 500_000)),
        ],
        promotionCodes: ["TET20"],
        totals: OrderTotals(
            discount: Amount(20_000), shipping: Amount(30_000), tax: Amount(34_545),
            total: Amount(micro: 410_000_500_000)),
        payment: OrderPayment(method: "cod", reference: "", paidAt: nil),
        refunds: [OrderRefund(id: "9", amount: Amount(10_000), reason: "late", refundedAt: moment)],
        customer: OrderCustomer(name: "Customer One", email: "one@example.com", phone: "+84900000000"),
        shippingAddress: PostalAddress(
            name: "Customer One", street: ["12 Le Loi"], city: "Hue", postcode: "530000", country: "VN"),
        note: "=after 18:00")
    static let statement = StockPublished.Statement(id: run, shop: "hanoi", takenAt: moment)

    static let orders = [
        Golden(
            "order",
            OrderChanged(
                change: .updated, order: order, version: version,
                lines: [OrderLineMapping(lineID: "551", erpCode: "123", unitsPerPack: 6, erpQuantity: 12)],
                holds: [OrderHold(.risk, "The platform rates the risk as high.")], cancellation: .requested,
                learntAt: moment)),
        Golden(
            "order.held",
            OrderHeld(
                reference: order.reference, number: "#10231", version: version,
                holds: [OrderHold(.unmappedSKU, "SKU 00123 has no ERP code.", lineIDs: ["551"])], heldAt: moment)),
        Golden(
            "orders.collected",
            OrdersCollected(
                shop: "hanoi", kind: .pass, completeUpTo: moment, request: run, seen: 3, changed: 1, placedToday: 17,
                collectedAt: moment)),
        Golden(
            "order.reported",
            OrderReported(
                batchID: "hanoi-20261122-1200", shop: "hanoi", sentAt: moment, part: 1, parts: 1,
                orders: [.init(externalID: "10231", version: version, quantities: ["551": 12])])),
        Golden(
            "report.ready",
            ReportReady(
                batchID: "hanoi-20261122-1200", shop: "hanoi", dueAt: snapshot.asOf, sentAt: moment,
                isRepetition: false, fileID: run, fileName: "hanoi-20261122-1200.xlsx", completeUpTo: moment,
                orders: 1, lines: 1, changes: 0, held: 2, totals: ["VND": Amount(410_000)])),
        Golden(
            "mapping.changed",
            MappingChanged(
                shop: "hanoi", sequence: 7,
                entries: [
                    .init(listing: "310/311", sku: "00123", state: "mapped", erpCode: "123", unitsPerPack: 6),
                    .init(listing: "312", sku: nil, state: "blank", erpCode: nil, unitsPerPack: 1),
                ])),
        Golden(
            "stock.published.header",
            StockPublished.header(
                .init(
                    statement: statement, cause: "snapshot", snapshotID: snapshot.id,
                    sources: [.init(source: "erp", asOf: snapshot.asOf, receivedAt: moment)], counts: OutcomeCounts(),
                    chunks: 1, isShadow: false))),
        Golden(
            "stock.published.chunk",
            StockPublished.chunk(
                .init(
                    statement: statement, part: 1,
                    listings: [
                        PublishedListing(
                            listing: "310/311", shelf: "310", sku: "00123", title: "Sữa tắm", mapping: "mapped",
                            erpCode: "123", wanted: 4, version: 3,
                            breakdown: LevelInputs(
                                warehouses: [WarehouseStock(warehouse: "HN", onHand: 5)], open: 1
                            ).breakdown(),
                            asOf: snapshot.asOf, sent: 4, confirmed: 4, confirmedVersion: 3, confirmedAt: moment,
                            lastPushedAt: moment, expectedAtShop: 4, outcome: "confirmed"),
                        PublishedListing(
                            listing: "312", shelf: "312", sku: nil, title: "No SKU", mapping: "blank", erpCode: nil,
                            wanted: nil, outcome: "unmapped"),
                    ]))),
        Golden(
            "reconciliation.completed",
            ReconciliationCompleted(
                runID: run, day: "2026-11-22", isComplete: false, isUpdate: true,
                sources: ["erp: stock-20261122-0600.csv accepted at 06:02"],
                shops: [
                    .init(
                        shop: "hanoi", isComplete: false, problem: "The shop does not answer.", compared: 2,
                        categories: ["ok": 1, "too_high": 1],
                        orders: .init(inShop: nil, inHub: 3, inERP: 2, held: 1, value: ["VND": Amount(1)]))
                ],
                findings: [
                    .init(
                        shop: "hanoi", sku: "00123", erpCode: "123", title: "Sữa tắm", category: "too_high",
                        expected: 4, observed: 9, ageDays: 2, action: "Push again.")
                ],
                differences: 1, workbookID: run, workbookName: "reconciliation-2026-11-22.xlsx", pictureID: nil,
                completedAt: moment)),
    ]
}
