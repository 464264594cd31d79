import Contracts
import Domain
import Foundation
import RabbitMQ
import Spreadsheets
import TestStack
import Testing

private let tomorrow = BridgeBench.noon.addingTimeInterval(86_400)
private let secondBatch = "saigon-20261123-1200"

@Suite("Order reports to the ERP's mailbox", .timeLimit(.minutes(20)))
struct ReportTests {
    @Test("at noon the shop's orders are collected, then one report goes out with everything that is complete")
    func noon() async throws {
        try await BridgeBench.with { bench in
            try await bench.say([
                sampleOrder("1"), sampleOrder("2", units: 5, lines: 2),
                sampleOrder("3", holds: [OrderHold(.unmappedSKU, "SKU X has no ERP code.", lineIDs: ["3-1"])]),
                sampleOrder("4", lines: 0), sampleOrder("5", cancellation: .cancelled),
                sampleOrder("6", awaitsPayment: true),
            ])
            try await bench.knows(6)
            let asked = try await bench.system.take(1, from: "order-collector")
            #expect(asked.count == 1 && asked.first?.routingKey == "command.order-collector.collect")
            // Placed after the due time, but known: selection is never by time.
            try await bench.say([sampleOrder("7", minutesBeforeNoon: -1)])
            try await bench.knows(7)
            #expect(try await bench.state() == "collecting")
            try await bench.collected()

            let mail = try await bench.report()
            #expect(mail.headers["Message-ID"] == "<order-report.\(BridgeBench.batch)@hoasen.example>")
            #expect(mail.text.contains("Complete up to 2026-11-22 12:00"))
            let lines = try mail.sheet("Lines")
            #expect(try lines.column("order id") == ["1", "2", "2", "7"])
            #expect(try Set(lines.column("batch")) == [BridgeBench.batch])
            #expect(try lines.kinds("placed at (local)").allSatisfy { $0 == .date })
            #expect(try lines.column("placed at (local)").first == "2026-11-22T11:00:00")
            #expect(try lines.column("placed at (UTC)").first == "2026-11-22T04:00:00")
            let held = try mail.sheet("Held")
            #expect(try held.column("order id") == ["3", "4", "6"])
            #expect(try held.column("reasons") == ["unmapped_sku", "no_lines", "awaits_payment"])
            #expect(try mail.sheet("Changes").rows.isEmpty)
            let control = try mail.sheet("Control")
            #expect(try control.value("orders on Lines") == "3" && control.value("rows on Lines") == "4")
            #expect(try control.value("ERP units on Lines") == "14")
            #expect(try control.value("checksum") == mail.checksum())
            #expect(try control.value("total VND") == "1475")
            #expect(try control.value("cancelled before they were sent") == "1")
            #expect(try control.value("previous batch") == "none")
            #expect(try control.value("orders known up to (UTC)") == "2026-11-22T05:00:00Z")
        }
    }

