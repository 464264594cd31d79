import Contracts
import Foundation
import Settings

/// What of the system's own state is worth telling. Pure.
struct WatchRules: Sendable {
    /// Everything has to hold at two looks so many real seconds apart: a clock that jumps puts the system in order
    /// within seconds, and one slow moment is no news.
    static let leastSeconds: Double = 30
    /// A service that nobody has heard of since the looks began gets so many seconds to start.
    static let startSeconds: Double = 120
    /// A service that signed off gets so many seconds to be back, as when it is exchanged for a new version.
    static let restartSeconds: Double = 60

    let limits: AlertLimits

    /// The conditions that hold, and the kinds of which these facts say nothing.
    func look(at facts: WatchFacts) -> (findings: [WatchFinding], unknown: Set<WatchKind>) {
        var findings = [growing(facts), old(facts), unrouted(facts), brokerAway(facts)].compactMap { $0 }
        findings += facts.outboxes.compactMap { outbox($0, facts) }
        findings += blocked(facts) + away(facts) + facts.schedules.compactMap { schedule($0, facts) }
        guard case .answers(let unrouted) = facts.broker else { return (findings, [.unrouted]) }
        return (findings, unrouted == nil ? [.unrouted] : [])
    }

    /// Raises and clears what has differed from what was told for long enough.
    ///
    /// - Parameters:
    ///   - memory: Of every condition that is open or was seen.
    ///   - moment: Now, by the database server's clock.
    ///   - lookingSince: Since when looks were taken without a gap, by the same clock: what was seen before says
    ///     nothing about the time in between.
    func decide(
        _ findings: [WatchFinding], unknown: Set<WatchKind>, memory: [WatchMemory], moment: Date, lookingSince: Date
    ) -> WatchDecision {
        let known = Dictionary(memory.map { ($0.condition, $0) }) { first, _ in first }
        let found = Dictionary(findings.map { ($0.condition, $0) }) { first, _ in first }
        var decision = WatchDecision()
        for condition in Set(known.keys).union(found.keys).sorted() {
            let kind = WatchKind(condition: condition)
            if let kind, unknown.contains(kind) { continue }
            let before = known[condition] ?? WatchMemory(condition: condition, isOpen: false)
            let finding = found[condition]
            var after = before
            if (finding != nil) == before.isOpen {
                after.differsSince = nil
            } else {
                let since = max(before.differsSince ?? moment, lookingSince)
                let patience = max(Self.leastSeconds, finding?.patienceSeconds ?? 0)
                after.differsSince = since
                if moment.timeIntervalSince(since) >= patience {
                    after = WatchMemory(condition: condition, isOpen: finding != nil)
                    if let finding { decision.raise.append(finding) } else { decision.clear.append(condition) }
                }
            }
            if after != before { decision.remember.append(after) }
        }
        return decision
    }

    // MARK: Dead letters

    private func growing(_ facts: WatchFacts) -> WatchFinding? {
        let count = facts.newLetters.reduce(0) { $0 + $1.letters }
        guard count > limits.newDeadLetters else { return nil }
        let minutes = limits.newDeadLettersMinutes
        let queues = facts.newLetters.prefix(3).map { "\(WatchText.number($0.letters)) in \($0.queue)" }
        let others = facts.newLetters.count > 3 ? ", and others" : ""
        return WatchFinding(
            condition: WatchKind.deadLettersGrowing.condition(), kind: .deadLettersGrowing,
            since: facts.now.addingTimeInterval(Double(-60 * minutes)), severity: .critical,
            title: "\(WatchText.number(count)) new dead letters in \(WatchText.minutes(minutes))",
            text: """
                More than \(limits.newDeadLetters) messages failed for good within \(WatchText.minutes(minutes)): \
                \(queues.joined(separator: ", "))\(others). Each is kept with all that it carried. \
                Nothing tries them again until somebody decides to.
                """,
            whatToDo: "See what kinds of error they are, mend the cause, replay ten of them, and then the rest.",
            commands: [
                "stockbridge dead-letters groups", "stockbridge dead-letters replay --fingerprint ... --dry-run",
                "stockbridge dead-letters replay --fingerprint ... --canary 10 --rate 50/s --reason \"...\"",
            ])
    }

