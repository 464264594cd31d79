internal import DelimitedText
internal import Domain
internal import Foundation
internal import Spreadsheets

/// Reads a stock file from disk into accounted rows.
///
/// Delimited text streams through one buffer, a workbook through the unpacker, so memory holds the rows and little
/// else. The reader decides nothing about the numbers beyond the rows of one file; that is the gate's.
public struct StockFileReader: Sendable {
    /// How the source writes its files.
    public let format: StockFileFormat

    /// - Parameter format: How the source writes its files.
    public init(format: StockFileFormat) { self.format = format }

    /// Reads the whole file. Blocks; call it where blocking is allowed.
    ///
    /// - Parameters:
    ///   - path: A local file.
    ///   - name: What to call it in messages; its last path component unless stated.
    /// - Throws: When nothing may be taken from the file. Single bad rows are set aside instead.
    public func read(path: String, name: String? = nil) throws(StockFileError) -> ParsedStockFile {
        let file = name ?? (path as NSString).lastPathComponent
        let opened = try FileProbe(path: path, name: file, format: format)
        let skipRules = try SkipRules(format.skipPatterns)
        var pass = ReadingPass(file: file, format: format, skipRules: skipRules, fileBytes: opened.fileBytes)
        switch opened.kind {
        case .workbook:
            let table = try WorkbookTable(path: path, file: file, format: format)
            try table.forEachRow { row throws(StockFileError) in try pass.take(row) }
            return try pass.finish(table)
        case .text(let separator):
            let table = TextTable(path: path, file: file, format: format, separator: separator)
            try table.forEachRow { row throws(StockFileError) in try pass.take(row) }
            return try pass.finish(table)
        }
    }
}

/// A file as rows, whatever it is made of.
protocol StockTable: AnyObject {
    /// Visits every row from the first, anew at each call.
    func forEachRow(_ body: (TableRow) throws(StockFileError) -> Void) throws(StockFileError)
    /// The texts of some rows; may be asked after a visit.
    func rawTexts(ofLines lines: Set<Int>) throws(StockFileError) -> [Int: String]
    /// What the file turned out to be; complete after a visit.
    var type: StockFileFormat.FileType { get }
    var encoding: TextEncoding? { get }
    var separatorCharacter: Character? { get }
    var sheetName: String? { get }
}

/// One reading of a file from top to bottom: first the header is looked for, then rows are collected.
struct ReadingPass: ~Copyable {
    private let file: String
    private let format: StockFileFormat
    private let skipRules: SkipRules
    private let matcher: HeaderMatcher
    private let fileBytes: Int
    private var collector: RowCollector?
    private var headerFound = false
    private var titles = 0
    private var blankLines = 0
    private var closest: (line: Int, header: [String], found: Int, missing: [StockFileError.MissingColumn])?

    init(file: String, format: StockFileFormat, skipRules: SkipRules, fileBytes: Int) {
        self.fileBytes = fileBytes
        self.file = file
        self.format = format
        self.skipRules = skipRules
        matcher = HeaderMatcher(format)
    }

    mutating func take(_ row: TableRow) throws(StockFileError) {
        if headerFound {
            try collector?.take(row)
        } else {
            try lookForHeader(row)
        }
    }

    private mutating func lookForHeader(_ row: TableRow) throws(StockFileError) {
        if row.isBlank {
            blankLines += 1
            return
        }
        let texts = row.fault == nil ? row.texts : []
        switch matcher.match(texts, line: row.line) {
        case .header(let layout):
            // A guess that costs little where it is wrong: one SKU for every hundred bytes.
            var started = RowCollector(
                file: file, format: format, layout: layout, skipRules: skipRules,
                expectedSKUs: min(fileBytes / 100, 1_000_000))
            started.counts.titles = titles
            started.counts.blankLines = blankLines
            collector = consume started
            headerFound = true
        case .repeated(let column, let headers):
            throw .repeatedColumn(file: file, line: row.line, column: column, headers: headers)
        case .no(let found, let missing):
            titles += 1
            let filled = texts.filter { !$0.isEmpty }.count
            if closest == nil || found > (closest?.found ?? 0), filled > 0 {
                let header = texts.prefix(30).map { String($0.prefix(60)) }
                closest = (row.line, Array(header), found, missing)
            }
            if titles > format.limits.rowsAboveHeader { throw noHeader() }
        }
    }

    private func noHeader() -> StockFileError {
        var missing = closest?.missing ?? []
        if missing.isEmpty, case .no(_, let all) = matcher.match([], line: 0) { missing = all }
        return .missingColumns(file: file, line: closest?.line, header: closest?.header ?? [], missing: missing)
    }

    /// Decides what only the whole file can decide, and closes the books.
    mutating func finish(_ table: some StockTable) throws(StockFileError) -> ParsedStockFile {
        guard titles > 0 || headerFound else { throw .empty(file: file) }
        guard var collector = collector.take() else { throw noHeader() }
        if let line = collector.cutOffLine { throw .halfWritten(file: file, line: line) }
        try collector.resolveAmbiguousNumbers()
        try collector.readTakenBackRows(from: table)
        guard collector.counts.accepted > 0 else {
            throw .noRows(file: file, setAside: Array(collector.setAside.prefix(5)))
        }
        let layout = ParsedStockFile.Layout(
            type: table.type, encoding: table.encoding, separator: table.separatorCharacter, sheet: table.sheetName,
            decimal: collector.numbers.decided, headerLine: collector.layout.line, header: collector.layout.names)
        return collector.closeBooks(layout)
    }
}
