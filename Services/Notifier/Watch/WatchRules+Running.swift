import Contracts
import Foundation
import Settings

// What should run and does not.
extension WatchRules {
    func away(_ facts: WatchFacts) -> [WatchFinding] {
        facts.services.compactMap { service in
            let replicas = facts.replicas.filter { $0.service == service.rawValue }
            let limit = Double(limits.silenceSeconds)
            guard !replicas.contains(where: { $0.silentSeconds <= limit }) else { return nil }
            return replicas.min { $0.silentSeconds < $1.silentSeconds }.map { silent(service, $0, facts) }
                ?? stopped(service, facts)
        }
    }

    private func stopped(_ service: ServiceName, _ facts: WatchFacts) -> WatchFinding {
        var finding = away(service, since: facts.now)
        finding.title = "\(service.rawValue) is not running"
        finding.text = """
            No replica of it is there: it was never started, or the last one was stopped in order. Its work waits in \
            its queues and in the schedule; nothing is lost, and nobody does it.
            """
        // At first it may be that it has not come so far yet.
        let isStarting = facts.watchedSeconds < Self.startSeconds + Self.restartSeconds
        finding.patienceSeconds = isStarting ? Self.startSeconds : Self.restartSeconds
        return finding
    }

    private func silent(
        _ service: ServiceName, _ last: WatchFacts.Replica, _ facts: WatchFacts
    ) -> WatchFinding {
        var finding = away(service, since: facts.now.addingTimeInterval(-last.silentSeconds))
        finding.title = "\(service.rawValue) gives no sign of life"
        finding.text = """
            Its last replica, on \(last.host), was heard of \(WatchText.duration(last.silentSeconds)) ago and did not \
            sign off: it died, hangs, or cannot reach the database. What it had in hand goes back to its queues; \
            nothing is lost, and nobody does its work.
            """
        return finding
    }

    private func away(_ service: ServiceName, since: Date) -> WatchFinding {
        WatchFinding(
            condition: WatchKind.serviceAway.condition(service.rawValue), kind: .serviceAway, service: service,
            since: since, severity: .critical, title: "", text: "",
            whatToDo: "Look into its log and start it. Several replicas may run at once.",
            commands: ["stockbridge status"])
    }

    func schedule(_ schedule: WatchFacts.Schedule, _ facts: WatchFacts) -> WatchFinding? {
        let late = facts.now.timeIntervalSince(schedule.nextDue)
        guard late > Double(limits.scheduleLateMinutes * 60) else { return nil }
        let isAlive = facts.replicas.contains {
            $0.service == schedule.service && $0.silentSeconds <= Double(limits.silenceSeconds)
        }
        let cause =
            isAlive
            ? "The service runs, but does not get to its schedules; its log says why."
            : "No replica of \(schedule.service) runs."
        let subject = "'\(schedule.name)' of \(schedule.service)"
        return WatchFinding(
            condition: WatchKind.scheduleMissed.condition(subject), kind: .scheduleMissed,
            service: ServiceName(rawValue: schedule.service), since: schedule.nextDue, severity: .critical,
            title: "The schedule \(subject) did not run",
            text: """
                It was due \(WatchText.duration(late)) ago. \(cause) As soon as the service can, it makes up for what \
                was missed.
                """,
            whatToDo: "Look into the service's log, and start it if it does not run.",
            commands: ["stockbridge status"])
    }
}

/// Numbers and durations as people read them.
enum WatchText {
    /// `3,000`.
    static func number(_ count: Int) -> String {
        var digits = String(abs(count))
        var parts: [Substring] = []
        while digits.count > 3 {
            parts.insert(digits.suffix(3), at: 0)
            digits = String(digits.dropLast(3))
        }
        return (count < 0 ? "-" : "") + ([digits[...]] + parts).joined(separator: ",")
    }

    /// `1 event`, `3,000 events`; with a verb `1 letter waits`, `2 letters wait`.
    static func things(_ count: Int, _ what: String, _ verb: String) -> String {
        let action = verb.isEmpty ? "" : " " + (count == 1 ? verb + "s" : verb)
        return "\(number(count)) \(what)\(count == 1 ? "" : "s")\(action)"
    }

    static func minutes(_ count: Int) -> String { count == 1 ? "a minute" : "\(count) minutes" }

    /// The largest unit of which there are two: `90 seconds`, `6 minutes`, `25 hours`, `3 days`.
    static func duration(_ seconds: Double) -> String {
        let whole = max(0, Int(min(seconds, 1e12)))
        return switch whole {
        case ..<120: things(whole, "second", "")
        case ..<7_200: things(whole / 60, "minute", "")
        case ..<172_800: things(whole / 3_600, "hour", "")
        default: things(whole / 86_400, "day", "")
        }
    }
}
