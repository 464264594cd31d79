import Contracts
import Foundation
import Testing

@Suite("Topics and docs/asyncapi.yaml")
struct TopicTests {
    /// What the document says of one channel, read line by line: it is ours, and its shape is simple.
    private struct Channel: Equatable {
        var publishers: [String] = []
        var consumers: [String] = []
        var address = ""
        var message = ""
    }

    private func channels() throws -> [String: Channel] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let text = try String(contentsOf: root.appending(path: "docs/asyncapi.yaml"), encoding: .utf8)
        var found: [String: Channel] = [:]
        var inside = false
        var name = ""
        for line in text.split(separator: "\n") {
            if !line.hasPrefix(" ") {
                inside = line == "channels:"
            } else if inside, line.hasPrefix("  "), !line.hasPrefix("   ") {
                name = String(line.dropFirst(2).dropLast())
                #expect(found[name] == nil, "\(name) stands twice in the document")
                found[name] = Channel()
            } else if inside {
                read(line.drop { $0 == " " }, into: &found[name, default: Channel()])
            }
        }
        return found
    }

    private func read(_ line: Substring, into channel: inout Channel) {
        let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        guard parts.count == 2 else { return }
        let list = parts[1].trimmingCharacters(in: CharacterSet(charactersIn: "[]")).split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }
        switch parts[0] {
        case "x-publishers": channel.publishers = list
        case "x-consumers": channel.consumers = list
        case "address": channel.address = parts[1]
        default: if parts[1].contains("#/components/messages/") { channel.message = parts[0] }
        }
    }

    @Test
    func everyTopicOfTheCodeIsInTheDocumentAndTheOtherWayRound() throws {
        let channels = try channels()
        #expect(Set(channels.keys) == Set(Topics.all.map(\.name)))
        for topic in Topics.all {
            let channel = try #require(channels[topic.name])
            #expect(channel.address == topic.name)
            #expect(channel.publishers == topic.publishers.map(\.rawValue), "publishers of \(topic.name)")
            #expect(channel.consumers == topic.consumers.map(\.rawValue), "consumers of \(topic.name)")
            #expect(!channel.message.isEmpty, "\(topic.name) has no message")
        }
    }

    @Test
    func theDocumentNamesTheVersionsOfTheCode() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let text = try String(contentsOf: root.appending(path: "docs/asyncapi.yaml"), encoding: .utf8)
        let types = [
            StockAggregated.type, StockHeld.type, AlertRaised.type, AlertCleared.type, Command.type, OrderChanged.type,
            OrderHeld.type, OrdersCollected.type, OrderReported.type, ReportReady.type, MappingChanged.type,
            StockPublished.type, ReconciliationCompleted.type, MessageSettled.type,
        ]
        for type in types {
            let entry = "      name: \(type.name)\n      x-version: '\(type.majorVersion).\(type.minorVersion)'\n"
            #expect(text.contains(entry), "\(type)")
        }
        #expect(text.components(separatedBy: "x-version:").count - 1 == types.count)
    }

    @Test
    func topicsAreUniqueSortedAndHaveBothEnds() {
        let names = Topics.all.map(\.name)
        #expect(names == Set(names).sorted())
        for topic in Topics.all {
            #expect(!topic.publishers.isEmpty && !topic.consumers.isEmpty, "\(topic.name)")
        }
    }

    @Test
    func aCommandTravelsUnderItsServiceAndVerb() {
        let command = Command(
            commandID: UUID(), service: .stockIngestor, verb: .accept, requestedBy: "linh", requestedAt: .distantPast)
        #expect(command.topic == "command.stock-ingestor.accept")
        #expect(Topics.consumed(by: .stockIngestor).contains(command.topic))
        #expect(Topics.published(by: .stockbridge).contains(command.topic))
        #expect(!Topics.published(by: .notifier).contains(command.topic))
    }

    @Test
    func schemasAndRolesAreThoseOfTheDesign() {
        #expect(
            ServiceName.allCases.map(\.schema) == [
                "stock", "publishing", "orders", "erp", "reconciliation", "notifications", "operations",
            ])
        #expect(
            ServiceName.allCases.map(\.role) == [
                "stock_ingestor", "stock_publisher", "order_collector", "erp_bridge", "reconciler", "notifier",
                "stockbridge",
            ])
    }
}
