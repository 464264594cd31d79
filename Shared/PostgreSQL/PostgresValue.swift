public import Foundation

/// A parameter of a statement.
///
/// Sent as text (bytes in binary), without a type: the server infers it from the statement. Where it cannot, as in
/// `unnest($1)`, write a cast: `unnest($1::text[])`.
public enum PostgresValue: Sendable, Equatable {
    /// SQL NULL.
    case null
    /// Any text without a zero byte, which PostgreSQL cannot store.
    case text(String)
    /// A whole number.
    case integer(Int64)
    /// A truth value.
    case boolean(Bool)
    /// `bytea`, of any content.
    case bytes([UInt8])
    /// A floating-point number, sent so that it reads back the same.
    case double(Double)
    /// A moment; PostgreSQL keeps microseconds.
    case timestamp(Date)
    /// A UUID.
    case uuid(UUID)
    /// The text of a JSON document.
    case json(String)
    /// Array of text.
    case textArray([String])
    /// Array of text and NULLs.
    case nullableTextArray([String?])
    /// Array of whole numbers.
    case integerArray([Int64])
    /// Array of whole numbers and NULLs.
    case nullableIntegerArray([Int64?])
    /// Array of UUIDs.
    case uuidArray([UUID])
    /// Array of UUIDs and NULLs.
    case nullableUUIDArray([UUID?])
    /// Array of truth values.
    case booleanArray([Bool])
    /// Array of floating-point numbers.
    case doubleArray([Double])
    /// Array of moments.
    case timestampArray([Date])
    /// Array of moments and NULLs.
    case nullableTimestampArray([Date?])
    /// Array of `bytea`.
    case bytesArray([[UInt8]])

    /// A whole number.
    public static func int(_ value: Int) -> PostgresValue { .integer(Int64(value)) }

    /// Array of whole numbers.
    public static func intArray(_ values: [Int]) -> PostgresValue { .integerArray(values.map(Int64.init)) }

    /// NULL if `value` is nil: `.maybe(note, PostgresValue.text)`.
    public static func maybe<Wrapped>(_ value: Wrapped?, _ make: (Wrapped) -> PostgresValue) -> PostgresValue {
        value.map(make) ?? .null
    }
}

extension PostgresValue: ExpressibleByNilLiteral, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral
{
    /// `nil` is NULL.
    public init(nilLiteral: ()) { self = .null }
    /// A literal text.
    public init(stringLiteral value: String) { self = .text(value) }
    /// A literal whole number.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A literal truth value.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    /// A literal floating-point number.
    public init(floatLiteral value: Double) { self = .double(value) }
}

/// An SQL statement with its parameters.
public struct Statement: Sendable {
    /// One SQL statement; parameters are `$1`, `$2` and so on.
    public var sql: String
    /// The values of `$1`, `$2` and so on.
    public var parameters: [PostgresValue]
    /// Whether the server keeps the parsed statement for the next time.
    var isPrepared = true

    /// One statement; the parameters are `$1`, `$2` and so on.
    public init(_ sql: String, _ parameters: [PostgresValue] = []) {
        self.sql = sql
        self.parameters = parameters
    }

    /// One statement that is not kept prepared, because its text or its columns change from use to use.
    static func once(_ sql: String, _ parameters: [PostgresValue] = []) -> Statement {
        var statement = Statement(sql, parameters)
        statement.isPrepared = false
        return statement
    }
}
