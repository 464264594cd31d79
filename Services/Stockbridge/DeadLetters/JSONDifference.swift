import Contracts
import Foundation

/// One place in which two JSON values differ.
struct JSONDifference: Sendable, Encodable, Equatable {
    /// Names and positions from the top, such as `lines.0.quantity`; empty for the whole.
    var path: String
    /// nil where there was nothing.
    var before: JSONValue?
    /// nil where there is nothing any more.
    var after: JSONValue?

    /// All places, in the order of their paths. Lists are compared position by position.
    static func between(_ before: JSONValue, _ after: JSONValue) -> [JSONDifference] {
        var found: [JSONDifference] = []
        compare(before, after, at: [], into: &found)
        return found
    }

    private static func compare(
        _ before: JSONValue, _ after: JSONValue, at path: [String], into found: inout [JSONDifference]
    ) {
        switch (before, after) {
        case (.object(let old), .object(let new)):
            for key in Set(old.keys).union(new.keys).sorted() {
                compare(old[key], new[key], at: path + [JSONPath.escaped(key)], into: &found)
            }
        case (.array(let old), .array(let new)):
            for index in 0..<max(old.count, new.count) {
                compare(
                    index < old.count ? old[index] : nil, index < new.count ? new[index] : nil,
                    at: path + ["\(index)"], into: &found)
            }
        default:
            guard before != after else { return }
            found.append(JSONDifference(path: path.joined(separator: "."), before: before, after: after))
        }
    }

    private static func compare(
        _ before: JSONValue?, _ after: JSONValue?, at path: [String], into found: inout [JSONDifference]
    ) {
        if let before, let after { return compare(before, after, at: path, into: &found) }
        found.append(JSONDifference(path: path.joined(separator: "."), before: before, after: after))
    }

    /// For a person: `- old` and `+ new` below each path.
    static func text(_ differences: [JSONDifference], style: TextStyle) -> String {
        differences.map { difference in
            var lines = [difference.path.isEmpty ? "(the whole body)" : ShownBody.harmless(difference.path)]
            if let before = difference.before { lines.append(style.bad("  - " + line(before))) }
            if let after = difference.after { lines.append(style.good("  + " + line(after))) }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func line(_ value: JSONValue) -> String {
        let text = (try? ContractCoding.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "?"
        return ShownBody.harmless(text).cut(to: 200)
    }
}

/// A place in a JSON value, as `--set` names it: names and positions with dots between them; `\.` is a dot in a name.
struct JSONPath: Sendable, Equatable {
    let steps: [String]

    init(_ text: String) {
        var steps: [String] = [""]
        var isEscaped = false
        for character in text {
            if isEscaped {
                steps[steps.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "." {
                steps.append("")
            } else {
                steps[steps.count - 1].append(character)
            }
        }
        self.steps = steps
    }

    static func escaped(_ name: String) -> String {
        name.replacing("\\", with: "\\\\").replacing(".", with: "\\.")
    }
}

/// A new value for one place of a body: `path=JSON`.
struct JSONAssignment: Sendable, Equatable {
    let path: JSONPath
    let value: JSONValue
    private let text: String

    /// - Throws: ``ToolError/usage(_:)`` unless it is a path, `=` and a JSON value.
    init(_ text: String) throws {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw ToolError.usage("--set takes PATH=JSON, such as lines.0.quantity='\"3\"', not '\(text)'.")
        }
        let json = String(text[text.index(after: equals)...])
        guard let value = try? ContractCoding.decode(JSONValue.self, from: Array(json.utf8)) else {
            throw ToolError.usage(
                "'\(json.cut(to: 60))' is not JSON; a text needs its quotes: --set \(text[..<equals])='\"...\"'.")
        }
        (path, self.value, self.text) = (JSONPath(String(text[..<equals])), value, String(text[..<equals]))
    }

    /// The value with this place replaced; a name that was not there is added, and so is the position after the last.
    ///
    /// - Throws: ``ToolError/usage(_:)`` if the way to the place does not exist.
    func applied(to body: JSONValue) throws -> JSONValue { try set(path.steps[...], in: body) }

    private func set(_ steps: ArraySlice<String>, in value: JSONValue) throws -> JSONValue {
        guard let step = steps.first else { return self.value }
        let rest = steps.dropFirst()
        switch value {
        case .object(var fields):
            guard rest.isEmpty || fields[step] != nil else { throw nowhere(step) }
            fields[step] = rest.isEmpty ? self.value : try set(rest, in: fields[step] ?? .null)
            return .object(fields)
        case .array(var entries):
            guard let index = Int(step), index >= 0, index < entries.count || (index == entries.count && rest.isEmpty)
            else { throw nowhere(step) }
            let new = rest.isEmpty ? self.value : try set(rest, in: entries[index])
            if index == entries.count { entries.append(new) } else { entries[index] = new }
            return .array(entries)
        default: throw nowhere(step)
        }
    }

    private func nowhere(_ step: String) -> ToolError {
        .usage("The body has no place '\(text)' ('\(step)' leads nowhere). Nothing was changed.")
    }
}
