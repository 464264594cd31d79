import Foundation

/// `stockbridge status` for a person; fits into 100 columns.
struct StatusText {
    let status: StatusReport
    let wording: Wording
    let style: TextStyle

    var text: String {
        let heading =
            style.bold(status.company) + ", "
            + wording.moment(status.at, now: status.at) + " (\(wording.timeZone.identifier))"
        let sections = [heading, shops, sources, orders, services, schedules, waiting, attention]
        return sections.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    // MARK: Shops

    /// The table of the shops alone.
    var shops: String {
        var table = TextTable([
            ("shop", .left), ("state", .left), ("listed", .right), ("confirmed", .right), ("unchanged", .right),
            ("deferred", .right), ("unmapped", .right), ("rejected", .right), ("failed", .right), ("took", .right),
        ])
        for shop in status.shops {
            let counts = shop.counts
            table.add(
                [shop.name.cut(to: 12), state(of: shop)]
                    + [counts.listed, counts.confirmed, counts.unchanged].map(Wording.grouped)
                    + [
                        flagged(counts.deferred, style.warning), flagged(counts.unmapped, style.warning),
                        flagged(counts.rejected, style.bad), flagged(counts.failed, style.bad),
                        shop.lastRun.map { Wording.duration($0.seconds) } ?? "-",
                    ])
        }
        let remarks = status.shops.compactMap(remark)
        return ([style.bold("Shops"), table.text(indent: 1, style: style)] + remarks).joined(separator: "\n")
    }

    private func state(of shop: StatusReport.Shop) -> String {
        if !shop.known { return style.bad("unknown") }
        if shop.openRun != nil && !shop.shadow { return style.warning("running") }
        return shop.shadow ? style.warning("shadow") : style.good("live")
    }

    private func flagged(_ number: Int, _ colour: (String) -> String) -> String {
        number == 0 ? "0" : colour(Wording.grouped(number))
    }

    /// What does not fit into the row: an open run, and a catalogue that is old or being mapped.
    private func remark(_ shop: StatusReport.Shop) -> String? {
        var parts: [String] = []
        if let run = shop.openRun {
            parts.append(
                "a run is open since \(wording.shortMoment(run.beganAt, now: status.at)), "
                    + "\(Wording.count(run.due, "shelf", "shelves")) still due, "
                    + "ends at the latest \(wording.shortMoment(run.deadlineAt, now: status.at))")
        }
        if shop.remapPending { parts.append("its mapping is being worked out") }
        if let read = shop.catalogueReadAt {
            let age = status.at.timeIntervalSince(read)
            if age > 172_800 { parts.append("its catalogue was read \(Wording.duration(age)) ago") }
        }
        return parts.isEmpty ? nil : " \(shop.name): " + parts.joined(separator: "; ")
    }

    // MARK: Sources

    private var sources: String {
        guard !status.sources.isEmpty else { return "" }
        var table = TextTable([
            ("source", .left), ("live file", .left), ("as of", .left), ("no.", .right), ("SKUs", .right),
            ("arrived", .left),
        ])
        for source in status.sources {
            table.add([
                source.name.cut(to: 16), (source.liveFile ?? "none yet").cut(to: 36),
                source.asOf.map { wording.shortMoment($0, now: status.at) } ?? "-",
                source.sequence.map(String.init) ?? "-", source.skus.map(Wording.grouped) ?? "-",
                source.receivedAt.map { wording.shortMoment($0, now: status.at) } ?? "-",
            ])
        }
        let looking = status.sources.compactMap { source in
            source.lookingSince.map {
                " \(source.name): looking for a file since \(wording.shortMoment($0, now: status.at))"
            }
        }
        return ([style.bold("Sources"), table.text(indent: 1, style: style)] + looking).joined(separator: "\n")
    }

    // MARK: Orders

    private var orders: String {
        guard status.orders.contains(where: { $0.completeUpTo != nil || $0.lastReport != nil }) else { return "" }
        var table = TextTable([
            ("orders of", .left), ("complete up to", .left), ("held", .right), ("last report", .left),
            ("orders", .right), ("changes", .right), ("sent", .left),
        ])
        for shop in status.orders {
            let report = shop.lastReport
            table.add([
                shop.shop.cut(to: 12), shop.completeUpTo.map { wording.shortMoment($0, now: status.at) } ?? "never",
                flagged(shop.held, style.warning), report?.batch ?? "none yet",
                report.map { Wording.grouped($0.orders) } ?? "-", report.map { Wording.grouped($0.changes) } ?? "-",
                report.map { $0.sentAt.map { wording.shortMoment($0, now: status.at) } ?? $0.state } ?? "-",
            ])
        }
        return [style.bold("Orders"), table.text(indent: 1, style: style)].joined(separator: "\n")
    }

    private var schedules: String {
        guard !status.schedules.isEmpty else { return "" }
        var table = TextTable([("schedule", .left), ("of", .left), ("last due", .left), ("next due", .left)])
        for schedule in status.schedules {
            table.add([
                schedule.name.cut(to: 30), schedule.service,
                schedule.lastDue.map { wording.shortMoment($0, now: status.at) } ?? "-",
                wording.shortMoment(schedule.nextDue, now: status.at),
            ])
        }
        return style.bold("Schedules") + "\n" + table.text(indent: 1, style: style)
    }

    private var waiting: String {
        var lines = status.outboxes.filter { $0.waiting > 0 }.map { outbox in
            " outbox of \(outbox.service): \(Wording.count(outbox.waiting, "event"))"
                + (outbox.oldestAt.map { ", oldest \(Wording.duration(status.at.timeIntervalSince($0)))" } ?? "")
        }
        if status.mails.unsent > 0 { lines.append(" mails not sent yet: \(status.mails.unsent)") }
        lines += status.breakers.filter { $0.openedAt == nil && $0.failures > 0 }.map { breaker in
            " \(breaker.account): \(Wording.count(breaker.failures, "failure")) in a row"
        }
        return lines.isEmpty ? "" : ([style.bold("Waiting")] + lines).joined(separator: "\n")
    }

    // MARK: Attention

    private var attention: String {
        guard !status.attention.isEmpty else { return style.good("Nothing needs attention.") }
        let lines = status.attention.flatMap { entry in
            [
                " " + style.warning("! ") + Self.wrap(entry.what, indent: 3),
                "   " + style.dim("-> ") + Self.wrap(entry.whatToDo, indent: 6),
            ]
        }
        return ([style.bold("Needs attention")] + lines).joined(separator: "\n")
    }

    /// Broken at spaces so that no line goes beyond 100 columns, or `width`; following lines are indented.
    static func wrap(_ text: String, indent: Int, width: Int = 100) -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(whereSeparator: { $0 == " " || $0.isNewline }) {
            if !line.isEmpty && indent + line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        lines.append(line)
        return lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    }
}
