import Foundation

/// Columns of text that line up, in characters as a terminal shows them.
struct TextTable {
    /// To which side a column leans.
    enum Alignment {
        case left, right
    }

    private let alignments: [Alignment]
    private var rows: [[String]]

    /// - Parameters:
    ///   - columns: Heading and alignment of each column.
    init(_ columns: [(heading: String, alignment: Alignment)]) {
        alignments = columns.map(\.alignment)
        rows = [columns.map(\.heading)]
    }

    mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The table; its headings in dim letters.
    func text(indent: Int = 2, style: TextStyle = .plain) -> String {
        let widths = alignments.indices.map { column in
            rows.map { column < $0.count ? Self.width($0[column]) : 0 }.max() ?? 0
        }
        let margin = String(repeating: " ", count: indent)
        return rows.enumerated().map { index, row in
            let cells = row.enumerated().map { column, cell in
                let gap = String(repeating: " ", count: max(0, widths[column] - Self.width(cell)))
                return alignments[column] == .right ? gap + cell : cell + gap
            }
            let line = margin + cells.joined(separator: "  ").trimmingTrailingSpaces()
            return index == 0 ? style.dim(line) : line
        }.joined(separator: "\n")
    }

    /// Characters on the screen; escape sequences take none.
    static func width(_ text: String) -> Int {
        var width = 0
        var isEscape = false
        for character in text {
            if character == "\u{1B}" {
                isEscape = true
            } else if isEscape {
                isEscape = character != "m"
            } else {
                width += 1
            }
        }
        return width
    }
}

extension String {
    func trimmingTrailingSpaces() -> String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    /// At most so many characters, the last an ellipsis if something was cut.
    func cut(to length: Int) -> String {
        count <= length ? self : prefix(max(0, length - 1)) + "…"
    }
}
