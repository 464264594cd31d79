import ArgumentParser
import Contracts
import Foundation
import Messaging
import RabbitMQ
import ServiceKit
import Testing

@testable import Stockbridge

/// Deliveries from the queue of events that reached nobody.
enum SampleUnrouted {
    static let now = SampleStatus.now

    static func delivery(
        _ topic: String = "order.held", id: String = "6F1C2A3B-5D3E-4F6A-8B7C-9D0E1F2A3B4C", minutesAgo: Double = 5,
        body: [UInt8] = Array("{}".utf8)
    ) throws -> Delivery {
        let alert = AlertRaised(
            condition: "a", service: .reconciler, severity: .warning, title: "t", text: "x", whatToDo: "w",
            raisedAt: now)
        let event = Event(
            alert, id: try #require(UUID(uuidString: id)), subject: "hanoi:10231", correlation: "run 7",
            occurredAt: now.addingTimeInterval(-60 * minutesAgo))
        let sent = try OutboxMessage(event, from: .reconciler).outgoing
        return Delivery(
            tag: DeliveryTag(session: 1, number: 1), exchange: Topology.events, routingKey: topic,
            properties: sent.properties, body: body)
    }

    static func event(_ topic: String, _ id: String = "a", minutesAgo: Double = 5) -> UnroutedEvent {
        UnroutedEvent(
            topic: topic, id: id, subject: "hanoi", items: [], occurredAt: now.addingTimeInterval(-60 * minutesAgo),
            bytes: 1_000)
    }

    static func survey(
        _ events: [UnroutedEvent], total: Int? = nil, filter: UnroutedFilter = UnroutedFilter(), named: Int = 50
    ) -> UnroutedSurvey {
        var survey = UnroutedSurvey(total: total ?? events.count, filter: filter, named: named)
        for event in events { survey.add(event) }
        survey.sortTopics()
        return survey
    }
}

@Suite("Arguments of unrouted")
struct UnroutedArgumentTests {
    private func parse(_ line: String) throws -> any ParsableCommand {
        try StockbridgeCommand.parseAsRoot(line.split(separator: " ").map(String.init))
    }

    @Test(
        "What the help promises can be said",
        arguments: [
            "list", "list --limit 1000 --json", "resend --dry-run", "resend --dry-run --topic order.created --json",
            "resend --reason mended", "resend --topic order.created --reason mended --yes --json",
            "discard --topic stock.held --reason decided", "discard --id abc --reason decided --yes --json",
        ])
    func understood(_ line: String) throws { _ = try parse("unrouted " + line) }

    @Test(
        "What makes no sense is refused before anything is done",
        arguments: [
            "list --limit 0", "list --limit 10001", "resend", "resend --topic order.created", "discard --reason x",
            "discard --topic a", "discard --topic a --id b --reason x",
        ])
    func refused(_ line: String) {
        #expect(throws: (any Error).self) { try parse("unrouted " + line) }
    }

    @Test(
        "--reason, --topic and --id must say something",
        arguments: [
            ["resend", "--reason", " "], ["resend", "--dry-run", "--topic", ""],
            ["discard", "--topic", "a", "--reason", " "], ["discard", "--id", " ", "--reason", "x"],
        ])
    func blank(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try StockbridgeCommand.parseAsRoot(["unrouted"] + arguments) }
    }

    @Test("Every line that begins with the command in docs/operations.md is one that the tool understands")
    func documented() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let text = try String(contentsOf: root.appending(path: "docs/operations.md"), encoding: .utf8)
        let lines = text.split(separator: "\n").map { $0.hasPrefix("$ ") ? $0.dropFirst(2) : $0 }
            .filter { $0.hasPrefix("stockbridge unrouted ") }
        #expect(lines.count >= 4)
        for line in lines {
            // Every second part stands in quotes.
            let words = line.split(separator: "\"", omittingEmptySubsequences: false).enumerated().flatMap {
                index, part in index % 2 == 1 ? [String(part)] : part.split(separator: " ").map(String.init)
            }
            #expect(throws: Never.self, "\(line)") { try StockbridgeCommand.parseAsRoot(Array(words.dropFirst())) }
        }
    }
}

@Suite("Which events that reached nobody can be sent again")
struct UnroutedRoutingTests {
    private let topology = TopologyComparisonTests.topology

    private func fate(_ topic: String, _ change: (inout [LiveTopology.Binding]) -> Void = { _ in }) -> UnroutedFate {
        var bindings = TopologyComparisonTests.live().bindings
        change(&bindings)
        return UnroutedRouting(topology, live: bindings).fate(of: topic)
    }

    private var consumers: [String] {
        topology.declarations.compactMap { declaration in
            if case .binding(let queue, Topology.events, "order.created") = declaration { queue } else { nil }
        }.sorted()
    }

