internal import CXLSXWriter
internal import Foundation

/// Writes the rows of one worksheet from top to bottom; made by
/// ``WorkbookWriter/addSheet(_:columns:freezeHeader:autofilter:)``.
///
/// Each row goes to a temporary file of its worksheet before the next begins, so worksheets may be written in turns.
public final class SheetWriter {
    /// The most rows of a worksheet, the header among them.
    public static let maximumRows = 1_048_576
    /// The most columns.
    public static let maximumColumns = 16_384

    /// As on the tab.
    public let name: String
    /// Rows and headings that were appended, empty ones too; without the header.
    public private(set) var rowCount = 0
    /// Cells whose text was too long and was cut.
    public private(set) var cutCells = 0
    /// The number, from 1, of the row that the next `append` writes.
    public var nextRowNumber: Int { Int(nextRow) + 1 }

    let columnCount: Int
    let hasHeader: Bool
    let filters: Bool
    let formats: FormatTable
    /// Nil once the workbook is closed, which frees it.
    private(set) var sheet: UnsafeMutablePointer<lxw_worksheet>?
    private(set) var nextRow: lxw_row_t = 0
    private let columns: [ColumnFormats]
    private let generalStyles: [UnsafeMutablePointer<lxw_format>?]
    private let textStyles: [UnsafeMutablePointer<lxw_format>?]
    private let dateStyles: [UnsafeMutablePointer<lxw_format>?]

    private struct ColumnFormats {
        let number: NumberFormat
        let styles: [UnsafeMutablePointer<lxw_format>?]
    }

    init(
        _ sheet: UnsafeMutablePointer<lxw_worksheet>, name: String, columns: [Column], filters: Bool,
        formats: FormatTable
    ) throws(WorkbookWritingError) {
        self.sheet = sheet
        self.name = name
        self.filters = filters
        self.formats = formats
        columnCount = columns.count
        hasHeader = columns.contains { !$0.title.isEmpty }
        generalStyles = formats.styles(of: .general)
        textStyles = formats.styles(of: .text)
        dateStyles = formats.styles(of: .dateTime)
        self.columns = columns.map { column in
            let number = NumberFormat(column.kind)
            return ColumnFormats(number: number, styles: formats.styles(of: number))
        }
        for (index, column) in columns.enumerated() {
            let place = lxw_col_t(index)
            // The format serves cells that somebody fills in later; what is written here has its own.
            worksheet_set_column(sheet, place, place, min(max(column.width, 0), 255), self.columns[index].styles[0])
        }
        if hasHeader {
            for (index, column) in columns.enumerated() {
                try check(write(column.title, lxw_col_t(index), formats.header))
            }
            nextRow = 1
        }
    }

    /// Writes the next row.
    ///
    /// Cheap enough for a loop over rows of a database: about a microsecond a cell, no suspension, no lock.
    /// - Parameter row: At most as many cells as there are columns; those that are missing stay empty, and an empty
    ///   array leaves a row out.
    /// - Returns: How many of its texts were cut, see ``CellText``.
    /// - Throws: ``WorkbookWritingError`` if the worksheet is full or closed, the row has too many cells, or the disk
    ///   of the temporary files takes no more. The workbook can only be given up then.
    @discardableResult
    public func append(_ row: [Cell]) throws(WorkbookWritingError) -> Int {
        guard row.count <= columnCount else {
            throw .tooManyCells(sheet: name, row: nextRowNumber, columns: columnCount)
        }
        let before = cutCells
        try beginRow()
        var column = 0
        for cell in row {
            let error = write(cell, column)
            if error != LXW_NO_ERROR { try check(error) }
            column += 1
        }
        try endRow()
        return cutCells - before
    }

    /// Writes a bold text into the first cell of the next row, as a heading between rows.
    public func appendHeading(_ text: String) throws(WorkbookWritingError) {
        try append([.text(text, style: .bold)])
    }

    private func beginRow() throws(WorkbookWritingError) {
        guard sheet != nil else { throw .closed }
        guard nextRow < lxw_row_t(Self.maximumRows) else {
            throw .tooManyRows(sheet: name, limit: Self.maximumRows)
        }
    }

    private func endRow() throws(WorkbookWritingError) {
        nextRow += 1
        rowCount += 1
        // The library looks at no result of a write; the stream remembers.
        if let file = sheet?.pointee.optimize_tmpfile, ferror(file) != 0 {
            throw .rowUnwritable(sheet: name, row: Int(nextRow), detail: SystemError.detail(errno))
        }
    }

