import Foundation

/// What happened to an order, for a person.
struct OrderExplanationText {
    let explanation: OrderExplanation
    let wording: Wording
    let style: TextStyle

    var text: String {
        [heading, revisions, lines, happenings, batches, reserved].filter { !$0.isEmpty }
            .map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    private var now: Date {
        (explanation.revisions.map(\.learntAt) + explanation.happenings.map(\.at)).max() ?? explanation.placedAt
    }

    private func time(_ date: Date) -> String { wording.moment(date, now: now) }

    private var heading: [String] {
        let number = explanation.number
        let id = number.contains(explanation.externalID) ? "" : " (\(explanation.externalID))"
        var lines = [
            style.bold("\(explanation.shop), order \(number)") + "\(id), placed \(time(explanation.placedAt)): "
                + (explanation.state == "held" ? style.warning("held") : explanation.state)
        ]
        lines += explanation.holds.map { " " + style.warning("held") + ": \($0)" }
        return lines
    }

    private var revisions: [String] {
        [style.bold("1. What the shop said")]
            + explanation.revisions.map { revision in
                let changes =
                    revision.changes.isEmpty ? "" : "; different: \(revision.changes.joined(separator: ", "))"
                return " revision \(revision.revision), changed \(time(revision.updatedAt)), learnt "
                    + "\(time(revision.learntAt)) by \(revision.via): \(revision.shopStatus), payment "
                    + "\(revision.payment), \(Wording.count(revision.lines, "line")), \(revision.total) "
                    + explanation.currency + changes
            }
    }

    private var lines: [String] {
        [style.bold("2. What it is in the ERP")]
            + explanation.lines.map { line in
                let what = line.sku.map { "SKU \($0)" } ?? "no SKU"
                let code = line.erpCode.map { "is \(line.erpQuantity) of \($0)" } ?? style.warning("has no ERP code")
                return " line \(line.line): \(line.quantity) of \(what)"
                    + (line.listing.map { " (listing \($0))" } ?? "") + " \(code)"
            }
    }

    private var happenings: [String] {
        guard !explanation.happenings.isEmpty else { return [] }
        return [style.bold("3. What happened here")]
            + explanation.happenings.map { " \(time($0.at)) \($0.what): \($0.detail)" }
    }

    private var batches: [String] {
        var lines = [style.bold("4. What the ERP was told")]
        if explanation.batches.isEmpty { lines.append(" Nothing yet.") }
        lines += explanation.batches.map { batch in
            let sent = batch.sentAt.map { "sent \(time($0))" } ?? "not sent yet"
            let answer = batch.answer.map { "; the mail server said: \($0)" } ?? ""
            return " batch \(batch.batch), on \(place(batch.place)), revision \(batch.revision), \(sent)\(answer)"
        }
        return lines
    }

    private func place(_ place: String) -> String {
        switch place {
        case "lines": "Lines"
        case "changes": "Changes"
        case "held": "Held"
        default: "Control (counted as cancelled before it was sent)"
        }
    }

    private var reserved: [String] {
        guard !explanation.reserved.isEmpty else {
            return [style.bold("5. What the shops leave out for it"), " Nothing any more."]
        }
        return [style.bold("5. What the shops leave out for it")]
            + explanation.reserved.map { line in
                " \(line.quantity) of \(line.erpCode)"
                    + (line.reportSentAt.map { ", reported \(time($0)), until the stock file contains it" } ?? "")
            }
    }
}
