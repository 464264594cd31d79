import DeadLetters
import Domain
import Foundation

extension ShownBody {
    /// Harmless and without line breaks, for a cell or a line.
    static func oneLine(_ text: String) -> String {
        harmless(text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline }).joined(separator: " "))
    }
}

extension LetterLine {
    /// What it is about, in a word or two: the order, else the first items, else the shop or what the ERP knows.
    var about: String {
        if let order { return order }
        if let item = items.first {
            let rest = items.count > 1 ? " +\(items.count - 1)" : ""
            let isShelf = shop.map { item.hasPrefix("\($0)/") } ?? true
            return (isShelf ? item : "\(shop ?? "") \(item)") + rest
        }
        return [shop, erp].compactMap { $0 }.joined(separator: " ")
    }
}

/// Dead letters in a list.
struct LetterListText {
    let page: LetterPage
    let wording: Wording
    let style: TextStyle
    let now: Date
    /// Characters in a line; nil if nobody reads it on a terminal.
    let width: Int?
    /// Whether letters are meant that may be no longer kept.
    var reachesBack = false

    var text: String {
        let end =
            reachesBack
            ? "\nLetters that were settled more than \(RetentionPeriod.recordDays) days ago are no longer kept." : ""
        guard !page.letters.isEmpty else { return "No dead letters match this." + end }
        let wide = table.text(indent: 0, style: style)
        let isTooWide = width.map { limit in
            wide.split(separator: "\n").contains { TextTable.width(String($0)) > limit }
        }
        var text = isTooWide ?? false ? narrow : wide
        if page.total > page.letters.count {
            text +=
                "\nThe newest \(Wording.grouped(page.letters.count)) of "
                + "\(Wording.count(page.total, "letter")); --limit shows more, 'groups' the kinds."
        }
        return text + end
    }

    private var isMixed: Bool { Set(page.letters.map(\.state)).count > 1 }

    private var table: TextTable {
        var columns: [(heading: String, alignment: TextTable.Alignment)] = [
            ("id", .right), ("failed", .left), ("queue", .left), ("topic", .left), ("about", .left),
            ("error", .left), ("tries", .right), ("times", .right),
        ]
        if isMixed { columns.append(("state", .left)) }
        var table = TextTable(columns)
        for letter in page.letters {
            let cells = [
                "\(letter.id)", wording.shortMoment(letter.failedAt, now: now), ShownBody.oneLine(letter.queue),
                ShownBody.oneLine(letter.topic ?? "-"), ShownBody.oneLine(letter.about).cut(to: 36),
                style.warning(ShownBody.oneLine(letter.errorCode)), "\(letter.attempts)", "\(letter.times)",
            ]
            table.add(cells + (isMixed ? [letter.state] : []))
        }
        return table
    }

    /// Two lines a letter.
    private var narrow: String {
        let idWidth = page.letters.map { "\($0.id)".count }.max() ?? 1
        return page.letters.map { letter in
            let id = "\(letter.id)"
            let margin = String(repeating: " ", count: idWidth - id.count)
            let counts =
                "\(Wording.count(letter.attempts, "try", "tries"))"
                + (letter.times > 1 ? ", died \(letter.times) times" : "") + (isMixed ? ", \(letter.state)" : "")
            let about = ShownBody.oneLine(letter.about)
            return margin + id + "  " + wording.shortMoment(letter.failedAt, now: now) + "  "
                + style.warning(ShownBody.oneLine(letter.errorCode)) + "  " + counts + "\n"
                + String(repeating: " ", count: idWidth + 2) + style.dim(ShownBody.oneLine(letter.queue))
                + (about.isEmpty ? "" : "  " + about.cut(to: 40))
        }.joined(separator: "\n")
    }
}

/// Kinds of errors.
struct LetterGroupsText {
    let groups: [LetterGroup]
    let wording: Wording
    let style: TextStyle
    let now: Date
    /// Characters in a line; nil if nobody reads it on a terminal.
    let width: Int?

    var text: String {
        guard !groups.isEmpty else { return "No dead letters match this." }
        let total = groups.reduce(0) { $0 + $1.letters }
        let counts = groups.map { Wording.grouped($0.letters) }
        let margin = (counts.map(\.count).max() ?? 1) + 2
        let blocks = zip(groups, counts).map { group, count in
            let gap = String(repeating: " ", count: margin - 2 - count.count)
            let heading = style.bold(gap + count) + "  " + style.warning(ShownBody.oneLine(group.errorCode))
            let rest =
                ([heading + "  \(times(group))\(shops(group))"]
                    + [ShownBody.oneLine(group.errorMessage).cut(to: 300), style.dim(fingerprint(group))])
            return rest.enumerated().map { index, line in
                index == 0 ? line : String(repeating: " ", count: margin) + folded(line, indent: margin)
            }.joined(separator: "\n")
        }
        let heading = "\(Wording.count(total, "letter")), \(Wording.count(groups.count, "kind"))"
        return ([heading] + blocks).joined(separator: "\n\n")
    }

    private func times(_ group: LetterGroup) -> String {
        let first = wording.shortMoment(group.firstFailedAt, now: now)
        let last = wording.shortMoment(group.lastFailedAt, now: now)
        return first == last ? first : "\(first) to \(last)"
    }

    private func shops(_ group: LetterGroup) -> String {
        group.shops > 1 ? ", \(Wording.count(group.shops, "shop"))" : ""
    }

    private func fingerprint(_ group: LetterGroup) -> String {
        "--fingerprint '\(ShownBody.oneLine(group.fingerprint))'"
    }

    /// A sentence over several lines; what is to be copied stays in one.
    private func folded(_ line: String, indent: Int) -> String {
        line.contains("--fingerprint") ? line : StatusText.wrap(line, indent: indent, width: min(width ?? 100, 100))
    }
}
