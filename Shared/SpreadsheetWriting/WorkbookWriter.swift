internal import CXLSXWriter
public import Foundation

/// Writes an .xlsx workbook in memory that does not grow with its rows.
///
/// Rows go to temporary files without names, one a worksheet; `close` packs them into the workbook. Worksheets stand in
/// the order in which they were added, and may be written one after another or in turns. The same calls give the same
/// bytes. Not Sendable: one task uses it. A writer that is dropped unclosed leaves nothing behind.
public final class WorkbookWriter {
    /// Where the workbook appears once it is complete.
    public let path: String
    private let temporaryDirectory: String
    private(set) var book: UnsafeMutablePointer<lxw_workbook>?
    private let formats: FormatTable
    private var sheets: [SheetWriter] = []
    private var properties = DocumentProperties()

    /// Begins a workbook; nothing appears at `path` before `close`.
    ///
    /// - Parameters:
    ///   - path: The workbook; an older file of that name is replaced when this one is complete.
    ///   - temporaryDirectory: Takes the rows, unpacked, twice for the largest worksheet; nil is the workbook's folder.
    /// - Throws: ``WorkbookWritingError/unusableFolder(path:detail:)``.
    public init(path: String, temporaryDirectory: String? = nil) throws(WorkbookWritingError) {
        let folder = (path as NSString).deletingLastPathComponent
        let workbookFolder = folder.isEmpty ? "." : folder
        self.path = path
        self.temporaryDirectory = temporaryDirectory ?? workbookFolder
        try Self.checkFolder(workbookFolder)
        // The library would silently take another one.
        try Self.checkFolder(self.temporaryDirectory)
        let book = self.temporaryDirectory.withCString { directory in
            var options = lxw_workbook_options(
                constant_memory: 1, tmpdir: UnsafeMutablePointer(mutating: directory), use_zip64: 0)
            return workbook_new_opt(path + ".part", &options)
        }
        guard let book else { throw .unusableFolder(path: workbookFolder, detail: "memory has run out") }
        self.book = book
        formats = FormatTable(book)
    }

    deinit { discard() }

    /// Adds a worksheet after those that are there.
    ///
    /// - Parameters:
    ///   - name: At most 31 UTF-16 units, without `[ ] : * ? / \` and control characters, no apostrophe at either end;
    ///     not that of another worksheet, whatever the case of its letters. `freeSheetName` makes one of any text.
    ///   - columns: 1 to 16384. If all titles are empty, there is no header row.
    ///   - freezeHeader: Whether the header row stays in sight.
    ///   - autofilter: Whether the header row gets filter buttons.
    public func addSheet(
        _ name: String, columns: [Column], freezeHeader: Bool = true, autofilter: Bool = false
    ) throws(WorkbookWritingError) -> SheetWriter {
        guard let book else { throw .closed }
        if let reason = SheetName.objection(to: name, taken: sheets.map(\.name)) {
            throw .invalidSheetName(name, reason: reason)
        }
        guard (1...SheetWriter.maximumColumns).contains(columns.count) else {
            throw .invalidColumns(sheet: name, count: columns.count)
        }
        errno = 0
        guard let sheet = workbook_add_worksheet(book, name) else {
            throw .unwritable(path: path, detail: SystemError.detail(errno))
        }
        let writer = try SheetWriter(sheet, name: name, columns: columns, filters: autofilter, formats: formats)
        if freezeHeader, writer.hasHeader { worksheet_freeze_panes(sheet, 1, 0) }
        // On paper all columns stand side by side on pages of their own width, under the header.
        worksheet_set_landscape(sheet)
        worksheet_fit_to_pages(sheet, 1, 0)
        if writer.hasHeader { try writer.check(worksheet_repeat_rows(sheet, 0, 0)) }
        sheets.append(writer)
        return writer
    }

    /// A name for a worksheet as near as possible to a text: what is not allowed is left out, what is too long is cut,
    /// and a number is added where the name is taken.
    public func freeSheetName(_ text: String) -> String { SheetName.free(text, taken: sheets.map(\.name)) }

    /// Sets what a file manager shows. The time stands in the workbook as given, or as 1980 without this call, so that
    /// the same content gives the same bytes whenever it is written.
    public func setDocumentProperties(
        title: String, author: String, company: String = "", comments: String = "", createdAt: Date
    ) {
        properties = DocumentProperties(
            title: title, author: author, company: company, comments: comments, createdAt: createdAt)
    }

    /// Packs the workbook and puts it at its path. Takes most of the time of writing: about a second for 100,000 rows
    /// of 15 cells, without a suspension; where others wait for the thread, call it on one of its own.
    ///
    /// - Returns: The bytes of the workbook.
    /// - Throws: ``WorkbookWritingError``. Nothing is left at the path then but what was there before, and the writer
    ///   is closed.
    @discardableResult
    public func close() throws(WorkbookWritingError) -> Int {
        guard let book else { throw .closed }
        guard !sheets.isEmpty else { throw .noSheet }
        defer { discard() }
        var rowBytes: [Int] = []
        for sheet in sheets { rowBytes.append(try sheet.finish()) }
        try checkRoom(for: rowBytes.max() ?? 0)
        properties.set(in: book)
        let unfinished = path + ".part"
        try pack(book, to: unfinished)
        if let objection = ArchiveDirectory.objection(to: unfinished, rowBytes: rowBytes) {
            unlink(unfinished)
            throw .incomplete(path: path, detail: objection)
        }
        guard rename(unfinished, path) == 0 else {
            let code = errno
            unlink(unfinished)
            throw .unwritable(path: path, detail: SystemError.detail(code))
        }
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// The library frees the workbook, whatever comes out.
    private func pack(_ book: UnsafeMutablePointer<lxw_workbook>, to unfinished: String) throws(WorkbookWritingError) {
        let leftovers = sheets.compactMap(\.temporaryFile).map { TemporaryFile(descriptor: fileno($0)) }
        defer { for file in leftovers { file.release() } }
        for sheet in sheets { sheet.invalidate() }
        self.book = nil
        errno = 0
        let error = workbook_close(book)
        let code = errno
        guard error != LXW_NO_ERROR else { return }
        unlink(unfinished)
        throw .unwritable(path: path, detail: code == 0 ? LibraryError.detail(error) : SystemError.detail(code))
    }

    /// While a worksheet is packed its rows lie there a second time; the library does not notice when they do not fit.
    private func checkRoom(for bytes: Int) throws(WorkbookWritingError) {
        var status = statvfs()
        guard statvfs(temporaryDirectory, &status) == 0 else { return }
        let free = Int(clamping: status.f_bavail).multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
        let needed = bytes + 1_048_576
        if !free.overflow, free.partialValue < needed {
            throw .noRoom(folder: temporaryDirectory, neededBytes: needed, freeBytes: free.partialValue)
        }
    }

    private static func checkFolder(_ folder: String) throws(WorkbookWritingError) {
        var status = stat()
        guard stat(folder, &status) == 0 else {
            throw .unusableFolder(path: folder, detail: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .unusableFolder(path: folder, detail: "it is no folder")
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw .unusableFolder(path: folder, detail: String(cString: strerror(errno)))
        }
    }

    /// Gives up what was not packed. The library frees its structures then, but leaves the files open.
    private func discard() {
        guard let book else { return }
        for sheet in sheets {
            if let file = sheet.temporaryFile { fclose(file) }
            sheet.invalidate()
        }
        lxw_workbook_free(book)
        self.book = nil
    }
}
