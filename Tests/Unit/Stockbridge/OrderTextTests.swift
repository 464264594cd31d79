import Domain
import Foundation
import Testing

@testable import Stockbridge

@Suite("What the tool says about orders")
struct OrderTextTests {
    private let time = SampleStatus.now

    private func explanation() -> OrderExplanation {
        OrderExplanation(
            shop: "hanoi", externalID: "10231", number: "#10231", placedAt: time, currency: "VND", state: "held",
            cancellation: nil, holds: ["SKU X-1 has no ERP code."],
            revisions: [
                .init(
                    revision: 1, updatedAt: time, learntAt: time.addingTimeInterval(2), via: "webhook",
                    shopStatus: "processing", payment: "paid", lines: 2, total: "410000", changes: []),
                .init(
                    revision: 2, updatedAt: time, learntAt: time.addingTimeInterval(60), via: "pass",
                    shopStatus: "processing", payment: "paid", lines: 1, total: "200000",
                    changes: ["line removed", "total"]),
            ],
            lines: [
                .init(line: "551", sku: "X-1", listing: "310", quantity: "2", erpCode: nil, erpQuantity: "2"),
                .init(line: "552", sku: nil, listing: "311", quantity: "1", erpCode: "NHH-1", erpQuantity: "6"),
            ],
            happenings: [.init(at: time, revision: 1, stateVersion: 1, what: "held", detail: "unmapped_sku")],
            batches: [
                .init(
                    batch: "hanoi-20261122-1200", place: "held", revision: 1, sentAt: time, answer: "250 ok",
                    messageID: "<x>")
            ],
            reserved: [.init(erpCode: "NHH-1", quantity: "6", reportSentAt: nil)])
    }

    @Test("an order is told from the shop's first word to what the ERP was told")
    func explained() {
        let text = OrderExplanationText(
            explanation: explanation(), wording: SampleStatus.wording, style: .plain
        ).text
        for part in [
            "hanoi, order #10231, placed", "held: SKU X-1 has no ERP code.", "revision 2, changed",
            "different: line removed, total", "line 551: 2 of SKU X-1 (listing 310) has no ERP code",
            "line 552: 1 of no SKU (listing 311) is 6 of NHH-1",
            "batch hanoi-20261122-1200, on Held, revision 1, sent", "6 of NHH-1",
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test(
        "where an order stands is one word, the most important one",
        arguments: [
            (OrderCancellation.cancelled, true, "b", "cancelled"), (.requested, false, "b", "cancellation requested"),
            (.refused, false, "b", "sent"), (nil, true, "b", "held"), (nil, false, "b", "sent"),
            (nil, false, nil, "awaits payment"),
        ] as [(OrderCancellation?, Bool, String?, String)])
    func states(_ cancellation: OrderCancellation?, _ held: Bool, _ batch: String?, _ word: String) {
        let state = OrderStateWord(
            isHeld: held, cancellation: cancellation, awaitsPayment: true, batch: batch, isUnreadable: false)
        #expect(state.word == word)
    }

    @Test("a list of held orders shows why, one without any says so")
    func list() {
        let order = OrderLineItem(
            shop: "hanoi", externalID: "1", number: "#1", placedAt: time, state: "held", total: "5", currency: "VND",
            holds: ["It has no lines."], heldAt: time, batch: nil)
        func text(_ orders: [OrderLineItem]) -> String {
            OrderListText(orders: orders, heldOnly: true, wording: SampleStatus.wording, style: .plain).text
        }
        #expect(text([order]).contains("It has no lines."))
        #expect(text([]) == "No order is kept back.")
    }

    @Test("a status names held orders, late feeds and reports that were not sent")
    func attention() {
        var status = SampleStatus.good()
        status.orders = [
            .init(
                shop: "hanoi", completeUpTo: status.at.addingTimeInterval(-7_200), held: 2, problem: nil,
                lastReport: .init(
                    batch: "hanoi-1", state: "failed", sentAt: nil, orders: 1, changes: 0, problem: "550 no."))
        ]
        let found = StatusAttention.of(status, services: SampleStatus.services).map(\.what)
        #expect(found.contains("Shop hanoi: 2 orders are kept back from the ERP."))
        #expect(found.contains("The orders of hanoi are known up to 2 h ago only."))
        #expect(found.contains("The order report hanoi-1 is not sent: 550 no."))
        let text = StatusText(status: status, wording: SampleStatus.wording, style: .plain).text
        #expect(text.contains("orders of") && text.contains("hanoi-1"))
    }
}
