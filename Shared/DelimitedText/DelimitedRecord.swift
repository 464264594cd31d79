/// How much of anything a delimited file may hold in one place.
public struct DelimitedLimits: Sendable, Equatable {
    /// The longest record in bytes of UTF-8.
    public var recordBytes: Int
    /// The longest cell in bytes of UTF-8.
    public var cellBytes: Int
    /// The most cells of one record.
    public var cells: Int
    /// How much is read at once; 512 KiB suits disks and transfers alike.
    public var chunkBytes: Int

    /// Limits in bytes of UTF-8.
    public init(recordBytes: Int = 65_536, cellBytes: Int = 32_768, cells: Int = 1_024, chunkBytes: Int = 524_288) {
        precondition(recordBytes > 0 && cellBytes > 0 && cells > 0, "limits are positive")
        self.recordBytes = recordBytes
        self.cellBytes = cellBytes
        self.cells = cells
        self.chunkBytes = max(chunkBytes, TextStream.smallestBuffer)
    }
}

/// Why one record cannot be trusted. Scanning goes on at the line after the one where it went wrong.
public enum RecordFault: Sendable, Equatable {
    /// The record is longer than the limit.
    case recordTooLong(limit: Int)
    /// A cell is longer than the limit; `column` counts from 0.
    case cellTooLong(column: Int, limit: Int)
    /// The record has more cells than the limit.
    case tooManyCells(limit: Int)
    /// A quote opens and is not closed, within the longest record or before the end.
    case unterminatedQuote
    /// A closing quote is followed by something other than a separator or a line break.
    case textAfterQuote
}

/// One record of a delimited file: bytes inside the scanner's buffer, valid until the next record is asked for.
public struct DelimitedRecord {
    /// The line that the record begins on, from 1. A quoted cell may run over several lines.
    public let line: Int
    /// Where the record begins in the text, in bytes of UTF-8 after any byte order mark.
    public let offset: Int
    /// The record as it stands in the file (as UTF-8), without its line break; cut at the limit if it is too long.
    public let raw: UnsafeBufferPointer<UInt8>
    /// The cells, unquoted. Meaningless if there is a ``fault``.
    public let cells: UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>
    /// Why the record cannot be trusted, or nil.
    public let fault: RecordFault?
    /// Whether an ASCII control character other than a tab stands in it, line breaks in quotes left out.
    public let hasControlCharacters: Bool
    /// Whether a line break follows; false only for the last record of a file, and then perhaps a sign that the file
    /// is cut off.
    public let endsWithLineBreak: Bool
}
