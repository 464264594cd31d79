import Contracts
import Domain
import Messaging
import RabbitMQ
import ServiceKit
import Testing

@testable import Stockbridge

@Suite("The difference between the broker that should be and the one that is")
struct TopologyComparisonTests {
    static let topology = Topology(services: ServiceCatalogue.services(shops: ["hanoi"]))
    private let comparison = TopologyComparison(topology: topology, administrator: "admin")

    /// A broker on which everything is as it should be.
    static func live(_ topology: Topology = topology) -> LiveTopology {
        var live = LiveTopology(version: "3.10.8", virtualHostExists: true)
        for declaration in topology.declarations {
            switch declaration {
            case .exchange(let name, let kind, let arguments):
                live.exchanges.append(
                    .init(name: name, type: kind.rawValue, durable: true, arguments: arguments.mapValues(json)))
            case .queue(let name, let arguments):
                live.queues.append(.init(name: name, arguments: arguments.mapValues(json)))
            case .binding(let queue, let exchange, let key):
                live.bindings.append(
                    .init(source: exchange, destination: queue, destinationType: "queue", routingKey: key))
            }
        }
        // What every virtual host has of itself.
        live.exchanges += [
            .init(name: "", type: "direct", durable: true, arguments: [:]),
            .init(name: "amq.topic", type: "topic", durable: true, arguments: [:]),
        ]
        live.bindings.append(
            .init(source: "", destination: "notifier", destinationType: "queue", routingKey: "notifier"))
        for wanted in topology.permissions {
            live.users[wanted.user] = .ready
            live.permissions.append(
                .init(user: wanted.user, configure: wanted.configure, write: wanted.write, read: wanted.read))
            live.topicPermissions.append(
                .init(
                    user: wanted.user, exchange: Topology.events, write: wanted.topicWrite, read: wanted.topicRead))
        }
        live.permissions.append(.init(user: "admin", configure: ".*", write: ".*", read: ".*"))
        return live
    }

