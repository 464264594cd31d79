import Domain
import Foundation
import Testing

@Suite("What keeps an order back")
struct OrderHoldTests {
    private func assess(_ order: Order, _ mapping: OrderMapping = OrderSupport.mapping) -> OrderAssessment {
        OrderAssessment(of: order, mapping: mapping, policy: OrderSupport.policy)
    }

    private func codes(_ lines: [OrderLine]) -> [OrderHold.Code] {
        assess(OrderSupport.order(lines)).holds.map(\.code)
    }

    @Test("a mapped order has nothing that keeps it back, and its quantities are in ERP units")
    func mapped() {
        let lines = [
            OrderSupport.line("1", sku: "SOAP", quantity: 2), OrderSupport.line("2", sku: "BOX", quantity: 3),
        ]
        let assessed = assess(OrderSupport.order(lines))
        #expect(assessed.holds.isEmpty)
        #expect(assessed.lines.map(\.erpCode) == ["ERP-SOAP", "ERP-SOAP"])
        #expect(assessed.lines.map(\.erpQuantity) == [2, 18])
    }

    @Test("the listing counts before the SKU")
    func listingFirst() {
        let line = OrderSupport.line("1", sku: "SOAP", listing: "11")
        #expect(assess(OrderSupport.order([line])).lines[0].unitsPerPack == 6)
    }

    @Test("fault 11: the empty SKU matches nothing", arguments: [nil, "", "  "] as [String?])
    func blank(_ sku: String?) {
        let mapping = OrderMapping([
            .init(listing: "13", sku: sku.map { ShopSKU(rawValue: $0) }, state: .mapped, erpCode: "X", unitsPerPack: 1)
        ])
        let assessed = assess(OrderSupport.order([OrderSupport.line("1", sku: sku)]), mapping)
        #expect(assessed.holds.map(\.code) == [.blankSKU])
        #expect(assessed.lines[0].erpCode == nil)
    }

    @Test("fault 4: one unknown product holds the order and discards nothing of it")
    func unknownProduct() {
        let lines = [OrderSupport.line("1", sku: "SOAP"), OrderSupport.line("2", sku: "NEW")]
        let assessed = assess(OrderSupport.order(lines))
        #expect(assessed.holds.map(\.code) == [.unmappedSKU])
        #expect(assessed.holds[0].lineIDs == ["2"] && assessed.holds[0].text.contains("'NEW'"))
        #expect(assessed.order.lines.count == 2)
        #expect(assessed.lines.map(\.erpCode) == ["ERP-SOAP", nil])
    }

    @Test("each cause has its code")
    func causes() {
        #expect(codes([OrderSupport.line("1", sku: "TWICE")]) == [.ambiguousSKU])
        #expect(codes([]) == [.noLines])
        #expect(assess(OrderSupport.order(currency: "XXX")).holds.map(\.code) == [.unknownCurrency])
        let risky = OrderStatus(shopStatus: "processing", payment: .paid, risk: "HIGH")
        #expect(assess(OrderSupport.order(status: risky)).holds.map(\.code) == [.risk])
    }

    @Test("two listings of one SKU with different codes are a question; the same code is none")
    func namesakes() {
        func mapping(_ second: ERPCode) -> OrderMapping {
            OrderMapping([
                .init(listing: "1", sku: "S", state: .mapped, erpCode: "A", unitsPerPack: 1),
                .init(listing: "2", sku: "S", state: .mapped, erpCode: second, unitsPerPack: 1),
            ])
        }
        let order = OrderSupport.order([OrderSupport.line("1", sku: "S")])
        #expect(assess(order, mapping("B")).holds.map(\.code) == [.ambiguousSKU])
        #expect(assess(order, mapping("A")).holds.isEmpty)
    }

    @Test("a listing that is gone keeps its code for what was sold")
    func gone() {
        let line = OrderSupport.line("1", sku: nil, listing: "14")
        #expect(assess(OrderSupport.order([line])).lines[0].erpCode == "ERP-OLD")
        #expect(assess(OrderSupport.order([OrderSupport.line("1", sku: "OLD")])).lines[0].erpCode == "ERP-OLD")
    }

    @Test("a line that was edited away needs no code")
    func emptied() {
        #expect(codes([OrderSupport.line("1"), OrderSupport.line("2", sku: "NEW", quantity: 0, total: 0)]).isEmpty)
    }

