/// A field of a query whose name, arguments and selections have been checked against the schema.
struct BoundField: Sendable {
    let key: String
    let field: GraphQLSchema.Field
    let arguments: [String: JSONValue]
    let directives: [String: [String: JSONValue]]
    var children: [BoundChild]
    let location: GraphQLLocation
    /// Points that it costs at most, with all that it selects.
    let cost: Int

    var isConnection: Bool { field.type.name.hasSuffix("Connection") }
}

struct BoundChild: Sendable {
    /// The types that an object must be of for the field to count: those of the fragments around it.
    let conditions: [String]
    let field: BoundField
}

/// An operation that may be carried out.
struct BoundOperation: Sendable {
    let isMutation: Bool
    let children: [BoundChild]

    var cost: Int { children.reduce(0) { $0 + $1.field.cost } }
}

/// Checks an operation against the schema, as section 5 of the GraphQL specification wants it, before anything is done.
struct GraphQLBinder {
    private let schema: GraphQLSchema
    private let document: GraphQLDocument
    private let declared: [String: GraphQLVariable]
    private let values: [String: JSONValue]
    private var used: Set<String> = []
    private var problems: [GraphQLProblem] = []

    /// The operation, or everything that is wrong with it.
    static func bind(
        _ document: GraphQLDocument, operation name: String?, variables: [String: JSONValue], _ schema: GraphQLSchema
    ) -> Result<BoundOperation, Refused> {
        let candidates = document.operations.filter { name == nil || $0.name == name }
        guard candidates.count == 1, let operation = candidates.first else {
            let message = name.map { "No operation named \"\($0)\"" } ?? "An operation name is required"
            return .failure(Refused(problems: [GraphQLProblem(message: message)]))
        }
        var wrong: [GraphQLProblem] = []
        let values = schema.variables(of: operation, given: variables, &wrong)
        var binder = GraphQLBinder(schema, document, operation, values)
        let root = operation.isMutation ? "Mutation" : "QueryRoot"
        let children = binder.bind(operation.selections, on: root, conditions: [], depth: 0)
        binder.checkVariables(operation)
        // What is wrong with the text is found before what is wrong with the values.
        if !binder.problems.isEmpty { return .failure(Refused(problems: binder.problems)) }
        if !wrong.isEmpty { return .failure(Refused(problems: wrong)) }
        return .success(BoundOperation(isMutation: operation.isMutation, children: children))
    }

    struct Refused: Error {
        let problems: [GraphQLProblem]
    }

