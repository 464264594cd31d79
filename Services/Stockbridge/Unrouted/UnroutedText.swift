import Foundation

/// What `unrouted list` says.
struct UnroutedListText {
    let survey: UnroutedSurvey
    let wording: Wording
    let style: TextStyle
    let now: Date

    var text: String {
        guard survey.total > 0 else { return "No events wait in stockbridge.unrouted." }
        var parts = [topics, events]
        let named = survey.events.count
        var notes: [String] = []
        if named < survey.lookedAt {
            notes.append(
                "\(Wording.grouped(named)) of \(Wording.count(survey.lookedAt, "event")) named, the oldest first; "
                    + "--limit names more.")
        }
        if let shortfall = survey.shortfall { notes.append(shortfall) }
        notes.append("'stockbridge unrouted resend --dry-run' says which of them have all their queues now.")
        parts.append(notes.joined(separator: "\n"))
        return parts.joined(separator: "\n\n")
    }

    /// How many of each topic.
    var topics: String {
        var table = TextTable([
            ("events", .right), ("topic", .left), ("oldest", .left), ("newest", .left), ("bytes", .right),
        ])
        for topic in survey.topics {
            table.add([
                Wording.grouped(topic.events), style.warning(ShownBody.oneLine(topic.topic)), moment(topic.oldestAt),
                moment(topic.newestAt), Wording.grouped(topic.bytes),
            ])
        }
        return table.text(indent: 0, style: style)
    }

    private var events: String {
        var table = TextTable([
            ("time", .left), ("topic", .left), ("about", .left), ("bytes", .right), ("id", .left),
        ])
        for event in survey.events {
            table.add([
                moment(event.occurredAt), ShownBody.oneLine(event.topic), ShownBody.oneLine(event.about).cut(to: 36),
                Wording.grouped(event.bytes), ShownBody.oneLine(event.id),
            ])
        }
        return table.text(indent: 0, style: style)
    }

    private func moment(_ date: Date?) -> String { date.map { wording.shortMoment($0, now: now) } ?? "-" }
}

/// What `unrouted resend` says.
struct UnroutedResentText {
    let answer: UnroutedResent
    let style: TextStyle

    /// Before anything was sent, or when nothing is to be.
    var text: String { ([table, outcome]).joined(separator: "\n") }

    /// What is meant, and which of it can be sent.
    var table: String {
        var table = TextTable([("events", .right), ("topic", .left), ("now", .left)])
        for plan in answer.topics {
            table.add([Wording.grouped(plan.events), ShownBody.oneLine(plan.topic), now(plan)])
        }
        return table.text(indent: 0, style: style)
    }

    private func now(_ plan: UnroutedPlan) -> String {
        switch plan.state {
        case .bound: "every queue is bound"
        case .notBound: style.warning("stays, not bound: \(plan.missingQueues.joined(separator: ", "))")
        case .unknown: style.warning("stays, no service of this version consumes it")
        }
    }

    var outcome: String {
        var lines = [sentence]
        lines += advice
        if let shortfall { lines.append(shortfall) }
        return lines.joined(separator: "\n")
    }

    private var sentence: String {
        if answer.dryRun {
            return "\(Wording.count(answer.sendable, "event")) would be sent again; nothing was sent."
        }
        guard answer.sent > 0 else { return "Nothing was sent." }
        return "\(Wording.count(answer.sent, "event")) sent again; \(Wording.count(answer.remaining, "event")) "
            + "in stockbridge.unrouted now."
    }

    private var advice: [String] {
        var lines: [String] = []
        func names(_ state: UnroutedPlan.State) -> String {
            answer.topics.filter { $0.state == state }.map {
                "\(Wording.count($0.events, "event")) of \(ShownBody.oneLine($0.topic))"
            }.joined(separator: ", ")
        }
        let (unbound, unknown) = (names(.notBound), names(.unknown))
        if !unbound.isEmpty {
            lines.append("Not all queues are bound to \(unbound).")
            lines.append("-> stockbridge topology verify, stockbridge topology apply, then this command again")
        }
        if !unknown.isEmpty {
            lines.append("No service of this version consumes \(unknown).")
            lines.append("-> this command of the version that does, or stockbridge unrouted discard --topic TOPIC")
        }
        return lines
    }

    private var shortfall: String? {
        let cameBack = answer.unexpected
        guard answer.sent > 0, cameBack > 0 else { return answer.shortfall }
        return "\(Wording.count(cameBack, "event")) arrived there meanwhile, or came back because a binding went away: "
            + "see 'stockbridge unrouted list'."
    }
}

extension UnroutedDiscarded {
    var text: String {
        "\(Wording.count(discarded, "event")) discarded; what they said is in the table operations.audit under "
            + "'unrouted discard'. \(Wording.count(remaining, "event")) in stockbridge.unrouted now."
    }
}