    private func old(_ facts: WatchFacts) -> WatchFinding? {
        let limit = Double(limits.deadLetterAgeHours) * 3_600
        guard let oldest = facts.oldestLetter, facts.now.timeIntervalSince(oldest) > limit else { return nil }
        let hours = limits.deadLetterAgeHours == 1 ? "an hour" : "\(limits.deadLetterAgeHours) hours"
        return WatchFinding(
            condition: WatchKind.deadLettersOld.condition(), kind: .deadLettersOld, since: oldest, severity: .warning,
            title: "Dead letters have waited for more than \(hours)",
            text: """
                \(WatchText.things(facts.waitingLetters, "dead letter", "wait")) for a decision. What they were about \
                has not been done, and nothing does it by itself.
                """,
            whatToDo: "Replay them, or archive those that are of no use any more.",
            commands: [
                "stockbridge dead-letters groups", "stockbridge dead-letters list",
                "stockbridge dead-letters archive --fingerprint ... --reason \"...\"",
            ])
    }

    // MARK: Broker

    private func unrouted(_ facts: WatchFacts) -> WatchFinding? {
        guard case .answers(let count?) = facts.broker, count > 0 else { return nil }
        return WatchFinding(
            condition: WatchKind.unrouted.condition(), kind: .unrouted, since: facts.now, severity: .critical,
            title: "\(WatchText.things(count, "event", "")) reached nobody",
            text: """
                No queue is bound to what they are about, so the broker put them into stockbridge.unrouted. They are \
                kept there, but no service has seen them.
                """,
            whatToDo: """
                See what they are, let the missing bindings be made, then send them again: each goes to all its \
                queues under its own id. This alert ends when stockbridge.unrouted is empty.
                """,
            commands: [
                "stockbridge unrouted list", "stockbridge topology verify", "stockbridge topology apply",
                "stockbridge unrouted resend --reason \"...\"",
            ])
    }

    private func brokerAway(_ facts: WatchFacts) -> WatchFinding? {
        guard case .away(let problem) = facts.broker else { return nil }
        return WatchFinding(
            condition: WatchKind.brokerAway.condition(), kind: .brokerAway, since: facts.now, severity: .critical,
            title: "The broker cannot be reached",
            text: """
                \(problem) No service works on messages meanwhile. What they have to say waits in their outboxes, \
                nothing is lost, and this mail went out without the broker.
                """,
            whatToDo: "See to it that RabbitMQ runs; the services find it by themselves.",
            commands: ["stockbridge topology verify", "rabbitmq-diagnostics status"],
            patienceSeconds: Double(limits.blockedSeconds))
    }

    private func blocked(_ facts: WatchFacts) -> [WatchFinding] {
        let alive = facts.replicas.filter { $0.isBlocked && $0.silentSeconds <= Double(limits.silenceSeconds) }
        return Set(alive.map(\.service)).sorted().map { service in
            WatchFinding(
                condition: WatchKind.brokerBlocked.condition(service), kind: .brokerBlocked,
                service: ServiceName(rawValue: service), since: facts.now, severity: .critical,
                title: "The broker takes nothing from \(service)",
                text: """
                    RabbitMQ is short of memory or disk and lets nobody publish. The events of \(service) wait in its \
                    outbox, nothing is lost, and mails go out without the broker.
                    """,
                whatToDo: "See which alarm is in effect, and give the broker the memory or the disk.",
                commands: ["stockbridge topology verify", "rabbitmq-diagnostics alarms"],
                patienceSeconds: Double(limits.blockedSeconds))
        }
    }

    private func outbox(_ outbox: WatchFacts.Outbox, _ facts: WatchFacts) -> WatchFinding? {
        guard outbox.seconds > Double(limits.outboxLagMinutes * 60) else { return nil }
        let answer =
            outbox.lastError.map { "The broker's last answer to it: \($0.prefix(300))" }
            ?? "It was not tried yet, or the broker gave no answer to it."
        return WatchFinding(
            condition: WatchKind.outboxLag.condition(outbox.service), kind: .outboxLag,
            service: ServiceName(rawValue: outbox.service), since: facts.now.addingTimeInterval(-outbox.seconds),
            severity: .critical, title: "\(outbox.service) cannot publish its events",
            text: """
                The oldest has waited for \(WatchText.duration(outbox.seconds)) in its outbox. \
                \(answer.hasSuffix(".") ? answer : answer + ".") It is tried again by itself; until then nobody else \
                knows of it.
                """,
            whatToDo: "See whether the service runs, and whether the broker is as it should be.",
            commands: ["stockbridge status", "stockbridge topology verify", "stockbridge topology apply"])
    }
}
