public import Foundation

/// A type that a column can be read as.
///
/// Conform a type of your own by reading it from the server's text; an enumeration whose raw value is decodable needs
/// no more than the declaration of conformance.
public protocol PostgresDecodable {
    /// Reads the text the server sent, UTF-8 without a terminating zero; nil if it is no such value.
    init?(postgresText: UnsafeRawBufferPointer)
    /// What NULL is read as; nil, the default, if NULL is an error.
    static var postgresNull: Self? { get }
}

extension PostgresDecodable {
    /// NULL is an error unless the type says otherwise.
    public static var postgresNull: Self? { nil }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    /// Reads the raw value.
    public init?(postgresText: UnsafeRawBufferPointer) {
        guard let raw = RawValue(postgresText: postgresText) else { return nil }
        self.init(rawValue: raw)
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    /// Reads the wrapped value.
    public init?(postgresText: UnsafeRawBufferPointer) {
        guard let value = Wrapped(postgresText: postgresText) else { return nil }
        self = .some(value)
    }
    /// NULL is nil.
    public static var postgresNull: Self? { .some(nil) }
}

extension String: PostgresDecodable {
    /// Reads any column.
    public init?(postgresText: UnsafeRawBufferPointer) { self.init(decoding: postgresText, as: UTF8.self) }
}

extension Int64: PostgresDecodable {
    /// Reads a whole number.
    public init?(postgresText: UnsafeRawBufferPointer) {
        // Counted down, for the lowest number has no positive counterpart.
        let isNegative = postgresText.first == UInt8(ascii: "-")
        let digits = isNegative ? UnsafeRawBufferPointer(rebasing: postgresText.dropFirst()) : postgresText
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard byte.isDigit else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, overflowed) = shifted.subtractingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
            if overflow || overflowed { return nil }
            value = next
        }
        if !isNegative && value == .min { return nil }
        self = isNegative ? value : -value
    }
}

extension Int: PostgresDecodable {
    /// Reads a whole number.
    public init?(postgresText: UnsafeRawBufferPointer) {
        guard let value = Int64(postgresText: postgresText) else { return nil }
        self.init(exactly: value)
    }
}

extension Int32: PostgresDecodable {
    /// Reads a whole number that fits.
    public init?(postgresText: UnsafeRawBufferPointer) {
        guard let value = Int64(postgresText: postgresText) else { return nil }
        self.init(exactly: value)
    }
}

extension Bool: PostgresDecodable {
    /// Reads a boolean column.
    public init?(postgresText: UnsafeRawBufferPointer) {
        guard postgresText.count == 1 else { return nil }
        switch postgresText[0] {
        case UInt8(ascii: "t"): self = true
        case UInt8(ascii: "f"): self = false
        default: return nil
        }
    }
}

extension Double: PostgresDecodable {
    /// Reads any number; `numeric` may lose digits.
    public init?(postgresText: UnsafeRawBufferPointer) {
        self.init(String(decoding: postgresText, as: UTF8.self))
    }
}

extension Decimal: PostgresDecodable {
    /// Reads `numeric` of up to 38 digits.
    public init?(postgresText: UnsafeRawBufferPointer) {
        // Foundation would read the digits before any other text and forget the rest.
        guard postgresText.allSatisfy({ $0.isDigit || ".-+eE".utf8.contains($0) }) else { return nil }
        self.init(string: String(decoding: postgresText, as: UTF8.self))
    }
}

extension Date: PostgresDecodable {
    /// Reads `timestamptz`, `timestamp` (taken as UTC) and `date` (midnight UTC); not `infinity`.
    public init?(postgresText: UnsafeRawBufferPointer) {
        guard let moment = TimestampText(text: postgresText) else { return nil }
        self = moment.date
    }
}

extension UUID: PostgresDecodable {
    /// Reads a `uuid` column.
    public init?(postgresText: UnsafeRawBufferPointer) {
        guard postgresText.count == 36 else { return nil }
        var reader = ByteReader(postgresText)
        var bytes = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)).uuid
        let complete = withUnsafeMutableBytes(of: &bytes) { bytes in
            for index in bytes.indices {
                if [4, 6, 8, 10].contains(index), !reader.skip("-") { return false }
                guard let high = reader.next()?.hexValue, let low = reader.next()?.hexValue else { return false }
                bytes[index] = high << 4 | low
            }
            return true
        }
        guard complete else { return nil }
        self.init(uuid: bytes)
    }
}
