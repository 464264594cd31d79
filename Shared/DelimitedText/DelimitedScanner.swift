/// Splits delimited text into records (RFC 4180: quotes, doubled quotes, line breaks inside quotes) without allocating.
///
/// Line breaks may be CRLF, LF or CR. The scanner holds one buffer of a chunk and a record; every cell is a view into
/// it. A quote that is never closed costs its own line and no more: once the longest record is exceeded or the text
/// ends, the fault is reported and scanning goes on at the line after the quote.
public struct DelimitedScanner: ~Copyable {
    private let stream: TextStream
    private let separator: UInt8
    private let limits: DelimitedLimits
    private let buffer: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    private let classes: UnsafeMutablePointer<UInt8>
    private let cells: UnsafeMutablePointer<UnsafeBufferPointer<UInt8>>
    /// Where doubled quotes are taken apart; as long as a record can be.
    private let scratch: UnsafeMutablePointer<UInt8>
    private var position = 0
    private var filled = 0
    private var atEnd = false
    /// The rest of a record that was too long is still to be passed over.
    private var skipping = false
    /// The line that the next record begins on.
    public private(set) var line: Int
    /// Where the buffer begins in the text, in bytes of UTF-8.
    private var bufferOffset = 0

    /// - Parameters:
    ///   - stream: The text; must not have been read from.
    ///   - separator: One ASCII byte: comma, semicolon, tab or bar.
    ///   - limits: The most that records and cells may hold.
    ///   - firstLine: The number of the first line; more than 1 if the text begins in the middle of a file.
    public init(
        _ stream: TextStream, separator: UInt8, limits: DelimitedLimits = DelimitedLimits(), firstLine: Int = 1
    ) {
        line = firstLine
        self.stream = stream
        self.separator = separator
        self.limits = limits
        capacity = limits.chunkBytes + limits.recordBytes + 16
        buffer = .allocate(capacity: capacity)
        cells = .allocate(capacity: limits.cells)
        scratch = .allocate(capacity: limits.recordBytes + 16)
        classes = ByteClass.table(separator: separator)
    }

    deinit {
        buffer.deallocate()
        cells.deallocate()
        scratch.deallocate()
        classes.deallocate()
    }

    /// The encoding of the text; nil before the first record was asked for.
    public var encoding: TextEncoding? { stream.encoding }

    /// The next record, or nil at the end. The previous record's bytes are gone then.
    public mutating func next() throws(DelimitedTextError) -> DelimitedRecord? {
        while true {
            if skipping, !skipToLineBreak() {
                try refill()
                continue
            }
            if let record = scan() { return record }
            if atEnd, position == filled { return nil }
            try refill()
        }
    }

    private mutating func refill() throws(DelimitedTextError) {
        let kept = filled - position
        if kept > 0, position > 0 { buffer.update(from: buffer + position, count: kept) }
        bufferOffset += position
        position = 0
        filled = kept
        let free = UnsafeMutableRawBufferPointer(start: buffer + kept, count: limits.chunkBytes)
        do throws(DelimitedTextError) {
            let count = try stream.read(into: free)
            atEnd = count == 0
            filled += count
        } catch {
            guard case .invalidBytes(let encoding, let offset, _, let declared) = error else { throw error }
            throw .invalidBytes(encoding: encoding, byteOffset: offset, line: line, declared: declared)
        }
    }

    /// Passes over the rest of a record that was too long. False if the buffer ends before the line does.
    private mutating func skipToLineBreak() -> Bool {
        while position < filled {
            let byte = buffer[position]
            if byte == ASCII.lineFeed || byte == ASCII.carriageReturn {
                if byte == ASCII.carriageReturn, position + 1 == filled, !atEnd { return false }
                position += 1
                if byte == ASCII.carriageReturn, position < filled, buffer[position] == ASCII.lineFeed { position += 1 }
                line += 1
                skipping = false
                return true
            }
            position += 1
        }
        skipping = !atEnd
        return atEnd
    }

    /// One record from `position`; nil if the buffer does not hold all of it, or nothing is left.
    private mutating func scan() -> DelimitedRecord? {
        guard position < filled else { return nil }
        var state = RecordState(start: position, scratch: scratch)
        let (base, classes, end) = (buffer, classes, filled)
        var index = position
        // Where the cell begins; -1 once a quoted one is closed.
        var cellStart = index
        while true {
            var kind = ByteClass.plain
            while index < end {
                kind = classes[Int(base[index])]
                if kind != ByteClass.plain { break }
                index &+= 1
            }
            if index == end {
                if index - state.start > limits.recordBytes { return tooLong(state) }
                guard atEnd else { return nil }
                if cellStart >= 0 { add(base + cellStart, index - cellStart, to: &state) }
                return finish(state, at: index, next: index, lineBreak: false)
            }
            // Most frequent first; a jump table would be mispredicted at nearly every cell.
            if kind == ByteClass.separator {
                if cellStart >= 0 { add(base + cellStart, index &- cellStart, to: &state) }
                index &+= 1
                cellStart = index
            } else if kind == ByteClass.quote, index == cellStart {
                switch scanQuoted(&state, from: &index) {
                case .closed: cellStart = -1
                case .needsMore: return nil
                case .fault(let fault): return resume(state, fault)
                }
            } else if kind == ByteClass.lineFeed {
                if cellStart >= 0 { add(base + cellStart, index &- cellStart, to: &state) }
                return finish(state, at: index, next: index + 1, lineBreak: true)
            } else if kind == ByteClass.carriageReturn {
                if index + 1 == end, !atEnd { return nil }
                if cellStart >= 0 { add(base + cellStart, index &- cellStart, to: &state) }
                let pair = index + 1 < end && base[index + 1] == ASCII.lineFeed
                return finish(state, at: index, next: index + (pair ? 2 : 1), lineBreak: true)
            } else {
                if kind == ByteClass.control { state.hasControl = true }
                index &+= 1
            }
        }
    }

