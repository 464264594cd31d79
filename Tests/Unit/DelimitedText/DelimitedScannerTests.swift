import DelimitedText
import Testing

/// A record as copies, for comparing.
struct CopiedRecord: Equatable {
    var line: Int
    var cells: [String]
    var fault: RecordFault?

    init(_ line: Int, _ cells: [String], _ fault: RecordFault? = nil) {
        self.line = line
        self.cells = fault == nil ? cells : []
        self.fault = fault
    }
}

func scan(
    _ bytes: [UInt8], separator: Character = ",", encoding: TextEncoding? = nil, stride: Int = .max,
    limits: DelimitedLimits = DelimitedLimits()
) throws -> [CopiedRecord] {
    let stream = TextStream(MemoryByteSource(bytes, stride: stride), encoding: encoding)
    var scanner = DelimitedScanner(stream, separator: separator.asciiValue ?? 0, limits: limits)
    var records: [CopiedRecord] = []
    while let record = try scanner.next() {
        records.append(
            CopiedRecord(record.line, record.cells.map { String(decoding: $0, as: UTF8.self) }, record.fault))
    }
    return records
}

func scan(_ text: String, stride: Int = .max, limits: DelimitedLimits = DelimitedLimits()) throws -> [CopiedRecord] {
    try scan(Array(text.utf8), stride: stride, limits: limits)
}

@Suite struct DelimitedScannerTests {
    @Test(arguments: ["\n", "\r\n", "\r"])
    func `records end at every kind of line break`(lineBreak: String) throws {
        let text = ["a,b", "c,d", ""].joined(separator: lineBreak)
        #expect(try scan(text) == [CopiedRecord(1, ["a", "b"]), CopiedRecord(2, ["c", "d"])])
    }

    @Test func `the last record needs no line break, and says so`() throws {
        var scanner = DelimitedScanner(TextStream(MemoryByteSource(Array("a\nb".utf8))), separator: 0x2C)
        #expect(try scanner.next()?.endsWithLineBreak == true)
        #expect(try scanner.next()?.endsWithLineBreak == false)
        #expect(try scanner.next() == nil)
    }

    @Test func `quotes keep separators, line breaks and doubled quotes`() throws {
        let text = "\"a,1\",\"b\nc\r\nd\",\"say \"\"hi\"\"\"\nnext,\"\",x\"y\n"
        #expect(
            try scan(text) == [
                CopiedRecord(1, ["a,1", "b\nc\r\nd", "say \"hi\""]), CopiedRecord(4, ["next", "", "x\"y"]),
            ])
    }

    @Test func `every seam between reads gives the same records`() throws {
        let text = "\"a\"\"b\",\"c\r\nd\"\r\n\r\ne,\"f\" \r\"g\",h\n\"open\nnext,line\n\"x\"y,z\nlast,\u{1EA5}\u{1F600}"
        let whole = try scan(text)
        #expect(whole.count == 8)
        for stride in 1...9 { #expect(try scan(text, stride: stride) == whole, "stride \(stride)") }
    }

    @Test func `an unmatched quote costs its own line only`() throws {
        let text = "a,b\nc,\"d\ne,f\ng,h\n"
        #expect(
            try scan(text) == [
                CopiedRecord(1, ["a", "b"]), CopiedRecord(2, [], .unterminatedQuote), CopiedRecord(3, ["e", "f"]),
                CopiedRecord(4, ["g", "h"]),
            ])
    }

    @Test func `an unmatched quote is given up at the longest record`() throws {
        let lines = (0..<200).map { "row \($0),x" }.joined(separator: "\n")
        let limits = DelimitedLimits(recordBytes: 100, chunkBytes: 1)
        let records = try scan("a,\"b\n" + lines + "\n", limits: limits)
        #expect(records.count == 201)
        #expect(records[0] == CopiedRecord(1, [], .unterminatedQuote))
        #expect(records[200] == CopiedRecord(201, ["row 199", "x"]))
    }

    @Test func `lines are counted on after a fault behind a cell of several lines`() throws {
        #expect(
            try scan("\"a\nb\",\"c\nd,e\n") == [CopiedRecord(1, [], .unterminatedQuote), CopiedRecord(3, ["d", "e"])])
    }

    @Test func `text after a closing quote is a fault of its line`() throws {
        #expect(
            try scan("\"a\"b,c\nd,e\n") == [CopiedRecord(1, [], .textAfterQuote), CopiedRecord(2, ["d", "e"])])
    }

    @Test func `a record of exactly the limit passes and one byte more does not`() throws {
        let limits = DelimitedLimits(recordBytes: 10)
        let exact = String(repeating: "a", count: 10)
        #expect(try scan(exact + "\nb", limits: limits) == [CopiedRecord(1, [exact]), CopiedRecord(2, ["b"])])
        #expect(
            try scan(exact + "a\nb", limits: limits)
                == [CopiedRecord(1, [], .recordTooLong(limit: 10)), CopiedRecord(2, ["b"])])
    }

    @Test func `a line longer than the buffer is passed over`() throws {
        let limits = DelimitedLimits(recordBytes: 100, chunkBytes: 1)
        let text = "a,b\n" + String(repeating: "x", count: 200_000) + "\r\nc,d\n"
        #expect(
            try scan(text, limits: limits) == [
                CopiedRecord(1, ["a", "b"]), CopiedRecord(2, [], .recordTooLong(limit: 100)),
                CopiedRecord(3, ["c", "d"]),
            ])
    }

    @Test func `long cells and too many cells are reported`() throws {
        let limits = DelimitedLimits(cellBytes: 3, cells: 2)
        #expect(
            try scan("abc,d\nabcd,e\na,b,c\n", limits: limits) == [
                CopiedRecord(1, ["abc", "d"]), CopiedRecord(2, [], .cellTooLong(column: 0, limit: 3)),
                CopiedRecord(3, [], .tooManyCells(limit: 2)),
            ])
    }

    @Test func `control characters are noticed, tabs are not`() throws {
        let bytes = Array("a\tb\nc\u{0}d\n\"e\u{7}\"\n\u{7F}\n".utf8)
        var scanner = DelimitedScanner(TextStream(MemoryByteSource(bytes)), separator: 0x2C)
        var found: [Bool] = []
        while let record = try scanner.next() { found.append(record.hasControlCharacters) }
        #expect(found == [false, true, true, true])
    }

    @Test func `nothing gives no record, and an empty line gives an empty cell`() throws {
        #expect(try scan("").isEmpty)
        #expect(try scan("\n\n") == [CopiedRecord(1, [""]), CopiedRecord(2, [""])])
    }

    @Test(arguments: [
        ("a,b\n1,2\n", ","), ("a;b\n1,5;2,5\n3;4\n", ";"), ("a\tb c\n1\t2\n", "\t"), ("a|b\n\"x|y\"|2\n", "|"),
    ])
    func `the separator is found`(text: String, separator: String) {
        let found = Array(text.utf8).withUnsafeBufferPointer { SeparatorDetection.detect($0) }
        #expect(found == separator.utf8.first)
    }

    @Test func `text in one column has no separator`() {
        let found = Array("abc\ndef\n".utf8).withUnsafeBufferPointer { SeparatorDetection.detect($0) }
        #expect(found == nil)
    }
}
