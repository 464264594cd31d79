public import Foundation

/// One value of an AMQP field table: message headers and the arguments of queues and exchanges.
public indirect enum HeaderValue: Sendable, Equatable {
    /// UTF-8 text.
    case string(String)
    /// Any integer; sent as 64 bits signed.
    case integer(Int64)
    /// True or false.
    case boolean(Bool)
    /// A floating-point number; decimals of the broker arrive as this too.
    case double(Double)
    /// Whole seconds since 1970; fractions are cut off when sent.
    case timestamp(Date)
    /// Bytes that are no text.
    case bytes([UInt8])
    /// A nested table.
    case table([String: HeaderValue])
    /// A list of values.
    case array([HeaderValue])
    /// No value.
    case void
}

extension HeaderValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// True or false.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension HeaderValue {
    /// The text, if it is text.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The number, if it is an integer.
    public var integerValue: Int? {
        if case .integer(let value) = self { Int(value) } else { nil }
    }
}

/// The size of a header table on the wire.
///
/// A content header must fit into one frame; the broker ends the connection over a larger one. The limit leaves the
/// rest of the frame, and the headers the broker adds on its way (`x-death`), their room.
public enum HeaderSize {
    /// The most bytes ``MessageProperties/headers`` may take: 32 KiB.
    public static let limit = 32 * 1024

    /// Bytes of the encoded table: a length of four bytes, then for each entry a short string and a tagged value.
    public static func bytes(of table: [String: HeaderValue]) -> Int {
        table.reduce(4) { $0 + 1 + $1.key.utf8.count + bytes(of: $1.value) }
    }

    /// Bytes of one value with its type octet.
    public static func bytes(of value: HeaderValue) -> Int {
        switch value {
        case .string(let text): 5 + text.utf8.count
        case .bytes(let bytes): 5 + bytes.count
        case .integer, .double, .timestamp: 9
        case .boolean: 2
        case .void: 1
        case .table(let table): 1 + bytes(of: table)
        case .array(let values): values.reduce(5) { $0 + bytes(of: $1) }
        }
    }
}
