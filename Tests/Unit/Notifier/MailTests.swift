import Contracts
import Domain
import Foundation
import Testing

@testable import Notifier

@Suite("What mails say")
struct MailTests {
    private let time = Date(timeIntervalSince1970: 1_795_000_000)

    private func composer() throws -> MailComposer {
        MailComposer(company: "Hoa Sen Care", timeZone: try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh")))
    }

    private func alert(_ severity: AlertRaised.Severity = .critical, text: String = "Shop hanoi: 503.") -> AlertRaised {
        AlertRaised(
            condition: "shop-outage:hanoi", service: .stockPublisher, subject: AlertSubject(shop: "hanoi"),
            severity: severity, title: "Shop hanoi is out", text: text, whatToDo: "Look at the server.", raisedAt: time)
    }

    @Test("an alert says what, where, since when by the company's clock, and what to do")
    func opened() throws {
        let content = try composer().opened(alert())
        #expect(content.title == "Shop hanoi is out" && content.tone == .critical)
        #expect(content.advice == "Look at the server.")
        #expect(
            content.facts == [
                .init(name: "Shop", value: "hanoi"), .init(name: "Since", value: "2026-11-18 18:06 (Asia/Ho_Chi_Minh)"),
                .init(name: "Service", value: "stock-publisher"),
            ])
        #expect(try composer().opened(alert(.warning)).tone == .warning)
        #expect(try composer().opened(alert(.info)).tone == .notice)
    }

    @Test("its end names the alert and both times")
    func cleared() throws {
        let content = try composer().cleared(
            AlertCleared(
                condition: "shop-outage:hanoi", service: .stockPublisher, subject: AlertSubject(shop: "hanoi"),
                text: "It answers again.", clearedAt: time.addingTimeInterval(3_600)),
            title: "Shop hanoi is out", openedAt: time)
        #expect(content.title == "Over: Shop hanoi is out" && content.tone == .good)
        #expect(content.facts.map(\.value).contains("2026-11-18 18:06 (Asia/Ho_Chi_Minh)"))
        #expect(content.facts.map(\.value).contains("2026-11-18 19:06 (Asia/Ho_Chi_Minh)"))
    }

    @Test("nothing that comes from outside is HTML in a mail, and the plain text is left as it is")
    func escaping() throws {
        let hostile = #"<script>alert("x")</script> & 'Kem dưỡng'"#
        var content = try composer().opened(alert(text: hostile))
        content.title = hostile
        content.facts.append(.init(name: hostile, value: hostile))
        content.advice = hostile
        content.command = "stockbridge stock show <id>"
        let (plain, html) = try MailTemplates().render(content)
        #expect(!html.contains("<script>") && !html.contains("<id>"))
        #expect(html.contains("&lt;script&gt;"))
        #expect(html.contains("Kem dưỡng"))
        #expect(plain.contains(hostile) && plain.contains("stockbridge stock show <id>"))
        #expect(!plain.contains("&lt;") && !plain.contains("&amp;"))
    }

    @Test("a mail without a command shows none")
    func withoutCommand() throws {
        let (plain, html) = try MailTemplates().render(try composer().opened(alert()))
        #expect(!html.contains("<pre"))
        #expect(plain.contains("What to do: Look at the server."))
        #expect(plain.contains("Stockbridge for Hoa Sen Care"))
    }

    @Test("the same mail has the same Message-ID, another one another, and none can break a header")
    func messageID() throws {
        let outgoing = Outgoing(
            templates: try MailTemplates(), recipients: ["ops@x.example"], senderDomain: "x.example")
        #expect(outgoing.messageID("alert-1.opened") == "<alert-1.opened@x.example>")
        #expect(outgoing.messageID("alert-1.opened") == outgoing.messageID("alert-1.opened"))
        #expect(outgoing.messageID("alert-1.opened") != outgoing.messageID("alert-1.cleared"))
        let hostile = outgoing.messageID("a>\r\nBcc: <b@c> đ")
        #expect(hostile.unicodeScalars.allSatisfy { $0.isASCII && $0.value > 0x20 })
        #expect(hostile.filter { $0 == "<" || $0 == ">" || $0 == "@" }.count == 3)
    }
}