    private enum Quoted {
        case closed
        case needsMore
        case fault(RecordFault)
    }

    /// A quoted cell from its opening quote to the separator or line break behind the closing one.
    private func scanQuoted(_ state: inout RecordState, from index: inout Int) -> Quoted {
        state.quoteOpened = index
        state.linesAtQuote = state.lineBreaks
        let base = buffer
        let classes = classes
        var at = index + 1
        let start = at
        var doubled = false
        while true {
            while at < filled, classes[Int(base[at])] <= ByteClass.separator { at += 1 }
            if at - state.start > limits.recordBytes { return .fault(.unterminatedQuote) }
            if at == filled { return atEnd ? .fault(.unterminatedQuote) : .needsMore }
            switch classes[Int(base[at])] {
            case ByteClass.quote:
                if at + 1 == filled, !atEnd { return .needsMore }
                if at + 1 < filled, base[at + 1] == ASCII.quote {
                    doubled = true
                    at += 2
                    continue
                }
                index = at + 1
                let content = UnsafeBufferPointer(start: base + start, count: at - start)
                let cell = doubled ? state.undouble(content) : content
                return closeQuoted(&state, content: cell, from: &index)
            case ByteClass.lineFeed:
                state.lineBreaks += 1
            case ByteClass.carriageReturn:
                if at + 1 == filled, !atEnd { return .needsMore }
                if at + 1 == filled || base[at + 1] != ASCII.lineFeed { state.lineBreaks += 1 }
            default:
                state.hasControl = true
            }
            at += 1
        }
    }

    /// What follows a closing quote: blanks are passed over, anything else but the end of the cell is a fault.
    private func closeQuoted(
        _ state: inout RecordState, content: UnsafeBufferPointer<UInt8>, from index: inout Int
    ) -> Quoted {
        while index < filled, buffer[index] == ASCII.blank { index += 1 }
        if index == filled {
            guard atEnd else { return .needsMore }
        } else {
            switch classes[Int(buffer[index])] {
            case ByteClass.separator, ByteClass.lineFeed, ByteClass.carriageReturn: break
            default: return .fault(.textAfterQuote)
            }
        }
        if let start = content.baseAddress { add(start, content.count, to: &state) }
        return .closed
    }

    @inline(__always)
    private func add(_ start: UnsafePointer<UInt8>, _ count: Int, to state: inout RecordState) {
        guard state.cellCount < limits.cells else {
            state.fault = state.fault ?? .tooManyCells(limit: limits.cells)
            return
        }
        if count > limits.cellBytes {
            state.fault = state.fault ?? .cellTooLong(column: state.cellCount, limit: limits.cellBytes)
        }
        cells[state.cellCount] = UnsafeBufferPointer(start: start, count: count)
        state.cellCount &+= 1
    }

    @inline(__always)
    private mutating func finish(_ state: RecordState, at end: Int, next: Int, lineBreak: Bool) -> DelimitedRecord {
        var fault = state.fault
        if end - state.start > limits.recordBytes { fault = .recordTooLong(limit: limits.recordBytes) }
        let record = record(state, end: end, fault: fault, lineBreak: lineBreak)
        position = next
        line += state.lineBreaks + 1
        return record
    }

    /// A record that is still going on beyond the limit: it is reported, the rest of its line passed over.
    private mutating func tooLong(_ state: RecordState) -> DelimitedRecord {
        let limit = limits.recordBytes
        let record = record(state, end: state.start + limit, fault: .recordTooLong(limit: limit), lineBreak: true)
        line += state.lineBreaks
        position = filled
        skipping = true
        return record
    }

    /// A record whose quote cannot be right: it is reported up to the end of the line that the quote is on.
    private mutating func resume(_ state: RecordState, _ fault: RecordFault) -> DelimitedRecord {
        var end = state.quoteOpened
        while end < filled, buffer[end] != ASCII.lineFeed, buffer[end] != ASCII.carriageReturn { end += 1 }
        line += state.linesAtQuote
        let lineBreak = end < filled || !atEnd
        let rawEnd = min(end, state.start + limits.recordBytes)
        let record = record(
            state, end: rawEnd, fault: fault, lineBreak: lineBreak, linesBefore: state.linesAtQuote)
        position = end
        skipping = true
        if end == filled, atEnd { skipping = false }
        return record
    }

    @inline(__always)
    private func record(
        _ state: RecordState, end: Int, fault: RecordFault?, lineBreak: Bool, linesBefore: Int = 0
    ) -> DelimitedRecord {
        DelimitedRecord(
            line: line - linesBefore, offset: bufferOffset + state.start,
            raw: UnsafeBufferPointer(start: buffer + state.start, count: end - state.start),
            cells: UnsafeBufferPointer(start: cells, count: state.cellCount), fault: fault,
            hasControlCharacters: state.hasControl, endsWithLineBreak: lineBreak)
    }
}