    private init(
        _ schema: GraphQLSchema, _ document: GraphQLDocument, _ operation: GraphQLOperation,
        _ values: [String: JSONValue]
    ) {
        (self.schema, self.document, self.values) = (schema, document, values)
        declared = Dictionary(operation.variables.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    }

    private mutating func complain(_ message: String, _ location: GraphQLLocation, code: String) {
        problems.append(GraphQLProblem(message: message, location: location, code: code))
    }

    private mutating func checkVariables(_ operation: GraphQLOperation) {
        for variable in operation.variables where !used.contains(variable.name) {
            complain(
                "Variable $\(variable.name) is declared by \(operation.name ?? "anonymous query") but not used",
                variable.location, code: "variableNotUsed")
        }
    }

    // MARK: - Selections

    private mutating func bind(
        _ selections: [GraphQLSelection], on type: String, conditions: [String], depth: Int
    ) -> [BoundChild] {
        // Fragments that contain themselves would never end.
        guard depth < 50 else {
            complain("Query is nested too deeply", GraphQLLocation(line: 1, column: 1), code: "depth")
            return []
        }
        var result: [BoundChild] = []
        for selection in selections {
            switch selection {
            case .field(let field):
                let marks = directives(field.directives)
                guard let bound = bind(field, marks, on: type, depth: depth), Self.counts(marks) else { continue }
                result.append(BoundChild(conditions: conditions, field: bound))
            case .spread(let name, let directives, let location):
                guard let fragment = document.fragments[name] else {
                    complain("Fragment \(name) was used, but not defined", location, code: "useAndDefineFragment")
                    continue
                }
                result += bindFragment(
                    fragment.condition, directives, fragment.selections, location, on: type, conditions, depth)
            case .inline(let condition, let directives, let inner, let location):
                result += bindFragment(condition, directives, inner, location, on: type, conditions, depth)
            }
        }
        return result
    }

    private mutating func bindFragment(
        _ condition: String?, _ marks: [GraphQLDirective], _ selections: [GraphQLSelection],
        _ location: GraphQLLocation, on type: String, _ conditions: [String], _ depth: Int
    ) -> [BoundChild] {
        let target = condition ?? type
        guard schema.fields(of: target) != nil else {
            complain("No such type \(target), so it can't be a fragment condition", location, code: "undefinedType")
            return []
        }
        guard schema.type(target, is: type) || schema.type(type, is: target) else {
            complain(
                "Fragment on \(target) can't be spread inside \(type)", location, code: "fragmentOnIncompatibleType")
            return []
        }
        let values = directives(marks)
        let children = bind(selections, on: target, conditions: conditions + [target], depth: depth + 1)
        return Self.counts(values) ? children : []
    }

    private mutating func bind(
        _ field: GraphQLField, _ marks: [String: [String: JSONValue]], on type: String, depth: Int
    ) -> BoundField? {
        if field.name == "__typename" {
            let name = GraphQLSchema.Field(
                name: "__typename", type: .required(.named("String")), arguments: [], scope: nil)
            return BoundField(
                key: field.key, field: name, arguments: [:], directives: [:], children: [], location: field.location,
                cost: 0)
        }
        guard let definition = schema.fields(of: type)?[field.name] else {
            complain("Field '\(field.name)' doesn't exist on type '\(type)'", field.location, code: "undefinedField")
            return nil
        }
        let arguments = bind(
            field.arguments, definition.arguments, "Field '\(field.name)'", field.location)
        let result = definition.type.name
        let isObject = schema.fields(of: result) != nil
        if isObject && field.selections.isEmpty {
            complain(
                "Field must have selections (field '\(field.name)' returns \(result) but has no selections. "
                    + "Did you mean '\(field.name) { ... }'?)", field.location, code: "selectionMismatch")
        } else if !isObject && !field.selections.isEmpty {
            complain(
                "Selections can't be made on scalars (field '\(field.name)' returns \(result) but has selections)",
                field.location, code: "selectionMismatch")
        }
        let children = isObject ? bind(field.selections, on: result, conditions: [], depth: depth + 1) : []
        let cost = ShopifyCost.requested(definition, on: type, arguments, children)
        return BoundField(
            key: field.key, field: definition, arguments: arguments, directives: marks, children: children,
            location: field.location, cost: cost)
    }

    // MARK: - Directives

    private mutating func directives(_ marks: [GraphQLDirective]) -> [String: [String: JSONValue]] {
        var result: [String: [String: JSONValue]] = [:]
        for mark in marks {
            let condition = GraphQLSchema.Input(name: "if", type: .required(.named("Boolean")), standard: nil)
            let key = GraphQLSchema.Input(name: "key", type: .required(.named("String")), standard: nil)
            let known: [String: GraphQLSchema.Input] = ["include": condition, "skip": condition, "idempotent": key]
            guard let input = known[mark.name], mark.name != "idempotent" || schema.version >= "2026-01" else {
                complain("Directive @\(mark.name) is not defined", mark.location, code: "undefinedDirective")
                continue
            }
            result[mark.name] = bind(mark.arguments, [input], "Directive '\(mark.name)'", mark.location)
        }
        return result
    }

    private static func counts(_ marks: [String: [String: JSONValue]]) -> Bool {
        marks["include"]?["if"] != .boolean(false) && marks["skip"]?["if"] != .boolean(true)
    }

    // MARK: - Arguments

    private mutating func bind(
        _ given: GraphQLArguments, _ known: [GraphQLSchema.Input], _ owner: String, _ location: GraphQLLocation
    ) -> [String: JSONValue] {
        for (name, _) in given where !known.contains(where: { $0.name == name }) {
            complain("\(owner) doesn't accept argument '\(name)'", location, code: "argumentNotAccepted")
        }
        var result: [String: JSONValue] = [:]
        var missing: [String] = []
        for input in known {
            let literal = given.last { $0.name == input.name }?.value
            if let literal, let value = value(literal, input.type, "Argument '\(input.name)' on \(owner)", location) {
                result[input.name] = value
            } else if let standard = input.standard.flatMap(GraphQLSchema.constant) {
                result[input.name] = standard
            } else if literal == nil && input.type.isRequired {
                missing.append(input.name)
            }
        }
        if !missing.isEmpty {
            complain(
                "\(owner) is missing required arguments: \(missing.joined(separator: ", "))", location,
                code: "missingRequiredArguments")
        }
        return result
    }

    /// What a literal stands for; nil for a variable that was not given.
    private mutating func value(
        _ literal: GraphQLLiteral, _ type: GraphQLType, _ owner: String, _ location: GraphQLLocation
    ) -> JSONValue? {
        switch literal {
        case .variable(let name):
            return variable(name, type, owner, location)
        case .list(let items):
            if case .list(let element) = type.nullable {
                return .array(items.map { value($0, element, owner, location) ?? .null })
            }
        case .object(let members):
            if case .input(let known) = schema.definitions[type.name], !type.isList {
                return .object(bind(members, known, "InputObject '\(type.name)'", location))
            }
        case .enumeration(let word):
            if case .enumeration = schema.definitions[type.name],
                JSONValue.string(word).mismatch(type.name, schema.definitions[type.name]) == nil
            {
                return type.isList ? .array([.string(word)]) : .string(word)
            }
        case .constant(let constant):
            let definition = schema.definitions[type.name]
            if constant == .null && !type.isRequired { return .null }
            if case .scalar = definition, constant != .null, constant.mismatch(type.name, definition) == nil {
                let scalar = constant.asScalar(type.name)
                return type.isList ? .array([scalar]) : scalar
            }
        }
        complain(
            "\(owner) has an invalid value. Expected type '\(type)'.", location, code: "argumentLiteralsIncompatible")
        return nil
    }

    private mutating func variable(
        _ name: String, _ type: GraphQLType, _ owner: String, _ location: GraphQLLocation
    ) -> JSONValue? {
        used.insert(name)
        guard let variable = declared[name] else {
            complain("Variable $\(name) is used but not declared", location, code: "variableNotDefined")
            return nil
        }
        if variable.type.nullable != type.nullable {
            complain(
                "Type mismatch on variable $\(name) and \(owner) (\(variable.type) / \(type))", location,
                code: "variableMismatch")
        } else if type.isRequired && !variable.type.isRequired && variable.standard == nil {
            complain(
                "Nullability mismatch on variable $\(name) and \(owner) (\(variable.type) / \(type))", location,
                code: "variableMismatch")
        }
        return values[name]
    }
}
