internal import DelimitedText
internal import Spreadsheets

/// A worksheet as rows.
final class WorkbookTable: StockTable {
    private let file: String
    private let reader: WorkbookReader
    let type = StockFileFormat.FileType.xlsx
    let encoding: TextEncoding? = nil
    let separatorCharacter: Character? = nil
    let sheetName: String?

    init(path: String, file: String, format: StockFileFormat) throws(StockFileError) {
        self.file = file
        var limits = WorkbookLimits()
        limits.inflatedBytes = format.limits.inflatedBytes
        limits.cellBytes = format.limits.cellBytes
        limits.rowBytes = format.limits.rowBytes
        do throws(WorkbookError) {
            reader = try WorkbookReader(path: path, limits: limits)
            sheetName = try reader.sheet(named: format.sheet).name
        } catch {
            throw StockFileError(error, file: file)
        }
    }

    func forEachRow(_ body: (TableRow) throws(StockFileError) -> Void) throws(StockFileError) {
        var failure: StockFileError?
        do throws(WorkbookError) {
            try reader.forEachRow(of: sheetName) { row in
                do throws(StockFileError) {
                    try body(TableRow(row))
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
        } catch {
            throw StockFileError(error, file: file)
        }
        if let failure { throw failure }
    }

    func rawTexts(ofLines lines: Set<Int>) throws(StockFileError) -> [Int: String] {
        var texts: [Int: String] = [:]
        try forEachRow { row throws(StockFileError) in
            if lines.contains(row.line), texts[row.line] == nil { texts[row.line] = row.rawText }
        }
        return texts
    }
}

extension StockFileError {
    init(_ error: WorkbookError, file: String) {
        switch error {
        case .unreadable(let detail): self = .unreadable(file: file, detail: detail)
        case .incomplete: self = .halfWritten(file: file, line: nil)
        case .notAWorkbook:
            self = .unsupported(
                file: file, found: "an archive without a workbook inside", advice: "Ask for CSV, TSV or .xlsx.")
        case .encrypted:
            self = .unsupported(
                file: file, found: "protected with a password", advice: "Ask for it without a password.")
        case .legacy:
            self = .unsupported(file: file, found: "an old .xls workbook", advice: "Ask for .xlsx, CSV or TSV.")
        case .tooLarge, .malformed, .noSuchSheet: self = .workbook(file: file, detail: error.description)
        }
    }
}
