import Foundation

/// The events of one topic.
struct UnroutedTopic: Sendable, Encodable, Equatable {
    var topic: String
    var events: Int
    /// The size of their bodies.
    var bytes: Int
    var oldestAt: Date?
    var newestAt: Date?
}

/// What lies in the queue of events that reached nobody.
struct UnroutedSurvey: Sendable, Encodable {
    /// How many there were when the command began.
    var total: Int
    /// How many of them were looked at, the oldest first; at most ``UnroutedQueue/mostLookedAt``.
    var lookedAt = 0
    /// The most frequent first.
    var topics: [UnroutedTopic] = []
    /// The oldest first.
    var events: [UnroutedEvent] = []

    private enum CodingKeys: String, CodingKey { case total, lookedAt, topics, events }

    /// Those that the filter takes.
    var frozen = FrozenUnrouted()
    private let filter: UnroutedFilter
    private let named: Int

    /// - Parameters:
    ///   - filter: What is grouped, named and frozen.
    ///   - named: At most so many events are named.
    init(total: Int, filter: UnroutedFilter = UnroutedFilter(), named: Int) {
        self.total = total
        self.filter = filter
        self.named = named
    }

    mutating func add(_ event: UnroutedEvent) {
        lookedAt += 1
        guard filter.takes(event) else { return }
        frozen.add(event)
        if events.count < named { events.append(event) }
        let index = topics.firstIndex { $0.topic == event.topic } ?? topics.endIndex
        if index == topics.endIndex { topics.append(UnroutedTopic(topic: event.topic, events: 0, bytes: 0)) }
        topics[index].events += 1
        topics[index].bytes += event.bytes
        topics[index].oldestAt = [topics[index].oldestAt, event.occurredAt].compactMap { $0 }.min()
        topics[index].newestAt = [topics[index].newestAt, event.occurredAt].compactMap { $0 }.max()
    }

    mutating func sortTopics() { topics.sort { ($1.events, $0.topic) < ($0.events, $1.topic) } }

    /// How many the filter takes.
    var meant: Int { topics.reduce(0) { $0 + $1.events } }

    /// - Throws: ``ToolError`` if the filter takes none.
    func requireSome() throws {
        guard meant == 0 else { return }
        guard total > 0 else {
            throw ToolError.failed("No events wait in stockbridge.unrouted. Nothing was done.")
        }
        let what =
            filter.id.map { "the id \(ShownBody.oneLine($0))" } ?? "the topic \(ShownBody.oneLine(filter.topic ?? ""))"
        let looked = lookedAt < total ? " of the \(Wording.grouped(lookedAt)) looked at" : ""
        throw ToolError.failed(
            "No event in stockbridge.unrouted\(looked) has \(what); 'stockbridge unrouted list' shows which there are. "
                + "Nothing was done.")
    }

    /// Why not all were looked at; nil if they were.
    var shortfall: String? {
        guard lookedAt < total else { return nil }
        return lookedAt >= UnroutedQueue.mostLookedAt
            ? "The oldest \(Wording.grouped(lookedAt)) of \(Wording.count(total, "event")); no run looks at more."
            : "\(Wording.grouped(lookedAt)) of \(Wording.count(total, "event")); "
                + "another program has the others in hand or has taken them."
    }
}
