import ArgumentParser
import Contracts
import Foundation
import Testing

@testable import Stockbridge

@Suite("Arguments of dead-letters")
struct LetterArgumentTests {
    private func parse(_ line: String) throws -> any ParsableCommand {
        try StockbridgeCommand.parseAsRoot(line.split(separator: " ").map(String.init))
    }

    @Test(
        "What the help promises can be said",
        arguments: [
            "list", "list 17 18 --json", "list --shop hanoi --sku A --since 2h --until 10m --limit 5 --state all",
            "list --order hanoi:10231", "list --shop hanoi --order 10231", "list --state processed",
            "groups --service stock-publisher --topic t --queue q --erp b --error text --fingerprint f --since 06:00",
            "show 17 --full --json", "edit 17 --set a.b=1 --set c=2 --reason typo --yes", "edit 17 --reason typo",
            "edit 17 --body - --reason typo --json", "archive 18 19 --reason test",
            "archive --fingerprint f --reason test --yes --wait 5", "replay --dry-run --limit 0",
            "replay --shop hanoi --canary 10 --rate 50/s --stop-at 20% --reason mended --wait 60 --yes",
            "replay 17 --rate 0.5 --stop-at 0.1 --canary 0 --reason mended", "jobs", "jobs --json", "jobs list",
            "jobs show 4f1c --wait 60", "jobs pause 4f1c --reason lunch", "jobs resume 4f1c", "jobs cancel 4f1c",
        ])
    func understood(_ line: String) throws { _ = try parse("dead-letters " + line) }

    @Test(
        "What makes no sense is refused before anything is done",
        arguments: [
            "list --limit 0", "list --service shop-publisher", "list --order 10231", "list --state dead",
            "list --error ", "show", "show abc", "edit 17", "edit 17 --set a=1 --body f --reason x",
            "archive 18", "archive 18 --state all --reason x", "replay --shop hanoi", "replay --reason x --rate 0",
            "replay --reason x --rate fast", "replay --reason x --stop-at 120%", "replay --reason x --stop-at -1",
            "replay --reason x --canary -1", "replay --reason x --wait -1", "replay --dry-run --limit -1",
            "jobs show", "jobs stop 4f1c", "jobs --limit 0",
        ])
    func refused(_ line: String) {
        #expect(throws: (any Error).self) { try parse("dead-letters " + line) }
    }

    @Test("--reason must say something")
    func blankReason() {
        for command in ["archive", "replay", "edit 17"] {
            #expect(throws: (any Error).self) {
                try StockbridgeCommand.parseAsRoot(
                    ["dead-letters"] + command.split(separator: " ").map(String.init) + ["--reason", " "])
            }
        }
    }

    @Test("a rate and a share are read as people write them")
    func rates() {
        #expect(ReplayRate(argument: "50/s") == ReplayRate(argument: "50"))
        #expect(ReplayRate(argument: "0.5/s")?.description == "0.5/s")
        #expect(ReplayRate(argument: "50")?.description == "50/s")
        #expect(ReplayShare(argument: "20%") == ReplayShare(argument: "0.2"))
        #expect(ReplayShare(argument: "12.5%")?.description == "12.5%")
        #expect(ReplayShare(argument: "nan") == nil && ReplayRate(argument: "nan") == nil)
        #expect(ReplayShare(argument: "0")?.description == "0%")
    }

    @Test(
        "ten go first when there are many, none when there are few, and never more than there are",
        arguments: [(20, nil, 0), (21, nil, 10), (3_000, nil, 10), (5, 10, 5), (3_000, 0, 0)] as [(Int, Int?, Int)])
    func canary(_ letters: Int, _ said: Int?, _ expected: Int) {
        #expect(plan(letters, said).canary == expected)
    }

    private func plan(_ letters: Int, _ canary: Int?) -> ReplayPlan {
        ReplayPlan(
            job: UUID(), letters: letters, rate: ReplayRate(perSecond: 50), canary: canary,
            stopAt: ReplayShare(value: 0.2), reason: "mended")
    }

    @Test("what is asked names the number, the canary, the pace and the stop; what is sent is what notifier reads")
    func question() {
        let plan = plan(3_000, nil)
        #expect(
            plan.question
                == "Send 3,000 letters again, 10 of them first, 50/s (at least 1 min), stopping above 20% failures?")
        let arguments = plan.arguments(filter: .object([:]))
        #expect(Set(arguments.keys) == ["job", "filter", "rate", "canary", "stop_share", "reason"])
        #expect(arguments["canary"] == .integer(10) && arguments["rate"] == .number(50))
    }

    @Test("a span looks back where letters are searched, and ahead where something ends")
    func spans() throws {
        let now = SampleStatus.now
        #expect(
            try TimeArgument.parse("90m", timeZone: .gmt, now: now, spans: .back) == now.addingTimeInterval(-5_400))
        #expect(try TimeArgument.parse("90m", timeZone: .gmt, now: now) == now.addingTimeInterval(5_400))
        #expect {
            try TimeArgument.parse("soon", timeZone: .gmt, now: now, spans: .back)
        } throws: { "\($0)".contains("3d ago") }
    }
}
