import Foundation

/// Decides what of a status a person should look at.
enum StatusAttention {
    /// A replica without a sign of life for so long is dead; it gives one every five seconds.
    static let deadAfterSeconds: Double = 30
    /// Events normally leave the outbox within a second.
    static let outboxLagSeconds: Double = 60
    /// A schedule that did not fire this long after it was due did not run.
    static let overdueSeconds: Double = 90
    /// Mails are tried again for a while before anybody is bothered.
    static let mailLagSeconds: Double = 300

    typealias Attention = StatusReport.Attention

    /// Most urgent first. `services` are those that should run.
    static func of(_ status: StatusReport, services: [String]) -> [Attention] {
        silentServices(status, services) + held(status) + alerts(status) + status.shops.flatMap { shop($0, status) }
            + status.orders.flatMap { orders($0, status) } + sources(status) + late(status)
    }

    private static func silentServices(_ status: StatusReport, _ services: [String]) -> [Attention] {
        services.filter { name in !status.replicas.contains { $0.service == name && $0.alive } }.map { name in
            Attention(
                what: "No replica of \(name) is alive.",
                whatToDo: "Start it, or look at its log; what waits for it is kept by the broker.")
        }
    }

    private static func held(_ status: StatusReport) -> [Attention] {
        status.held.map { snapshot in
            let id = snapshot.id.uuidString.lowercased()
            return Attention(
                what: "\(snapshot.file) of source \(snapshot.source) is held"
                    + (snapshot.reasons.first.map { ": \($0)" } ?? "."),
                whatToDo: "stockbridge stock show \(id.prefix(8)), then accept or reject it")
        }
    }

    private static func alerts(_ status: StatusReport) -> [Attention] {
        status.alerts.map { Attention(what: "\($0.title) (\($0.severity))", whatToDo: $0.whatToDo) }
            + status.breakers.filter { $0.openedAt != nil }.map { breaker in
                Attention(
                    what: "\(breaker.account) is out" + (breaker.reason.map { ": \($0)" } ?? "."),
                    whatToDo: "Look at the shop's server; pushing resumes by itself once it answers.")
            }
    }

    /// A feed that is this old leaves the other shops' increases waiting.
    static let feedLagSeconds: Double = 1_800

    private static func orders(_ shop: StatusReport.Orders, _ status: StatusReport) -> [Attention] {
        var all: [Attention] = []
        if shop.held > 0 {
            all.append(
                Attention(
                    what:
                        "Shop \(shop.shop): \(Wording.count(shop.held, "order is", "orders are")) "
                        + "kept back from the ERP.",
                    whatToDo: "stockbridge orders list --held --shop \(shop.shop)"))
        }
        if let upTo = shop.completeUpTo, status.at.timeIntervalSince(upTo) > feedLagSeconds {
            all.append(
                Attention(
                    what: "The orders of \(shop.shop) are known up to "
                        + "\(Wording.duration(status.at.timeIntervalSince(upTo))) ago only"
                        + (shop.problem.map { ": \($0)" } ?? "."),
                    whatToDo: "Look at the shop; 'stockbridge run orders --shop \(shop.shop)' collects at once."))
        }
        if let report = shop.lastReport, report.sentAt == nil, let problem = report.problem {
            all.append(
                Attention(
                    what: "The order report \(report.batch) is not sent: \(problem)",
                    whatToDo: "stockbridge report list --shop \(shop.shop)"))
        }
        return all
    }

    private static func shop(_ shop: StatusReport.Shop, _ status: StatusReport) -> [Attention] {
        guard shop.known else {
            return [
                Attention(
                    what: "Shop \(shop.name) is in the configuration, and stock-publisher has not seen it yet.",
                    whatToDo: "Start or restart stock-publisher with this configuration.")
            ]
        }
        return state(of: shop, status) + leftovers(of: shop)
    }

    private static func state(of shop: StatusReport.Shop, _ status: StatusReport) -> [Attention] {
        var all: [Attention] = []
        if shop.shadow {
            all.append(
                Attention(
                    what: "Shop \(shop.name) is in shadow: levels are worked out, nothing is written.",
                    whatToDo: "stockbridge shadow show \(shop.name), then stockbridge shadow off \(shop.name)"))
        }
        if let problem = shop.catalogueProblem {
            all.append(
                Attention(
                    what: "The catalogue of \(shop.name) could not be read: \(problem)",
                    whatToDo: "stockbridge run catalogue --shop \(shop.name), once that is put right"))
        } else if shop.catalogueReadAt == nil {
            all.append(
                Attention(
                    what: "The catalogue of \(shop.name) was never read.",
                    whatToDo: "stockbridge run catalogue --shop \(shop.name)"))
        }
        if let run = shop.openRun, run.deadlineAt < status.at {
            all.append(
                Attention(
                    what: "The run of \(shop.name) is open beyond its deadline.",
                    whatToDo: "Look whether stock-publisher runs; it ends runs."))
        }
        return all
    }

