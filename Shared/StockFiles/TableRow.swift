internal import DelimitedText
internal import Foundation
internal import Spreadsheets

/// One row of either kind of file; its bytes are valid until the next one is read.
struct TableRow {
    let line: Int
    let cells: UnsafeBufferPointer<UnsafeBufferPointer<UInt8>>
    /// What the cells of a worksheet are; nil for delimited text.
    let kinds: UnsafeBufferPointer<SheetCellKind>?
    /// The bytes as they stand in the file; nil for a worksheet.
    let raw: UnsafeBufferPointer<UInt8>?
    let fault: RecordFault?
    let hasControlCharacters: Bool
    let endsWithLineBreak: Bool

    @inline(__always)
    init(_ record: DelimitedRecord) {
        line = record.line
        cells = record.cells
        kinds = nil
        raw = record.raw
        fault = record.fault
        hasControlCharacters = record.hasControlCharacters
        endsWithLineBreak = record.endsWithLineBreak
    }

    init(_ row: SheetRow) {
        line = row.number
        cells = row.texts
        kinds = row.kinds
        raw = nil
        fault = nil
        hasControlCharacters = false
        endsWithLineBreak = true
    }

    @inline(__always)
    func cell(_ column: Int) -> UnsafeBufferPointer<UInt8> {
        column < cells.count ? cells[column] : UnsafeBufferPointer(start: nil, count: 0)
    }

    @inline(__always)
    func kind(_ column: Int) -> SheetCellKind {
        guard let kinds else { return .text }
        return column < kinds.count ? kinds[column] : .empty
    }

    var isBlank: Bool {
        // A record with a fault has no cells that mean anything.
        fault == nil && cells.allSatisfy { $0.trimmed.isEmpty }
    }

    /// The cells as trimmed text.
    var texts: [String] {
        cells.map { String(decoding: $0.trimmed, as: UTF8.self).precomposedStringWithCanonicalMapping }
    }

    /// The row for a person to look at.
    var rawText: String {
        let limit = SetAsideRow.rawTextLimit
        if let raw { return raw.text(limit: limit) }
        var joined: [UInt8] = []
        for (index, cell) in cells.enumerated() where joined.count <= limit {
            if index > 0 { joined.append(UInt8(ascii: "\t")) }
            joined.append(contentsOf: cell.prefix(limit + 1))
        }
        return joined.withUnsafeBufferPointer { $0.text(limit: limit) }
    }
}
