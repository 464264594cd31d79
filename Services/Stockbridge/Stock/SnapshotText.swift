import Foundation

/// Snapshots for a person.
struct SnapshotText {
    let wording: Wording
    let style: TextStyle
    let now: Date

    func list(_ snapshots: [SnapshotSummary]) -> String {
        guard !snapshots.isEmpty else { return "There are no such snapshots." }
        var table = TextTable([
            ("id", .left), ("source", .left), ("file", .left), ("state", .left), ("as of", .left), ("rows", .right),
            ("bad", .right), ("SKUs", .right),
        ])
        for snapshot in snapshots {
            table.add([
                Self.short(snapshot.id), snapshot.source.cut(to: 12), snapshot.file.cut(to: 32), state(snapshot.state),
                wording.shortMoment(snapshot.asOf, now: now), Wording.grouped(snapshot.rowsRead),
                Wording.grouped(snapshot.rowsSetAside), Wording.grouped(snapshot.skus),
            ])
        }
        return table.text(indent: 0, style: style)
    }

    func detail(_ detail: SnapshotDetail) -> String {
        let snapshot = detail.snapshot
        var lines = [
            style.bold(snapshot.file) + " of source \(snapshot.source): \(state(snapshot.state))",
            " id         \(snapshot.id.uuidString.lowercased())",
            " as of      \(wording.moment(snapshot.asOf, now: now)), "
                + "arrived \(wording.moment(snapshot.receivedAt, now: now))",
            " rows       \(accounts(of: snapshot))",
            " contents   \(Wording.count(snapshot.skus, "SKU")), \(snapshot.units) units",
        ]
        if let live = detail.live, live.id != snapshot.id {
            lines.append(
                " live now   \(live.file): \(Wording.count(live.skus, "SKU")), \(live.units) units, "
                    + "as of \(wording.moment(live.asOf, now: now))")
        }
        if let by = snapshot.decidedBy, let at = snapshot.decidedAt {
            lines.append(
                " decided    by \(by), \(wording.moment(at, now: now)): \(snapshot.decisionReason ?? "no reason given")"
            )
        }
        if !snapshot.message.isEmpty { lines.append(" outcome    " + StatusText.wrap(snapshot.message, indent: 12)) }
        lines += snapshot.reasons.map { style.warning(" held       ") + StatusText.wrap($0, indent: 12) }
        lines += detail.notes.map { " note       " + StatusText.wrap($0, indent: 12) }
        lines += setAside(detail)
        if snapshot.state == "held" {
            let id = Self.short(snapshot.id)
            lines += [
                "", " stockbridge stock accept \(id) --reason ...   to let it go live",
                " stockbridge stock reject \(id) --reason ...   to keep the last good numbers",
            ]
        }
        return lines.joined(separator: "\n")
    }

    private func accounts(of snapshot: SnapshotSummary) -> String {
        let read = Wording.grouped(snapshot.rowsRead)
        let parts = [
            "\(Wording.grouped(snapshot.rowsAggregated)) counted",
            "\(Wording.grouped(snapshot.rowsSetAside)) set aside", "\(Wording.grouped(snapshot.rowsMerged)) merged",
        ]
        return "\(read) read = " + parts.joined(separator: " + ")
    }

    private func setAside(_ detail: SnapshotDetail) -> [String] {
        if let removed = detail.snapshot.rowsRemovedAt, detail.snapshot.rowsRead > 0 {
            return [
                "",
                " Its rows are no longer kept, neither those that counted nor those set aside: they left "
                    + "\(wording.moment(removed, now: now)).",
            ]
        }
        guard !detail.setAside.isEmpty else { return [] }
        var lines = ["", " Rows set aside:"]
        for row in detail.setAside {
            lines.append("  line \(row.line): \(row.reason)")
            lines.append(style.dim("    \(row.raw.replacing("\n", with: " ").cut(to: 94))"))
        }
        let more = detail.snapshot.rowsSetAside - detail.setAside.count
        if more > 0 { lines.append("  and \(Wording.grouped(more)) more; --rows shows them") }
        return lines
    }

    private func state(_ text: String) -> String {
        switch text {
        case "live": style.good(text)
        case "held": style.warning(text)
        case "unreadable", "refused": style.bad(text)
        default: text
        }
    }

    static func short(_ id: UUID) -> String { String(id.uuidString.lowercased().prefix(8)) }
}
