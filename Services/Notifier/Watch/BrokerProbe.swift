import Messaging
import RabbitMQ

/// Asks the broker, over a connection of its own, whether it is there and what it could not route.
///
/// A passive declaration needs no permission and is answered under a memory alarm too, as long as its connection does
/// not publish.
struct BrokerProbe: Sendable {
    private let session: TopologySession

    init(_ configuration: BrokerConfiguration) { session = TopologySession(configuration) }

    func look() async -> WatchFacts.Broker {
        do throws(BrokerError) {
            return .answers(unrouted: try await session.checkQueue(Topology.unrouted).messages)
        } catch {
            // Refused: it is there, and the queue is not.
            if case .refused(_, _, .checkQueue) = error { return .answers(unrouted: nil) }
            return .away("\(error)")
        }
    }

    func close() async { await session.close() }
}
