import Contracts
import Foundation
import Settings
import Testing

@testable import Notifier

@Suite("What of the system's own state is told")
struct WatchRulesTests {
    private static let now = Date(timeIntervalSince1970: 1_795_000_000)
    private let rules = WatchRules(limits: AlertLimits())

    private static func facts(_ change: (inout WatchFacts) -> Void = { _ in }) -> WatchFacts {
        var facts = WatchFacts(now: now, services: [.orderCollector, .stockPublisher], watchedSeconds: 600)
        facts.replicas = facts.services.map {
            .init(service: $0.rawValue, host: "a", silentSeconds: 4, isBlocked: false)
        }
        facts.schedules = [.init(service: "stock-ingestor", name: "ingest erp", nextDue: now.addingTimeInterval(60))]
        change(&facts)
        return facts
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var change: @Sendable (inout WatchFacts) -> Void
        var conditions: [String]

        init(_ name: String, _ conditions: [String], _ change: @escaping @Sendable (inout WatchFacts) -> Void) {
            self.name = name
            self.conditions = conditions
            self.change = change
        }

        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row("all is well", []) { _ in },
        Row("50 new dead letters are normal", []) { $0.newLetters = [.init(queue: "notifier", letters: 50)] },
        Row("51 are not, whatever their queues", ["dead-letters-growing"]) {
            $0.newLetters = [.init(queue: "notifier", letters: 50), .init(queue: "reconciler", letters: 1)]
        },
        Row("a letter of exactly a day is not old", []) { $0.oldestLetter = now.addingTimeInterval(-86_400) },
        Row("a second more is", ["dead-letters-old"]) { $0.oldestLetter = now.addingTimeInterval(-86_401) },
        Row("an event that reached nobody", ["unrouted"]) { $0.broker = .answers(unrouted: 1) },
        Row("the broker is away", ["broker-away"]) { $0.broker = .away("It is away.") },
        Row("an event that waits for exactly five minutes", []) {
            $0.outboxes = [.init(service: "notifier", seconds: 300, lastError: nil)]
        },
        Row("and for longer", ["outbox-lag:notifier"]) {
            $0.outboxes = [
                .init(service: "notifier", seconds: 300.5, lastError: "returned"),
                .init(service: "reconciler", seconds: 2, lastError: nil),
            ]
        },
        Row("two services that are blocked, one with two replicas", ["broker-blocked:a", "broker-blocked:b"]) {
            $0.replicas += ["a", "a", "b"].map { .init(service: $0, host: "h", silentSeconds: 1, isBlocked: true) }
        },
        Row("a replica that is gone says nothing about the broker", []) {
            $0.replicas.append(.init(service: "a", host: "h", silentSeconds: 61, isBlocked: true))
        },
        Row("the last heartbeat is a minute old", []) { $0.replicas[0].silentSeconds = 60 },
        Row("and older", ["service-away:order-collector"]) { $0.replicas[0].silentSeconds = 61 },
        Row("one of two replicas is silent", []) {
            $0.replicas.append(.init(service: "order-collector", host: "b", silentSeconds: 4_000, isBlocked: false))
        },
        Row("nobody has signed on, or the last one signed off", ["service-away:stock-publisher"]) {
            $0.replicas.removeLast()
        },
        Row("a schedule ten minutes late may still run", []) {
            $0.schedules[0].nextDue = now.addingTimeInterval(-600)
        },
        Row("later it did not", ["schedule-missed:'ingest erp' of stock-ingestor"]) {
            $0.schedules[0].nextDue = now.addingTimeInterval(-601)
        },
    ]

    @Test("each condition holds exactly beyond its limit", arguments: rows)
    func conditions(_ row: Row) {
        let found = rules.look(at: Self.facts(row.change)).findings
        #expect(found.map(\.condition) == row.conditions)
        for finding in found {
            #expect(!finding.title.isEmpty && !finding.whatToDo.isEmpty && !finding.commands.isEmpty)
            #expect(finding.text.hasSuffix("."), "\(finding.text)")
            #expect(WatchKind(condition: finding.condition) == finding.kind)
            #expect(finding.since <= Self.now && finding.patienceSeconds >= 30)
        }
    }