    private static func json(_ value: HeaderValue) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        case .integer(let number): .integer(number)
        case .boolean(let truth): .boolean(truth)
        default: .null
        }
    }

    private func only(_ change: (inout LiveTopology) -> Void) throws -> TopologyDifference {
        var live = Self.live()
        change(&live)
        let found = comparison.differences(from: live)
        #expect(found.count == 1)
        return try #require(found.first)
    }

    @Test("A broker that is as it should be has none; the broker's own exchanges and bindings are no surplus")
    func inOrder() {
        #expect(comparison.differences(from: Self.live()) == [])
    }

    @Test("Without the virtual host everything is missing, and apply makes it")
    func nothingThere() {
        let found = comparison.differences(from: LiveTopology(version: "4.1.0", virtualHostExists: false))
        #expect(found.first?.subject == "virtual host")
        #expect(found.allSatisfy { $0.kind == .missing && $0.appliable })
        let services = Self.topology.services.count
        #expect(found.count == 1 + services * 2 + Self.topology.declarations.count)
    }

    @Test("A queue that is missing is made by apply")
    func missingQueue() throws {
        let difference = try only { $0.queues.removeAll { $0.name == "stock-publisher" } }
        #expect(difference == TopologyDifference(kind: .missing, subject: "queue stock-publisher", appliable: true))
    }

    @Test("A queue with another delivery limit differs, and apply leaves it alone")
    func otherArgument() throws {
        var live = Self.live()
        let index = try #require(live.queues.firstIndex { $0.name == "stock-publisher" })
        live.queues[index].arguments["x-delivery-limit"] = .integer(-1)
        let found = comparison.differences(from: live)
        #expect(found.map(\.kind) == [.differs])
        #expect(
            found.first?.detail
                == """
                x-delivery-limit is -1 instead of 20, \
                on RabbitMQ 3 it discards a message the first time it is returned
                """)
        #expect(found.first?.appliable == false)
        let declaration = try #require(
            Self.topology.declarations.first { if case .queue("stock-publisher", _) = $0 { true } else { false } })
        #expect(!comparison.canDeclare(declaration, on: live))
        #expect(comparison.canDeclare(declaration, on: Self.live()))
    }

    @Test("An argument that is not set and one too many are both told")
    func argumentsBothWays() {
        let found = TopologyComparison.argumentDifferences(
            ["x-queue-type": .string("quorum")], ["x-max-length": .integer(10)])
        #expect(found == ["x-max-length is 10 and should not be set", "x-queue-type is not set instead of 'quorum'"])
    }

    @Test("An exchange of another type differs")
    func otherType() throws {
        let difference = try only { live in
            for index in live.exchanges.indices where live.exchanges[index].name == "notifier.work" {
                live.exchanges[index].type = "topic"
            }
        }
        #expect(difference.detail == "its type is topic instead of direct")
    }

    @Test("A missing binding and a surplus one are told apart")
    func bindings() throws {
        let missing = try only { live in
            live.bindings.removeAll { $0.source == Topology.events && $0.routingKey == "stock.held" }
        }
        #expect(missing.kind == .missing && missing.appliable)
        let surplus = try only { live in
            live.bindings.append(
                .init(source: Topology.events, destination: "notifier", destinationType: "queue", routingKey: "#"))
        }
        #expect(surplus.kind == .surplus && !surplus.appliable)
        #expect(surplus.subject == "binding stockbridge.events -> notifier by '#'")
    }

    @Test("Queues and exchanges of nobody are surplus; an exclusive queue of a program at work is not")
    func surplus() throws {
        #expect(try only { $0.queues.append(.init(name: "stock-publisher.push.gone")) }.kind == .surplus)
        #expect(
            try only { $0.exchanges.append(.init(name: "old", type: "topic", durable: true, arguments: [:])) }.kind
                == .surplus)
        var live = Self.live()
        live.queues.append(.init(name: "amq.gen-1", exclusive: true))
        #expect(comparison.differences(from: live) == [])
    }

    @Test("A user may not have wider rights than its description says, nor narrower ones")
    func permissions() throws {
        let wide = try only { live in
            for index in live.permissions.indices where live.permissions[index].user == "notifier" {
                live.permissions[index].write = ".*"
            }
        }
        #expect(wide.subject == "permissions of notifier")
        #expect(wide.detail.hasPrefix("write is '.*' instead of '^(notifier"))
        #expect(wide.appliable)
        #expect(try only { $0.permissions.removeAll { $0.user == "notifier" } }.kind == .missing)
    }

    @Test("Topic permissions are exact, and none is allowed on another exchange")
    func topicPermissions() throws {
        let wide = try only { live in
            for index in live.topicPermissions.indices where live.topicPermissions[index].user == "stock-ingestor" {
                live.topicPermissions[index].write = ".*"
            }
        }
        #expect(wide.subject == "topic permissions of stock-ingestor" && wide.kind == .differs)
        let other = try only { live in
            live.topicPermissions.append(.init(user: "notifier", exchange: "amq.topic", write: ".*", read: ".*"))
        }
        #expect(other.kind == .surplus && other.appliable)
    }

    @Test("A stranger with rights in the virtual host is told, the administrator is none")
    func stranger() throws {
        let difference = try only {
            $0.permissions.append(.init(user: "guest", configure: ".*", write: ".*", read: ".*"))
        }
        #expect(difference.kind == .surplus && difference.subject == "permissions of guest")
    }

    @Test("A user that is missing and one with another password are set by apply")
    func users() throws {
        #expect(try only { $0.users["notifier"] = .absent }.kind == .missing)
        let difference = try only { $0.users["notifier"] = .otherPassword }
        #expect(difference.kind == .differs && difference.appliable)
    }

    @Test(
        "Brokers before 3.10 cannot do what we rely on",
        arguments: [("3.9.27", 1), ("3.10.0", 0), ("3.13.7", 0), ("4.2.1", 0), ("unknown", 0)])
    func versions(_ version: String, _ count: Int) {
        var live = Self.live()
        live.version = version
        #expect(comparison.differences(from: live).filter { $0.kind == .unsupported }.count == count)
    }

    @Test("A disabled feature flag that dead-lettering needs is told")
    func features() throws {
        let difference = try only { $0.disabledFeatures = ["stream_queue", "something_new"] }
        #expect(difference.kind == .unsupported && difference.subject == "feature flag stream_queue")
    }

    @Test("What counts against the delivery limit differs with the version, and is noted")
    func notes() {
        #expect(TopologyComparison.notes(version: "3.10.8").first?.contains("nack with requeue included") == true)
        #expect(TopologyComparison.notes(version: "4.2.5").first?.contains("nack with requeue included") == true)
        #expect(TopologyComparison.notes(version: "4.3.0").first?.contains("a returned one does not") == true)
    }
}
