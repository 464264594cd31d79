/// What a cell of a worksheet is.
public enum SheetCellKind: UInt8, Sendable {
    /// No value.
    case empty
    /// Text, as it stands: leading zeros and all.
    case text
    /// A number in the decimal notation of the file, perhaps with an exponent.
    case number
    /// `TRUE` or `FALSE`.
    case boolean
    /// An error value such as `#N/A`.
    case error
    /// A number that is formatted as a date, as local time: `2026-11-21T06:00:00`.
    case date
}

/// One row of a worksheet: bytes in the reader's buffers, valid during the visit.
public struct SheetRow {
    /// The row's number, from 1. Rows that hold nothing may be missing.
    public let number: Int
    /// The cells' texts by column, as UTF-8; gaps are empty.
    public let texts: UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>
    /// What the cells are, by column.
    public let kinds: UnsafeBufferPointer<SheetCellKind>
}
