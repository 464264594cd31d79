import Contracts
import Messaging
import RabbitMQ

// What is known to go wrong on some versions of RabbitMQ (messaging.md, "Topology"), and what follows from a
// declaration that was not kept.
extension TopologyComparison {
    /// What this broker cannot do at all, and we rely on.
    func versionTraps(_ live: LiveTopology) -> [TopologyDifference] {
        var traps: [TopologyDifference] = []
        if let version = Version(live.version), version < Version(major: 3, minor: 10) {
            traps.append(
                TopologyDifference(
                    kind: .unsupported, subject: "RabbitMQ \(live.version)",
                    detail: "quorum queues keep no message TTL and no at-least-once dead letters before 3.10",
                    appliable: false, advice: "Upgrade the broker to 3.10 or newer"))
        }
        let reasons = [
            ("quorum_queue", "no queue of ours can be declared"),
            ("stream_queue", "without it dead-lettering is not at-least-once; letters can get lost"),
        ]
        for (feature, reason) in reasons where live.disabledFeatures.contains(feature) {
            traps.append(
                TopologyDifference(
                    kind: .unsupported, subject: "feature flag \(feature)", detail: "it is disabled, and \(reason)",
                    appliable: false, advice: "Run 'rabbitmqctl enable_feature_flag \(feature)'"))
        }
        return traps
    }

    /// What follows from arguments that a live queue has or lacks, as far as it is worse than it looks.
    func consequences(
        _ wanted: [String: HeaderValue], _ found: LiveTopology.Queue, _ live: LiveTopology
    ) -> [String] {
        var all: [String] = []
        let traits = Version(live.version).map(BrokerTraits.init)
        switch found.arguments["x-delivery-limit"] {
        case .integer(let limit) where limit < 0:
            all.append(
                traits?.takesNegativeLimitAsNone == true
                    ? "a message that fails for ever is never put aside"
                    : "on RabbitMQ 3 it discards a message the first time it is returned")
        case nil:
            guard let traits, let limit = traits.ownDeliveryLimit else { break }
            all.append(
                traits.countsReturns
                    ? "on RabbitMQ 4 it gives up a message after \(limit) returns, so that looking into it can empty it"
                    : "on RabbitMQ 4 it gives up a message after \(limit) failures")
        default: break
        }
        let keeps = ["x-queue-type", "x-overflow", "x-dead-letter-strategy"]
        if wanted["x-dead-letter-strategy"] == .string("at-least-once"),
            !Self.argumentDifferences(wanted.filter { keeps.contains($0.key) }, found.arguments)
                .filter({ part in keeps.contains { part.hasPrefix($0 + " ") } }).isEmpty
        {
            all.append("dead-lettering is not at-least-once, and letters can get lost")
        }
        return all
    }

    // MARK: Policies

    /// Policies that undo what a queue was declared for. Sizes belong in policies, so those are welcome.
    func overrides(_ live: LiveTopology) -> [TopologyDifference] {
        let policies = Dictionary(live.policies.map { ($0.name, $0) }) { first, _ in first }
        let operators = Dictionary(live.operatorPolicies.map { ($0.name, $0) }) { first, _ in first }
        let queues = Dictionary(live.queues.map { ($0.name, $0) }) { first, _ in first }
        return topology.declarations.flatMap { declaration -> [TopologyDifference] in
            guard case .queue(let name, let arguments) = declaration, let queue = queues[name] else { return [] }
            return [
                override(arguments, queue.policy.flatMap { policies[$0] }, isOperator: false),
                override(arguments, queue.operatorPolicy.flatMap { operators[$0] }, isOperator: true),
            ].compactMap { found in
                found.map {
                    TopologyDifference(
                        kind: .overridden, subject: "queue \(name)", detail: $0.detail, appliable: false,
                        advice: $0.advice)
                }
            }
        }
    }

    private func override(
        _ arguments: [String: HeaderValue], _ policy: LiveTopology.Policy?, isOperator: Bool
    ) -> (detail: String, advice: String)? {
        guard let policy else { return nil }
        let effects = policy.definition.keys.sorted().compactMap { key -> String? in
            guard let value = policy.definition[key] else { return nil }
            return effect(of: key, value, on: arguments["x-" + key], isOperator: isOperator)
        }
        guard !effects.isEmpty else { return nil }
        let (what, command) =
            isOperator ? ("operator policy", "clear_operator_policy") : ("policy", "clear_policy")
        return (
            "the \(what) '\(policy.name)' \(effects.joined(separator: ", and "))",
            "Narrow its pattern so that it leaves our queues out, or run 'rabbitmqctl \(command) \(policy.name)'"
        )
    }

