internal import DelimitedText
internal import Foundation

/// A delimited file as rows.
final class TextTable: StockTable {
    private let path: String
    private let file: String
    private let format: StockFileFormat
    private let separator: UInt8
    let type: StockFileFormat.FileType
    private(set) var encoding: TextEncoding?
    let sheetName: String? = nil

    init(path: String, file: String, format: StockFileFormat, separator: UInt8) {
        self.path = path
        self.file = file
        self.format = format
        self.separator = separator
        type = separator == UInt8(ascii: "\t") ? .tsv : .csv
    }

    var separatorCharacter: Character? { Character(Unicode.Scalar(separator)) }

    func forEachRow(_ body: (TableRow) throws(StockFileError) -> Void) throws(StockFileError) {
        let scanner = DelimitedScanner(try openText(), separator: separator, limits: format.limits.delimited)
        while let record = try next(scanner) { try body(TableRow(record)) }
        encoding = scanner.encoding
    }

    private func openText() throws(StockFileError) -> TextStream {
        do throws(DelimitedTextError) {
            return TextStream(try FileByteSource(path: path), encoding: format.encoding)
        } catch {
            throw StockFileError(error, file: file)
        }
    }

    @inline(__always)
    private func next(_ scanner: DelimitedScanner) throws(StockFileError) -> DelimitedRecord? {
        do throws(DelimitedTextError) {
            return try scanner.next()
        } catch {
            throw StockFileError(error, file: file)
        }
    }
}

extension StockFileError {
    init(_ error: DelimitedTextError, file: String) {
        switch error {
        case .unreadable(_, let detail): self = .unreadable(file: file, detail: detail)
        case .invalidBytes: self = .encoding(file: file, error)
        }
    }
}

extension StockFileLimits {
    var delimited: DelimitedLimits { DelimitedLimits(recordBytes: rowBytes, cellBytes: cellBytes) }
}
