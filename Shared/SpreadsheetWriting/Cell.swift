public import Foundation

/// How a cell stands out.
public enum CellStyle: UInt8, Sendable, Equatable, CaseIterable {
    /// As its column.
    case normal
    /// Bold, for totals.
    case bold
    /// On yellow: look at this.
    case warning
    /// On green.
    case good
    /// On red.
    case bad
}

/// What stands in one cell.
public enum Cell: Sendable, Equatable {
    /// Nothing.
    case empty
    /// Nothing, on the style's background.
    case blank(style: CellStyle)
    /// A text; never becomes a number, formula or link. ``CellText`` says how it is written.
    case text(String, style: CellStyle = .normal)
    /// A number as decimal text, such as `-1234.50`, so that it never passes through arithmetic in binary.
    ///
    /// Spreadsheets hold numbers as 64-bit floating point, which keeps 15 significant digits. A number that has more
    /// (zeros at either end do not count), or a text that is no plain decimal number, is written as a text instead:
    /// it can be read exactly, and nobody calculates with a rounded value.
    case decimal(String, style: CellStyle = .normal)
    /// A whole number; as a text if it has more than 15 significant digits, see ``decimal(_:style:)``.
    case integer(Int64, style: CellStyle = .normal)
    /// A point in time as wall-clock time at an offset from UTC in seconds; fractions of a second are left out.
    ///
    /// Spreadsheets know no time zones. Times before March 1900, where their calendar is wrong, become texts.
    case dateTime(Date, offsetSeconds: Int, style: CellStyle = .normal)
    /// `TRUE` or `FALSE`.
    case boolean(Bool, style: CellStyle = .normal)

    var style: CellStyle {
        switch self {
        case .empty: .normal
        case .blank(let style), .text(_, let style), .decimal(_, let style), .integer(_, let style),
            .dateTime(_, _, let style), .boolean(_, let style):
            style
        }
    }
}

/// A column of a worksheet.
public struct Column: Sendable, Equatable {
    /// How its numbers are shown. A cell of another kind is written as what it is, with a format that fits it.
    public enum Kind: Sendable, Equatable {
        /// Texts, in the format that keeps a text a text when somebody types into the cell.
        case text
        /// Whole numbers, without separators.
        case integer
        /// Numbers with that many decimal places.
        case decimal(places: Int)
        /// Amounts with separators between thousands and that many decimal places.
        case money(places: Int)
        /// `2026-11-21 06:00:00`.
        case dateTime
    }

    /// What stands in the header row.
    public var title: String
    /// In characters of the default font, 0 to 255.
    public var width: Double
    /// How its cells are shown.
    public var kind: Kind

    /// Creates a column.
    public init(_ title: String, width: Double = 14, kind: Kind = .text) {
        self.title = title
        self.width = width
        self.kind = kind
    }

    /// The same, with every label.
    public init(title: String, width: Double, kind: Kind) {
        self.init(title, width: width, kind: kind)
    }
}
