import Contracts
import Messaging
import RabbitMQ

/// One thing in which a live broker is not what the configuration asks for.
struct TopologyDifference: Sendable, Equatable, Encodable {
    enum Kind: String, Sendable, Encodable {
        /// Asked for and not there.
        case missing
        /// There, but not as asked for.
        case differs
        /// There, but nobody asked for it.
        case surplus
        /// This broker cannot do what we rely on.
        case unsupported
        /// A policy changes what was declared.
        case overridden
        /// Something is wrong with the broker at this moment.
        case alarm
    }

    var kind: Kind
    /// What, such as `queue stock-publisher`.
    var subject: String
    /// In what it differs; empty if the kind says it all.
    var detail: String = ""
    /// Whether `topology apply` puts it right.
    var appliable: Bool
    /// What to do if not.
    var advice: String?

    var line: String {
        let what = detail.isEmpty ? subject : "\(subject): \(detail)"
        return advice.map { "\(what). \($0)" } ?? what
    }
}

/// Compares what should be with what is. Pure, so every row is a test.
struct TopologyComparison: Sendable {
    /// What should be.
    let topology: Topology
    /// The user that applies; it needs every right in the virtual host.
    let administrator: String

    func differences(from live: LiveTopology) -> [TopologyDifference] {
        var all = versionTraps(live)
        guard live.virtualHostExists else {
            all.append(TopologyDifference(kind: .missing, subject: "virtual host", appliable: true))
            all += users(live) + topology.declarations.map { missing($0.label) }
            return all + topology.permissions.map { missing("permissions of \($0.user)") }
        }
        all += users(live) + permissions(live) + topicPermissions(live)
        all += topology.declarations.compactMap { difference($0, live) }
        return all + overrides(live) + surplus(live)
    }

    /// Whether this declaration can be made as it is: a queue or exchange with other arguments answers 406.
    func canDeclare(_ declaration: Declaration, on live: LiveTopology) -> Bool {
        difference(declaration, live)?.appliable ?? true
    }

    // MARK: Version

    struct Version: Comparable {
        let major: Int
        let minor: Int

        init(major: Int, minor: Int) {
            self.major = major
            self.minor = minor
        }

        init?(_ text: String) {
            let parts = text.split(separator: ".")
            guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) else { return nil }
            self.init(major: major, minor: minor)
        }

