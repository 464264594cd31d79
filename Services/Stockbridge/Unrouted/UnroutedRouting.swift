import Messaging

/// Where an event of a topic would go now.
enum UnroutedFate: Sendable, Equatable {
    /// To every queue that the configuration binds to it.
    case bound
    /// Not to these queues, which the configuration binds to it.
    case missing([String])
    /// To nobody: no service of this version consumes it.
    case unknown
}

/// Decides which topics can be sent again. Pure, so every row is a test.
///
/// It has to be known beforehand. The events exchange has an alternate, so a mandatory message without a queue is not
/// returned: it is confirmed, and lies in stockbridge.unrouted again. And *some* queue is not enough: of an event that
/// three services consume, two would never hear if it left while only the third's queue is bound. So a topic is ready
/// when each queue that the configuration binds to it is bound on the live broker, by the exact key, as all bindings
/// are. A binding that goes away between the look and the sending costs nothing: its events come back.
struct UnroutedRouting: Sendable {
    private let wanted: [String: Set<String>]
    private let live: [String: Set<String>]

    init(_ topology: Topology, live bindings: [LiveTopology.Binding]) {
        wanted = topology.declarations.reduce(into: [:]) { wanted, declaration in
            guard case .binding(let queue, Topology.events, let topic) = declaration else { return }
            wanted[topic, default: []].insert(queue)
        }
        live = bindings.reduce(into: [:]) { live, binding in
            guard binding.source == Topology.events, binding.destinationType == "queue" else { return }
            live[binding.routingKey, default: []].insert(binding.destination)
        }
    }

    func fate(of topic: String) -> UnroutedFate {
        guard let wanted = wanted[topic] else { return .unknown }
        let missing = wanted.subtracting(live[topic] ?? [])
        return missing.isEmpty ? .bound : .missing(missing.sorted())
    }
}
