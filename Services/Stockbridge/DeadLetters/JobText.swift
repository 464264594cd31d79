import Contracts
import Domain
import Foundation

/// Replay jobs for a person.
struct JobText {
    let wording: Wording
    let style: TextStyle
    let now: Date

    /// Outcomes in the order in which they are told, with their words.
    private static let outcomes: [(state: String, words: String)] = [
        ("processed", "processed"), ("already_processed", "already processed"), ("superseded", "superseded"),
        ("failed_again", "failed again"), ("undeliverable", "undeliverable"), ("withdrawn", "withdrawn"),
        ("published", "on their way"), ("requested", "not sent yet"),
    ]

    func list(_ jobs: [ReplayJob]) -> String {
        guard !jobs.isEmpty else {
            return "No dead letter was replayed in the last \(RetentionPeriod.recordDays) days."
        }
        var table = TextTable([
            ("job", .left), ("state", .left), ("letters", .right), ("settled", .right), ("failed", .right),
            ("rate", .right), ("age", .left), ("by", .left), ("why", .left),
        ])
        for job in jobs {
            let failed = Wording.grouped(job.failures)
            table.add([
                SnapshotText.short(job.id), state(job.state), Wording.grouped(job.letters),
                Wording.grouped(job.settled), job.failures > 0 ? style.bad(failed) : failed,
                ReplayRate(perSecond: job.ratePerSecond).description,
                Wording.duration(now.timeIntervalSince(job.createdAt)), job.requestedBy.cut(to: 10),
                ShownBody.oneLine(job.reason).cut(to: 28),
            ])
        }
        return table.text(indent: 0, style: style)
    }

    func detail(_ detail: ReplayJobDetail) -> String {
        let job = detail.job
        var lines = [
            style.bold("Job \(SnapshotText.short(job.id))") + ": " + state(job.state),
            " id         \(job.id.uuidString.lowercased())",
            " begun      \(wording.moment(job.createdAt, now: now)) by \(job.requestedBy): "
                + ShownBody.oneLine(job.reason),
        ]
        if let why = job.stateReason {
            lines.insert(" because    " + StatusText.wrap(ShownBody.oneLine(why), indent: 12), at: 1)
        }
        if let ended = job.endedAt { lines.append(" ended      \(wording.moment(ended, now: now))") }
        lines.append(
            " pace       \(ReplayRate(perSecond: job.ratePerSecond)), "
                + (job.canary > 0 ? "\(job.canary) first, " : "")
                + "stops above \(ReplayShare(value: job.stopShare)) failures")
        lines.append(" letters    \(Wording.grouped(job.letters)), \(Wording.grouped(job.settled)) with an outcome")
        for (state, words) in Self.outcomes where job.count(state) > 0 {
            let isBad = state == "failed_again" || state == "undeliverable"
            let line = "            " + Self.padded(Wording.grouped(job.count(state))) + "  " + words
            lines.append(isBad ? style.bad(line) : line)
        }
        lines += failures(detail)
        lines += hints(job)
        return lines.joined(separator: "\n")
    }

    private func failures(_ detail: ReplayJobDetail) -> [String] {
        guard !detail.failures.isEmpty else { return [] }
        var lines = ["", " What failed again:"]
        for failure in detail.failures {
            let ids = failure.examples.map(String.init).joined(separator: ", ")
            let more = failure.letters > failure.examples.count ? ", ..." : ""
            lines.append(
                " \(Self.padded(Wording.grouped(failure.letters)))  "
                    + StatusText.wrap(ShownBody.oneLine(failure.sentence), indent: 9))
            lines.append(style.dim("        letters \(ids)\(more)"))
        }
        return lines
    }

    private func hints(_ job: ReplayJob) -> [String] {
        let id = SnapshotText.short(job.id)
        switch job.state {
        case "running": return ["", " stockbridge dead-letters jobs pause \(id)    to let it rest"]
        case "paused", "stopped":
            return [
                "", " stockbridge dead-letters jobs resume \(id)   to let it go on",
                " stockbridge dead-letters jobs cancel \(id)   to end it; what was not sent stays a dead letter",
            ]
        default: return []
        }
    }

    private func state(_ text: String) -> String {
        switch text {
        case "done": style.good(text)
        case "running": text
        case "stopped": style.bad(text)
        default: style.warning(text)
        }
    }

    private static func padded(_ text: String) -> String {
        String(repeating: " ", count: max(0, 6 - text.count)) + text
    }

    /// One line while a job is being followed.
    static func progress(_ job: ReplayJob) -> String {
        "replay \(SnapshotText.short(job.id)) \(job.state): \(Wording.grouped(job.settled)) of "
            + "\(Wording.grouped(job.letters)), \(sum(job))"
    }

    /// How a job stands when nobody waits for it any more.
    static func outcome(_ job: ReplayJob, style: TextStyle) -> String {
        let settled = "\(Wording.grouped(job.settled)) of \(Wording.count(job.letters, "letter"))"
        let text = "The job is \(job.state), \(settled) have an outcome: \(sum(job))."
        let why = job.stateReason.map { "\n" + StatusText.wrap(ShownBody.oneLine($0), indent: 0) } ?? ""
        return (job.needsAttention || job.isOpen ? style.warning(text) : style.good(text)) + why
    }

    private static func sum(_ job: ReplayJob) -> String {
        let parts = outcomes.filter { job.count($0.state) > 0 }.map { outcome in
            "\(Wording.grouped(job.count(outcome.state))) \(outcome.words)"
        }
        return parts.isEmpty ? "nothing yet" : parts.joined(separator: ", ")
    }
}
