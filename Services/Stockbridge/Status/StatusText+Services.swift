import Foundation

extension StatusText {
    /// Replicas, what waits for them, and where more of them would help.
    var services: String {
        guard !status.services.isEmpty else { return "" }
        var table = TextTable([
            ("service", .left), ("replicas", .right), ("waiting", .right), ("in hand", .right), ("retrying", .right),
            ("outbox", .right), ("a second", .right), ("drained in", .right),
        ])
        for service in status.services {
            table.add([
                service.service, service.replicas == 0 ? style.bad("0") : "\(service.replicas)",
                service.ready.map(Wording.grouped) ?? "?", Wording.grouped(service.inHand),
                service.retrying.map(Wording.grouped) ?? "?", Wording.grouped(service.outbox),
                ScalingAdvice.rate(service.perSecond), Self.drained(service),
            ])
        }
        var remarks: [String] = []
        if let problem = status.brokerProblem { remarks.append("What waits is not known: \(problem)") }
        remarks += status.services.compactMap(\.advice) + Self.silent(status.replicas)
        let lines = remarks.map { " " + style.warning("* ") + Self.wrap($0, indent: 3) }
        return ([style.bold("Services"), table.text(indent: 1, style: style)] + lines).joined(separator: "\n")
    }

    private static func drained(_ service: StatusReport.Service) -> String {
        guard let ready = service.ready else { return "?" }
        if ready == 0 { return "-" }
        return service.drainSeconds.map(ScalingAdvice.drain) ?? "?"
    }

    /// Replicas that did not sign off: killed, or cut off.
    private static func silent(_ replicas: [StatusReport.Replica]) -> [String] {
        let silent = Dictionary(grouping: replicas.filter { !$0.alive }, by: \.service)
        return silent.keys.sorted().map { service in
            let count = silent[service]?.count ?? 0
            return "\(service): \(Wording.count(count, "replica")) ended without signing off within the last day."
        }
    }
}