    @Test("a topic whose every queue is bound")
    func bound() { #expect(fate("order.created") == .bound) }

    @Test("a topic with one binding missing stays: that queue's service would never hear of it")
    func partlyBound() throws {
        #expect(consumers.count == 3)
        for queue in consumers {
            let found = fate("order.created") {
                $0.removeAll { $0.destination == queue && $0.source == Topology.events }
            }
            #expect(found == .missing([queue]))
        }
    }

    @Test("a topic without any names all its queues")
    func unbound() {
        #expect(fate("order.created") { $0 = [] } == .missing(consumers))
    }

    @Test("neither another exchange's binding nor one to an exchange nor another key is a binding")
    func others() {
        func changed(_ change: (inout LiveTopology.Binding) -> Void) -> UnroutedFate {
            fate("stock.held") { bindings in
                for index in bindings.indices where bindings[index].routingKey == "stock.held" {
                    change(&bindings[index])
                }
            }
        }
        #expect(changed { $0.source = "amq.topic" } == .missing(["notifier"]))
        #expect(changed { $0.destinationType = "exchange" } == .missing(["notifier"]))
        #expect(changed { $0.routingKey = "stock.*" } == .missing(["notifier"]))
        #expect(changed { _ in } == .bound)
    }

    @Test("a topic that nobody consumes is unknown, also where somebody bound a queue to it by hand")
    func unknown() {
        #expect(fate("price.changed") == .unknown)
        #expect(
            fate("price.changed") {
                $0.append(
                    .init(
                        source: Topology.events, destination: "tap", destinationType: "queue",
                        routingKey: "price.changed"))
            } == .unknown)
    }
}

@Suite("What is meant by a command about events that reached nobody")
struct UnroutedSurveyTests {
    @Test("an event is read by its envelope, and one without any by its digest")
    func reading() throws {
        let event = UnroutedEvent(try SampleUnrouted.delivery(body: Array("12345".utf8)))
        #expect(event.topic == "order.held" && event.id == "6f1c2a3b-5d3e-4f6a-8b7c-9d0e1f2a3b4c")
        #expect(event.occurredAt == SampleUnrouted.now.addingTimeInterval(-300) && event.bytes == 5)
        #expect(event.about == "hanoi:10231")
        let foreign = UnroutedEvent(
            Delivery(
                tag: DeliveryTag(session: 1, number: 1), exchange: "", routingKey: "x", properties: .init(),
                body: [0xFF]))
        #expect(foreign.id.hasPrefix("sha256:") && foreign.occurredAt == nil && foreign.about == "")
    }

    @Test("each event that was seen is taken once, a newer one never: no run goes round in circles")
    func frozen() {
        var frozen = FrozenUnrouted()
        let event = SampleUnrouted.event("order.held")
        let unseen = frozen.take(event)
        frozen.add(event)
        frozen.add(event)
        let taken = (1...3).map { _ in frozen.take(event) }
        let sameIDElsewhere = frozen.take(SampleUnrouted.event("order.created"))
        #expect(!unseen && taken == [true, true, false] && !sameIDElsewhere)
    }

    @Test("topics are counted, the most frequent first; the oldest events are named, all are looked at")
    func grouping() {
        let survey = SampleUnrouted.survey(
            [
                SampleUnrouted.event("b", "1", minutesAgo: 9), SampleUnrouted.event("a", "2", minutesAgo: 8),
                SampleUnrouted.event("c", "3"), SampleUnrouted.event("b", "4", minutesAgo: 2),
            ], named: 2)
        #expect(survey.topics.map(\.topic) == ["b", "a", "c"] && survey.topics.map(\.events) == [2, 1, 1])
        #expect(survey.topics.first?.oldestAt == SampleUnrouted.now.addingTimeInterval(-540))
        #expect(survey.topics.first?.newestAt == SampleUnrouted.now.addingTimeInterval(-120))
        #expect(survey.topics.first?.bytes == 2_000)
        #expect(survey.events.map(\.id) == ["1", "2"] && survey.lookedAt == 4 && survey.meant == 4)
    }

    @Test("a filter by topic or by id, in capitals too, counts and freezes only what it takes")
    func filter() throws {
        let events = [SampleUnrouted.event("a", "1f"), SampleUnrouted.event("b", "2f")]
        var byTopic = SampleUnrouted.survey(events, filter: UnroutedFilter(topic: "a"))
        #expect(byTopic.meant == 1 && byTopic.lookedAt == 2)
        let (takesOwn, takesOther) = (byTopic.frozen.take(events[0]), byTopic.frozen.take(events[1]))
        #expect(takesOwn && !takesOther)
        #expect(SampleUnrouted.survey(events, filter: UnroutedFilter(id: "2F")).topics.map(\.topic) == ["b"])
    }