    @inline(__always)
    private func write(_ cell: Cell, _ column: Int) -> lxw_error {
        let place = lxw_col_t(column)
        let own = columns[column]
        switch cell {
        case .empty:
            return LXW_NO_ERROR
        case .blank(let style):
            return worksheet_write_blank(sheet, nextRow, place, own.styles[Int(style.rawValue)])
        case .text(let text, let style):
            return write(text, place, textStyles[Int(style.rawValue)])
        case .decimal(let text, let style):
            return write(decimal: text, place, own, style)
        case .integer(let value, let style):
            guard let number = DecimalText.exactNumber(value) else {
                return write(digits: String(value), place, style)
            }
            let styles = own.number.isForNumbers ? own.styles : generalStyles
            return worksheet_write_number(sheet, nextRow, place, number, styles[Int(style.rawValue)])
        case .dateTime(let date, let offset, let style):
            guard let serial = SerialTime.serial(date, offsetSeconds: offset) else {
                return write(digits: SerialTime.text(date, offsetSeconds: offset), place, style)
            }
            return worksheet_write_number(sheet, nextRow, place, serial, dateStyles[Int(style.rawValue)])
        case .boolean(let value, let style):
            return worksheet_write_boolean(sheet, nextRow, place, value ? 1 : 0, generalStyles[Int(style.rawValue)])
        }
    }

    private func write(
        decimal text: String, _ place: lxw_col_t, _ own: ColumnFormats, _ style: CellStyle
    ) -> lxw_error {
        var text = text
        let number = text.withUTF8 { DecimalText.exactNumber($0) }
        if let number {
            let styles = own.number.isForNumbers ? own.styles : generalStyles
            return worksheet_write_number(sheet, nextRow, place, number, styles[Int(style.rawValue)])
        }
        return write(digits: text, place, style)
    }

    /// A number as text. It starts with a minus sign at worst, and what runs then is the number itself.
    private func write(digits text: String, _ place: lxw_col_t, _ style: CellStyle) -> lxw_error {
        let size = text.utf8.dropFirst(text.hasPrefix("-") ? 1 : 0)
        let isNumber = size.first != 0x2E && size.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
        return write(text, place, textStyles[Int(style.rawValue)], escapesFormulas: size.isEmpty || !isNumber)
    }

    @inline(__always)
    private func write(
        _ text: String, _ place: lxw_col_t, _ format: UnsafeMutablePointer<lxw_format>?, escapesFormulas: Bool = true
    ) -> lxw_error {
        text.withCString { pointer in
            let count = text.utf8.count
            let bytes = UnsafeRawBufferPointer(start: pointer, count: count).bindMemory(to: UInt8.self)
            guard let prepared = CellText.prepare(bytes, escapesFormulas: escapesFormulas) else {
                return worksheet_write_string(sheet, nextRow, place, pointer, format)
            }
            if prepared.wasCut { cutCells += 1 }
            return prepared.bytes.withUnsafeBytes { bytes in
                worksheet_write_string(
                    sheet, nextRow, place, bytes.bindMemory(to: CChar.self).baseAddress, format)
            }
        }
    }

    func check(_ error: lxw_error) throws(WorkbookWritingError) {
        guard error != LXW_NO_ERROR else { return }
        throw .library(sheet: name, detail: LibraryError.detail(error))
    }

    /// Writes what is left of the last row and sets the filter. Returns the bytes of its rows.
    func finish() throws(WorkbookWritingError) -> Int {
        guard let sheet else { throw .closed }
        if filters, hasHeader, nextRow > 1 {
            try check(worksheet_autofilter(sheet, 0, 0, nextRow - 1, lxw_col_t(columnCount - 1)))
        }
        lxw_worksheet_write_single_row(sheet)
        guard let file = sheet.pointee.optimize_tmpfile else { return 0 }
        let flushed = fflush(file)
        let code = errno
        guard flushed == 0, ferror(file) == 0 else {
            throw .rowUnwritable(sheet: name, row: Int(nextRow), detail: SystemError.detail(code))
        }
        return max(0, ftell(file))
    }

    /// The temporary file of its rows.
    var temporaryFile: UnsafeMutablePointer<FILE>? { sheet?.pointee.optimize_tmpfile }

    /// To be called where the library is about to free the worksheet.
    func invalidate() { sheet = nil }
}
