import Foundation

/// The parameters of one statement as libpq takes them: zero-terminated texts, lengths and formats.
struct ParameterBlock {
    private var buffer = ByteBuffer()
    /// Where each parameter begins in `buffer`; nil for NULL.
    private(set) var offsets: [Int?] = []
    /// Lengths in bytes; libpq reads them only for binary parameters.
    private(set) var lengths: [Int32] = []
    /// 0 text, 1 binary.
    private(set) var formats: [Int32] = []

    /// The protocol counts parameters in 16 bits.
    private static let maximumCount = 65_535

    init(_ values: [PostgresValue]) throws(PostgresError) {
        guard values.count <= Self.maximumCount else {
            throw .invalidParameter(position: values.count, reason: "a statement takes at most 65,535 parameters")
        }
        offsets.reserveCapacity(values.count)
        lengths.reserveCapacity(values.count)
        formats.reserveCapacity(values.count)
        for (index, value) in values.enumerated() { try append(value, position: index + 1) }
    }

    private mutating func append(_ value: PostgresValue, position: Int) throws(PostgresError) {
        if case .null = value {
            offsets.append(nil)
            lengths.append(0)
            formats.append(0)
            return
        }
        let start = buffer.bytes.count
        var format: Int32 = 0
        if case .bytes(let bytes) = value {
            format = 1
            bytes.withUnsafeBytes { buffer.append($0) }
        } else if !value.appendText(to: &buffer) {
            throw .invalidParameter(position: position, reason: "a date is not finite or out of PostgreSQL's range")
        } else if buffer.containsZero(from: start) {
            // libpq would take the text as ending there.
            throw .invalidParameter(position: position, reason: "PostgreSQL cannot store a zero byte in text")
        }
        offsets.append(start)
        lengths.append(Int32(clamping: buffer.bytes.count - start))
        formats.append(format)
        buffer.append(0)
    }

    /// Runs `body` with one pointer a parameter, valid until it returns.
    func withPointers<R>(_ body: ([UnsafePointer<CChar>?]) -> R) -> R {
        buffer.bytes.withUnsafeBytes { bytes in
            body(
                offsets.map { offset in
                    guard let offset, let base = bytes.baseAddress else { return nil }
                    return (base + offset).assumingMemoryBound(to: CChar.self)
                })
        }
    }
}

extension PostgresValue {
    /// Appends the value as PostgreSQL reads it; nothing for NULL.
    ///
    /// - Returns: False if a date cannot be stored.
    func appendText(to buffer: inout ByteBuffer) -> Bool {
        switch self {
        case .null: return true
        case .text(let text), .json(let text): buffer.appendUTF8(of: text)
        case .integer(let value): buffer.append(decimal: value)
        case .boolean(let value): buffer.append(value)
        case .bytes(let bytes): buffer.appendBytea(bytes)
        case .double(let value): buffer.append(value)
        case .uuid(let value): buffer.append(value)
        case .timestamp(let date): return buffer.append(date)
        default: return appendArray(to: &buffer)
        }
        return true
    }

    private func appendArray(to buffer: inout ByteBuffer) -> Bool {
        switch self {
        case .textArray(let values): return buffer.appendArray(values) { $0.appendArrayText($1) }
        case .nullableTextArray(let values): return buffer.appendNullableArray(values) { $0.appendArrayText($1) }
        case .integerArray(let values): return buffer.appendArray(values) { $0.append(decimal: $1) }
        case .nullableIntegerArray(let values): return buffer.appendNullableArray(values) { $0.append(decimal: $1) }
        case .uuidArray(let values): return buffer.appendArray(values) { $0.append($1) }
        case .nullableUUIDArray(let values): return buffer.appendNullableArray(values) { $0.append($1) }
        case .booleanArray(let values): return buffer.appendArray(values) { $0.append($1) }
        case .doubleArray(let values): return buffer.appendArray(values) { $0.append($1) }
        case .timestampArray(let values): return buffer.appendDates(values)
        case .nullableTimestampArray(let values): return buffer.appendDates(values)
        case .bytesArray(let values): return buffer.appendArray(values) { $0.appendQuotedBytea($1) }
        case .null, .text, .integer, .boolean, .bytes, .double, .timestamp, .uuid, .json: return true
        }
    }
}

extension ByteBuffer {
    fileprivate func containsZero(from start: Int) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, start < bytes.count else { return false }
            return memchr(base + start, 0, bytes.count - start) != nil
        }
    }

    /// `{a,b}`.
    fileprivate mutating func appendArray<Element>(
        _ values: [Element], _ appendElement: (inout ByteBuffer, Element) -> Void
    ) -> Bool {
        append(UInt8(ascii: "{"))
        for (index, value) in values.enumerated() {
            if index > 0 { append(UInt8(ascii: ",")) }
            appendElement(&self, value)
        }
        append(UInt8(ascii: "}"))
        return true
    }

    /// `{a,NULL}`.
    fileprivate mutating func appendNullableArray<Element>(
        _ values: [Element?], _ appendElement: (inout ByteBuffer, Element) -> Void
    ) -> Bool {
        appendArray(values) { buffer, value in
            if let value { appendElement(&buffer, value) } else { buffer.append("NULL") }
        }
    }

    fileprivate mutating func appendDates(_ dates: [Date?]) -> Bool {
        var allStorable = true
        _ = appendNullableArray(dates) { buffer, date in
            buffer.append(UInt8(ascii: "\""))
            if !buffer.append(date) { allStorable = false }
            buffer.append(UInt8(ascii: "\""))
        }
        return allStorable
    }

    /// Always quoted, so that neither an empty text nor the word NULL is mistaken.
    fileprivate mutating func appendArrayText(_ text: String) {
        var text = text
        append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            let needsEscapes = utf8.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
            guard needsEscapes else { return append(UnsafeRawBufferPointer(utf8)) }
            for byte in utf8 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append(UInt8(ascii: "\\")) }
                append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }

    /// `\x` and hexadecimal digits.
    fileprivate mutating func appendBytea(_ bytes: [UInt8]) {
        append("\\x")
        bytes.withUnsafeBytes { append(hexOf: $0) }
    }

    fileprivate mutating func appendQuotedBytea(_ bytes: [UInt8]) {
        append("\"\\")
        appendBytea(bytes)
        append(UInt8(ascii: "\""))
    }
}