    @Test(
        "a service gets two minutes to start, and a minute to be exchanged for a new version",
        arguments: [(0.0, 120.0), (179, 120), (180, 60), (9_000, 60)])
    func starting(_ watched: Double, _ patience: Double) {
        let facts = Self.facts {
            $0.replicas.removeLast()
            $0.watchedSeconds = watched
        }
        #expect(rules.look(at: facts).findings.map(\.patienceSeconds) == [patience])
    }

    @Test("what only the broker knows is unknown while it does not say it")
    func unknown() {
        #expect(rules.look(at: Self.facts { $0.broker = .away("Away.") }).unknown == [.unrouted])
        #expect(rules.look(at: Self.facts { $0.broker = .answers(unrouted: nil) }).unknown == [.unrouted])
        #expect(rules.look(at: Self.facts()).unknown == [])
    }

    @Test("an event that reached nobody is to be sent again, never to be thrown away")
    func unroutedAdvice() throws {
        let facts = Self.facts { $0.broker = .answers(unrouted: 2) }
        let finding = try #require(rules.look(at: facts).findings.first)
        #expect(finding.title == "2 events reached nobody")
        #expect(
            finding.commands == [
                "stockbridge unrouted list", "stockbridge topology verify", "stockbridge topology apply",
                "stockbridge unrouted resend --reason \"...\"",
            ])
    }

    @Test("a text says what happened, how long, and what the broker answered")
    func texts() throws {
        let lag = try #require(
            rules.look(
                at: Self.facts {
                    $0.outboxes = [.init(service: "notifier", seconds: 420, lastError: "refused (404)")]
                }
            ).findings.first)
        #expect(lag.text.contains("7 minutes") && lag.text.contains("refused (404)."))
        #expect(lag.since == Self.now.addingTimeInterval(-420))
        let stopped = try #require(rules.look(at: Self.facts { $0.replicas.removeLast() }).findings.first)
        #expect(stopped.title == "stock-publisher is not running")
        let growing = try #require(
            rules.look(
                at: Self.facts { facts in
                    facts.newLetters = (1...5).map { .init(queue: "q\($0)", letters: 1_000) }
                }
            ).findings.first)
        #expect(growing.title == "5,000 new dead letters in 10 minutes")
        #expect(growing.text.contains("1,000 in q1") && growing.text.contains("q3, and others."))
    }

    @Test(
        "durations are told in the largest unit of which there are two",
        arguments: [
            (1.0, "1 second"), (119, "119 seconds"), (120, "2 minutes"), (7_199, "119 minutes"), (7_200, "2 hours"),
            (172_800, "2 days"), (-5, "0 seconds"),
        ])
    func durations(_ seconds: Double, _ text: String) {
        #expect(WatchText.duration(seconds) == text)
    }

    @Test("thousands are set apart", arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")])
    func numbers(_ number: Int, _ text: String) { #expect(WatchText.number(number) == text) }
}

@Suite("When a condition is told")
struct WatchDecisionTests {
    private let rules = WatchRules(limits: AlertLimits())
    private let start = Date(timeIntervalSince1970: 1_000_000)

    private func finding(_ kind: WatchKind = .outboxLag, patience: Double = 30) -> WatchFinding {
        WatchFinding(
            condition: kind.condition("notifier"), kind: kind, since: start, severity: .warning, title: "t",
            text: "Text.", whatToDo: "Do.", commands: ["c"], patienceSeconds: patience)
    }

    /// What is told at each second at which there is a look: `+` when it begins, `-` when it ends.
    private func story(
        _ looks: [(second: Double, holds: Bool)], patience: Double = 30, gapBefore: Double? = nil,
        unknown: Set<WatchKind> = []
    ) -> [String] {
        var memory: [WatchMemory] = []
        var told: [String] = []
        for (second, holds) in looks {
            let decision = rules.decide(
                holds ? [finding(patience: patience)] : [], unknown: unknown, memory: memory,
                moment: start.addingTimeInterval(second),
                lookingSince: start.addingTimeInterval(gapBefore.map { second >= $0 ? $0 : 0 } ?? 0))
            if let changed = decision.remember.first { memory = [changed] }
            told += decision.raise.map { _ in "+\(Int(second))" } + decision.clear.map { _ in "-\(Int(second))" }
        }
        return told
    }

    @Test("it is told once when it held at looks thirty seconds apart, and its end likewise")
    func onceEach() {
        #expect(story([(0, true), (15, true), (29.9, true)]) == [])
        #expect(story([(0, true), (15, true), (30, true), (45, true), (600, true)]) == ["+30"])
        let whole: [(Double, Bool)] = [(0, true), (30, true), (45, false), (60, false), (75, false), (90, false)]
        #expect(story(whole) == ["+30", "-75"])
    }

    @Test("a jump of the clock that puts itself right is not told, nor is a moment in between")
    func flicker() {
        #expect(story([(0, true), (15, false), (30, true), (45, false), (60, true)]) == [])
        #expect(story([(0, true), (30, true), (45, false), (60, true), (75, false), (90, true)]) == ["+30"])
    }

    @Test("a condition that needs longer is told later; its end does not wait longer")
    func patience() {
        #expect(story([(0, true), (30, true), (59, true), (60, true)], patience: 60) == ["+60"])
        #expect(story([(0, true), (60, true), (75, false), (105, false)], patience: 60) == ["+60", "-105"])
    }

    @Test("what was seen before nobody looked for a while says nothing")
    func gap() {
        #expect(story([(0, true), (1_000, true), (1_015, true), (1_030, true)], gapBefore: 1_000) == ["+1030"])
    }

    @Test("what is unknown stays as it was")
    func unknown() {
        let open = [WatchMemory(condition: "unrouted", isOpen: true)]
        let decision = rules.decide([], unknown: [.unrouted], memory: open, moment: start, lookingSince: start)
        #expect(decision == WatchDecision())
    }
}

@Suite("Mails about the system itself")
struct WatchMailTests {
    private let time = Date(timeIntervalSince1970: 1_795_000_000)

    private func composer() throws -> MailComposer {
        MailComposer(company: "Hoa Sen Care", timeZone: try #require(TimeZone(identifier: "Asia/Ho_Chi_Minh")))
    }

    private func silent(_ services: [ServiceName]) -> [WatchFinding] {
        var facts = WatchFacts(now: time, services: services)
        facts.replicas = services.map { .init(service: $0.rawValue, host: "h", silentSeconds: 90, isBlocked: false) }
        return WatchRules(limits: AlertLimits()).look(at: facts).findings
    }

    @Test("one condition is told with its since, its service and its commands")
    func one() throws {
        let content = try #require(try composer().began(silent([.notifier])))
        #expect(content.title == "notifier gives no sign of life" && content.tone == .critical)
        #expect(content.facts.map(\.name) == ["Since", "Service"])
        #expect(content.facts.first?.value == "2026-11-18 18:05 (Asia/Ho_Chi_Minh)")
        #expect(content.command == "stockbridge status")
        #expect(content.notices.isEmpty)
    }

    @Test("several that begin at once are one mail that names each, and so are their ends")
    func several() throws {
        let content = try #require(try composer().began(silent([.notifier, .reconciler, .erpBridge])))
        #expect(content.title == "3 services are not running")
        #expect(content.notices.count == 3)
        let endings = ["a", "b"].map {
            WatchEnding(kind: .serviceAway, title: "\($0) is not running", text: "\($0) runs.", openedAt: time)
        }
        let over = try #require(try composer().ended(endings, at: time.addingTimeInterval(60)))
        #expect(over.title == "Over: 2 services are not running" && over.tone == .good && over.notices.count == 2)
        #expect(try composer().ended([endings[0]], at: time)?.title == "Over: a is not running")
        #expect(try composer().began([]) == nil)
    }

    @Test("new kinds of errors are one mail, which names ten and counts the rest")
    func newErrors() throws {
        let errors = (1...12).map {
            NewError(
                fingerprint: "f\($0)", service: "notifier", queue: "notifier.mail", waiting: $0 - 1, code: "mail",
                sentence: "Shop hanoi: no.")
        }
        let content = try composer().newErrors(errors, at: time)
        #expect(content.title == "12 new kinds of errors in notifier")
        #expect(content.notices.count == 11 && content.notices.last?.name == "and 2 more")
        #expect(content.notices.first?.name == "mail in notifier.mail, none waits any more")
        #expect(content.notices[1].name == "mail in notifier.mail, 1 message waits")
        #expect(content.command?.contains("--fingerprint f1\n") == true)
        #expect(try composer().newErrors([errors[0]], at: time).title == "A new kind of error in notifier")
    }
}
