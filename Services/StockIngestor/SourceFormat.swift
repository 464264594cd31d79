import DelimitedText
import Domain
import Foundation
import Settings
import StockFiles

/// What the configuration says of a source, in the terms of the reader and the gate.
struct SourceFormat: Sendable {
    let reading: StockFileFormat
    let limits: GateLimits
    /// In how many files in a row a row may be missing before it counts as zero; nil keeps it for ever.
    let zeroAfterFiles: Int?
    private let asOf: StockbridgeConfiguration.AsOf
    private let parser: AsOfParser

    init(_ source: StockbridgeConfiguration.Source) {
        asOf = source.asOf
        parser = AsOfParser(timeZone: source.asOf.timeZone)
        limits = GateLimits(
            rowChange: source.gate.maxRowChange, toZero: source.gate.maxToZero,
            unitsChange: source.gate.maxUnitsChange)
        zeroAfterFiles =
            switch source.format.missingSKU {
            case .keep: nil
            case .zero: 1
            case .zeroAfter(let files): files
            }
        reading = Self.reading(source)
    }

    /// The statement's time, where it is known without reading the file.
    func asOfBeforeReading(_ candidate: Candidate) -> Date? {
        switch asOf.from {
        case .mtime: candidate.modifiedAt
        case .fileName:
            asOf.pattern.flatMap { parser.date(inFileName: candidate.name, pattern: $0) }
        case .column: nil
        }
    }

    /// Why a file's statement has no time, and what to do.
    func noTimeSentence(_ file: String) -> String {
        switch asOf.from {
        case .mtime:
            "The server states no modification time for \(file), so it is not known as of when its numbers are. "
                + "Nothing was taken; set `as_of.from` to `column` or `file_name`."
        case .fileName:
            "The name \(file) holds no time that `as_of.pattern` finds, so it is not known as of when its numbers are. "
                + "Nothing was taken; correct the name or the pattern."
        case .column:
            "\(file) states no time of extraction. Nothing was taken; fill the column."
        }
    }

    private static func reading(_ source: StockbridgeConfiguration.Source) -> StockFileFormat {
        let settings = source.format
        var format = StockFileFormat()
        format.type = StockFileFormat.FileType(rawValue: settings.type.rawValue) ?? .auto
        format.encoding = TextEncoding(name: settings.encoding.rawValue)
        format.separator = settings.separator == .auto ? nil : settings.separator.rawValue.first
        format.decimal = StockFileFormat.DecimalMark(rawValue: settings.decimal.rawValue) ?? .auto
        format.columns = StockFileFormat.Columns(
            sku: settings.columns.sku, warehouse: settings.columns.warehouse, onHand: settings.columns.onHand,
            reserved: settings.columns.reserved, asOf: settings.columns.asOf)
        for (warehouse, headings) in settings.wideWarehouses {
            for heading in headings { format.wideWarehouses[heading] = warehouse }
        }
        format.skipPatterns = settings.skipPatterns
        format.duplicates = StockFileFormat.Duplicates(rawValue: settings.duplicates.rawValue) ?? .reject
        format.asOfFromColumn = source.asOf.from == .column
        format.timeZone = source.asOf.timeZone
        format.limits.fileBytes = source.gate.maxBytes
        format.limits.badRows = source.gate.maxBadRows
        return format
    }
}
