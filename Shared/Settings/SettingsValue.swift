/// An effective value as the dump shows it. Secrets are in it as their references only.
enum SettingsValue: Sendable, Hashable {
    case null
    case text(String)
    /// A number in its canonical decimal writing.
    case number(String)
    case boolean(Bool)
    case list([SettingsValue])
    case mapping([Entry])

    struct Entry: Sendable, Hashable {
        let key: String
        let value: SettingsValue
    }

    /// JSON on one line with the keys sorted: equal for values that mean the same.
    var canonicalDescription: String {
        switch self {
        case .null: "null"
        case .text(let text): Self.jsonString(text)
        case .number(let digits): digits
        case .boolean(let value): "\(value)"
        case .list(let values): "[\(values.map(\.canonicalDescription).joined(separator: ","))]"
        case .mapping(let entries):
            "{"
                + entries.sorted { $0.key < $1.key }
                .map { "\(Self.jsonString($0.key)):\($0.value.canonicalDescription)" }
                .joined(separator: ",") + "}"
        }
    }

    /// A JSON string; readable, so only what JSON demands is escaped.
    static func jsonString(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
