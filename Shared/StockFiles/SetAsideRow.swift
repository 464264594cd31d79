/// A row that was not taken, and why. Nothing is lost: a person can repair the row from what is kept here.
public struct SetAsideRow: Sendable, Equatable {
    /// The longest raw text kept, in bytes of UTF-8.
    public static let rawTextLimit = 500

    /// The line (delimited text) or row (worksheet) number, from 1.
    public let line: Int
    /// The row as it stands in the file, cut at ``rawTextLimit``; cells of a worksheet are separated by tabs.
    public let rawText: String
    /// Why it was not taken.
    public let reason: SetAsideReason

    /// - Parameters:
    ///   - line: From 1.
    ///   - rawText: Already cut.
    ///   - reason: Why it was not taken.
    public init(line: Int, rawText: String, reason: SetAsideReason) {
        self.line = line
        self.rawText = rawText
        self.reason = reason
    }
}

/// Why a row was set aside.
public enum SetAsideReason: Sendable, Equatable {
    /// The SKU is empty or blank.
    case blankSKU
    /// The warehouse is empty or blank.
    case blankWarehouse
    /// The quantity is empty; an empty quantity is not 0.
    case emptyQuantity(column: String)
    /// The quantity is not a number.
    case notANumber(column: String, text: String)
    /// Nothing in the file or the configuration tells whether the mark groups thousands or stands before decimals.
    case ambiguousNumber(column: String)
    /// More decimals than six, or more units than a milliard.
    case numberOutOfRange(column: String, text: String)
    /// A worksheet cell with an error value such as `#N/A`.
    case errorCell(column: String, text: String)
    /// A NUL or another control character.
    case controlCharacter
    /// The row has fewer or more cells than the header.
    case wrongCellCount(found: Int, expected: Int)
    /// The row or one of its cells is too long.
    case tooLong(limitBytes: Int)
    /// A quote is opened and not closed, or text follows a closing quote.
    case brokenQuotes
    /// The SKU looks as if a spreadsheet had turned it into a number, such as `8.93457E+12`.
    case damagedSKU(text: String)
    /// The SKU or the warehouse name is too long to be one.
    case nameTooLong(column: String, limitBytes: Int)
    /// The date of extraction cannot be read.
    case unreadableDate(text: String)
    /// Another row has the same SKU and warehouse and another quantity.
    case conflictingDuplicate(sku: String, warehouse: String)

    /// From a closed set: safe as a metric's dimension.
    public var label: String {
        switch self {
        case .blankSKU: "blank_sku"
        case .blankWarehouse: "blank_warehouse"
        case .emptyQuantity: "empty_quantity"
        case .notANumber: "not_a_number"
        case .ambiguousNumber: "ambiguous_number"
        case .numberOutOfRange: "number_out_of_range"
        case .errorCell: "error_cell"
        case .controlCharacter: "control_character"
        case .wrongCellCount: "wrong_cell_count"
        case .tooLong: "too_long"
        case .brokenQuotes: "broken_quotes"
        case .damagedSKU: "damaged_sku"
        case .nameTooLong: "name_too_long"
        case .unreadableDate: "unreadable_date"
        case .conflictingDuplicate: "conflicting_duplicate"
        }
    }
}

extension SetAsideReason: CustomStringConvertible {
    /// A sentence for the person who repairs the file.
    public var description: String {
        switch self {
        case .blankSKU:
            "The SKU is blank."
        case .blankWarehouse:
            "The warehouse is blank."
        case .emptyQuantity(let column):
            "The quantity in \"\(column)\" is empty, which is not the same as 0."
        case .notANumber(let column, let text):
            "\"\(text)\" in \"\(column)\" is not a number."
        case .ambiguousNumber(let column):
            "The number in \"\(column)\" could mean thousands or decimals; declare `decimal` for this source."
        case .numberOutOfRange(let column, let text):
            "\"\(text)\" in \"\(column)\" has more than six decimals or is larger than 1,000,000,000."
        case .errorCell(let column, let text):
            "The cell in \"\(column)\" holds the error \(text)."
        case .controlCharacter:
            "The row contains a control character."
        case .wrongCellCount(let found, let expected):
            "The row has \(found) cells where the header has \(expected); a separator or a quote may be missing."
        case .tooLong(let limit):
            "The row or one of its cells is longer than \(limit) bytes."
        case .brokenQuotes:
            "A quote is opened and not closed, or text follows a closing quote."
        case .damagedSKU(let text):
            "\"\(text)\" looks like a SKU that a spreadsheet turned into a number; store the column as text."
        case .nameTooLong(let column, let limit):
            "The text in \"\(column)\" is longer than \(limit) bytes."
        case .unreadableDate(let text):
            "\"\(text)\" is not a date and time that can be read."
        case .conflictingDuplicate(let sku, let warehouse):
            "SKU \(sku) stands in warehouse \(warehouse) more than once with different quantities."
        }
    }
}

/// Something worth knowing about a row that was taken.
public struct RowNote: Sendable, Equatable {
    /// What is worth knowing.
    public enum Kind: String, Sendable {
        /// The quantity is below zero and counts as 0.
        case negative
        /// The quantity has a fraction of a unit.
        case fractional
    }

    /// The line or row number, from 1.
    public let line: Int
    /// The article's code.
    public let sku: String
    /// The warehouse's name.
    public let warehouse: String
    /// The quantity as written, as plain decimal text.
    public let quantity: String
    /// What is worth knowing.
    public let kind: Kind
}
