import Foundation

extension JSONValue {
    /// As JSON; members in the order of their names, so that equal values have equal text.
    var text: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .number(let value): "\(value)"
        case .string(let value): JSONObjectWriter.quoted(value)
        case .array(let values): "[\(values.map(\.text).joined(separator: ","))]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(JSONObjectWriter.quoted($0.key)):\($0.value.text)" }
                .joined(separator: ",") + "}"
        }
    }

    var integer: Int? {
        guard case .number(let value) = self else { return nil }
        let whole = (value as NSDecimalNumber).intValue
        return Decimal(whole) == value ? whole : nil
    }

    /// Why it is no value of a scalar or enumeration type; nil if it is one.
    func mismatch(_ name: String, _ definition: GraphQLSchema.Definition?) -> String? {
        if case .enumeration(let values) = definition {
            if let string, values.contains(string) { return nil }
            return "Expected \(text) to be one of: \(values.joined(separator: ", "))"
        }
        let fits =
            switch (name, self) {
            case ("Int", .number): integer.map { Int32(exactly: $0) != nil } ?? false
            case ("Float", .number), ("Boolean", .boolean), ("ID", .string), ("Decimal", .string): true
            case ("ID", .number): integer != nil
            case ("DateTime", .string(let text)): ShopifyTime.read(text) != nil
            case ("Int", _), ("Float", _), ("Boolean", _), ("ID", _), ("DateTime", _): false
            case (_, .string): true
            default: name == "JSON"
            }
        return fits ? nil : "Could not coerce value \(text) to \(name)"
    }

    /// A number is as good an id as its text.
    func asScalar(_ name: String) -> JSONValue {
        if name == "ID", case .number = self { .string(text) } else { self }
    }
}

extension GraphQLSchema {
    /// Something wrong with a variable, and where in it.
    struct Mismatch {
        let path: [String]
        let explanation: String
    }

    /// A variable's value as its type wants it.
    ///
    /// - Parameters:
    ///   - mismatches: gets everything that is wrong.
    func coerce(_ value: JSONValue, to type: GraphQLType, at path: [String], _ mismatches: inout [Mismatch])
        -> JSONValue
    {
        if value == .null {
            if type.isRequired { mismatches.append(Mismatch(path: path, explanation: "Expected value to not be null")) }
            return .null
        }
        if case .list(let element) = type.nullable {
            let items = value.elements ?? [value]
            var result: [JSONValue] = []
            for (index, item) in items.enumerated() {
                result.append(coerce(item, to: element, at: path + ["\(index)"], &mismatches))
            }
            return .array(result)
        }
        guard case .input(let members) = definitions[type.name] else {
            if let explanation = value.mismatch(type.name, definitions[type.name]) {
                mismatches.append(Mismatch(path: path, explanation: explanation))
            }
            return value.asScalar(type.name)
        }
        guard case .object(let given) = value else {
            mismatches.append(Mismatch(path: path, explanation: "Expected \(value.text) to be a key-value object."))
            return value
        }
        return coerceMembers(given, members, type.name, at: path, &mismatches)
    }

    private func coerceMembers(
        _ given: [String: JSONValue], _ members: [Input], _ name: String, at path: [String],
        _ mismatches: inout [Mismatch]
    ) -> JSONValue {
        var result: [String: JSONValue] = [:]
        for unknown in given.keys.sorted() where !members.contains(where: { $0.name == unknown }) {
            mismatches.append(Mismatch(path: path + [unknown], explanation: "Field is not defined on \(name)"))
        }
        for member in members {
            if let value = given[member.name] {
                result[member.name] = coerce(value, to: member.type, at: path + [member.name], &mismatches)
            } else if case .constant(let standard) = member.standard {
                result[member.name] = standard
            } else if case .enumeration(let standard) = member.standard {
                result[member.name] = .string(standard)
            } else if member.type.isRequired {
                mismatches.append(
                    Mismatch(path: path + [member.name], explanation: "Expected value to not be null"))
            }
        }
        return .object(result)
    }

    /// The variables of an operation, or what is wrong with them.
    func variables(
        of operation: GraphQLOperation, given: [String: JSONValue], _ problems: inout [GraphQLProblem]
    ) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        for variable in operation.variables {
            guard let value = given[variable.name] ?? variable.standard.flatMap(Self.constant) else {
                if variable.type.isRequired {
                    problems.append(
                        Self.problem(variable, nil, [.init(path: [], explanation: "Expected value to not be null")]))
                }
                continue
            }
            var mismatches: [Mismatch] = []
            result[variable.name] = coerce(value, to: variable.type, at: [], &mismatches)
            if !mismatches.isEmpty { problems.append(Self.problem(variable, value, mismatches)) }
        }
        return result
    }

    private static func problem(
        _ variable: GraphQLVariable, _ value: JSONValue?, _ mismatches: [Mismatch]
    ) -> GraphQLProblem {
        let explanations = mismatches.map {
            $0.path.isEmpty ? $0.explanation : "\($0.path.joined(separator: ".")) (\($0.explanation))"
        }
        let list = mismatches.map { mismatch in
            let path = mismatch.path.map { Int($0).map(String.init) ?? JSONObjectWriter.quoted($0) }
            return "{\"path\":[\(path.joined(separator: ","))],"
                + "\"explanation\":\(JSONObjectWriter.quoted(mismatch.explanation))}"
        }
        let isWhole = mismatches.allSatisfy(\.path.isEmpty)
        return GraphQLProblem(
            message: "Variable $\(variable.name) of type \(variable.type) was provided invalid value"
                + (isWhole ? "" : " for \(explanations.joined(separator: ", "))"),
            location: variable.location, code: "INVALID_VARIABLE",
            details: [("value", value?.text ?? "null"), ("problems", "[\(list.joined(separator: ","))]")])
    }

    /// What a literal without variables stands for.
    static func constant(_ literal: GraphQLLiteral) -> JSONValue? {
        switch literal {
        case .variable: nil
        case .constant(let value): value
        case .enumeration(let word): .string(word)
        case .list(let items): .array(items.compactMap(constant))
        case .object(let members):
            .object(
                Dictionary(
                    members.compactMap { member in constant(member.value).map { (member.name, $0) } },
                    uniquingKeysWith: { $1 }))
        }
    }
}
