/// Builds .xlsx files for tests, byte by byte: also such as no program would write.
public struct WorkbookBuilder {
    /// The parts by name.
    public var parts: [(name: String, content: [UInt8])] = []
    /// Parts by name that are written as a given deflate stream, with the length that the archive claims for them.
    public var deflated: [String: (stream: [UInt8], claimedBytes: Int)] = [:]

    /// A workbook with one worksheet.
    ///
    /// - Parameters:
    ///   - sheetData: The rows as XML.
    ///   - sharedStrings: The `si` elements as XML.
    ///   - cellFormats: The `numFmts` and `cellXfs` elements as XML.
    ///   - uses1904: Whether dates count from 1904.
    public init(
        sheetData: String, sharedStrings: String = "", cellFormats: String = "<cellXfs><xf numFmtId=\"0\"/></cellXfs>",
        uses1904: Bool = false
    ) {
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        let package = "http://schemas.openxmlformats.org/package/2006/relationships"
        add(
            "_rels/.rels",
            "<Relationships xmlns=\"\(package)\"><Relationship Id=\"rId1\" Type=\"\(relations)/officeDocument\" "
                + "Target=\"xl/workbook.xml\"/></Relationships>")
        add(
            "xl/workbook.xml",
            "<workbook xmlns=\"\(main)\" xmlns:r=\"\(relations)\">"
                + "<workbookPr date1904=\"\(uses1904 ? 1 : 0)\"/><sheets>"
                + "<sheet name=\"Notes\" sheetId=\"1\" state=\"hidden\" r:id=\"rId2\"/>"
                + "<sheet name=\"Stock\" sheetId=\"2\" r:id=\"rId1\"/></sheets></workbook>")
        add(
            "xl/_rels/workbook.xml.rels",
            "<Relationships xmlns=\"\(package)\">"
                + "<Relationship Id=\"rId1\" Type=\"\(relations)/worksheet\" Target=\"worksheets/sheet1.xml\"/>"
                + "<Relationship Id=\"rId2\" Type=\"\(relations)/worksheet\" Target=\"/xl/worksheets/sheet2.xml\"/>"
                + "<Relationship Id=\"rId3\" Type=\"\(relations)/styles\" Target=\"styles.xml\"/>"
                + "<Relationship Id=\"rId4\" Type=\"\(relations)/sharedStrings\" Target=\"sharedStrings.xml\"/>"
                + "</Relationships>")
        add("xl/styles.xml", "<styleSheet xmlns=\"\(main)\">\(cellFormats)</styleSheet>")
        add("xl/sharedStrings.xml", "<sst xmlns=\"\(main)\">\(sharedStrings)</sst>")
        add(
            "xl/worksheets/sheet1.xml",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<worksheet xmlns=\"\(main)\">"
                + "<sheetData>\(sheetData)</sheetData></worksheet>")
        add(
            "xl/worksheets/sheet2.xml",
            "<worksheet xmlns=\"\(main)\"><sheetData><row><c t=\"inlineStr\"><is><t>hidden</t></is></c></row>"
                + "</sheetData></worksheet>")
    }

    /// An archive with these parts only.
    public init(parts: [(name: String, content: [UInt8])]) { self.parts = parts }

    /// Adds a part.
    public mutating func add(_ name: String, _ content: String) { parts.append((name, Array(content.utf8))) }

    /// Replaces a part.
    public mutating func replace(_ name: String, _ content: String) {
        parts.removeAll { $0.name == name }
        add(name, content)
    }

    /// The archive, without compression but for ``deflated``. `flags` are the general purpose flags of each entry; 1
    /// says encrypted.
    public func archive(flags: UInt16 = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        var directory: [UInt8] = []
        for part in parts {
            let offset = bytes.count
            let packed = deflated[part.name]
            let content = packed?.stream ?? part.content
            var entry: [UInt8] = []
            entry += little(20, 2) + little(Int(flags), 2) + little(packed == nil ? 0 : 8, 2) + little(0, 4)
            entry += little(Int(packed == nil ? Self.checksum(content) : 0), 4)
            entry += little(content.count, 4) + little(packed?.claimedBytes ?? content.count, 4)
            entry += little(part.name.utf8.count, 2) + little(0, 2)
            bytes += [0x50, 0x4B, 0x03, 0x04] + entry + Array(part.name.utf8) + content
            directory += [0x50, 0x4B, 0x01, 0x02] + little(20, 2) + entry
            directory += little(0, 2) + little(0, 2) + little(0, 2) + little(0, 4) + little(offset, 4)
            directory += Array(part.name.utf8)
        }
        let start = bytes.count
        bytes += directory
        bytes += [0x50, 0x4B, 0x05, 0x06] + little(0, 4) + little(parts.count, 2) + little(parts.count, 2)
        bytes += little(directory.count, 4) + little(start, 4) + little(0, 2)
        return bytes
    }

    private func little(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    /// CRC-32 as zip archives use it, bit by bit.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = .max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
        return ~value
    }
}
