import Contracts
import Foundation
import Messaging
import PostgreSQL
import ProcessStack
import RabbitMQ
import Synchronization
import TestStack
import Testing

/// A message that nobody can do.
enum Poison: String, CaseIterable {
    case notJSON, unknownMajor, tooLarge, noID, deepNesting, zeroByte, escapedZeroByte, zeroByteInHeaders, wrongTypes
    case empty, unknownTopic, headersAreNoTexts

    /// The code that its dead letter has to give as the reason.
    var code: String {
        switch self {
        case .notJSON, .deepNesting, .zeroByte, .wrongTypes, .empty: "payload.invalid"
        case .tooLarge: "payload.too_large"
        case .escapedZeroByte: "payload.zero_byte"
        case .zeroByteInHeaders: "envelope.zero_byte"
        case .unknownMajor: "envelope.major_version"
        case .noID: "envelope.id"
        case .headersAreNoTexts: "envelope.type"
        case .unknownTopic: "route.unknown"
        }
    }

    /// The message, made of what a good one in this queue says about itself.
    func message(to queue: String, of service: ServiceName, like good: (topic: String, schema: String))
        -> OutgoingMessage
    {
        var properties = MessageProperties(
            contentType: "application/json", messageID: UUID().uuidString.lowercased(),
            headers: [
                "cloudEvents_type": .string(good.topic), "cloudEvents_dataschema": .string(good.schema),
                "cloudEvents_subject": .string("poison \(rawValue)"),
            ])
        switch self {
        case .unknownMajor:
            let name = good.schema.prefix { $0 != "\0" }.split(separator: ":").dropLast().joined(separator: ":")
            properties.headers["cloudEvents_dataschema"] = .string("\(name):999")
        case .noID: properties.messageID = nil
        case .zeroByteInHeaders: properties.headers["cloudEvents_subject"] = "poison\0 "
        case .unknownTopic: properties.headers["cloudEvents_type"] = "nobody.knows.it"
        case .headersAreNoTexts:
            properties.headers["cloudEvents_type"] = .array([1, .table(["a": .bytes([0xff, 0])])])
            properties.headers["cloudEvents_dataschema"] = 7
        default: break
        }
        return OutgoingMessage(
            exchange: "\(service.rawValue).work", routingKey: queue, properties: properties, body: body)
    }

