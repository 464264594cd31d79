internal import DelimitedText
internal import Foundation

/// What a file is, by its size and its first bytes.
struct FileProbe {
    enum Kind {
        case workbook
        case text(separator: UInt8)
    }

    let kind: Kind
    let fileBytes: Int

    init(path: String, name: String, format: StockFileFormat) throws(StockFileError) {
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int else {
            throw .unreadable(file: name, detail: "there is no such file, or reading it is not allowed")
        }
        fileBytes = size
        if size == 0 { throw .empty(file: name) }
        if size > format.limits.fileBytes { throw .tooLarge(file: name, limitBytes: format.limits.fileBytes) }
        let head = try Self.head(path, name)
        try Self.refuseOtherKinds(head, name)
        let zipped = head.starts(with: [0x50, 0x4B, 0x03, 0x04]) || head.starts(with: [0x50, 0x4B, 0x05, 0x06])
        switch format.type {
        case .xlsx:
            guard zipped else {
                throw .unsupported(
                    file: name, found: "not an .xlsx workbook", advice: "Send one, or set `type` to auto.")
            }
            kind = .workbook
        case .auto where zipped:
            kind = .workbook
        case .csv, .tsv, .auto:
            if zipped {
                throw .unsupported(
                    file: name, found: "a workbook or an archive", advice: "Send text, or set `type` to auto.")
            }
            kind = .text(separator: try Self.separator(path, name, format))
        }
    }

    private static func head(_ path: String, _ name: String) throws(StockFileError) -> [UInt8] {
        do throws(DelimitedTextError) {
            let source = try FileByteSource(path: path)
            var failure: DelimitedTextError?
            let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                do throws(DelimitedTextError) {
                    count = try source.read(into: UnsafeMutableRawBufferPointer(buffer))
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            return bytes
        } catch {
            throw StockFileError(error, file: name)
        }
    }

    /// Files that are mistaken for stock files now and then.
    private static func refuseOtherKinds(_ head: [UInt8], _ name: String) throws(StockFileError) {
        let found: String
        if head.starts(with: [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
            found = "an old .xls workbook or one protected with a password"
        } else if head.starts(with: "%PDF".utf8) {
            found = "a PDF"
        } else if head.starts(with: [0x1F, 0x8B]) || head.starts(with: [0x37, 0x7A, 0xBC, 0xAF])
            || head.starts(with: [0x52, 0x61, 0x72, 0x21])
        {
            found = "a compressed file"
        } else if head.prefix(200).drop(while: { $0 <= 0x20 || $0 >= 0x80 }).starts(with: "<".utf8) {
            found = "a web page or XML"
        } else {
            return
        }
        throw .unsupported(file: name, found: found, advice: "Ask for CSV, TSV or .xlsx without a password.")
    }

    /// The declared separator; else the one under which a header is found; else the one that splits lines alike.
    private static func separator(
        _ path: String, _ name: String, _ format: StockFileFormat
    ) throws(StockFileError) -> UInt8 {
        if let declared = format.separator?.asciiValue { return declared }
        if format.type == .tsv { return UInt8(ascii: "\t") }
        let sample = try sample(path, name, format)
        // Excel's own hint.
        if sample.starts(with: "sep=".utf8), sample.count > 4 { return sample[4] }
        let matcher = HeaderMatcher(format)
        for candidate in SeparatorDetection.candidates where hasHeader(sample, candidate, matcher, format) {
            return candidate
        }
        return sample.withUnsafeBufferPointer { SeparatorDetection.detect($0) } ?? UInt8(ascii: ",")
    }

    private static func hasHeader(
        _ sample: [UInt8], _ separator: UInt8, _ matcher: HeaderMatcher, _ format: StockFileFormat
    ) -> Bool {
        let stream = TextStream(MemoryByteSource(sample), encoding: .utf8)
        var scanner = DelimitedScanner(stream, separator: separator, limits: format.limits.delimited)
        for _ in 0...(format.limits.rowsAboveHeader * 2) {
            // The sample may end inside a character; what comes before that counts.
            guard let record = try? scanner.next() else { return false }
            if record.fault == nil, case .header = matcher.match(TableRow(record).texts, line: record.line) {
                return true
            }
        }
        return false
    }

    /// The first part of the text, as UTF-8.
    private static func sample(
        _ path: String, _ name: String, _ format: StockFileFormat
    ) throws(StockFileError) -> [UInt8] {
        do throws(DelimitedTextError) {
            let stream = TextStream(try FileByteSource(path: path), encoding: format.encoding)
            var failure: DelimitedTextError?
            let size = 65_536
            let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                do throws(DelimitedTextError) {
                    let raw = UnsafeMutableRawBufferPointer(buffer)
                    while size - count >= TextStream.smallestBuffer {
                        let more = try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: raw[count...]))
                        if more == 0 { break }
                        count += more
                    }
                } catch {
                    failure = error
                }
            }
            // Bad bytes are reported with their line when the file is read.
            if let failure, case .unreadable = failure { throw failure }
            return bytes
        } catch {
            throw StockFileError(error, file: name)
        }
    }
}