    @Test("the next report has the changes, each revision once, and what it skipped is superseded")
    func changes() async throws {
        try await BridgeBench.with { bench in
            try await bench.say((1...5).map { sampleOrder("\($0)") })
            try await bench.knows(5)
            try await bench.collected()
            _ = try await bench.report()
            try await bench.say([
                sampleOrder("1", revision: 2, units: 3), sampleOrder("2", revision: 2, cancellation: .cancelled),
                sampleOrder("3", revision: 2, units: 9, holds: [OrderHold(.risk, "The shop suspects fraud.")]),
                // Nothing but a hold of ours that came and went: nothing to tell the ERP.
                sampleOrder("4", revision: 1, state: 2, holds: [OrderHold(.risk, "The shop suspects fraud.")]),
                sampleOrder("6"),
            ])
            try await bench.knows(4, "revision = 2 OR state_version = 2")
            try await bench.say([
                sampleOrder("1", revision: 3, units: 4), sampleOrder("4", revision: 1, state: 3),
                sampleOrder("1", revision: 2, units: 3),
            ])
            try await bench.knows(1, "revision = 3")
            bench.clock.move(to: tomorrow)
            try await bench.collected(upTo: tomorrow)

            let mail = try await bench.report(secondBatch)
            #expect(try mail.sheet("Lines").column("order id") == ["6"])
            let changes = try mail.sheet("Changes")
            #expect(try changes.column("order id") == ["1", "2"])
            #expect(try changes.column("change") == ["edited", "cancelled"])
            #expect(try changes.column("old quantity") == ["2", "2"])
            #expect(try changes.column("new quantity") == ["4", "0"])
            #expect(try changes.column("previous batch") == [BridgeBench.batch, BridgeBench.batch])
            #expect(try mail.sheet("Held").column("order id") == ["3"])
            #expect(try mail.sheet("Control").value("checksum") == mail.checksum())
            #expect(try mail.sheet("Held").column("sent before in") == [BridgeBench.batch])
            #expect(try mail.sheet("Control").value("previous batch") == BridgeBench.batch)
            #expect(try mail.sheet("Control").value("revisions superseded") == "1")
            // Order 3 waits; all else has its one fate.
            let open = try await bench.system.number(
                """
                SELECT count(*) FROM erp.statements
                WHERE num_nonnulls(batch_id, superseded_by, counted_by) <> 1 AND external_id <> '3'
                """)
            #expect(open == 0)
        }
    }

    @Test("hostile and extreme texts stand in the report as they are, and nothing of them runs")
    func extremes() async throws {
        let long = String(repeating: "dài ", count: 10_000)
        try await BridgeBench.with { bench in
            try await bench.say([
                sampleOrder("1", sku: "000777", name: "=cmd|' /C calc'!A0", customer: "@SUM(1+1)"),
                sampleOrder("2", name: "🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸🌸", note: long),
            ])
            try await bench.knows(2)
            try await bench.collected()
            let lines = try await bench.report().sheet("Lines")
            #expect(try lines.column("shop SKU") == ["000777", "00123"])
            #expect(try lines.kinds("shop SKU") == [.text, .text])
            #expect(try lines.kinds("phone") == [.text, .text] && lines.kinds("shipping postcode") == [.text, .text])
            #expect(try lines.column("phone").first == "+84901234567")
            #expect(try lines.column("shipping postcode").first == "070000")
            #expect(try lines.column("name in full").first == "=cmd|' /C calc'!A0")
            #expect(try lines.column("customer").first == "@SUM(1+1)")
            #expect(try lines.column("name").last == String(repeating: "🌸", count: 20))
            let note = try #require(try lines.column("note").last)
            #expect(note.utf16.count <= 32_767 && note.hasPrefix("dài dài") && note.hasSuffix("… [cut]"))
            let raw = try #require(lines.titles.firstIndex(of: "name in full"))
            #expect(lines.rows[0][raw].kind == .text && lines.rows[0][raw].text.hasPrefix("'="))
        }
    }

    @Test("an empty day is a report without orders; a dead feed is one that says so")
    func emptyAndDead() async throws {
        try await BridgeBench.with(waitMinutes: 1) { bench in
            try await bench.collected()
            let empty = try await bench.report()
            #expect(empty.headers["Subject"] == "Orders \(BridgeBench.batch): nothing new")
            #expect(try empty.sheet("Lines").rows.isEmpty)
            bench.clock.move(to: tomorrow)
            #expect(try await bench.reaches("collecting", secondBatch))
            bench.clock.move(to: tomorrow.addingTimeInterval(70))
            let dead = try await bench.report(secondBatch)
            #expect(dead.headers["Subject"]?.contains("NOT COMPLETE") == true)
            #expect(dead.text.contains("NOT COMPLETE"))
            #expect(try dead.sheet("Control").value("orders known up to (UTC)") == "2026-11-22T05:00:00Z")
            #expect(try dead.sheet("Control").value("completeness").hasPrefix("NOT COMPLETE"))
            let raised = try await bench.system.number(
                "SELECT count(*) FROM erp.open_conditions WHERE condition = 'report-incomplete:saigon'")
            #expect(raised == 1)
        }
    }

