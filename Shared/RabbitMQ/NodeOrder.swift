/// Where one node of a broker listens.
public struct BrokerAddress: Sendable, Hashable, CustomStringConvertible {
    /// Name or address; with TLS it must be a name that the node's certificate carries.
    public var host: String
    /// TCP port.
    public var port: Int

    /// Names a node.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `host:port`, as people write it.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// In which order the nodes of a cluster are tried.
///
/// By chance, so that the clients spread over the nodes; one that failed within the last minute comes last, so that a
/// client that lost its node goes to another one and does not wait for a dead one again.
struct NodeOrder {
    /// How long a failure is held against a node.
    static let memory = Duration.seconds(60)

    private let nodes: [BrokerAddress]
    private var failures: [BrokerAddress: ContinuousClock.Instant] = [:]

    init(_ nodes: [BrokerAddress]) { self.nodes = nodes }

    /// Every node once.
    func tried(
        at now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
    ) -> [BrokerAddress] {
        let recent = failures.filter { $0.value.duration(to: now) < Self.memory }
        let doubted = nodes.enumerated().filter { recent[$0.element] != nil }
            .sorted { left, right in
                let (first, second) = (recent[left.element] ?? now, recent[right.element] ?? now)
                return (first, left.offset) < (second, right.offset)
            }
        return nodes.filter { recent[$0] == nil }.shuffled(using: &generator) + doubted.map(\.element)
    }

    mutating func failed(_ node: BrokerAddress, at now: ContinuousClock.Instant) { failures[node] = now }

    mutating func succeeded(_ node: BrokerAddress) { failures[node] = nil }
}

extension NodeOrder {
    /// Connects to the first node that lets us.
    ///
    /// - Parameter prepare: What has to succeed as well for the node to count as reached.
    /// - Throws: The broker's own words if a node refused; else why no node could be reached.
    mutating func connect(
        _ configuration: BrokerConfiguration, purpose: String,
        _ prepare: (Link) throws(BrokerError) -> Void = { _ throws(BrokerError) in }
    ) throws(BrokerError) -> Link {
        var generator = SystemRandomNumberGenerator()
        var errors: [BrokerError] = []
        for node in tried(at: .now, using: &generator) {
            do {
                let link = try Link(configuration, at: node, purpose: purpose)
                try prepare(link)
                succeeded(node)
                return link
            } catch {
                // Users are the whole cluster's: another node would say the same.
                if case .authenticationFailed = error { throw error }
                failed(node, at: .now)
                errors.append(error)
            }
        }
        throw Self.summary(errors)
    }

    /// One error for the failures at all nodes.
    static func summary(_ errors: [BrokerError]) -> BrokerError {
        var detail = ""
        var first: BrokerAddress?
        for error in errors {
            guard case .unreachable(let host, let port, let reason) = error else { return error }
            let node = BrokerAddress(host: host, port: port)
            if first == nil {
                first = node
                detail = reason
            } else {
                detail += "; nor can \(node) (\(reason))"
            }
        }
        guard let first else { return .unreachable(host: "", port: 0, detail: "no node is configured") }
        return .unreachable(host: first.host, port: first.port, detail: detail)
    }
}
