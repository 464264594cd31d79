/// The text of a byte source as valid UTF-8, whatever its encoding, without byte order mark.
///
/// UTF-8 is checked where it lies and never copied. Other encodings are converted piece by piece, so memory does not
/// grow with the file.
public final class TextStream {
    /// The smallest buffer that ``read(into:)`` accepts.
    public static let smallestBuffer = 16_384

    /// The encoding; known after the first read, nil before unless declared.
    public private(set) var encoding: TextEncoding?
    /// The length of the byte order mark; known after the first read.
    public private(set) var markLength = 0
    private let source: any ByteSource
    private let declared: Bool
    private var started = false
    private var consumed = 0
    private var validator = UTF8Validator()
    private var transcoder: Transcoder?
    /// Bytes of another encoding that are not converted yet; allocated when needed.
    private var raw = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var rawCount = 0
    private var failure: DelimitedTextError?

    /// - Parameters:
    ///   - source: The bytes.
    ///   - encoding: What the sender declared, or nil to find out. A byte order mark overrules it. Without mark and
    ///     declaration the text must be UTF-8 or UTF-16: which single-byte code page it is, bytes do not tell.
    public init(_ source: any ByteSource, encoding: TextEncoding? = nil) {
        self.source = source
        self.encoding = encoding
        declared = encoding != nil
    }

    deinit { raw.deallocate() }

    /// Fills `buffer` from its start with UTF-8.
    ///
    /// Everything before an invalid byte is delivered first; the next call throws. So a caller who counts lines knows
    /// the line.
    ///
    /// - Parameter buffer: At least ``smallestBuffer`` bytes.
    /// - Returns: How many bytes were written; 0 only at the end.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(DelimitedTextError) -> Int {
        precondition(buffer.count >= Self.smallestBuffer, "the buffer is too small to convert into")
        if let failure { throw failure }
        if started { return try readOn(into: buffer) }
        started = true
        return try readHead(into: buffer)
    }

    /// The first read decides the encoding.
    private func readHead(into buffer: UnsafeMutableRawBufferPointer) throws(DelimitedTextError) -> Int {
        var count = 0
        while count < 4096 {
            let more = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count..<4096]))
            if more == 0 { break }
            count += more
        }
        let head = UnsafeRawBufferPointer(rebasing: buffer[0..<count])
        let found = TextEncoding.detect(head)
        // A declared single-byte file full of zeros is not UTF-16; only a mark is stronger than a declaration.
        let trusted = found.map { $0.markLength > 0 || !declared } ?? false
        markLength = trusted ? found?.markLength ?? 0 : 0
        let chosen = (trusted ? found?.encoding : encoding) ?? .utf8
        encoding = chosen
        consumed = markLength
        if chosen == .utf8 {
            if markLength > 0 {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[markLength..<count]))
            }
            return try checked(buffer, count: count - markLength)
        }
        transcoder = Transcoder(from: chosen)
        raw = .allocate(byteCount: buffer.count / 3 - 16, alignment: 16)
        rawCount = count - markLength
        raw.copyMemory(from: UnsafeRawBufferPointer(rebasing: head[markLength...]))
        return try convert(into: buffer, atEnd: count < 4096)
    }

    private func readOn(into buffer: UnsafeMutableRawBufferPointer) throws(DelimitedTextError) -> Int {
        if transcoder == nil {
            return try checked(buffer, count: try source.read(into: buffer))
        }
        while true {
            let free = UnsafeMutableRawBufferPointer(rebasing: raw[rawCount..<min(raw.count, buffer.count / 3 - 16)])
            let more = try source.read(into: free)
            rawCount += more
            let written = try convert(into: buffer, atEnd: more == 0)
            if written > 0 || more == 0 { return written }
        }
    }

    /// Converts `raw`; what is incomplete at its end stays there for the next round.
    private func convert(into buffer: UnsafeMutableRawBufferPointer, atEnd: Bool) throws(DelimitedTextError) -> Int {
        guard var working = transcoder else { return 0 }
        let input = UnsafeRawBufferPointer(rebasing: raw[..<rawCount])
        let outcome = working.convert(input, into: buffer, atEnd: atEnd)
        transcoder = working
        rawCount -= outcome.consumed
        raw.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[outcome.consumed...]))
        consumed += outcome.consumed
        if outcome.invalid { try fail(at: consumed, delivered: outcome.written) }
        return outcome.written
    }

    private func checked(_ buffer: UnsafeMutableRawBufferPointer, count: Int) throws(DelimitedTextError) -> Int {
        if count == 0 {
            if !validator.isComplete { try fail(at: consumed, delivered: 0) }
            return 0
        }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[0..<count])
        guard let index = validator.firstInvalid(bytes) else {
            consumed += count
            return count
        }
        try fail(at: consumed + index, delivered: index)
        return index
    }

    private func fail(at offset: Int, delivered: Int) throws(DelimitedTextError) {
        let error = DelimitedTextError.invalidBytes(
            encoding: encoding ?? .utf8, byteOffset: offset, line: 0, declared: declared)
        failure = error
        if delivered == 0 { throw error }
    }
}
