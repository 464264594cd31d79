import Contracts
import Foundation
import Messaging
import Testing

@testable import Stockbridge

@Suite("Topology: known traps, policies and the broker's state")
struct TopologyTrapTests {
    private let comparison = TopologyComparison(topology: TopologyComparisonTests.topology, administrator: "admin")

    private func live(version: String = "3.10.8", _ change: (inout LiveTopology) -> Void = { _ in }) -> LiveTopology {
        var live = TopologyComparisonTests.live()
        live.version = version
        change(&live)
        return live
    }

    private static func change(
        _ queue: String, in live: inout LiveTopology, _ body: (inout LiveTopology.Queue) -> Void
    ) {
        for index in live.queues.indices where live.queues[index].name == queue { body(&live.queues[index]) }
    }

    @Test("a queue of another type says what it is, and that dead letters can get lost")
    func otherType() {
        let found = comparison.differences(
            from: live { live in
                Self.change("stock-publisher", in: &live) {
                    $0.type = "classic"
                    $0.arguments["x-queue-type"] = .string("classic")
                }
            })
        #expect(found.count == 1 && found.first?.kind == .differs)
        #expect(
            found.first?.detail == """
                it is a classic queue instead of a quorum queue, x-queue-type is 'classic' instead of 'quorum', \
                dead-lettering is not at-least-once, and letters can get lost
                """)
    }

    @Test("without reject-publish dead-lettering is not at-least-once; a dead-letter queue has none to lose")
    func overflow() {
        for (queue, loses) in [("stock-publisher", true), ("stock-publisher.dead", false)] {
            let found = comparison.differences(
                from: live { live in
                    Self.change(queue, in: &live) { $0.arguments["x-overflow"] = .string("drop-head") }
                })
            #expect(found.first?.detail.contains("letters can get lost") == loses, "\(queue)")
        }
    }

    @Test("a queue without a delivery limit gives messages up on RabbitMQ 4")
    func noLimit() {
        for (version, told) in [("3.13.7", nil), ("4.1.0", "after 20 returns"), ("4.3.0", "after 20 failures")] {
            let found = comparison.differences(
                from: live(version: version) { live in
                    Self.change("stock-publisher.dead", in: &live) { $0.arguments["x-delivery-limit"] = nil }
                })
            #expect(found.count == 1)
            #expect(found.first?.detail.contains("gives up a message") == (told != nil))
            if let told { #expect(found.first?.detail.contains(told) == true) }
        }
    }

    struct PolicyRow: Sendable, CustomTestStringConvertible {
        var queue: String
        var isOperator: Bool
        var definition: [String: JSONValue]
        var says: String?

        init(_ queue: String, _ who: String, _ definition: [String: JSONValue], _ says: String?) {
            self.queue = queue
            isOperator = who == "operator"
            self.definition = definition
            self.says = says
        }

        var testDescription: String { "\(queue) \(isOperator) \(definition)" }
    }

    static let policies: [PolicyRow] = [
        .init("stock-publisher", "user", ["max-length": .integer(10_000)], nil),
        .init("stock-publisher", "operator", ["max-length-bytes": .integer(10_000)], nil),
        .init("stock-publisher", "user", ["message-ttl": .integer(60_000)], "takes messages away after 60000 ms"),
        .init("stock-publisher.retry.5s", "user", ["message-ttl": .integer(60)], nil),
        .init("stock-publisher.retry.5s", "operator", ["message-ttl": .integer(60)], "takes messages away after 60 ms"),
        .init("stock-publisher.retry.5s", "operator", ["message-ttl": .integer(5_000)], nil),
        .init("stock-publisher", "user", ["delivery-limit": .integer(3)], nil),
        .init("stock-publisher", "operator", ["delivery-limit": .integer(3)], "gives a message up after 3 returns"),
        .init("stock-publisher", "operator", ["delivery-limit": .integer(-1)], "sets the delivery limit -1"),
        .init("stock-publisher", "operator", ["delivery-limit": .integer(50)], nil),
        .init("stock-publisher", "user", ["expires": .integer(9)], "deletes it when nobody has used it for 9 ms"),
        .init("stock-publisher", "user", ["dead-letter-exchange": .string("x")], nil),
        .init("stock-publisher.dead", "user", ["dead-letter-exchange": .string("x")], "leave for somewhere else"),
        .init("stockbridge.unrouted", "operator", ["message-ttl": .integer(1)], "takes messages away after 1 ms"),
        .init("stock-publisher", "operator", ["overflow": .string("drop-head")], "messages can get lost"),
        .init("stock-publisher", "operator", ["overflow": .string("reject-publish")], nil),
    ]

    @Test("a policy that undoes what was declared is told, one that sets sizes is not", arguments: policies)
    func policy(_ row: PolicyRow) {
        let found = comparison.differences(
            from: live { live in
                let policy = LiveTopology.Policy(name: "theirs", definition: row.definition)
                if row.isOperator { live.operatorPolicies = [policy] } else { live.policies = [policy] }
                Self.change(row.queue, in: &live) { queue in
                    if row.isOperator { queue.operatorPolicy = "theirs" } else { queue.policy = "theirs" }
                }
            })
        guard let says = row.says else {
            #expect(found == [])
            return
        }
        #expect(found.count == 1 && found.first?.kind == .overridden && found.first?.appliable == false)
        #expect(found.first?.subject == "queue \(row.queue)")
        #expect(found.first?.detail.contains(says) == true, "\(found.first?.detail ?? "")")
        #expect(
            found.first?.detail.contains(row.isOperator ? "operator policy 'theirs'" : "the policy 'theirs'") == true)
    }

    @Test("alarms of a node are told by verify, and are nothing that apply could mend")
    func alarms() {
        #expect(comparison.alarms(live { $0.nodes = [.init(name: "rabbit@a")] }) == [])
        var node = LiveTopology.Node(name: "rabbit@a")
        node.memoryAlarm = true
        node.diskAlarm = true
        node.partitions = ["rabbit@b"]
        var gone = LiveTopology.Node(name: "rabbit@b")
        gone.isRunning = false
        gone.memoryAlarm = true
        let ill = live { $0.nodes = [node, gone] }
        let found = comparison.alarms(ill)
        #expect(found.map(\.kind) == [.alarm, .alarm, .alarm, .alarm])
        #expect(found.last?.line == "node rabbit@b: it is not running. Start it")
        #expect(comparison.differences(from: ill) == [])
    }

    @Test("queues that nobody takes anything from are noted by service, dead letters under notifier")
    func idle() {
        let quiet = live { live in
            for index in live.queues.indices { live.queues[index].consumers = 1 }
            for name in ["stock-publisher", "stock-publisher.push.hanoi", "stock-publisher.dead"] {
                Self.change(name, in: &live) {
                    $0.consumers = 0
                    $0.messages = 2
                }
            }
        }
        let notes = comparison.notes(quiet).filter { $0.contains("takes nothing") }
        #expect(notes.count == 2)
        #expect(notes.first?.hasPrefix("notifier takes nothing from 1 queue (stock-publisher.dead) with 2") == true)
        #expect(notes.last?.contains("2 queues (stock-publisher, stock-publisher.push.hanoi) with 4 messages") == true)
        // Delay tiers have no consumers ever, and a broker that has not counted yet says nothing.
        let counted = live { live in
            for index in live.queues.indices where live.queues[index].name.contains(".retry.") {
                live.queues[index].consumers = 0
            }
        }
        #expect(comparison.notes(counted).allSatisfy { !$0.contains("takes nothing") })
    }

    @Test("what lies in unrouted, other flags and mirrors are noted")
    func otherNotes() {
        let notes = comparison.notes(
            live { live in
                Self.change("stockbridge.unrouted", in: &live) { $0.messages = 3 }
                live.disabledFeatures = ["user_limits"]
                live.policies = [.init(name: "ha", definition: ["ha-mode": .string("all")])]
            })
        #expect(notes.contains { $0.hasPrefix("3 messages in stockbridge.unrouted") })
        #expect(notes.contains { $0.contains("user_limits") })
        #expect(notes.contains { $0.contains("mirrored queues: ha.") })
    }

    @Test(
        "the notes of a version name its traps",
        arguments: [
            ("3.10.8", ["nack with requeue included", "x-death", "series 3 "]), ("3.13.7", ["x-death", "series 3 "]),
            ("4.0.9", ["nack with requeue included", "after 20 redeliveries", "series 4.0 "]),
            ("4.2.5", ["nack with requeue included", "after 20 redeliveries"]),
            ("4.3.0", ["a returned one does not", "after 20 redeliveries"]), ("unknown", []),
        ])
    func versions(_ version: String, _ traps: [String]) {
        let notes = TopologyComparison.notes(version: version)
        #expect(notes.count == traps.count + (version == "3.13.7" ? 1 : 0))
        for trap in traps { #expect(notes.contains { $0.contains(trap) }, "\(trap)") }
    }

    @Test("what the management API answers is read, with and without what newer versions add")
    func decoding() throws {
        let queue = try JSONDecoder().decode(
            LiveTopology.Queue.self,
            from: Data(
                #"{"name":"q","type":"quorum","policy":"","operator_policy":"o","consumers":0,"messages":7}"#.utf8))
        #expect(queue.policy == nil && queue.operatorPolicy == "o" && queue.consumers == 0 && queue.messages == 7)
        let node = try JSONDecoder().decode(
            LiveTopology.Node.self, from: Data(#"{"name":"n","running":false,"mem_alarm":true}"#.utf8))
        #expect(!node.isRunning && node.memoryAlarm && !node.diskAlarm && node.partitions == [])
    }
}
