import Domain
import Foundation
import Testing

@Suite("How far a cancellation is")
struct OrderCancellationTests {
    private let noon = OrderSupport.noon

    private func reported(_ record: OrderRecord, at seconds: Double = 0) -> OrderRecord {
        var record = record
        _ = record.reported(
            batchID: "b1", sentAt: noon.addingTimeInterval(seconds), version: record.version, asCancelled: false)
        return record
    }

    private func cancel(
        _ record: inout OrderRecord, after seconds: Double, _ status: OrderStatus = OrderSupport.cancelled()
    )
        -> OrderEffects
    {
        record.revise(
            to: OrderSupport.order(status: status), digest: "c\(seconds)\(status.shopStatus)", readAt: noon,
            around: OrderSupport.around(at: noon.addingTimeInterval(seconds)))
    }

    @Test("before its report it is final, and nobody has to do anything")
    func beforeReport() {
        var record = OrderSupport.first()
        let effects = cancel(&record, after: 60)
        #expect(record.cancellation == .cancelled && effects.change == .cancelled && effects.tasks.isEmpty)
        #expect(!record.isOpen)
    }

    @Test("within the ship lag after the report it is final, and the ERP's people are told")
    func withinLag() {
        var record = reported(OrderSupport.first())
        let effects = cancel(&record, after: 86_399)
        #expect(record.cancellation == .cancelled && effects.change == .cancelled && effects.tasks == [.stopAtERP])
    }

    @Test("later it is a wish, a task for a person, and no outcome")
    func afterLag() {
        var record = reported(OrderSupport.first())
        let effects = cancel(&record, after: 86_400)
        #expect(record.cancellation == .requested && effects.change == .updated && effects.tasks == [.decide])
    }

    @Test("the lag counts from the first report, however often the order was sent since")
    func firstReport() {
        var record = reported(reported(OrderSupport.first()), at: 80_000)
        _ = cancel(&record, after: 86_401)
        #expect(record.cancellation == .requested)
    }

    @Test("what has shipped by the shop's own word is refused")
    func shipped() {
        var record = reported(OrderSupport.first())
        let effects = cancel(&record, after: 60, OrderSupport.cancelled(.shipped))
        #expect(record.cancellation == .refused && effects.change == .cancelled)
    }

    @Test("an order that is opened again is open again, until the ERP has heard of its cancellation")
    func reopened() {
        var record = OrderSupport.first()
        _ = cancel(&record, after: 60)
        _ = record.revise(to: OrderSupport.order(), digest: "r", readAt: noon, around: OrderSupport.around())
        #expect(record.cancellation == nil)
        _ = cancel(&record, after: 61)
        _ = record.reported(batchID: "b2", sentAt: noon, version: record.version, asCancelled: true)
        let effects = record.revise(to: OrderSupport.order(), digest: "r2", readAt: noon, around: OrderSupport.around())
        #expect(record.cancellation == .cancelled && effects.tasks == [.reopened])
        #expect(effects.notes.map(\.what) == ["refused"])
    }

    @Test("a report that crosses a final cancellation tells the ERP's people")
    func crossing() {
        var record = OrderSupport.first()
        let sent = record.version
        _ = cancel(&record, after: 60)
        let effects = record.reported(batchID: "b1", sentAt: noon, version: sent, asCancelled: false)
        #expect(effects.tasks == [.stopAtERP] && record.report?.batchID == "b1")
    }

    @Test("an older batch that is heard of late moves only the first time; a version that was never stated is refused")
    func lateBatches() {
        var record = reported(OrderSupport.first(), at: 100)
        _ = record.reported(
            batchID: "b0", sentAt: noon, version: OrderVersion(revision: 1, stateVersion: 0), asCancelled: false)
        #expect(record.report?.firstSentAt == noon && record.report?.batchID == "b1")
        let effects = record.reported(
            batchID: "b9", sentAt: noon.addingTimeInterval(200), version: OrderVersion(revision: 7, stateVersion: 0),
            asCancelled: false)
        #expect(effects.notes.map(\.what) == ["refused"] && record.report?.batchID == "b1")
    }

    @Test("a transition that the table does not allow is none", arguments: OrderCancellation.allCases)
    func table(_ state: OrderCancellation) {
        #expect(!OrderCancellationRule.allows(.cancelled, state, toldERP: false) || state == .cancelled)
        #expect(!OrderCancellationRule.allows(.cancelled, nil, toldERP: true))
        #expect(!OrderCancellationRule.allows(.pendingERP, nil, toldERP: false))
        #expect(OrderCancellationRule.allows(state, state, toldERP: true))
    }
}
