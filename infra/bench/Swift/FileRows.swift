import Domain
import Spreadsheets
import StockFiles

/// Files without a server.
enum FileRows {
    /// Reads a stock file, accounts for every row and adds the warehouses up.
    static func csv(path: String) throws -> Measurement {
        var format = StockFileFormat()
        format.limits.badRows = 1_000
        let start = ContinuousClock.now
        let file = try StockFileReader(format: format).read(path: path)
        var skus = 0
        StockTotals(of: file).forEach { (_, _) in skus += 1 }
        return Measurement(seconds: (ContinuousClock.now - start).inSeconds, count: skus)
    }

    /// Visits every cell of every row of the first worksheet.
    static func workbook(path: String) throws -> Measurement {
        let start = ContinuousClock.now
        var rows = 0
        var bytes = 0
        try WorkbookReader(path: path).forEachRow { row in
            rows += 1
            for text in row.texts { bytes += text.count }
            return true
        }
        return Measurement(seconds: (ContinuousClock.now - start).inSeconds, count: rows)
    }
}
