import Foundation

/// Something that text is appended to byte by byte: a parameter, or the buffer of a COPY.
protocol ByteSink: ~Copyable {
    mutating func append(_ byte: UInt8)
    mutating func append(_ bytes: UnsafeRawBufferPointer)
}

/// A parameter or an array literal that is being built.
struct ByteBuffer: ByteSink {
    var bytes: [UInt8] = []

    mutating func append(_ byte: UInt8) { bytes.append(byte) }
    mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }
}

extension ByteSink where Self: ~Copyable {
    /// ASCII text known when compiling.
    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The text as it is.
    mutating func appendUTF8(of text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// The number in decimal.
    mutating func append(decimal value: Int64) {
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var start = digits.count
            var rest = value.magnitude
            repeat {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(digit)
                rest = quotient
            } while rest > 0
            if value < 0 {
                start -= 1
                digits[start] = UInt8(ascii: "-")
            }
            append(UnsafeRawBufferPointer(rebasing: digits[start...]))
        }
    }

    /// The number in decimal with zeros in front, at least `width` digits.
    mutating func append(_ value: Int64, width: Int) {
        var limit: Int64 = 10
        for _ in 1..<width {
            if value < limit { append(UInt8(ascii: "0")) }
            limit *= 10
        }
        append(decimal: value)
    }

    /// Two hexadecimal digits a byte.
    mutating func append(hexOf bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            append(hexDigit(byte >> 4))
            append(hexDigit(byte & 15))
        }
    }

    private func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// 8-4-4-4-12 hexadecimal digits.
    mutating func append(_ uuid: UUID) {
        withUnsafeBytes(of: uuid.uuid) { bytes in
            for (position, byte) in bytes.enumerated() {
                if [4, 6, 8, 10].contains(position) { append(UInt8(ascii: "-")) }
                append(hexDigit(byte >> 4))
                append(hexDigit(byte & 15))
            }
        }
    }

    /// `t` or `f`.
    mutating func append(_ value: Bool) { append(value ? UInt8(ascii: "t") : UInt8(ascii: "f")) }

    /// The shortest text that reads back as the same number; PostgreSQL knows `nan` and `inf` as well.
    mutating func append(_ value: Double) { appendUTF8(of: value.description) }

    /// `2026-11-21 06:00:00.000001+00`, rounded to microseconds.
    ///
    /// - Returns: False, with nothing appended, if the date is not finite or outside what PostgreSQL can store.
    mutating func append(_ date: Date) -> Bool {
        guard let moment = TimestampText(date) else { return false }
        moment.append(to: &self)
        return true
    }
}