    @Test("each missed due time makes its report, in order, and two replicas make each once")
    func missed() async throws {
        try await BridgeBench.with(replicas: 2) { bench in
            try await bench.say([sampleOrder("1")])
            try await bench.knows(1)
            #expect(
                try await eventually {
                    try await bench.system.number("SELECT count(*) FROM shared.schedules WHERE service = 'erp-bridge'")
                        == 1
                })
            // Three due times at once.
            bench.clock.move(to: tomorrow.addingTimeInterval(86_400 + 5))
            try await bench.collected(upTo: tomorrow.addingTimeInterval(86_400))
            for day in ["22", "23", "24"] {
                try await bench.command(.run, ["shop": .string("saigon"), "due": .string("2026-11-\(day)T05:00:00Z")])
            }
            let first = try await bench.report()
            let last = try await bench.report("saigon-20261124-1200")
            #expect(try first.sheet("Lines").column("order id") == ["1"])
            #expect(try last.sheet("Lines").rows.isEmpty)
            #expect(try last.sheet("Control").value("previous batch") == secondBatch)
            #expect(try await bench.system.number("SELECT count(*) FROM erp.reports WHERE state = 'sent'") == 3)
            #expect(try bench.mails().count == 3)
        }
    }

    @Test("a large batch goes out whole, and is reported in chunks that anybody can use by themselves")
    func large() async throws {
        try await BridgeBench.with { bench in
            let count = 2_300
            for start in stride(from: 1, through: count, by: 100) {
                try await bench.say((start..<start + 100).map { sampleOrder("\($0)") })
            }
            try await bench.knows(count)
            try await bench.collected()
            let mail = try await bench.report()
            #expect(try mail.sheet("Lines").rows.count == count)
            #expect(try Set(mail.sheet("Lines").column("order id")).count == count)
            let reported = try await bench.reported(3)
            #expect(reported.map(\.part).sorted() == [1, 2, 3] && reported.allSatisfy { $0.parts == 3 })
            #expect(Set(reported.flatMap(\.orders).map(\.externalID)).count == count)
            #expect(reported.allSatisfy { $0.batchID == BridgeBench.batch })
            #expect(reported.first?.orders.first?.quantities.values.first == Quantity(2))
        }
    }

    @Test("a batch and an order can be sent again on somebody's wish, and a dry run changes nothing")
    func again() async throws {
        try await BridgeBench.with { bench in
            try await bench.say([sampleOrder("1")])
            try await bench.knows(1)
            try await bench.command(.run, ["shop": .string("saigon"), "dry_run": .boolean(true)])
            try await bench.collected()
            let first = try await bench.report()
            try await bench.command(.resend, ["batch": .string(BridgeBench.batch)])
            #expect(try await eventually { try bench.mails().count == 2 })
            let again = try #require(try bench.mails().last)
            #expect(again.attachment == first.attachment)
            #expect(again.headers["Message-ID"] == "<order-report.\(BridgeBench.batch).resent-1@hoasen.example>")
            #expect(again.headers["X-Stockbridge-Batch"] == BridgeBench.batch)

            try await bench.command(
                .resendOrder, ["order": .string("saigon:1"), "reason": .string("The ERP lost it.")])
            try await bench.knows(1, "repeats")
            bench.clock.move(to: tomorrow)
            try await bench.collected(upTo: tomorrow)
            let second = try await bench.report(secondBatch)
            #expect(try second.sheet("Lines").column("order id") == ["1"])
            #expect(try second.sheet("Changes").rows.isEmpty)
            #expect(try await bench.system.number("SELECT count(*) FROM erp.reports") == 2)
        }
    }
}
