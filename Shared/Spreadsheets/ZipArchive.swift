internal import CZip

/// The files inside an .xlsx, unpacked piece by piece under a common limit.
final class ZipArchive {
    private let handle: OpaquePointer
    private let limits: WorkbookLimits
    private var inflated = 0
    private static let chunkBytes = 131_072

    init(path: String, limits: WorkbookLimits) throws(WorkbookError) {
        self.limits = limits
        var code: Int32 = 0
        guard let handle = zip_open(path, ZIP_RDONLY, &code) else {
            switch code {
            case ZIP_ER_NOENT, ZIP_ER_OPEN, ZIP_ER_READ:
                throw .unreadable(detail: "it does not exist or reading it is not allowed")
            default:
                throw .incomplete
            }
        }
        self.handle = handle
        if zip_get_num_entries(handle, 0) > limits.entries { throw .tooLarge(what: "parts", limit: limits.entries) }
    }

    deinit { zip_discard(handle) }

    func contains(_ name: String) -> Bool { zip_name_locate(handle, name, ZIP_FL_NOCASE) >= 0 }

    /// Unpacks one file and hands it over piece by piece, until `body` returns false.
    ///
    /// libzip compares the checksum at the end, so damage is found if all is read.
    func read(
        _ name: String, _ body: (UnsafeRawBufferPointer) throws(WorkbookError) -> Bool
    ) throws(WorkbookError) {
        var status = zip_stat_t()
        guard zip_stat(handle, name, ZIP_FL_NOCASE, &status) == 0 else {
            throw .malformed(part: name, detail: "it is missing")
        }
        if status.encryption_method != 0 { throw .encrypted }
        // What the directory claims is checked first, what really comes out below.
        if status.size > UInt64(limits.inflatedBytes) { throw tooLarge }
        guard let file = zip_fopen(handle, name, ZIP_FL_NOCASE) else { throw .incomplete }
        defer { zip_fclose(file) }
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: Self.chunkBytes, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = zip_fread(file, buffer, UInt64(Self.chunkBytes))
            if count < 0 { throw .incomplete }
            if count == 0 { return }
            inflated += Int(count)
            if inflated > limits.inflatedBytes { throw tooLarge }
            guard try body(UnsafeRawBufferPointer(start: buffer, count: Int(count))) else { return }
        }
    }

    private var tooLarge: WorkbookError { .tooLarge(what: "bytes unpacked", limit: limits.inflatedBytes) }

    /// Starts the count of unpacked bytes anew; for a second reading of a part.
    func resetCount() { inflated = 0 }
}
