import Domain
import Foundation
import StockFiles
import Testing

/// A file that is gone when the test is.
final class ScratchFile {
    let path: String
    init(_ bytes: [UInt8], name: String = "stock.csv") throws {
        let folder = NSTemporaryDirectory() + "stock-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        path = folder + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
    deinit { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
}

func parse(_ bytes: [UInt8], _ change: (inout StockFileFormat) -> Void = { _ in }) throws -> ParsedStockFile {
    var format = StockFileFormat()
    change(&format)
    let file = try ScratchFile(bytes)
    return try StockFileReader(format: format).read(path: file.path)
}

func parse(_ text: String, _ change: (inout StockFileFormat) -> Void = { _ in }) throws -> ParsedStockFile {
    try parse(Array(text.utf8), change)
}

/// The error that reading gives; nil if it succeeds.
func failure(_ bytes: [UInt8], _ change: (inout StockFileFormat) -> Void = { _ in }) -> StockFileError? {
    do {
        _ = try parse(bytes, change)
        return nil
    } catch {
        return error as? StockFileError
    }
}

func failure(_ text: String, _ change: (inout StockFileFormat) -> Void = { _ in }) -> StockFileError? {
    failure(Array(text.utf8), change)
}

extension ParsedStockFile {
    /// `SKU@warehouse=units`, in the order of the file.
    var listing: [String] {
        var lines: [String] = []
        forEachRow { lines.append("\($0.erpCode)@\(warehouses[$0.warehouseIndex])=\($0.onHand)") }
        return lines
    }

    /// `line:label` of the rows set aside.
    var setAsideListing: [String] { setAside.map { "\($0.line):\($0.reason.label)" } }
}
