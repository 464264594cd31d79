import Contracts
import Messaging
import RabbitMQ
import Testing

@Suite("The topology follows from the services' descriptions")
struct TopologyTests {
    private let service = ServiceDescription(
        name: .stockPublisher,
        queues: [
            QueueDescription(name: "stock-publisher", kind: .batch, topics: ["stock.aggregated"]),
            QueueDescription(name: "stock-publisher.push.hanoi", kind: .work),
        ],
        tiers: [RetryTier(name: "5s", delayMilliseconds: 5_000)], publishes: ["alert.raised"])

    private func arguments(of queue: String) -> [String: HeaderValue]? {
        for case .queue(let name, let arguments) in Topology.declarations(of: service) where name == queue {
            return arguments
        }
        return nil
    }

    @Test func aConsumerQueueIsSafeAndDiesIntoItsOwnServicesDeadLetters() {
        #expect(
            arguments(of: "stock-publisher") == [
                "x-queue-type": .string("quorum"), "x-delivery-limit": .integer(20),
                "x-dead-letter-exchange": .string("stock-publisher.dead"),
                "x-dead-letter-routing-key": .string("stock-publisher"),
                "x-dead-letter-strategy": .string("at-least-once"), "x-overflow": .string("reject-publish"),
            ])
    }

    @Test func aTierReturnsMessagesToTheQueueTheyCameFrom() {
        let tier = arguments(of: "stock-publisher.retry.5s")
        #expect(tier?["x-message-ttl"] == .integer(5_000))
        #expect(tier?["x-dead-letter-exchange"] == .string("stock-publisher.work"))
        #expect(tier?["x-dead-letter-routing-key"] == nil, "a key of its own would forget the queue")
        #expect(tier?["x-delivery-limit"] == .integer(1_000_000), "never -1, which discards at once on 3.10")
    }

    @Test func bindingsAreExact() {
        let bindings = Topology.declarations(of: service).compactMap { declaration -> String? in
            if case .binding(let queue, Topology.events, let key) = declaration { "\(key) -> \(queue)" } else { nil }
        }
        #expect(bindings == ["stock.aggregated -> stock-publisher"])
    }

    @Test func everythingUsedIsDeclaredBefore() {
        var declared: Set<String> = []
        for declaration in Topology(services: [service]).declarations {
            switch declaration {
            case .exchange(let name, _, _): declared.insert("exchange " + name)
            case .queue(let name, _): declared.insert("queue " + name)
            case .binding(let queue, let exchange, _):
                #expect(declared.contains("queue " + queue) && declared.contains("exchange " + exchange))
            }
        }
    }

    @Test func aServiceMayTouchOnlyItsOwn() throws {
        let permissions = try #require(Topology(services: [service]).permissions.first)
        let configure = try Regex(permissions.configure)
        let write = try Regex(permissions.write)
        let read = try Regex(permissions.read)
        for own in ["stock-publisher", "stock-publisher.push.hanoi", "stock-publisher.dead"] {
            #expect(own.contains(configure) && own.contains(write) && own.contains(read))
        }
        for foreign in ["stock-ingestor", "notifier.work", "stock-publisherX", "notifier.dead", "stockbridge.unrouted"]
        {
            #expect(!foreign.contains(configure) && !foreign.contains(write) && !foreign.contains(read))
        }
        #expect(!"stockbridge.events".contains(configure))
        #expect("stockbridge.events".contains(write) && "stockbridge.events".contains(read))
        let topics = try Regex(permissions.topicWrite)
        #expect("alert.raised".contains(topics))
        #expect(!"stock.aggregated".contains(topics), "it consumes it, and may not forge it")
    }

    @Test func whoHandlesDeadLettersReadsAllOfThemAndWritesAllWork() throws {
        let notifier = ServiceDescription(
            name: .notifier, queues: [], tiers: [], publishes: [], handlesDeadLetters: true)
        let permissions = try #require(Topology(services: [notifier]).permissions.first)
        #expect("stock-publisher.dead".contains(try Regex(permissions.read)))
        #expect("stock-publisher.work".contains(try Regex(permissions.write)))
        #expect(!"stock-publisher".contains(try Regex(permissions.read)))
        let topics = try Regex(permissions.topicWrite)
        #expect("".contains(topics) && !"alert.raised".contains(topics))
    }

    @Test("The operator may send again what somebody consumes, and reads what reached nobody; notifier may neither")
    func theOperatorSendsUnroutedEventsAgain() throws {
        let tool = ServiceDescription(
            name: .stockbridge, queues: [], tiers: [], publishes: ["command.notifier.test"], handlesDeadLetters: true)
        let notifier = ServiceDescription(
            name: .notifier, queues: [], tiers: [], publishes: [], handlesDeadLetters: true)
        let permissions = Topology(services: [service, tool, notifier]).permissions
        let ours = try #require(permissions.first { $0.user == "stockbridge" })
        let topics = try Regex(ours.topicWrite)
        #expect("stock.aggregated".contains(topics) && "command.notifier.test".contains(topics))
        #expect(!"alert.raised".contains(topics), "nobody here consumes it")
        #expect("stockbridge.unrouted".contains(try Regex(ours.read)))
        #expect(!"stockbridge.unrouted".contains(try Regex(ours.write)))
        #expect(!"stockbridge.unrouted".contains(try Regex(ours.configure)))
        let others = try #require(permissions.first { $0.user == "notifier" })
        #expect(!"stock.aggregated".contains(try Regex(others.topicWrite)))
        #expect(!"stockbridge.unrouted".contains(try Regex(others.read)))
    }
}
