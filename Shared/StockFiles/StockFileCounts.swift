/// How every row of a file is accounted for.
///
/// `rowsRead == accepted + setAside + duplicatesMerged` (domain.md section 2). A row is one statement about a SKU and a
/// warehouse: one line in a long file, one warehouse cell in a wide one.
public struct StockFileCounts: Sendable, Equatable {
    /// Statements about stock that the file makes.
    public internal(set) var rowsRead = 0
    /// Those that count.
    public internal(set) var accepted = 0
    /// Those that were set aside, with their reasons.
    public internal(set) var setAside = 0
    /// Those that say the same as another, or that went into a sum, or that a later one replaced.
    public internal(set) var duplicatesMerged = 0

    /// Lines above the header.
    public internal(set) var titles = 0
    /// The header, where it comes again.
    public internal(set) var repeatedHeaders = 0
    /// Lines without content.
    public internal(set) var blankLines = 0
    /// Totals and lines that match a skip pattern.
    public internal(set) var totals = 0

    /// Accepted rows whose quantity is below zero and counts as 0.
    public internal(set) var negative = 0
    /// Accepted rows with a fraction of a unit.
    public internal(set) var fractional = 0

    /// Whether all rows are accounted for; false would be a defect of the reader.
    public var addUp: Bool { rowsRead == accepted + setAside + duplicatesMerged }
}