    private static func leftovers(of shop: StatusReport.Shop) -> [Attention] {
        let counts = shop.counts
        var all: [Attention] = []
        if counts.unmapped > 0 {
            all.append(
                Attention(
                    what: "\(Wording.count(counts.unmapped, "listing")) of \(shop.name) "
                        + "\(counts.unmapped == 1 ? "has" : "have") no ERP code.",
                    whatToDo: "stockbridge mapping list --shop \(shop.name) --unmapped"))
        }
        if counts.rejected > 0 {
            all.append(
                Attention(
                    what: "\(shop.name) refused \(Wording.count(counts.rejected, "listing")).",
                    whatToDo: "stockbridge stock problems \(shop.name)"))
        }
        if counts.failed > 0 {
            all.append(
                Attention(
                    what: "\(Wording.count(counts.failed, "listing")) of \(shop.name) could not be written.",
                    whatToDo: "stockbridge stock problems \(shop.name)"))
        }
        if counts.deferred > 0 && !shop.shadow && shop.openRun == nil {
            all.append(
                Attention(
                    what: "\(Wording.count(counts.deferred, "listing")) of \(shop.name) "
                        + "\(counts.deferred == 1 ? "waits" : "wait") to be written.",
                    whatToDo: "stockbridge stock problems \(shop.name)"))
        }
        return all
    }

    private static func sources(_ status: StatusReport) -> [Attention] {
        status.sources.compactMap { source in
            if let newest = source.newest, ["refused", "unreadable"].contains(newest.state) {
                return Attention(
                    what: "The newest file of source \(source.name), \(newest.file), was "
                        + "\(newest.state == "refused" ? "refused" : "not readable"); the numbers before it stay live.",
                    whatToDo: "stockbridge stock show \(newest.id.uuidString.lowercased().prefix(8))")
            }
            guard source.liveSnapshot == nil && source.newest == nil else { return nil }
            return Attention(
                what: "Source \(source.name) has no stock yet.",
                whatToDo: "stockbridge run stock --source \(source.name), or wait for its schedule")
        }
    }

    private static func late(_ status: StatusReport) -> [Attention] {
        var all: [Attention] = []
        for schedule in status.schedules where status.at.timeIntervalSince(schedule.nextDue) > overdueSeconds {
            all.append(
                Attention(
                    what: "Schedule '\(schedule.name)' of \(schedule.service) was due and did not run.",
                    whatToDo: "Look whether \(schedule.service) runs."))
        }
        for outbox in status.outboxes {
            guard let oldest = outbox.oldestAt, status.at.timeIntervalSince(oldest) > outboxLagSeconds else { continue }
            let reason = outbox.lastError.map { " (\($0.cut(to: 120)))" } ?? ""
            all.append(
                Attention(
                    what: "\(Wording.count(outbox.waiting, "event")) of \(outbox.service) wait to be published"
                        + "\(reason).",
                    whatToDo: "Look whether the broker runs and takes messages; nothing is lost."))
        }
        if let oldest = status.mails.oldestAt, status.at.timeIntervalSince(oldest) > mailLagSeconds {
            all.append(
                Attention(
                    what: "\(Wording.count(status.mails.unsent, "mail")) could not be sent"
                        + (status.mails.lastProblem.map { ": \($0)" } ?? "."),
                    whatToDo: "Look at the mail server and the section 'mail'; sending is tried again by itself."))
        }
        let dead = status.deadLetters
        if dead.waiting > 0 {
            all.append(
                Attention(
                    what: "\(Wording.count(dead.waiting, "message")) of \(Wording.count(dead.kinds, "kind")) failed "
                        + "for good and \(dead.waiting == 1 ? "waits" : "wait") among the dead letters.",
                    whatToDo: "stockbridge dead-letters groups"))
        }
        if status.unansweredCommands > 0 {
            all.append(
                Attention(
                    what: "\(Wording.count(status.unansweredCommands, "command")) of operators wait for an answer.",
                    whatToDo: "Look whether the services run; commands are queued and not lost."))
        }
        return all
    }
}
