import Foundation

/// Any JSON, as a client sent it.
enum JSONValue: Decodable, Sendable, Equatable {
    case null
    case boolean(Bool)
    case number(Decimal)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Decimal.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var string: String? { if case .string(let value) = self { value } else { nil } }

    var elements: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

    /// As PHP's `intval` does: what comes after the point is cut off, text that is no number is 0.
    var phpInteger: Int {
        switch self {
        case .null, .array, .object: 0
        case .boolean(let value): value ? 1 : 0
        case .number(let value):
            Int(truncating: (value as NSDecimalNumber).rounding(accordingToBehavior: Self.cut(value)))
        case .string(let text): Int(text.prefix { $0.isNumber || $0 == "-" }) ?? 0
        }
    }

    /// As WordPress reads a boolean: `false`, 0, "0", "false" and "" are false.
    var wordPressBoolean: Bool {
        switch self {
        case .boolean(let value): value
        case .string(let text): !["", "0", "false", "no"].contains(text.lowercased())
        case .number(let value): value != 0
        case .null: false
        case .array, .object: true
        }
    }

    private static func cut(_ value: Decimal) -> NSDecimalNumberHandler {
        NSDecimalNumberHandler(
            roundingMode: value < 0 ? .up : .down, scale: 0, raiseOnExactness: false, raiseOnOverflow: false,
            raiseOnUnderflow: false, raiseOnDivideByZero: false)
    }
}

/// Writes one JSON object, field by field, leaving out what was not asked for (`_fields`).
struct JSONObjectWriter {
    private(set) var text = "{"
    let fields: Set<String>?

    init(fields: Set<String>? = nil) { self.fields = fields }

    mutating func add(_ name: String, _ value: String?) { add(name, raw: value.map(Self.quoted) ?? "null") }
    mutating func add(_ name: String, _ value: Int?) { add(name, raw: value.map(String.init) ?? "null") }
    mutating func add(_ name: String, _ value: Bool) { add(name, raw: value ? "true" : "false") }

    mutating func add(_ name: String, raw: @autoclosure () -> String) {
        guard fields?.contains(name) ?? true else { return }
        if text.utf8.count > 1 { text += "," }
        text += "\"\(name)\":\(raw())"
    }

    mutating func finish() -> String { text + "}" }

    static func quoted(_ value: String) -> String {
        var result = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                result += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
