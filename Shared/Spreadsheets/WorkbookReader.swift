internal import Glibc

/// Reads the rows of an .xlsx workbook one by one, in memory that does not grow with their number.
///
/// Only the table of shared strings is kept whole, under its limit. Formulas give the value that was stored with them.
public final class WorkbookReader {
    /// The worksheets, in the order of their tabs.
    public let sheets: [Worksheet]
    private let archive: ZipArchive
    private let limits: WorkbookLimits
    private let uses1904: Bool
    private let isDate: [Bool]
    private let stringsPath: String?
    private var strings: SharedStringsHandler?

    /// Opens a workbook and reads what describes it.
    public init(path: String, limits: WorkbookLimits = WorkbookLimits()) throws(WorkbookError) {
        self.limits = limits
        try FileSignature.check(path)
        archive = try ZipArchive(path: path, limits: limits)
        let archive = archive
        guard archive.contains("_rels/.rels") else { throw .notAWorkbook }
        let package = RelationshipsHandler()
        try Self.parse("_rels/.rels", in: archive, package)
        guard let bookPath = package.target(ofKind: "officeDocument", in: ""), archive.contains(bookPath) else {
            throw .notAWorkbook
        }
        let folder = bookPath.split(separator: "/").dropLast().joined(separator: "/")
        let fileName = bookPath.split(separator: "/").last ?? ""
        let relations = RelationshipsHandler()
        let relationsPath = (folder.isEmpty ? "" : folder + "/") + "_rels/" + fileName + ".rels"
        if archive.contains(relationsPath) { try Self.parse(relationsPath, in: archive, relations) }
        let book = WorkbookHandler()
        try Self.parse(bookPath, in: archive, book)
        guard !book.sheets.isEmpty else { throw .notAWorkbook }
        uses1904 = book.uses1904
        sheets = book.sheets.compactMap { sheet in
            guard let relation = relations.relationships.first(where: { $0.id == sheet.relationship }),
                relation.type.hasSuffix("/worksheet")
            else { return nil }
            let path = RelationshipsHandler.resolve(relation.target, in: folder)
            return Worksheet(name: sheet.name, isVisible: sheet.isVisible, path: path)
        }
        let styles = StylesHandler()
        if let path = relations.target(ofKind: "styles", in: folder), archive.contains(path) {
            try Self.parse(path, in: archive, styles)
        }
        isDate = styles.isDate
        stringsPath = relations.target(ofKind: "sharedStrings", in: folder)
    }

    /// The worksheet of that name, or the first visible one.
    public func sheet(named name: String? = nil) throws(WorkbookError) -> Worksheet {
        let found = sheets.first { sheet in name.map { $0 == sheet.name } ?? sheet.isVisible }
        guard let found else { throw .noSuchSheet(name: name, available: sheets.map(\.name)) }
        return found
    }

    /// Visits the rows of a worksheet from the first; may be called again.
    ///
    /// - Parameters:
    ///   - name: The worksheet; nil is the first visible one.
    ///   - visit: Gets each row, whose bytes are valid during the call; returns false to end the reading.
    public func forEachRow(
        of name: String? = nil, _ visit: (SheetRow) -> Bool
    ) throws(WorkbookError) {
        let sheet = try sheet(named: name)
        archive.resetCount()
        let strings = try sharedStrings()
        var failure: WorkbookError?
        // The handler dies with this call, so the visitor does not escape.
        withoutActuallyEscaping(visit) { visit in
            let handler = SheetHandler(
                strings: strings, isDate: isDate, uses1904: uses1904, limits: limits, visit: visit)
            do throws(WorkbookError) {
                try Self.parse(sheet.path, in: archive, handler)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func sharedStrings() throws(WorkbookError) -> SharedStringsHandler {
        if let strings { return strings }
        let handler = SharedStringsHandler(limit: limits.sharedStringBytes)
        if let stringsPath, archive.contains(stringsPath) { try Self.parse(stringsPath, in: archive, handler) }
        strings = handler
        return handler
    }

    private static func parse(
        _ part: String, in archive: ZipArchive, _ handler: XMLHandler
    ) throws(WorkbookError) {
        let parser = try XMLPartParser(part: part, handler: handler)
        try archive.read(part) { bytes throws(WorkbookError) in try parser.push(bytes) }
        try parser.finish()
    }
}

/// What a file is by its first bytes, before it is taken for an archive.
enum FileSignature {
    static func check(_ path: String) throws(WorkbookError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(detail: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        // The directory of an old container lies near the beginning in the files that Office writes.
        let bytes = [UInt8](unsafeUninitializedCapacity: 1_048_576) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
        if bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0]) {
            throw holdsEncryptedPackage(bytes) ? .encrypted : .legacy
        }
        guard bytes.starts(with: [0x50, 0x4B]) else { throw .notAWorkbook }
    }

    /// The name of the stream that Office keeps a protected workbook in, as UTF-16.
    private static func holdsEncryptedPackage(_ bytes: [UInt8]) -> Bool {
        let name = Array("EncryptedPackage".utf8.map { [$0, 0] }.joined())
        return bytes.firstRange(of: name) != nil
    }
}
