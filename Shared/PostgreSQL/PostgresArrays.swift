public import Foundation

/// A type whose one-dimensional arrays can be read from a column.
public protocol PostgresArrayElement {
    /// Reads a whole array from the server's text; nil if it is no such array.
    static func postgresArray(_ text: UnsafeRawBufferPointer) -> [Self]?
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    /// Reads an array; `[UInt8]` reads `bytea`.
    public init?(postgresText: UnsafeRawBufferPointer) {
        guard let elements = Element.postgresArray(postgresText) else { return nil }
        self = elements
    }
}

extension UInt8: PostgresArrayElement {
    /// Reads `bytea` in hexadecimal, the form every session here is set to.
    public static func postgresArray(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        guard text.count >= 2, text.count % 2 == 0, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x") else {
            return nil
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2 - 1)
        for index in stride(from: 2, to: text.count, by: 2) {
            guard let high = text[index].hexValue, let low = text[index + 1].hexValue else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}

extension PostgresArrayElement where Self: PostgresDecodable {
    /// Reads `{a,"b c",NULL}`; nested arrays are not read.
    public static func postgresArray(_ text: UnsafeRawBufferPointer) -> [Self]? {
        var parser = ArrayLiteralParser(text)
        var elements: [Self] = []
        let complete = parser.forEachElement { text in
            let element = text.map { Self(postgresText: $0) } ?? Self.postgresNull
            guard let element else { return false }
            elements.append(element)
            return true
        }
        return complete ? elements : nil
    }
}

extension String: PostgresArrayElement {}
extension Int: PostgresArrayElement {}
extension Int64: PostgresArrayElement {}
extension Bool: PostgresArrayElement {}
extension Double: PostgresArrayElement {}
extension Date: PostgresArrayElement {}
extension UUID: PostgresArrayElement {}
extension Optional: PostgresArrayElement where Wrapped: PostgresDecodable {}

/// Takes an array as the server writes it into its elements.
struct ArrayLiteralParser {
    private var reader: ByteReader
    /// The present element without quotes and escapes; kept, so that its memory is used again.
    private var element: [UInt8] = []

    init(_ text: UnsafeRawBufferPointer) { reader = ByteReader(text) }

    /// Calls `body` with each element, nil for NULL, until it returns false.
    ///
    /// - Returns: Whether the text was an array of one dimension and `body` took every element.
    mutating func forEachElement(_ body: (UnsafeRawBufferPointer?) -> Bool) -> Bool {
        guard reader.skip("{") else { return false }
        if reader.skip("}") { return reader.isAtEnd }
        repeat {
            guard let isQuoted = readElement() else { return false }
            let isNull = !isQuoted && element.elementsEqual("NULL".utf8)
            let isTaken = isNull ? body(nil) : element.withUnsafeBytes { body($0) }
            guard isTaken else { return false }
        } while reader.skip(",")
        return reader.skip("}") && reader.isAtEnd
    }

    /// Reads one element; nil if the text ends or an array is nested, otherwise whether it was quoted.
    private mutating func readElement() -> Bool? {
        element.removeAll(keepingCapacity: true)
        let isQuoted = reader.skip("\"")
        while let byte = reader.peek(at: 0) {
            switch byte {
            case UInt8(ascii: "\""):
                guard isQuoted else { return nil }
                _ = reader.next()
                return true
            case UInt8(ascii: "\\"):
                _ = reader.next()
                guard let escaped = reader.next() else { return nil }
                element.append(escaped)
                continue
            case UInt8(ascii: ","), UInt8(ascii: "}"):
                if !isQuoted { return element.isEmpty ? nil : false }
            case UInt8(ascii: "{"):
                if !isQuoted { return nil }
            default: break
            }
            element.append(byte)
            _ = reader.next()
        }
        return nil
    }
}