    @Test("a difference within the tolerance becomes a rounding charge, beyond it the order is held")
    func rounding() {
        let small = assess(OrderSupport.order(total: Amount(micro: 100_400_000)))
        #expect(small.holds.isEmpty)
        #expect(
            small.order.charges.map(\.kind) == [.rounding] && small.order.charges[0].total == Amount(micro: 400_000))
        #expect(assess(small.order) == small, "assessing again adds nothing")
        #expect(assess(OrderSupport.order(total: Amount(99))).order.charges[0].total == Amount(-1))
        let large = assess(OrderSupport.order(total: Amount(102)))
        #expect(large.holds.map(\.code) == [.totalMismatch] && large.order.charges.isEmpty)
    }
}

@Suite("An order in the ledger")
struct OrderRecordTests {
    private let noon = OrderSupport.noon

    @Test("a held order is released by itself once its cause is gone, and the state version tells")
    func releasedByItself() {
        let order = OrderSupport.order([OrderSupport.line("1", sku: "NEW")])
        let found = OrderRecord.first(order, digest: "a", readAt: noon, around: OrderSupport.around())
        var record = found.record
        #expect(found.effects.change == .created && found.effects.holdsChanged && record.heldAt == noon)
        #expect(record.reassess(around: OrderSupport.around(), because: "again").isEmpty)
        let mapping = OrderMapping([
            .init(listing: "20", sku: "NEW", state: .mapped, erpCode: "ERP-NEW", unitsPerPack: 1)
        ])
        let effects = record.reassess(around: OrderSupport.around(mapping), because: "mapping")
        #expect(effects.change == .updated && effects.holdsChanged)
        #expect(record.holds.isEmpty && record.heldAt == nil && record.lines[0].erpCode == "ERP-NEW")
        #expect(record.version == OrderVersion(revision: 1, stateVersion: 1))
    }

    @Test("a person lets an order go for the lines that were seen, and not for those that come later")
    func released() throws {
        var record = OrderSupport.first(OrderSupport.order([OrderSupport.line("1", sku: nil)]))
        let released = record.release(by: "lan", reason: "sold by hand", around: OrderSupport.around())
        let effects = try #require(released)
        #expect(effects.notes.first?.what == "released" && effects.notes.first?.text.contains("lan") == true)
        #expect(record.holds.isEmpty && record.lines[0].erpCode == nil)
        #expect(record.release(by: "lan", reason: "again", around: OrderSupport.around()) == nil)
        let more = OrderSupport.order([OrderSupport.line("1", sku: nil), OrderSupport.line("2", sku: nil)])
        _ = record.revise(to: more, digest: "b", readAt: noon, around: OrderSupport.around())
        #expect(record.holds.map(\.code) == [.blankSKU])
    }

    @Test("an order whose newest answer cannot be read keeps its facts and is held until it can")
    func unreadable() {
        var record = OrderSupport.first()
        let facts = record.order
        #expect(record.markUnreadable("no total", around: OrderSupport.around()).holdsChanged)
        #expect(record.holds.map(\.code) == [.unreadable] && record.order == facts)
        #expect(record.markUnreadable("no total", around: OrderSupport.around()).isEmpty)
        record.unreadable = nil
        #expect(record.reassess(around: OrderSupport.around(), because: "readable").holdsChanged)
        #expect(record.holds.isEmpty)
    }

    @Test("what happened decides the topic")
    func changes() {
        var record = OrderSupport.first()
        var order = record.order
        order.note = "x"
        #expect(record.revise(to: order, digest: "b", readAt: noon, around: OrderSupport.around()).change == .updated)
        order.refunds = [OrderRefund(id: "1", amount: Amount(10))]
        #expect(record.revise(to: order, digest: "c", readAt: noon, around: OrderSupport.around()).change == .refunded)
        order.status = OrderSupport.cancelled()
        #expect(record.revise(to: order, digest: "d", readAt: noon, around: OrderSupport.around()).change == .cancelled)
        #expect(record.version == OrderVersion(revision: 4, stateVersion: 0))
        #expect(record.cancellation == .cancelled)
    }

    @Test("an order that the shop no longer has counts as cancelled, once")
    func vanished() {
        var record = OrderSupport.first()
        let effects = record.vanish(digest: { _ in "gone" }, readAt: noon, around: OrderSupport.around())
        #expect(effects.change == .cancelled && record.cancellation == .cancelled)
        #expect(record.vanish(digest: { _ in "gone" }, readAt: noon, around: OrderSupport.around()).isEmpty)
    }

    @Test("an unpaid order is reserved for a while from when it was placed")
    func reserved() {
        let unpaid = OrderStatus(shopStatus: "pending", payment: .pending, awaitsPayment: true)
        var record = OrderSupport.first(OrderSupport.order(status: unpaid))
        #expect(record.reservedUntil == noon.addingTimeInterval(3_600))
        _ = record.revise(to: OrderSupport.order(), digest: "b", readAt: noon, around: OrderSupport.around())
        #expect(record.reservedUntil == nil)
    }
}