    private var body: [UInt8] {
        switch self {
        case .notJSON: Array("<html><body>502 Bad Gateway</body></html>".utf8)
        case .tooLarge: Array(#"{"shop":""#.utf8) + [UInt8](repeating: 0x61, count: 20_000_000) + Array(#""}"#.utf8)
        case .deepNesting: [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        case .zeroByte: Array("{\"shop\":\"ha\0noi\"}".utf8)
        case .escapedZeroByte: Array(#"{"shop":"ha\u0000noi"}"#.utf8)
        case .wrongTypes: Array(#"[{"shop":7,"arguments":"x","command_id":{},"shelves":null}]"#.utf8)
        case .empty: []
        default: Array("{}".utf8)
        }
    }
}

@Suite("Poison payloads", .serialized, .timeLimit(.minutes(60)), WholeSystem())
struct PoisonFaults {
    /// What each queue's good messages are called, by how the queue's name begins behind the service's.
    private static func good(_ queue: String) -> (service: ServiceName, topic: String, schema: String)? {
        let name = queue.prefix { $0 != "." }
        guard let service = ServiceName(rawValue: String(name)) else { return nil }
        func command(_ verb: Command.Verb) -> (ServiceName, String, String) {
            (service, Command.topic(service, verb), Command.type.dataSchema)
        }
        func payload(_ type: any EventPayload.Type) -> (ServiceName, String, String) {
            (service, type.type.name, type.type.dataSchema)
        }
        switch queue.split(separator: ".").prefix(2).joined(separator: ".") {
        case "stock-ingestor": return command(.run)
        case "stock-ingestor.decisions": return command(.accept)
        case "stock-publisher": return payload(StockAggregated.self)
        case "stock-publisher.orders": return (service, "order.created", OrderChanged.type.dataSchema)
        case "stock-publisher.catalogue": return command(.catalogue)
        case "stock-publisher.push", "stock-publisher.urgent": return payload(PushWork.self)
        case "order-collector": return payload(MappingChanged.self)
        case "order-collector.pass": return payload(PassWork.self)
        case "order-collector.fetch": return payload(FetchWork.self)
        case "erp-bridge": return payload(OrdersCollected.self)
        case "erp-bridge.reports": return payload(ReportWork.self)
        case "reconciler": return payload(StockPublished.self)
        case "reconciler.read": return payload(ReadBackWork.self)
        case "notifier": return payload(AlertRaised.self)
        case "notifier.dead-letters": return payload(MessageSettled.self)
        case "notifier.mail": return payload(MailWork.self)
        default: return nil
        }
    }

    @Test(
        "Each ends as one dead letter that says why; nobody dies, and the good messages beside it are done",
        arguments: FaultSeeds.all)
    func poison(seed: UInt64) async throws {
        print("fault: poison with STOCKBRIDGE_FAULT_SEED=\(seed)")
        let (round, began) = (try WholeRound.begin(), ContinuousClock.now)
        let stack = round.stack
        var dice = Dice(seed: seed)
        var expected: [String] = []
        let pids = try WholeRound.services.map { try stack.running($0).pid }
        let before = Set(try await Self.letters(stack))
        try round.trade(4, &dice)
        try await round.report()
        for queue in try await stack.queueNames() where !queue.hasSuffix(".dead") && !queue.contains(".retry.") {
            guard !queue.hasPrefix("stockbridge"), !queue.hasPrefix("test.") else { continue }
            let good = try #require(Self.good(queue), "\(queue) is a queue that this test does not know")
            // Twenty megabytes into every queue would be the machine's fault, not a service's.
            let kinds = Poison.allCases.filter { $0 != .tooLarge || dice.roll(5) == 0 }
            for poison in kinds {
                let message = poison.message(to: queue, of: good.service, like: (good.topic, good.schema))
                do {
                    try await stack.publish([message])
                } catch let problem as ProcessStackProblem where poison == .tooLarge && "\(problem)".contains("406") {
                    // What is too large for us RabbitMQ 4 does not even take.
                    continue
                }
                expected.append("\(queue) \(poison.code)")
            }
        }
        try await round.countInFlight()
        try round.trade(4, &dice)
        try await round.reconcile()
        round.deadLetters.withLock { $0 += expected.count }
        let wanted = expected.sorted()
        try? await stack.wait(for: "\(wanted.count) dead letters", within: .seconds(120)) {
            try await Self.letters(stack).filter { !before.contains($0) }.count >= wanted.count
        }
        let found = try await Self.letters(stack).filter { !before.contains($0) }
            .map { $0.split(separator: " ").dropFirst().joined(separator: " ") }.sorted()
        #expect(found == wanted, "each is one dead letter with its reason")
        #expect(try WholeRound.services.map { try stack.running($0).pid } == pids, "nobody died")
        try await round.check(
            "seed \(seed), \(expected.count) poison messages", kind: "poison payloads", injected: expected.count,
            since: began)
        try await stack.stockbridge(
            "dead-letters", "archive", "--reason", "made by a test", "--yes", "--wait", "60", expecting: [0, 3])
        #expect(try await Self.letters(stack) == [], "all are closed")
        round.deadLetters.withLock { $0 = 0 }
    }

    /// Dead letters as `id queue code`, from the archive.
    private static func letters(_ stack: ProcessStack) async throws -> [String] {
        try await stack.texts(
            "SELECT format('%s %s %s', id, queue, error_code) FROM dead_letters.letters WHERE state = 'waiting'")
    }
}
