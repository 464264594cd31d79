import Domain
import Foundation

/// The chain for a person, from the file's line to the shop's answer.
struct ExplanationText {
    let explanation: Explanation
    let wording: Wording
    let style: TextStyle

    var text: String {
        [heading, files, mapping, level, history, pushes, shop].filter { !$0.isEmpty }
            .map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    private static let days = "\(RetentionPeriod.detailDays) days"

    private func time(_ date: Date) -> String { wording.moment(date, now: explanation.at) }

    private var heading: [String] {
        let listing = explanation.listing
        var lines = [
            style.bold("\(explanation.shop), listing \(listing.listing)")
                + " (\(listing.sku.map { "SKU \($0)" } ?? "no SKU")): \(listing.title)"
        ]
        if explanation.isPast { lines.append(" as it was at \(time(explanation.at))") }
        if listing.shelf != listing.listing { lines.append(" shares its stock with \(listing.shelf)") }
        if !listing.published { lines.append(" is not published in the shop") }
        if explanation.shadow { lines.append(style.warning(" the shop is in shadow: nothing is written to it")) }
        if !explanation.otherMatches.isEmpty {
            lines.append(" '\(explanation.asked)' also fits \(explanation.otherMatches.joined(separator: ", "))")
        }
        return lines
    }

    // MARK: The file

    private var files: [String] {
        var lines = [style.bold("1. What the ERP's file says")]
        lines += explanation.filesWithoutRows.map { file in
            " \(file) was live then; its rows are no longer kept, \(Self.days) after another file took its place."
                + (explanation.files.isEmpty ? "" : " What has not changed since is known:")
        }
        if explanation.files.isEmpty && explanation.filesWithoutRows.isEmpty {
            lines.append(
                explanation.listing.erpCode.map { " No file has said anything about \($0)." }
                    ?? " Unknown, because the listing has no ERP code.")
        }
        var last: UUID?
        for row in explanation.files {
            if row.snapshot != last { lines.append(fileLine(row)) }
            last = row.snapshot
            let place = row.line.map { "line \($0)" } ?? "missing in the file"
            let reserved = row.reserved.map { ", \($0) reserved in the ERP" } ?? ""
            let missing = row.missingFor > 0 ? ", missing in \(Wording.count(row.missingFor, "file")) since" : ""
            lines.append("   \(place): \(row.onHand) on hand in \(row.warehouse)\(reserved)\(missing)")
        }
        if let newest = explanation.files.compactMap(\.restatedBy).first {
            lines.append(" \(newest), the newest file, leaves that as it is")
        }
        lines += explanation.setAside.map {
            style.warning(" set aside") + ": \($0.file) line \($0.line): \($0.reason)"
        }
        return lines
    }

    private func fileLine(_ row: Explanation.FileRow) -> String {
        let accepted = row.acceptedBy.map { by in ", accepted by \(by)" + (row.acceptedReason.map { " (\($0))" } ?? "")
        }
        return " \(row.file) of source \(row.source), as of \(time(row.asOf)), arrived \(time(row.receivedAt))"
            + (accepted ?? "")
    }

    // MARK: The mapping

    private var mapping: [String] {
        let listing = explanation.listing
        let sku = listing.sku.map { "SKU '\($0)'" } ?? "The listing"
        let sentence: String
        switch listing.mapping {
        case "mapped":
            let how: String =
                switch listing.via {
                case "alias":
                    "because \(listing.aliasSetBy ?? "somebody") said so"
                        + (listing.aliasSetAt.map { " on \(time($0))" } ?? "")
                case "rule": "by the shop's mapping rules"
                default: "letter by letter"
                }
            let pack = listing.unitsPerPack ?? 1
            sentence =
                "\(sku) is ERP code \(listing.erpCode ?? "?"), \(how)"
                + (pack > 1 ? "; one of it is a pack of \(pack) ERP units" : "")
        case "ambiguous":
            sentence =
                "\(sku) fits several ERP codes (\((listing.candidates ?? []).joined(separator: ", "))): "
                + "stockbridge mapping set \(explanation.shop) ... chooses one"
        case "blank": sentence = "The listing has no SKU, and a blank never matches"
        default:
            let suggest = "stockbridge mapping suggest \(explanation.shop) '\(listing.sku ?? "")'"
            sentence = "\(sku) fits no ERP code: \(suggest)"
        }
        return [style.bold("2. What it is in the ERP"), " \(sentence)"]
    }

    // MARK: The level

    private var level: [String] {
        var lines = [style.bold("3. How the level comes about")]
        if explanation.wantedIsMissing {
            return lines + [" Which level was wanted then is no longer known: versions are kept for \(Self.days)."]
        }
        guard let version = explanation.versions.first else { return lines + [" No level was ever worked out."] }
        guard let breakdown = version.breakdown else {
            return lines + [" Version \(version.version) wants nothing: no file speaks of it."]
        }
        for warehouse in breakdown.warehouses {
            let sum = "\(warehouse.onHand) on hand - \(warehouse.safety) safety = \(warehouse.counted)"
            lines.append("   \(warehouse.warehouse): \(sum)")
        }
        lines.append("   together \(breakdown.gross)")
        lines += subtractions(breakdown)
        lines.append("   = \(breakdown.atp) that can be promised")
        if breakdown.share != .whole { lines.append("   x \(breakdown.share) share of this shop") }
        if breakdown.level >= breakdown.cap { lines.append("   at most \(breakdown.cap) are shown") }
        if breakdown.unitsPerPack > 1 { lines.append("   in packs of \(breakdown.unitsPerPack)") }
        lines.append(style.bold("   level \(breakdown.level)"))
        if let why = breakdown.whyZero { lines.append("   It is 0 because \(why.sentence).") }
        return lines
    }

    private func subtractions(_ breakdown: LevelBreakdown) -> [String] {
        var lines: [String] = []
        if breakdown.open != .zero { lines.append("   - \(breakdown.open) on open orders") }
        if breakdown.holds != .zero { lines.append("   - \(breakdown.holds) on hold") }
        lines += explanation.holds.map { hold in
            "       \(hold.quantity) by \(hold.createdBy) until \(time(hold.endsAt)): \(hold.reason)"
        }
        if breakdown.buffer != .zero { lines.append("   - \(breakdown.buffer) the shop's buffer") }
        if breakdown.staleReserve != .zero { lines.append("   - \(breakdown.staleReserve) while feeds are stale") }
        return lines
    }

    private var history: [String] {
        guard !explanation.versions.isEmpty else { return [] }
        var table = TextTable([("version", .right), ("wanted", .right), ("decided", .left), ("because of", .left)])
        for version in explanation.versions {
            table.add([
                String(version.version), version.wanted.map(String.init) ?? "nothing", time(version.decidedAt),
                "\(version.causeKind) \(version.causeID.cut(to: 40))",
            ])
        }
        var lines = [style.bold("4. Versions of the wanted level"), table.text(indent: 1, style: style)]
        if explanation.versionsAreMissing {
            lines.append(
                " Other versions are no longer kept: they leave after \(Self.days), but for the newest and the last "
                    + "that was sent or confirmed.")
        }
        return lines
    }

    private var pushes: [String] {
        var lines = [style.bold("5. What was sent to the shop, and its answer")]
        if explanation.pushes.isEmpty && !explanation.pushesAreMissing { return lines + [" Nothing was sent yet."] }
        for push in explanation.pushes {
            let took = Wording.duration(push.endedAt.timeIntervalSince(push.beganAt))
            let result = push.result == "confirmed" ? style.good(push.result) : style.warning(push.result)
            lines.append(
                " \(time(push.endedAt))  version \(push.version), level \(push.level): \(result) after \(took)"
                    + (push.answer.map { ": " + StatusText.wrap($0, indent: 4) } ?? ""))
        }
        if explanation.pushesAreMissing {
            lines.append(
                " Older pushes are no longer kept: they leave after \(Self.days), but for the last and the last that "
                    + "was confirmed.")
        }
        return lines
    }

    // MARK: The shop

    private var shop: [String] {
        let listing = explanation.listing
        var lines = [style.bold("6. What the shop has now, as far as is known")]
        guard let shelf = explanation.shelf else { return explanation.isPast ? [] : lines + [observed(listing)] }
        if let expected = shelf.expectedAtShop {
            let confirmed =
                shelf.confirmedAt.map { ", confirmed \(time($0)) (version \(shelf.confirmedVersion))" } ?? ""
            lines.append(" \(expected)\(confirmed)")
        } else {
            lines.append(observed(listing))
        }
        if shelf.inFlight { lines.append(" a write is on its way at this moment") }
        if let until = shelf.unknownUntil {
            lines.append(" the last answer was lost; it is read back after \(time(until))")
        }
        if let held = shelf.held { lines.append(style.bad(" held: ") + held) }
        if let rejection = shelf.rejection { lines.append(style.bad(" the shop refused it: ") + rejection) }
        if let failure = shelf.failure { lines.append(style.warning(" the last try failed: ") + failure) }
        if let deferral = shelf.deferral { lines.append(style.warning(" deferred: ") + deferral) }
        if shelf.wanted != nil && !shelf.due && shelf.held == nil && shelf.rejection == nil {
            lines.append(style.good(" as wanted"))
        } else if shelf.due {
            let wanted = shelf.wanted.map(String.init) ?? "nothing"
            lines.append(" still to be written: \(wanted) (version \(shelf.version))")
        }
        return lines
    }

    private func observed(_ listing: Explanation.Listing) -> String {
        listing.observed.map { " \($0), when its catalogue was read \(time(listing.observedAt))" }
            ?? " the shop does not track its stock"
    }
}
