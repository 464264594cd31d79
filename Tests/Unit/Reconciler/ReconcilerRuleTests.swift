import Domain
import Foundation
import ShopConnectors
import Testing

@testable import Reconciler

@Suite("Rules of the reconciliation's reports")
struct ReconcilerRuleTests {
    private func decide(
        _ reason: MailDecision.Reason, command: Bool = false, mails: Int, dayComplete: Bool = false,
        runComplete: Bool = true
    ) -> MailDecision {
        MailDecision(
            reason: reason, isCommand: command, mails: mails, dayIsComplete: dayComplete, runIsComplete: runComplete)
    }

    @Test("the first mail goes when all is settled or when its time has come")
    func firstMail() {
        #expect(decide(.settled, mails: 0) == .send(isUpdate: false))
        #expect(decide(.time, mails: 0, runComplete: false) == .send(isUpdate: false))
    }

    @Test("one update follows an incomplete mail, when all is complete")
    func update() {
        #expect(decide(.settled, mails: 1) == .send(isUpdate: true))
        #expect(decide(.settled, mails: 1, runComplete: false) == .keepSilent)
        #expect(decide(.time, mails: 1) == .keepSilent)
    }

    @Test("after a complete mail, or after two, there is none")
    func never() {
        #expect(decide(.settled, mails: 1, dayComplete: true) == .keepSilent)
        for reason in [MailDecision.Reason.settled, .time] { #expect(decide(reason, mails: 2) == .keepSilent) }
    }

    @Test("who asked is always answered")
    func command() {
        #expect(decide(.settled, command: true, mails: 2, dayComplete: true) == .send(isUpdate: false))
        #expect(decide(.settled, command: true, mails: 1) == .send(isUpdate: true))
    }

    @Test("a source is stale when a file was due since its newest one, and not while one may still come")
    func freshness() throws {
        let zone = try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh"))
        let schedule = Schedule(cron: try #require(try? CronExpression("0 6 * * *")), timeZone: zone)
        let six = Date(timeIntervalSince1970: 1_795_302_000)
        func stale(_ received: Double, _ now: Double) -> Bool {
            Freshness.isStale(
                receivedAt: six.addingTimeInterval(received * 3_600), schedule: schedule, graceSeconds: 1_800,
                now: six.addingTimeInterval(now * 3_600))
        }
        #expect(!stale(0.1, 1))
        #expect(!stale(-0.5, 1), "it came early")
        #expect(stale(-23.9, 1), "yesterday's")
        #expect(!stale(-23.9, 0.25), "it may still come")
    }

    @Test("a missing, different or uncancelled order is found")
    func orders() {
        let order = Order(
            shop: "hanoi", externalID: "7", number: "7", placedAt: .distantPast, updatedAt: .distantPast,
            status: OrderStatus(shopStatus: "cancelled", payment: .pending, isCancelled: true), currency: "VND",
            lines: [], totals: OrderTotals(total: Amount(100)))
        func kinds(_ hub: OrderAudit.HubOrder?) -> [String] {
            OrderAudit.findings(.order(order), hub).map(\.kind)
        }
        #expect(kinds(nil) == ["missing"])
        #expect(kinds(.init(currency: "VND", total: Amount(100), isCancelled: true)).isEmpty)
        #expect(kinds(.init(currency: "VND", total: Amount(90), isCancelled: true)) == ["total_mismatch"])
        #expect(kinds(.init(currency: "VND", total: Amount(100), isCancelled: false)) == ["status_not_propagated"])
    }
}
