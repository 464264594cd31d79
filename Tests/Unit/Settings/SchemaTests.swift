import Foundation
import Testing

@testable import Settings

@Suite("The schema for editors says what the loader does")
struct SchemaTests {
    /// One key of the schema.
    private struct Property {
        var schema: [String: Any]
        var isRequired: Bool
    }

    private static func object(_ value: Any?) -> [String: Any] { value as? [String: Any] ?? [:] }

    private static func root() throws -> [String: Any] {
        object(try JSONSerialization.jsonObject(with: Data(ConfigurationSchema.json.utf8)))
    }

    /// Every key below a schema by its shape; of a place's kinds only the one asked for.
    private static func properties(
        _ schema: [String: Any], _ shape: String, kind: String, into result: inout [String: Property]
    ) {
        guard !schema.isEmpty else { return }
        let required = schema["required"] as? [String] ?? []
        let branches = (schema["oneOf"] as? [[String: Any]] ?? []).filter { branch in
            let type = object(object(branch["properties"])["type"])["const"] as? String
            return type == nil || type == kind
        }
        for (key, value) in object(schema["properties"]) {
            let path = shape.isEmpty ? key : "\(shape).\(key)"
            let isConstant = object(value)["const"] != nil
            if !isConstant { result[path] = Property(schema: object(value), isRequired: required.contains(key)) }
            properties(object(value), path, kind: kind, into: &result)
            properties(object(object(value)["items"]), path + "[]", kind: kind, into: &result)
        }
        // Entries under names of a set, all of one shape.
        for (pattern, value) in object(schema["patternProperties"]) where object(value)["properties"] != nil {
            result[shape + ".*"] = Property(schema: object(value), isRequired: false)
            #expect(pattern.hasPrefix("^("), "\(shape): the names are listed")
            properties(object(value), shape + ".*", kind: kind, into: &result)
        }
        for branch in branches { properties(branch, shape, kind: kind, into: &result) }
    }

    private static let places: [(kind: String, yaml: String)] = [
        ("folder", "{type: folder, directory: d, pattern: p}"),
        ("sftp", "{type: sftp, host: s, user: u, private_key: k, known_hosts: h, pattern: p}"),
        ("ftp", #"{type: ftp, host: s, user: u, password: "${env:P}", pattern: p}"#),
        ("ftps", #"{type: ftps, host: s, user: u, password: "${env:P}", pattern: p}"#),
        ("https", "{type: https, url: https://erp.example/stock.csv}"),
    ]

    /// What the reader asked for while it read the minimal configuration with that kind of place.
    private static func facts(_ yaml: String) throws -> [String: KeyFact] {
        let text = minimal(ProblemTests.folder, yaml)
        var facts = try ConfigurationLoader.read(text: text, file: "s.yaml").facts
        let after = minimal("on_hand: Quantity}}", "on_hand: Quantity}, missing_sku: {zero_after: 2}}")
        let zeroAfter = "sources[].format.missing_sku.zero_after"
        facts[zeroAfter] = try ConfigurationLoader.read(text: after, file: "s.yaml").facts[zeroAfter]
        return facts
    }

    @Test("every key of the model is in the schema and every key of the schema in the model", arguments: places.indices)
    func sameKeys(_ index: Int) throws {
        let place = Self.places[index]
        var properties: [String: Property] = [:]
        Self.properties(try Self.root(), "", kind: place.kind, into: &properties)
        let facts = try Self.facts(place.yaml)
        #expect(Set(facts.keys).subtracting(properties.keys).sorted() == [], "in the model only")
        #expect(Set(properties.keys).subtracting(facts.keys).sorted() == [], "in the schema only")
        #expect(facts.count > 90)
    }

    @Test("types, defaults, choices, ranges and what is required are the same", arguments: places.indices)
    func sameFacts(_ index: Int) throws {
        let place = Self.places[index]
        var properties: [String: Property] = [:]
        Self.properties(try Self.root(), "", kind: place.kind, into: &properties)
        for (shape, fact) in try Self.facts(place.yaml) {
            guard let property = properties[shape] else { continue }  // the test above reports it
            let schema = property.schema
            let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? ["string"]
            #expect(types.contains(fact.type), "\(shape): \(types), \(fact.type)")
            // A key that a branch demands only together with others is no fact of its own.
            let isConditional = ["zero_after"].contains { shape.hasSuffix($0) }
            #expect(property.isRequired == fact.isRequired || isConditional, "\(shape): required")
            #expect((schema["minimum"] as? NSNumber)?.doubleValue == fact.minimum, "\(shape): minimum")
            #expect((schema["maximum"] as? NSNumber)?.doubleValue == fact.maximum, "\(shape): maximum")
            let ownChoices = schema["enum"] as? [String]
            let otherChoices = (schema["oneOf"] as? [[String: Any]])?.compactMap { $0["enum"] as? [String] }.first
            let itemChoices = Self.object(schema["items"])["enum"] as? [String]
            let choices = ownChoices ?? itemChoices ?? (shape.hasSuffix("missing_sku") ? otherChoices : nil)
            #expect(choices ?? [] == fact.choices, "\(shape): choices")
            #expect(Self.json(schema["default"]) == fact.defaultValue?.canonicalDescription, "\(shape): default")
            #expect((schema["description"] as? String)?.isEmpty == false, "\(shape): description")
        }
    }

    @Test("no object of the schema lets an unknown key pass")
    func closed() throws {
        var open: [String] = []
        func walk(_ schema: [String: Any], _ path: String) {
            guard !schema.isEmpty else { return }
            // Where kinds differ, each branch is closed for itself.
            if schema["properties"] != nil, schema["oneOf"] == nil || schema["patternProperties"] != nil {
                if schema["additionalProperties"] as? Bool != false { open.append(path) }
            }
            for key in ["properties", "patternProperties"] {
                for (key, value) in Self.object(schema[key]) { walk(Self.object(value), "\(path).\(key)") }
            }
            walk(Self.object(schema["items"]), path)
            for (index, branch) in (schema["oneOf"] as? [[String: Any]] ?? []).enumerated() where branch["type"] != nil
            {
                walk(branch, "\(path).\(index)")
            }
        }
        let root = try Self.root()
        walk(root, "")
        #expect(open == [])
        #expect(root["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
    }

    private static func json(_ value: Any?) -> String? {
        switch value {
        case nil: nil
        case let list as [Any]: "[" + list.map { json($0) ?? "null" }.joined(separator: ",") + "]"
        case let object as [String: Any]: object.isEmpty ? "{}" : "\(object)"
        case let text as String: SettingsValue.jsonString(text)
        case let number as NSNumber:
            booleanText(number) ?? canonical(number.doubleValue)
        default: "\(value ?? "null")"
        }
    }

    /// JSON's true and false arrive as numbers; their Objective-C type tells them apart.
    private static func booleanText(_ number: NSNumber) -> String? {
        String(cString: number.objCType) == "c" || String(cString: number.objCType) == "B"
            ? (number.boolValue ? "true" : "false") : nil
    }
}