    /// What one key of a policy does to a queue that was declared with `argument` for it; nil if no harm.
    ///
    /// A queue's arguments win over a policy. Of an operator policy's numbers and the arguments the smaller one counts.
    private func effect(
        of key: String, _ value: JSONValue, on argument: HeaderValue?, isOperator: Bool
    ) -> String? {
        if argument != nil && !isOperator { return nil }
        var number: Int64?
        if case .integer(let found) = value { number = found }
        if case .integer(let declared)? = argument, let number, number >= declared { return nil }
        switch key {
        case "message-ttl": return "takes messages away after \(number ?? 0) ms"
        case "expires": return "deletes it when nobody has used it for \(number ?? 0) ms"
        case "delivery-limit":
            return number.map { $0 < 0 } == true
                ? "sets the delivery limit \(number ?? 0), which discards messages on RabbitMQ 3"
                : "gives a message up after \(number ?? 0) returns"
        case "dead-letter-exchange", "dead-letter-routing-key", "dead-letter-strategy":
            return "sets \(key), so that its messages leave for somewhere else"
        case "overflow":
            if case .string("reject-publish") = value { return nil }
            return "sets what becomes of messages when it is full, so that messages can get lost"
        default: return nil
        }
    }

    // MARK: This moment

    /// What is wrong with the broker now: told by verify, and nothing that apply could do anything about.
    func alarms(_ live: LiveTopology) -> [TopologyDifference] {
        live.nodes.flatMap { node -> [TopologyDifference] in
            func alarm(_ detail: String, _ advice: String) -> TopologyDifference {
                TopologyDifference(
                    kind: .alarm, subject: "node \(node.name)", detail: detail, appliable: false, advice: advice)
            }
            guard node.isRunning else { return [alarm("it is not running", "Start it")] }
            var all: [TopologyDifference] = []
            if node.memoryAlarm {
                all.append(
                    alarm(
                        "it is short of memory, and takes no message from anybody",
                        "Give it memory, or find out what uses it: 'rabbitmq-diagnostics memory_breakdown'"))
            }
            if node.diskAlarm {
                all.append(
                    alarm("it is short of disk, and takes no message from anybody", "Make room on its disk"))
            }
            if !node.partitions.isEmpty {
                all.append(
                    alarm(
                        "it has lost sight of \(node.partitions.joined(separator: ", "))",
                        "Mend the network between them"))
            }
            return all
        }
    }

    // MARK: Notes

    /// What a person should know; nothing is wrong with the declaration.
    func notes(_ live: LiveTopology) -> [String] {
        var notes = Self.notes(version: live.version)
        let others = live.disabledFeatures.filter { !["quorum_queue", "stream_queue"].contains($0) }.sorted()
        if !others.isEmpty {
            notes.append(
                "Feature flags that are disabled: \(others.joined(separator: ", ")). Enable all before an upgrade, "
                    + "else the newer broker may refuse to start.")
        }
        let mirrors = live.policies.filter { $0.definition.keys.contains { $0.hasPrefix("ha-") } }.map(\.name).sorted()
        if !mirrors.isEmpty {
            notes.append(
                "Policies for mirrored queues: \(mirrors.joined(separator: ", ")). They do nothing for quorum queues, "
                    + "and RabbitMQ 4 has no mirrored queues any more.")
        }
        notes += idle(live)
        if let unrouted = live.queues.first(where: { $0.name == Topology.unrouted })?.messages, unrouted > 0 {
            notes.append(
                "\(Wording.count(unrouted, "message")) in \(Topology.unrouted): no queue was bound to them; "
                    + "'stockbridge unrouted list' names them.")
        }
        return notes
    }

    /// Queues of which nobody takes anything, by service.
    private func idle(_ live: LiveTopology) -> [String] {
        let queues = Dictionary(live.queues.map { ($0.name, $0) }) { first, _ in first }
        let archiver = topology.services.first { $0.handlesDeadLetters && !$0.queues.isEmpty }?.name
        var byService: [ServiceName: [LiveTopology.Queue]] = [:]
        for service in topology.services {
            for name in service.queues.map(\.name) {
                guard let queue = queues[name], queue.consumers == 0 else { continue }
                byService[service.name, default: []].append(queue)
            }
            // notifier takes the dead letters of all.
            if let archiver, let queue = queues[service.deadExchange], queue.consumers == 0 {
                byService[archiver, default: []].append(queue)
            }
        }
        return byService.keys.sorted().map { service in
            let idle = byService[service] ?? []
            let waiting = idle.reduce(0) { $0 + ($1.messages ?? 0) }
            let names = idle.prefix(3).map(\.name).joined(separator: ", ") + (idle.count > 3 ? ", ..." : "")
            return "\(service.rawValue) takes nothing from \(Wording.count(idle.count, "queue")) (\(names)) "
                + "with \(Wording.count(waiting, "message")): is it running, or paused because something is out?"
        }
    }

    /// What a person should know about this version of RabbitMQ; nothing is wrong with it.
    static func notes(version: String) -> [String] {
        guard let found = Version(version) else { return [] }
        var notes = BrokerTraits(found).notes.map { "RabbitMQ \(version): \($0)" }
        if found < Version(major: 4, minor: 2) {
            let series = found.major < 4 ? "\(found.major)" : "\(found.major).\(found.minor)"
            notes.append(
                "RabbitMQ \(version): the project mends nothing in series \(series) any more; "
                    + "see whether your distribution or vendor does.")
        }
        return notes
    }
}
