extension StockbridgeConfiguration {
    /// How a dump is written.
    public enum DumpFormat: String, Sendable, CaseIterable {
        case yaml, json
    }

    /// Every effective value, defaults included, in the file's shape: loading it again gives the same configuration.
    ///
    /// Secrets are shown as their references. What is absent without a default is left out.
    public func redactedDump(_ format: DumpFormat = .yaml) -> String {
        switch format {
        case .yaml: effective.yamlLines(indent: 0).joined(separator: "\n") + "\n"
        case .json: effective.json(indent: 0) + "\n"
        }
    }
}

extension SettingsValue {
    /// Block style; collections that are empty are written as `[]` and `{}`.
    fileprivate func yamlLines(indent: Int) -> [String] {
        let margin = String(repeating: " ", count: indent)
        switch self {
        case .mapping(let entries):
            return entries.filter { $0.value != .null }.flatMap { entry -> [String] in
                let key = margin + Self.yamlText(entry.key) + ":"
                if let short = entry.value.yamlOnOneLine { return ["\(key) \(short)"] }
                return [key] + entry.value.yamlLines(indent: indent + 2)
            }
        case .list(let values):
            return values.flatMap { value -> [String] in
                if let short = value.yamlOnOneLine { return ["\(margin)- \(short)"] }
                var lines = value.yamlLines(indent: indent + 2)
                if let first = lines.first { lines[0] = "\(margin)- \(first.dropFirst(indent + 2))" }
                return lines
            }
        default:
            return [margin + (yamlOnOneLine ?? "")]
        }
    }

    private var yamlOnOneLine: String? {
        switch self {
        case .null: "null"
        case .text(let text): Self.yamlText(text)
        case .number(let digits): digits
        case .boolean(let value): "\(value)"
        case .list(let values): values.isEmpty ? "[]" : nil
        case .mapping(let entries): entries.allSatisfy { $0.value == .null } ? "{}" : nil
        }
    }

    /// A word as it is where no reader of YAML can take it for anything else, in double quotes otherwise.
    private static func yamlText(_ text: String) -> String {
        let reserved: Set = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
        let isWord = text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
        let startsWithLetter = text.first?.isLetter == true
        return isWord && startsWithLetter && !reserved.contains(text.lowercased()) ? text : jsonString(text)
    }

    fileprivate func json(indent: Int) -> String {
        let margin = String(repeating: " ", count: indent + 2)
        let end = String(repeating: " ", count: indent)
        switch self {
        case .list(let values) where !values.isEmpty:
            let lines = values.map { margin + $0.json(indent: indent + 2) }
            return "[\n\(lines.joined(separator: ",\n"))\n\(end)]"
        case .mapping(let entries):
            let lines = entries.filter { $0.value != .null }
                .map { "\(margin)\(Self.jsonString($0.key)): \($0.value.json(indent: indent + 2))" }
            return lines.isEmpty ? "{}" : "{\n\(lines.joined(separator: ",\n"))\n\(end)}"
        default:
            return canonicalDescription
        }
    }
}
