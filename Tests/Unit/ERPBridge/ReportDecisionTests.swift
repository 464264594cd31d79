import Domain
import Foundation
import Messaging
import SpreadsheetWriting
import Testing
import Transfer

@testable import ERPBridge

@Suite("When a report is made, what it is called, and what trouble means")
struct ReportDecisionTests {
    private func step(
        complete: Double? = nil, asked: Double? = nil, isCollected: Bool = true, now: Double = 0
    ) -> CollectingStep {
        CollectingStep.next(
            isCollected: isCollected, completeSince: complete.map { noon + $0 }, askedAt: asked.map { noon + $0 },
            waitUntil: noon + 600, now: noon + now)
    }

    @Test("a report waits for its shop's orders, but not for ever, and asks again while they are not complete")
    func waiting() {
        #expect(step() == .ask)
        #expect(step(asked: 0, now: 5) == .wait)
        #expect(step(asked: 0, now: 15) == .ask)
        // What belongs to the pass may still be on its way.
        #expect(step(complete: 20, asked: 0, now: 21) == .wait)
        #expect(step(complete: 20, asked: 0, now: 22) == .build)
        #expect(step(asked: 599, now: 600) == .build)
        #expect(step(isCollected: false) == .build)
    }

    @Test("a batch is named by its due time on the shop's clock")
    func names() throws {
        let zone = try testShop().timeZone
        #expect(BatchName.id(shop: "saigon", due: noon, timeZone: zone) == "saigon-20261122-1200")
        #expect(BatchName.id(shop: "saigon", due: noon, timeZone: .gmt) == "saigon-20261122-0500")
        #expect(BatchName.wholeMinute(noon + 59.9) == noon)
        let sender = MailAddress(address: "orders@hoasen.example")
        #expect(
            BatchName.messageID(batch: "saigon-20261122-1200", repetition: 0, sender: sender)
                == "<order-report.saigon-20261122-1200@hoasen.example>")
        #expect(
            BatchName.messageID(batch: "saigon-20261122-1200", repetition: 2, sender: sender)
                == "<order-report.saigon-20261122-1200.resent-2@hoasen.example>")
    }

    @Test("5yz is final, 4yz is tried again, and no answer speaks for an outage")
    func trouble() {
        func outcome(_ error: TransferError) -> Outcome { SendingTrouble(error).outcome(about: "Report x") }
        #expect(outcome(.refused(code: 550, text: "no such user", step: "RCPT")) == .done)
        #expect(SendingTrouble(.refused(code: 552, text: "too large", step: "message")).isPermanent)
        guard case .retry = outcome(.refused(code: 451, text: "later", step: "message")) else {
            Issue.record("not tried again")
            return
        }
        for error in [
            TransferError.unreachable(host: "mail", detail: "refused"), .unresolvable(host: "mail"),
            .connectionLost(host: "mail", requestSent: true), .timedOut(host: "mail", requestSent: true),
            .authenticationFailed(host: "mail", user: "orders"), .tlsRejected(host: "mail", detail: "expired"),
            .refused(code: 421, text: "closing", step: "connect"),
        ] {
            guard case .outage(Dependency("mail server"), _) = outcome(error) else {
                Issue.record("\(error) is no outage")
                continue
            }
        }
    }

    @Test("a dead feed is never shown as an empty day")
    func completeness() throws {
        func head(_ completeUpTo: Date?) throws -> ReportHead {
            ReportHead(
                batch: "saigon-20261122-1200", build: 1, shop: try testShop(), due: noon, madeAt: noon,
                previousBatch: nil, windowFrom: nil, completeUpTo: completeUpTo)
        }
        #expect(try head(noon).isComplete)
        #expect(try !head(noon - 1).isComplete)
        #expect(try head(noon - 3_600).completeness.hasPrefix("NOT COMPLETE"))
        #expect(try head(noon - 3_600).completeness.contains("2026-11-22 11:00 (Asia/Ho_Chi_Minh)"))
        #expect(try head(nil).completeness.hasPrefix("NOT COMPLETE"))
    }

    @Test("the checksum counts what a reader finds, whatever the format cannot hold as it was given")
    func checksum() {
        #expect(RowChecksum.canonical(.text("=1+1")) == "=1+1" && RowChecksum.canonical(.text("'=1")) == "'=1")
        #expect(RowChecksum.canonical(.text("a\r\nb\rc")) == "a\nb\nc")
        #expect(RowChecksum.canonical(.text("a\u{1}b")) == "a\u{FFFD}b")
        #expect(RowChecksum.canonical(.text(String(repeating: "a", count: 40_000))).hasSuffix(CellText.cutMark))
        #expect(RowChecksum.canonical(.decimal("12.5")) == "12.5")
        #expect(RowChecksum.canonical(.dateTime(noon, offsetSeconds: 25_200)) == "2026-11-22T12:00:00")
        #expect(RowChecksum.canonical(.empty) == "")
        var (one, other) = (RowChecksum(), RowChecksum())
        one.add(["a", "b"])
        other.add(["ab"])
        #expect(one.text != other.text && one.text.utf8.count == 64)
    }
}
