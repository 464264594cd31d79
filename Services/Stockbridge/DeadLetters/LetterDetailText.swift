import DeadLetters
import Foundation

/// One dead letter with everything about it.
struct LetterDetailText {
    let detail: LetterDetail
    let wording: Wording
    let style: TextStyle
    let now: Date

    var text: String {
        let letter = detail.letter
        var lines = [
            style.bold("Letter \(letter.id)") + ": \(state), failed "
                + wording.moment(letter.failedAt, now: now) + " in " + ShownBody.oneLine(letter.queue),
            "",
            " " + style.warning(ShownBody.oneLine(letter.errorCode)) + " (\(letter.errorClass))",
            " " + StatusText.wrap(ShownBody.oneLine(letter.errorMessage), indent: 1),
            "",
        ]
        lines += facts.map { name, value in
            " \(name.padding(toLength: 11, withPad: " ", startingAt: 0))\(ShownBody.oneLine(value))"
        }
        if let forecast = detail.forecast {
            lines += [
                "",
                " A replay now: " + style.bold(forecast.kind.words) + ". "
                    + StatusText.wrap(ShownBody.oneLine(forecast.why), indent: 1),
            ]
        }
        lines += headers + body + history + hints
        return lines.joined(separator: "\n")
    }

    private var state: String {
        let letter = detail.letter
        switch letter.state {
        case "waiting": return style.warning("waiting")
        case "processed": return style.good("processed")
        default: return letter.state
        }
    }

    private var facts: [(String, String)] {
        let letter = detail.letter
        var facts: [(String, String?)] = [
            ("service", letter.service), ("topic", letter.topic), ("schema", detail.dataSchema),
            ("message", detail.identity), ("subject", detail.subject), ("belongs to", detail.correlation),
            ("shop", letter.shop), ("order", letter.order), ("ERP", letter.erp),
        ]
        if detail.itemCount > 0 {
            let more = detail.itemCount - min(letter.items.count, 8)
            facts.append(
                ("items", letter.items.prefix(8).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")))
        }
        let first = detail.firstFailedAt.map { ", first " + wording.moment($0, now: now) } ?? ""
        facts.append(("tries", "\(letter.attempts)\(first)"))
        if letter.times > 1 { facts.append(("died", "\(letter.times) times")) }
        facts.append(("archived", wording.moment(detail.archivedAt, now: now)))
        if let job = detail.job { facts.append(("job", job.uuidString.lowercased())) }
        facts.append(("kind", letter.fingerprint))
        return facts.compactMap { name, value in value.map { (name, $0) } }
    }

    private var headers: [String] {
        guard let properties = detail.properties else { return [] }
        let all = properties.texts.merging(properties.numbers.mapValues(String.init)) { text, _ in text }
        guard !all.isEmpty else { return [] }
        return ["", " Headers"]
            + all.sorted { $0.key < $1.key }.map { name, value in
                style.dim("  \(ShownBody.oneLine(name)): ") + ShownBody.oneLine(value).cut(to: 200)
            }
    }

    private var body: [String] {
        if let edited = detail.editedBody {
            return shown(edited, " Body as edited; this is what a replay sends") + shown(detail.body, " Original body")
        }
        return shown(detail.body, " Body")
    }

    private func shown(_ body: ShownBody, _ title: String) -> [String] {
        let form = body.form == .json ? "JSON" : body.form == .text ? "text" : "bytes, as hexadecimal digits"
        let lines = body.content.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }
        return ["", "\(title) (\(form), \(Wording.count(body.bytes, "byte")))"] + lines
            + (body.isCut ? [style.dim("  ... --full shows all of it")] : [])
    }

    private var history: [String] {
        guard !detail.history.isEmpty else { return [] }
        return ["", " History"]
            + detail.history.map { step in
                let why = [step.why, step.detail].compactMap { $0.map(ShownBody.oneLine) }.joined(separator: " ")
                let head =
                    "\(wording.moment(step.at, now: now))  "
                    + "\(step.step.replacing("_", with: " ")) (\(step.who))"
                return "  " + StatusText.wrap(head + (why.isEmpty ? "" : ": \(why)"), indent: 4)
            }
    }

    private var hints: [String] {
        guard detail.letter.state == "waiting" else { return [] }
        let id = detail.letter.id
        return [
            "", " stockbridge dead-letters replay \(id) --reason ...    to send it again",
            " stockbridge dead-letters edit \(id) --reason ...      to mend its body first",
            " stockbridge dead-letters archive \(id) --reason ...   to close it",
        ]
    }
}

/// What a replay would do.
struct ForecastText {
    let summary: ForecastSummary
    let style: TextStyle

    var text: String {
        var lines = ["A replay of \(Wording.count(summary.letters, "letter")) would do this now; nothing was sent:"]
        var table = TextTable([("letters", .right), ("outcome", .left)])
        for kind in ReplayForecast.Kind.allCases where summary.count(kind) > 0 {
            table.add([Wording.grouped(summary.count(kind)), word(kind)])
        }
        lines.append(table.text(style: style))
        guard !summary.first.isEmpty else { return lines.joined(separator: "\n") }
        lines.append("")
        lines += summary.first.map { entry in
            "  \(entry.letter)  \(word(entry.kind)): " + StatusText.wrap(ShownBody.oneLine(entry.why), indent: 6)
        }
        let more = summary.letters - summary.first.count
        if more > 0 { lines.append("  and \(Wording.grouped(more)) more; --limit names them") }
        return lines.joined(separator: "\n")
    }

    private func word(_ kind: ReplayForecast.Kind) -> String {
        switch kind {
        case .replay: style.good(kind.words)
        case .superseded, .alreadyProcessed: kind.words
        case .schemaInvalid, .undeliverable: style.bad(kind.words)
        }
    }
}