    @Test(
        "A filter that takes nothing says what there is not",
        arguments: [
            (UnroutedFilter(), 0, "No events wait in stockbridge.unrouted. Nothing was done."),
            (
                UnroutedFilter(topic: "x"), 1,
                "No event in stockbridge.unrouted has the topic x; 'stockbridge unrouted list' shows which there are. "
                    + "Nothing was done."
            ),
            (
                UnroutedFilter(id: "7"), 12_000,
                "No event in stockbridge.unrouted of the 1 looked at has the id 7; 'stockbridge unrouted list' shows "
                    + "which there are. Nothing was done."
            ),
        ])
    func nothing(_ filter: UnroutedFilter, _ total: Int, _ sentence: String) {
        let events = total == 0 ? [] : [SampleUnrouted.event("a")]
        let error = #expect(throws: ToolError.self) {
            try SampleUnrouted.survey(events, total: total, filter: filter).requireSome()
        }
        #expect(error?.description == sentence && error?.isUsage == false)
    }

    @Test("what is discarded is kept whole: its properties, and its body as text or in base 64")
    func kept() throws {
        let text = try UnroutedAudit.kept(SampleUnrouted.delivery(body: Array("{\"a\":1}".utf8)))
        #expect(text["body"] == .string("{\"a\":1}") && text["topic"] == .string("order.held"))
        #expect(text["id"] == .string("6f1c2a3b-5d3e-4f6a-8b7c-9d0e1f2a3b4c"))
        let texts = text["properties"]?.object?["texts"]?.object
        #expect(texts?["cloudEvents_subject"] == .string("hanoi:10231"))
        let bytes = try UnroutedAudit.kept(SampleUnrouted.delivery(body: [0xFF, 0]))
        #expect(bytes["body"] == nil && bytes["body_base64"] == .string("/wA="))
    }
}

@Suite("What the tool says about events that reached nobody")
struct UnroutedTextTests {
    private let routing = UnroutedRouting(
        TopologyComparisonTests.topology,
        live: TopologyComparisonTests.live().bindings.filter { $0.routingKey != "stock.held" })

    private func list(_ survey: UnroutedSurvey) -> String {
        UnroutedListText(survey: survey, wording: SampleStatus.wording, style: .plain, now: SampleUnrouted.now).text
    }

    private func resent(
        _ topics: [String], dryRun: Bool = false, total: Int? = nil, _ change: (inout UnroutedResent) -> Void = { _ in }
    ) -> UnroutedResent {
        let survey = SampleUnrouted.survey(
            topics.enumerated().map { SampleUnrouted.event($1, "\($0)") }, total: total, named: 0)
        var answer = UnroutedResent(survey, routing, dryRun: dryRun)
        change(&answer)
        return answer
    }

    private func text(_ answer: UnroutedResent) -> String { UnroutedResentText(answer: answer, style: .plain).text }

    @Test("the topics stand before the events")
    func lists() {
        let text = list(
            SampleUnrouted.survey(
                [
                    SampleUnrouted.event("stock.held", "id-1", minutesAgo: 61),
                    SampleUnrouted.event("stock.held", "id-2"),
                ], named: 1))
        #expect(
            text == """
                events  topic       oldest    newest    bytes
                     2  stock.held  05:09:00  06:05:00  2,000

                time      topic       about  bytes  id
                05:09:00  stock.held  hanoi  1,000  id-1

                1 of 2 events named, the oldest first; --limit names more.
                'stockbridge unrouted resend --dry-run' says which of them have all their queues now.
                """)
        #expect(list(SampleUnrouted.survey([])) == "No events wait in stockbridge.unrouted.")
    }

    @Test("what was not looked at is said, and whether the bound or somebody else is why")
    func shortfall() {
        let held = SampleUnrouted.survey([SampleUnrouted.event("a")], total: 3)
        #expect(held.shortfall == "1 of 3 events; another program has the others in hand or has taken them.")
        let events = (1...UnroutedQueue.mostLookedAt).map { SampleUnrouted.event("a", "\($0)") }
        #expect(
            SampleUnrouted.survey(events, total: 10_001).shortfall
                == "The oldest 10,000 of 10,001 events; no run looks at more.")
        #expect(SampleUnrouted.survey(events).shortfall == nil)
    }

    @Test("a dry run says what would go and what would stay, and what to do about it")
    func dryRun() {
        let answer = resent(["order.held", "order.held", "stock.held", "price.changed"], dryRun: true)
        #expect(
            text(answer) == """
                events  topic          now
                     2  order.held     every queue is bound
                     1  price.changed  stays, no service of this version consumes it
                     1  stock.held     stays, not bound: notifier
                2 events would be sent again; nothing was sent.
                Not all queues are bound to 1 event of stock.held.
                -> stockbridge topology verify, stockbridge topology apply, then this command again
                No service of this version consumes 1 event of price.changed.
                -> this command of the version that does, or stockbridge unrouted discard --topic TOPIC
                """)
    }

    @Test("afterwards it says how many went and how many are there, and whether some came back")
    func outcome() {
        let all = resent(["order.held"]) { ($0.sent, $0.remaining) = (1, 0) }
        #expect(UnroutedResentText(answer: all, style: .plain).outcome.hasPrefix("1 event sent again; 0 events in"))
        #expect(!all.needsAttention)
        let back = resent(["order.held"]) { ($0.sent, $0.remaining) = (1, 1) }
        #expect(text(back).contains("1 event arrived there meanwhile, or came back because a binding went away"))
        #expect(back.needsAttention)
        #expect(resent(["stock.held"]).needsAttention && text(resent(["stock.held"])).contains("Nothing was sent."))
        #expect(resent(["order.held"], total: 2) { ($0.sent, $0.remaining) = (1, 1) }.needsAttention)
    }
}
