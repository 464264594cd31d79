import Contracts
import Domain
import Foundation
import Testing

@testable import Notifier

@Suite("What mails about orders and reconciliation say")
struct ReportMailTests {
    private let time = Date(timeIntervalSince1970: 1_795_000_000)

    private func composer() throws -> MailComposer {
        MailComposer(company: "Hoa Sen Care", timeZone: try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh")))
    }

    private func report(completeUpTo: Date?, held: Int = 0) -> ReportReady {
        ReportReady(
            batchID: "saigon-20261118-1200", shop: "saigon", dueAt: time, sentAt: time.addingTimeInterval(4),
            isRepetition: false, fileID: UUID(), fileName: "saigon-20261118-1200.xlsx", completeUpTo: completeUpTo,
            orders: 1_200, lines: 3_400, changes: 2, held: held,
            totals: ["VND": Amount(1_234_567_890), "USD": Amount(micro: -1_500_000)])
    }

    private func reconciliation(
        complete: Bool = true, update: Bool = false, differences: Int = 1
    ) -> ReconciliationCompleted {
        ReconciliationCompleted(
            runID: UUID(), day: "2026-11-18", isComplete: complete, isUpdate: update,
            sources: ["stock-20261118-0600.csv was accepted at 06:02."],
            shops: [
                .init(
                    shop: "hanoi", isComplete: true, compared: 19_665,
                    categories: ["ok": 19_660, "in_flight": 4, "too_high": 1],
                    orders: .init(
                        inShop: 12, inHub: 12, inERP: 10, held: 2, value: ["VND": Amount(5_000_000)])),
                .init(shop: "saigon", isComplete: complete, problem: complete ? nil : "The shop does not answer."),
            ],
            findings: differences == 0
                ? []
                : [
                    .init(
                        shop: "hanoi", sku: "00123", erpCode: "123", title: "<b>Sữa tắm</b>", category: "too_high",
                        expected: 1_004, observed: 9, ageDays: 2, action: "Push again.")
                ],
            differences: differences, workbookID: UUID(), workbookName: "r.xlsx", pictureID: UUID(),
            completedAt: time)
    }

    @Test("a report whose feed was complete is good news, with its counts and exact sums")
    func reportSent() throws {
        let content = try composer().report(report(completeUpTo: time))
        #expect(content.tone == .good && content.advice.isEmpty && content.command == nil)
        #expect(content.facts.contains(.init(name: "Total", value: "-1.5 USD, 1,234,567,890 VND")))
        #expect(content.facts.contains(.init(name: "Orders", value: "1200 with 3400 lines")))
    }

    @Test("a dead feed is never shown as an empty day")
    func reportOfADeadFeed() throws {
        let late = try composer().report(report(completeUpTo: time.addingTimeInterval(-1)))
        #expect(late.tone == .warning && late.text.contains("could not be collected"))
        let never = try composer().report(report(completeUpTo: nil))
        #expect(never.facts.contains(.init(name: "Complete up to", value: "never collected")))
    }

    @Test("held orders are named with their reasons, and those beyond the limit are counted")
    func heldOrders() throws {
        let orders = (1...3).map {
            HeldOrderLine(shop: "hanoi", number: "#\($0)", reasons: ["SKU X has no ERP code."], heldAt: time)
        }
        let content = try composer().heldOrders(orders, named: 2)
        #expect(content.title == "3 orders are kept back from the ERP")
        #expect(content.notices.map(\.name) == ["hanoi #1", "hanoi #2", "and 1 more"])
        #expect(try composer().heldOrders([orders[0]], named: 2).title == "1 order is kept back from the ERP")
    }

    @Test("the reconciliation says in its subject whether it is complete, an update, and how much is different")
    func subjects() throws {
        let composer = try composer()
        #expect(composer.reconciliation(reconciliation()).title == "Stock 2026-11-18: 1 difference")
        #expect(
            composer.reconciliation(reconciliation(complete: false, differences: 0)).title
                == "Stock 2026-11-18: no difference, not complete")
        #expect(composer.reconciliation(reconciliation(update: true)).title.hasSuffix("(update)"))
        #expect(composer.reconciliation(reconciliation(differences: 0)).tone == .good)
        #expect(composer.reconciliation(reconciliation(complete: false)).tone == .critical)
    }

    @Test("the reconciliation shows each shop's counts and orders and what is different, all of it escaped")
    func reconciliationMail() throws {
        let content = try composer().reconciliation(reconciliation(complete: false))
        #expect(content.tables[0].rows[0] == ["hanoi", "19,665", "19,660", "4", "1"])
        #expect(content.tables[0].rows[1] == ["saigon", "not read", "", "", ""])
        #expect(content.tables[1].rows == [["hanoi", "12", "12", "10", "2", "5,000,000 VND"]])
        #expect(content.facts.contains(.init(name: "saigon", value: "The shop does not answer.")))
        let (plain, html) = try MailTemplates().render(content)
        #expect(html.contains("cid:\(MailFiles.pictureID)"))
        #expect(html.contains("&lt;b&gt;Sữa tắm&lt;/b&gt;") && !html.contains("<b>Sữa"))
        #expect(plain.contains("hanoi: listings 19,665, right 19,660, on its way 4, different 1"))
        #expect(plain.contains("too high, should show 1,004, shows 9, for 2 days. Push again."))
        #expect(!html.contains("What to do"))
    }
}
