public import Foundation

/// Writes the rows of a COPY: one call a column, in order, then ``endRow()``.
///
/// Buffers 64 KiB. A failure to send is thrown by the next ``endRow()``, so that the calls for columns need no `try`.
public struct CopyWriter: ~Copyable {
    private static let capacity = 64 * 1024

    private let session: Session
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    private var used = 0
    private var isRowStarted = false
    private var failure: PostgresError?
    /// Rows finished so far.
    public private(set) var rowCount = 0

    init(_ session: Session) { self.session = session }

    deinit { buffer.deallocate() }

    /// Text of any content but a zero byte, which the server refuses.
    public mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { text(utf8: UnsafeRawBufferPointer($0)) }
    }

    /// Text that is UTF-8 already; the server refuses what is not.
    public mutating func text(utf8: UnsafeRawBufferPointer) {
        startCell()
        appendEscaped(utf8)
    }

    /// The text of a JSON document.
    public mutating func json(_ value: String) { text(value) }

    /// The UTF-8 of a JSON document.
    public mutating func json(utf8: UnsafeRawBufferPointer) { text(utf8: utf8) }

    /// A whole number.
    public mutating func integer(_ value: Int64) {
        startCell()
        append(decimal: value)
    }

    /// A whole number.
    public mutating func integer(_ value: Int) { integer(Int64(value)) }

    /// A floating-point number, written so that it reads back the same.
    public mutating func double(_ value: Double) {
        startCell()
        append(value)
    }

    /// A truth value.
    public mutating func boolean(_ value: Bool) {
        startCell()
        append(value)
    }

    /// `bytea` of any content.
    public mutating func bytes(_ value: UnsafeRawBufferPointer) {
        startCell()
        append("\\\\x")
        append(hexOf: value)
    }

    /// `bytea` of any content.
    public mutating func bytes(_ value: [UInt8]) { value.withUnsafeBytes { bytes($0) } }

    /// A moment, kept in microseconds. A date that PostgreSQL cannot store fails the next ``endRow()``.
    public mutating func timestamp(_ value: Date) {
        startCell()
        if !append(value), failure == nil {
            failure = .invalidParameter(position: 0, reason: "a date is not finite or out of PostgreSQL's range")
        }
    }

    /// A UUID.
    public mutating func uuid(_ value: UUID) {
        startCell()
        append(value)
    }

    /// NULL.
    public mutating func null() {
        startCell()
        append("\\N")
    }

    /// Any value, arrays included; slower than the calls above.
    public mutating func value(_ value: PostgresValue) {
        if value == .null { return null() }
        var text = ByteBuffer()
        if !value.appendText(to: &text), failure == nil {
            failure = .invalidParameter(position: 0, reason: "a date is not finite or out of PostgreSQL's range")
        }
        text.bytes.withUnsafeBytes { self.text(utf8: $0) }
    }

    /// Text, or NULL for nil.
    public mutating func text(_ value: String?) {
        if let value { text(value) } else { null() }
    }

    /// A whole number, or NULL for nil.
    public mutating func integer(_ value: Int?) {
        if let value { integer(value) } else { null() }
    }

    /// A moment, or NULL for nil.
    public mutating func timestamp(_ value: Date?) {
        if let value { timestamp(value) } else { null() }
    }

    /// Ends the row.
    ///
    /// - Throws: What went wrong since the last call; the COPY is then to be left by letting the error out.
    public mutating func endRow() throws(PostgresError) {
        append(UInt8(ascii: "\n"))
        isRowStarted = false
        rowCount += 1
        if let failure { throw failure }
    }

    /// Sends what is left.
    mutating func finish() throws(PostgresError) {
        if isRowStarted { throw .wrongState("a COPY was ended in the middle of a row") }
        flush()
        if let failure { throw failure }
    }

    private mutating func startCell() {
        if isRowStarted { append(UInt8(ascii: "\t")) }
        isRowStarted = true
    }

    private mutating func flush() {
        guard used > 0 else { return }
        do {
            if failure == nil { try session.putCopyData(UnsafeRawBufferPointer(rebasing: buffer[..<used])) }
        } catch {
            failure = error
        }
        used = 0
    }
}

extension CopyWriter: ByteSink {
    mutating func append(_ byte: UInt8) {
        if used == Self.capacity { flush() }
        buffer[used] = byte
        used += 1
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if used == Self.capacity { flush() }
            let part = rest.prefix(Self.capacity - used)
            UnsafeMutableRawBufferPointer(rebasing: buffer[used...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
            used += part.count
            rest = rest.dropFirst(part.count)
        }
    }

    /// Appends text so that separators, line ends and backslashes in it are data.
    private mutating func appendEscaped(_ utf8: UnsafeRawBufferPointer) {
        // The longest escape doubles the text; texts that may not fit are rare and take the slow way.
        guard utf8.count * 2 <= Self.capacity else { return appendEscapedInParts(utf8) }
        if used + utf8.count * 2 > Self.capacity { flush() }
        guard let base = buffer.baseAddress else { return }
        var target = base + used
        for byte in utf8 {
            if let letter = copyEscape(byte) {
                target.storeBytes(of: UInt8(ascii: "\\"), as: UInt8.self)
                (target + 1).storeBytes(of: letter, as: UInt8.self)
                target += 2
            } else {
                target.storeBytes(of: byte, as: UInt8.self)
                target += 1
            }
        }
        used = target - base
    }

    private mutating func appendEscapedInParts(_ utf8: UnsafeRawBufferPointer) {
        for byte in utf8 {
            if let letter = copyEscape(byte) {
                append(UInt8(ascii: "\\"))
                append(letter)
            } else {
                append(byte)
            }
        }
    }
}

/// The letter that follows a backslash for this byte; nil if the byte stands for itself.
@inline(__always)
private func copyEscape(_ byte: UInt8) -> UInt8? {
    if byte > UInt8(ascii: "\r") && byte != UInt8(ascii: "\\") { return nil }
    switch byte {
    case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
    case UInt8(ascii: "\t"): return UInt8(ascii: "t")
    case UInt8(ascii: "\n"): return UInt8(ascii: "n")
    case UInt8(ascii: "\r"): return UInt8(ascii: "r")
    default: return nil
    }
}