        static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }
    }

    // MARK: Users and permissions

    private func missing(_ subject: String) -> TopologyDifference {
        TopologyDifference(kind: .missing, subject: subject, appliable: true)
    }

    private func users(_ live: LiveTopology) -> [TopologyDifference] {
        topology.services.map(\.name.rawValue).compactMap { user in
            switch live.users[user] ?? .absent {
            case .ready: nil
            case .absent: missing("user \(user)")
            case .otherPassword:
                TopologyDifference(
                    kind: .differs, subject: "user \(user)", detail: "its password is not the one in the secret",
                    appliable: true)
            }
        }
    }

    private func permissions(_ live: LiveTopology) -> [TopologyDifference] {
        var all: [TopologyDifference] = topology.permissions.compactMap { wanted in
            guard let found = live.permissions.first(where: { $0.user == wanted.user }) else {
                return missing("permissions of \(wanted.user)")
            }
            let parts = [
                ("configure", wanted.configure, found.configure), ("write", wanted.write, found.write),
                ("read", wanted.read, found.read),
            ].filter { $0.1 != $0.2 }
            guard !parts.isEmpty else { return nil }
            let detail = parts.map { "\($0.0) is '\($0.2)' instead of '\($0.1)'" }.joined(separator: ", ")
            return TopologyDifference(
                kind: .differs, subject: "permissions of \(wanted.user)", detail: detail, appliable: true)
        }
        let ours = Set(topology.services.map(\.name.rawValue) + [administrator])
        all += live.permissions.filter { !ours.contains($0.user) }.map { stranger in
            TopologyDifference(
                kind: .surplus, subject: "permissions of \(stranger.user)",
                detail: "no service of ours has that name, and it may use this virtual host", appliable: false,
                advice: "If nobody needs it, run 'rabbitmqctl clear_permissions' for it")
        }
        return all
    }

    private func topicPermissions(_ live: LiveTopology) -> [TopologyDifference] {
        topology.permissions.flatMap { wanted -> [TopologyDifference] in
            let found = live.topicPermissions.filter { $0.user == wanted.user }
            let subject = "topic permissions of \(wanted.user)"
            var all = found.filter { $0.exchange != Topology.events }.map { other in
                TopologyDifference(kind: .surplus, subject: subject, detail: "on \(other.exchange)", appliable: true)
            }
            guard let own = found.first(where: { $0.exchange == Topology.events }) else {
                return all + [missing(subject)]
            }
            if own.write != wanted.topicWrite || own.read != wanted.topicRead {
                let parts = [("write", own.write, wanted.topicWrite), ("read", own.read, wanted.topicRead)]
                    .filter { $0.1 != $0.2 }
                all.append(
                    TopologyDifference(
                        kind: .differs, subject: subject,
                        detail: parts.map { "\($0.0) is '\($0.1)' instead of '\($0.2)'" }.joined(separator: ", "),
                        appliable: true))
            }
            return all
        }
    }

    // MARK: Exchanges, queues, bindings

    private func difference(_ declaration: Declaration, _ live: LiveTopology) -> TopologyDifference? {
        switch declaration {
        case .exchange(let name, let kind, let arguments):
            guard let found = live.exchanges.first(where: { $0.name == name }) else {
                return missing(declaration.label)
            }
            var parts = Self.argumentDifferences(arguments, found.arguments)
            if found.type != kind.rawValue {
                parts.insert("its type is \(found.type) instead of \(kind.rawValue)", at: 0)
            }
            if !found.durable { parts.append("it is not durable") }
            return changed("exchange \(name)", parts)
        case .queue(let name, let arguments):
            guard let found = live.queues.first(where: { $0.name == name }) else { return missing(declaration.label) }
            var parts = Self.argumentDifferences(arguments, found.arguments)
            if let type = found.type, case .string(let wanted)? = arguments["x-queue-type"], type != wanted {
                parts.insert("it is a \(type) queue instead of a \(wanted) queue", at: 0)
            }
            if !found.durable { parts.append("it is not durable") }
            return changed("queue \(name)", parts + consequences(arguments, found, live))
        case .binding(let queue, let exchange, let key):
            let wanted = LiveTopology.Binding(
                source: exchange, destination: queue, destinationType: "queue", routingKey: key)
            return live.bindings.contains(wanted) ? nil : missing(declaration.label)
        }
    }

    private func changed(_ subject: String, _ parts: [String]) -> TopologyDifference? {
        guard !parts.isEmpty else { return nil }
        return TopologyDifference(
            kind: .differs, subject: subject, detail: parts.joined(separator: ", "), appliable: false,
            advice: "A live one cannot be changed: stop its service, let it run empty, delete it and apply again")
    }

    static func argumentDifferences(_ wanted: [String: HeaderValue], _ found: [String: JSONValue]) -> [String] {
        Set(wanted.keys).union(found.keys).sorted().compactMap { name in
            switch (wanted[name].map(text), found[name].map(text)) {
            case (let wanted?, let found?): wanted == found ? nil : "\(name) is \(found) instead of \(wanted)"
            case (let wanted?, nil): "\(name) is not set instead of \(wanted)"
            case (nil, let found?): "\(name) is \(found) and should not be set"
            case (nil, nil): nil
            }
        }
    }

    private static func text(_ value: HeaderValue) -> String {
        switch value {
        case .string(let text): "'\(text)'"
        case .integer(let number): String(number)
        case .boolean(let truth): String(truth)
        default: "\(value)"
        }
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): "'\(text)'"
        case .integer(let number): String(number)
        case .boolean(let truth): String(truth)
        default: "\(value)"
        }
    }

    private func surplus(_ live: LiveTopology) -> [TopologyDifference] {
        var exchanges: Set<String> = []
        var queues: Set<String> = []
        var bindings: Set<LiveTopology.Binding> = []
        for declaration in topology.declarations {
            switch declaration {
            case .exchange(let name, _, _): exchanges.insert(name)
            case .queue(let name, _): queues.insert(name)
            case .binding(let queue, let exchange, let key):
                bindings.insert(
                    LiveTopology.Binding(
                        source: exchange, destination: queue, destinationType: "queue", routingKey: key))
            }
        }
        var all = live.exchanges.filter {
            !$0.name.isEmpty && !$0.name.hasPrefix("amq.") && !exchanges.contains($0.name)
        }
        .map { surplus("exchange \($0.name)", "Delete it if nothing publishes to it any more") }
        all += live.queues.filter { !$0.exclusive && !queues.contains($0.name) }
            .map { surplus("queue \($0.name)", "Delete it once it is empty and nothing uses it") }
        all += live.bindings.filter { $0.source != "" && !bindings.contains($0) }.map { binding in
            surplus(
                "binding \(binding.source) -> \(binding.destination) by '\(binding.routingKey)'",
                "Unbind it: what it carries is not meant to arrive there")
        }
        return all
    }

    private func surplus(_ subject: String, _ advice: String) -> TopologyDifference {
        TopologyDifference(kind: .surplus, subject: subject, appliable: false, advice: advice)
    }
}
