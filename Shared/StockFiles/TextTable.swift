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
    private var markLength = 0
    /// Where some of the records begin, to find single lines again.
    private var checkpoints: [(line: Int, offset: Int)] = []
    private static let checkpointBytes = 131_072
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
        let stream = try openText()
        var scanner = DelimitedScanner(stream, separator: separator, limits: format.limits.delimited)
        checkpoints = []
        var nextCheckpoint = 0
        while let record = try next(&scanner) {
            if record.offset >= nextCheckpoint {
                checkpoints.append((record.line, record.offset))
                nextCheckpoint = record.offset + Self.checkpointBytes
            }
            try body(TableRow(record))
        }
        encoding = stream.encoding
        markLength = stream.markLength
    }

    /// UTF-8 is read again from the checkpoint before each line; other encodings from the beginning.
    func rawTexts(ofLines lines: Set<Int>) throws(StockFileError) -> [Int: String] {
        var texts: [Int: String] = [:]
        for line in lines.sorted() where texts[line] == nil {
            var stream = try openText()
            var start = (line: 1, offset: 0)
            if encoding == .utf8 {
                start = checkpoints.last { $0.line <= line } ?? start
                stream = try openText(at: start.offset + markLength)
            }
            var scanner = DelimitedScanner(
                stream, separator: separator, limits: format.limits.delimited, firstLine: start.line)
            // From the beginning, all lines are taken on the way.
            while let record = try next(&scanner) {
                if lines.contains(record.line), texts[record.line] == nil {
                    texts[record.line] = TableRow(record).rawText
                }
                if encoding == .utf8 ? record.line >= line : texts.count == lines.count { break }
            }
        }
        return texts
    }

    private func openText(at offset: Int = 0) throws(StockFileError) -> TextStream {
        do throws(DelimitedTextError) {
            let source = try FileByteSource(path: path, offset: offset)
            return TextStream(source, encoding: offset > 0 ? .utf8 : format.encoding)
        } catch {
            throw StockFileError(error, file: file)
        }
    }

    @inline(__always)
    private func next(_ scanner: inout DelimitedScanner) throws(StockFileError) -> DelimitedRecord? {
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
