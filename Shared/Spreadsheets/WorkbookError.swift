/// Why a workbook cannot be read.
public enum WorkbookError: Error, Equatable, CustomStringConvertible {
    /// The system refused to open or read the file.
    case unreadable(detail: String)
    /// It begins as an archive and has no end, or a part of it is damaged: not completely written or transferred.
    case incomplete
    /// Neither an archive nor an old workbook, or an archive with something else inside.
    case notAWorkbook
    /// Protected with a password.
    case encrypted
    /// The binary format from before 2007 (.xls).
    case legacy
    /// More of something than the limits allow.
    case tooLarge(what: String, limit: Int)
    /// A part that is not what the format asks for.
    case malformed(part: String, detail: String)
    /// No visible worksheet, or none of that name.
    case noSuchSheet(name: String?, available: [String])

    /// What happened and what to do.
    public var description: String {
        switch self {
        case .unreadable(let detail):
            "The workbook cannot be read: \(detail)."
        case .incomplete:
            "The workbook is not complete: it was cut off while it was written or transferred. Ask for it again."
        case .notAWorkbook:
            "The file is not an .xlsx workbook."
        case .encrypted:
            "The workbook is protected with a password and was not read. Ask for it without one."
        case .legacy:
            "The workbook is in the old .xls format and was not read. Ask for .xlsx."
        case .tooLarge(let what, let limit):
            "The workbook has more than \(limit) \(what) and was not read further."
        case .malformed(let part, let detail):
            "The part \(part.prefix(100)) of the workbook is damaged: \(detail)."
        case .noSuchSheet(let name?, let available):
            "The workbook has no worksheet \"\(name)\"; it has \(available.joined(separator: ", ").prefix(500))."
        case .noSuchSheet(nil, _):
            "The workbook has no visible worksheet."
        }
    }
}

/// How much a workbook may hold.
public struct WorkbookLimits: Sendable, Equatable {
    /// Files inside the archive.
    public var entries = 10_000
    /// All parts that are read, unpacked, in bytes.
    public var inflatedBytes = 1_073_741_824
    /// All shared strings together, in bytes.
    public var sharedStringBytes = 268_435_456
    /// The longest cell, in bytes of UTF-8.
    public var cellBytes = 131_072
    /// The longest row, in bytes of UTF-8.
    public var rowBytes = 1_048_576
    /// Columns of a row; the format allows no more.
    public var columns = 16_384

    /// The defaults above.
    public init() {}
}
