import Foundation
import Testing

@testable import SpreadsheetWriting

@Suite struct ArchiveDirectoryTests {
    private func workbook(in folder: ScratchFolder) throws -> Data {
        let writer = try WorkbookWriter(path: folder.book)
        let sheet = try writer.addSheet("Lines", columns: [Column("SKU")])
        for number in 0..<100 { try sheet.append([.text("S\(number)")]) }
        try writer.close()
        return try Data(contentsOf: URL(fileURLWithPath: folder.book))
    }

    @Test func `a worksheet that is no longer than its rows was cut off`() throws {
        let folder = try ScratchFolder()
        _ = try workbook(in: folder)
        #expect(ArchiveDirectory.objection(to: folder.book, rowBytes: [5_000]) == nil)
        let objection = ArchiveDirectory.objection(to: folder.book, rowBytes: [100_000])
        #expect(objection == "its part xl/worksheets/sheet1.xml was cut off")
        #expect(ArchiveDirectory.objection(to: folder.book, rowBytes: [5_000, 1]) != nil)
    }

    @Test func `an archive without its end is not whole`() throws {
        let folder = try ScratchFolder()
        let bytes = try workbook(in: folder)
        for count in [0, 10, 22, bytes.count / 2, bytes.count - 1] {
            try bytes.prefix(count).write(to: URL(fileURLWithPath: folder.book))
            #expect(ArchiveDirectory.objection(to: folder.book, rowBytes: []) != nil, "\(count) bytes")
        }
        #expect(ArchiveDirectory.objection(to: folder.path + "/missing", rowBytes: []) != nil)
    }
}
