/// Converts UTF-16 and single-byte text to UTF-8, piece by piece.
struct Transcoder {
    /// What one call did. `invalid` says that the byte after the consumed ones cannot stand there.
    struct Outcome {
        var consumed: Int
        var written: Int
        var invalid: Bool
    }

    private let encoding: TextEncoding
    private let table: [UInt16]
    /// A Windows-1258 letter that may still be followed by its tone mark; 0 if none waits.
    private var waiting: UInt16 = 0

    init(from encoding: TextEncoding) {
        self.encoding = encoding
        switch encoding {
        case .windows1258: table = CodePages.windows1258
        case .windows1251: table = CodePages.windows1251
        default: table = []
        }
    }

    /// Converts as much of `input` as is complete. `output` must hold three bytes per input byte, and three more.
    mutating func convert(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, atEnd: Bool
    ) -> Outcome {
        var sink = UTF8Sink(output)
        var outcome =
            encoding == .utf16LittleEndian || encoding == .utf16BigEndian
            ? convertUTF16(input, into: &sink, atEnd: atEnd)
            : convertSingleBytes(input, into: &sink)
        if waiting != 0, atEnd || outcome.invalid { flush(into: &sink) }
        outcome.written = sink.count
        return outcome
    }

    private func convertUTF16(_ input: UnsafeRawBufferPointer, into sink: inout UTF8Sink, atEnd: Bool) -> Outcome {
        let swap = encoding == .utf16BigEndian
        func unit(_ index: Int) -> UInt32 {
            swap
                ? UInt32(input[index]) << 8 | UInt32(input[index + 1])
                : UInt32(input[index + 1]) << 8 | UInt32(input[index])
        }
        var index = 0
        while index + 2 <= input.count {
            let first = unit(index)
            guard first & 0xF800 == 0xD800 else {
                sink.append(first)
                index += 2
                continue
            }
            // A surrogate: high first, then low.
            guard first < 0xDC00 else { return Outcome(consumed: index, written: 0, invalid: true) }
            guard index + 4 <= input.count else { break }
            let second = unit(index + 2)
            guard second & 0xFC00 == 0xDC00 else { return Outcome(consumed: index, written: 0, invalid: true) }
            sink.append(0x10000 + (first & 0x3FF) << 10 + (second & 0x3FF))
            index += 4
        }
        return Outcome(consumed: index, written: 0, invalid: atEnd && index < input.count)
    }

    private mutating func convertSingleBytes(_ input: UnsafeRawBufferPointer, into sink: inout UTF8Sink) -> Outcome {
        let composes = encoding == .windows1258
        for index in 0..<input.count {
            let byte = input[index]
            let scalar = byte < 0x80 ? UInt16(byte) : table[Int(byte) - 0x80]
            if scalar == 0, byte != 0 { return Outcome(consumed: index, written: 0, invalid: true) }
            guard composes else {
                sink.append(UInt32(scalar))
                continue
            }
            if waiting != 0, CodePages.isToneMark(scalar), let whole = CodePages.compose(waiting, scalar) {
                waiting = whole
                continue
            }
            flush(into: &sink)
            waiting = scalar
            if scalar == 0 { sink.append(0) }
        }
        return Outcome(consumed: input.count, written: 0, invalid: false)
    }

    private mutating func flush(into sink: inout UTF8Sink) {
        if waiting != 0 { sink.append(UInt32(waiting)) }
        waiting = 0
    }
}

/// Writes scalars as UTF-8 into a buffer that its owner made large enough.
private struct UTF8Sink {
    private let output: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ output: UnsafeMutableRawBufferPointer) { self.output = output }

    mutating func append(_ scalar: UInt32) {
        switch scalar {
        case 0..<0x80:
            put(scalar)
        case 0x80..<0x800:
            put(0xC0 | scalar >> 6)
            put(0x80 | scalar & 0x3F)
        case 0x800..<0x10000:
            put(0xE0 | scalar >> 12)
            put(0x80 | scalar >> 6 & 0x3F)
            put(0x80 | scalar & 0x3F)
        default:
            put(0xF0 | scalar >> 18)
            put(0x80 | scalar >> 12 & 0x3F)
            put(0x80 | scalar >> 6 & 0x3F)
            put(0x80 | scalar & 0x3F)
        }
    }

    private mutating func put(_ byte: UInt32) {
        output[count] = UInt8(truncatingIfNeeded: byte)
        count += 1
    }
}
