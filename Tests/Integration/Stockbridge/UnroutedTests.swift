import Contracts
import Foundation
import Messaging
import PostgreSQL
import RabbitMQ
import Synchronization
import TestStack
import Testing

@testable import Stockbridge

@Suite("Events that reached nobody, on the real broker", .timeLimit(.minutes(20)))
struct UnroutedTests {
    private static let lonely = UnroutedSystem.lonely
    private static let shared = UnroutedSystem.shared

    @Test("They are listed and stay; bound again they arrive once each, as they were; the queue is empty")
    func wholeStory() async throws {
        try await UnroutedSystem.with { ours in
            try await ours.unbind(Self.lonely)
            let ids = try await ours.publish(3, Self.lonely)
            let survey = try await ours.queue.survey(named: 2)
            #expect(survey.topics.map(\.topic) == [Self.lonely] && survey.topics.map(\.events) == [3])
            #expect(survey.events.map(\.id) == Array(ids.prefix(2)), "the oldest first")
            #expect(try await ours.unrouted("list") == .done)
            #expect(try await ours.unrouted == 3, "a list removes nothing")

            #expect(try await ours.unrouted("resend", "--reason", "too early", "--yes") == .attention)
            #expect(try await ours.unroutedIDs() == ids, "each is still there, once and in its place")

            try await ours.bind(["notifier"], to: Self.lonely)
            #expect(try await ours.unrouted("resend", "--dry-run") == .done)
            #expect(try await ours.unrouted == 3, "a dry run sends nothing")
            #expect(try await ours.unrouted("resend", "--reason", "bound again", "--yes") == .done)
            #expect(try await ours.unrouted == 0)
            let arrived = try await ours.empty("notifier")
            #expect(arrived.map(\.properties.messageID) == ids.map(Optional.some))
            #expect(arrived.allSatisfy { $0.exchange == Topology.events && $0.routingKey == Self.lonely })
            #expect(arrived.allSatisfy { $0.properties.headers["cloudEvents_subject"] == "hanoi" })
            #expect(
                arrived.allSatisfy { delivery in !delivery.properties.headers.keys.contains { $0.hasPrefix("x-") } })
            let audited = "SELECT count(*) FROM operations.audit WHERE what = 'unrouted resend' AND why = 'bound again'"
            #expect(try await ours.system.number(audited) == 1)
        }
    }

    @Test("An event whose consumers are not all bound waits for the last of them")
    func partlyBound() async throws {
        try await UnroutedSystem.with { ours in
            let consumers = ours.consumers(of: Self.shared)
            try #require(consumers.count == 3)
            try await ours.unbind(Self.shared)
            try await ours.publish(2, Self.shared)
            try await ours.bind(Array(consumers.dropLast()), to: Self.shared)
            #expect(try await ours.unrouted("resend", "--reason", "two are back", "--yes") == .attention)
            #expect(try await ours.unrouted == 2)
            for queue in consumers { #expect(try await ours.system.ready(queue) == 0, "\(queue)") }
            try await ours.bind(Array(consumers.suffix(1)), to: Self.shared)
            #expect(try await ours.unrouted("resend", "--reason", "all are back", "--yes") == .done)
            for queue in consumers { #expect(try await ours.system.ready(queue) == 2, "\(queue)") }
            #expect(try await ours.unrouted == 0)
        }
    }

    @Test("Only the topic that is named goes; what is kept in front of it does not stand in its way")
    func oneTopic() async throws {
        try await UnroutedSystem.with { ours in
            try await ours.unbind(Self.shared)
            try await ours.unbind(Self.lonely)
            let kept = try await ours.publish(UnroutedQueue.batchSize + 1, Self.shared)
            try await ours.publish(2, Self.lonely, expecting: kept.count + 2)
            try await ours.bind(["notifier"], to: Self.lonely)
            try await ours.bind(ours.consumers(of: Self.shared), to: Self.shared)
            #expect(try await ours.unrouted("resend", "--topic", Self.lonely, "--reason", "r", "--yes") == .done)
            #expect(try await ours.system.ready("notifier") == 2)
            #expect(try await ours.unroutedIDs() == kept)
        }
    }

    @Test("A binding that goes away during the run costs nothing: the events come back and are not taken again")
    func bindingGoesAway() async throws {
        try await UnroutedSystem.with { ours in
            try await ours.unbind(Self.lonely)
            let ids = try await ours.publish(5, Self.lonely)
            let survey = try await ours.queue.survey(named: 0)
            let publisher = Publisher(ours.system.broker(.stockbridge))
            // As if it had been bound when it was asked for.
            var resending = UnroutedResending(queue: ours.queue, publisher: publisher, topics: [Self.lonely])
            try await resending.run(survey.frozen, total: survey.total)
            await publisher.close()
            #expect(resending.sent == 5)
            #expect(try await eventually { try await ours.unrouted == 5 })
            #expect(try await ours.unroutedIDs().sorted() == ids.sorted())
        }
    }

    @Test("What arrives while a person decides is neither sent nor discarded with the rest")
    func newcomers() async throws {
        try await UnroutedSystem.with { ours in
            try await ours.unbind(Self.lonely)
            try await ours.publish(2, Self.lonely)
            let survey = try await ours.queue.survey(named: 0)
            // Somebody else takes what was seen; only what was not is there.
            _ = try await ours.empty(Topology.unrouted)
            let late = try await ours.publish(2, Self.lonely)
            var discarding = UnroutedDiscarding(
                queue: ours.queue, audit: UnroutedAudit(database: ours.database, who: "lan", why: "test"))
            try await discarding.run(survey.frozen, total: survey.total)
            #expect(discarding.discarded == 0)
            #expect(try await ours.unroutedIDs() == late)
        }
    }

    @Test("A connection lost between confirm and acknowledgement leaves a repetition under the same id, and no gap")
    func lostBeforeAcknowledgement() async throws {
        try await UnroutedSystem.with { ours in
            try await ours.unbind(Self.lonely)
            let ids = try await ours.publish(3, Self.lonely)
            try await ours.bind(["notifier"], to: Self.lonely)
            let survey = try await ours.queue.survey(named: 0)
            let port = try SwitchedPort(to: "\(ours.system.servers.broker.port)")
            defer { port.close() }
            try port.open()
            let broker = ours.broker(port: port.port)
            let session = TopologySession(broker)
            try #require(try await eventually { (try? await session.connect()) != nil })
            await session.close()
            let queue = UnroutedQueue(
                broker: broker, faults: FaultInjection { _ in port.close() })
            let publisher = Publisher(ours.system.broker(.stockbridge))
            var resending = UnroutedResending(queue: queue, publisher: publisher, topics: [Self.lonely])
            // It may die so late that it does not notice; the broker has the last word.
            _ = try? await resending.run(survey.frozen, total: survey.total)
            await publisher.close()
            #expect(resending.sent > 0)
            #expect(try await eventually { try await ours.unrouted == 3 }, "nothing was acknowledged")
            let first = try await ours.empty("notifier").compactMap(\.properties.messageID)
            #expect(first == Array(ids.prefix(resending.sent)))
            #expect(try await ours.unrouted("resend", "--reason", "once more", "--yes") == .done)
            #expect(try await ours.empty("notifier").compactMap(\.properties.messageID) == ids)
            #expect(try await ours.unrouted == 0)
        }
    }

    @Test("What the broker does not confirm is not acknowledged, and the sentence says what stays")
    func unconfirmed() async throws {
        try await UnroutedSystem.with { ours in
            try await ours.unbind(Self.lonely)
            let ids = try await ours.publish(2, Self.lonely)
            let survey = try await ours.queue.survey(named: 0)
            // A user that may not publish this topic: the broker closes the channel.
            let publisher = Publisher(ours.system.broker(.stockIngestor))
            var resending = UnroutedResending(
                queue: ours.queue, publisher: publisher, topics: [Self.shared, Self.lonely])
            try await ours.unbind(Self.shared)
            let others = try await ours.publish(2, Self.shared, expecting: 4)
            let whole = try await ours.queue.survey(UnroutedFilter(topic: Self.shared), named: 0)
            let error = await #expect(throws: ToolError.self) {
                try await resending.run(whole.frozen, total: whole.total)
            }
            await publisher.close()
            #expect(error?.description.contains("run 'stockbridge topology apply'") == true)
            #expect(error?.description.contains("0 events had been sent again") == true)
            #expect(try await ours.unroutedIDs() == ids + others)
            #expect(survey.total == 2)
        }
    }

    @Test("What is discarded stands whole in the audit before it leaves; the others stay")
    func discards() async throws {
        try await UnroutedSystem.with { ours in
            try await ours.unbind(Self.lonely)
            try await ours.unbind(Self.shared)
            let ids = try await ours.publish(2, Self.lonely)
            let others = try await ours.publish(2, Self.shared, expecting: 4)
            #expect(try await ours.unrouted("discard", "--topic", Self.lonely, "--reason", "test", "--yes") == .done)
            #expect(try await ours.unroutedIDs() == others)
            let kept = """
                SELECT count(*) FROM operations.audit WHERE what = 'unrouted discard' AND why = 'test'
                    AND arguments::json ->> 'id' = $1 AND arguments::json ->> 'topic' = '\(Self.lonely)'
                    AND (arguments::json ->> 'body')::json ->> 'title' LIKE 'Number %'
                    AND arguments::json -> 'properties' -> 'texts' ->> 'cloudEvents_subject' = 'hanoi'
                """
            for id in ids { #expect(try await ours.system.number(kept, [.text(id)]) == 1) }
            let second = others[1].uppercased()
            #expect(try await ours.unrouted("discard", "--id", second, "--reason", "test", "--yes") == .done)
            #expect(try await ours.unroutedIDs() == [others[0]])
            let all = "SELECT count(*) FROM operations.audit WHERE what = 'unrouted discard'"
            #expect(try await ours.system.number(all) == 3)
        }
    }

    @Test("Nothing leaves the queue while the audit cannot be written")
    func auditAway() async throws {
        try await UnroutedSystem.with { ours in
            try await ours.unbind(Self.lonely)
            let ids = try await ours.publish(2, Self.lonely)
            try await ours.system.administrate("ALTER TABLE operations.audit RENAME TO elsewhere")
            let discarded = try await ours.unrouted("discard", "--topic", Self.lonely, "--reason", "test", "--yes")
            guard case .failed(let sentence) = discarded else {
                Issue.record("It ended with \(discarded).")
                return
            }
            #expect(sentence.contains("0 events had been written to the audit by then"))
            #expect(try await ours.unroutedIDs() == ids)
            try await ours.bind(["notifier"], to: Self.lonely)
            #expect(try await ours.unrouted("resend", "--reason", "r", "--yes") != .done)
            #expect(try await ours.unroutedIDs() == ids)
            #expect(try await ours.system.ready("notifier") == 0)
        }
    }

    @Test("An empty queue, a topic that is not there, no queue and no broker are one sentence each")
    func nothingThere() async throws {
        try await UnroutedSystem.with { ours in
            #expect(try await ours.unrouted("list") == .done)
            let empty = UnroutedSystem.Ending.failed("No events wait in stockbridge.unrouted. Nothing was done.")
            #expect(try await ours.unrouted("resend", "--reason", "r", "--yes") == empty)
            #expect(try await ours.unrouted("discard", "--id", "7", "--reason", "r", "--yes") == empty)
            try await ours.unbind(Self.lonely)
            try await ours.publish(1, Self.lonely)
            #expect(
                try await ours.unrouted("resend", "--topic", "x", "--reason", "r", "--yes")
                    == .failed(
                        "No event in stockbridge.unrouted has the topic x; 'stockbridge unrouted list' shows which "
                            + "there are. Nothing was done."))
            let session = TopologySession(ours.system.brokerAdministrator)
            try await session.deleteQueue(Topology.unrouted)
            await session.close()
            #expect(
                try await ours.unrouted("list")
                    == .failed(
                        "The broker has no queue stockbridge.unrouted: run 'stockbridge topology apply'. "
                            + "Nothing was done."))
            let port = try freePort()
            try ours.writeConfiguration(brokerPort: port)
            let away = try await ours.unrouted("resend", "--reason", "r", "--yes")
            guard case .failed(let sentence) = away else {
                Issue.record("It ended with \(away).")
                return
            }
            #expect(sentence.contains("127.0.0.1:\(port) cannot be reached") && sentence.hasSuffix("Nothing was done."))
        }
    }
}
