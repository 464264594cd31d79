/// The types of a GraphQL API, read from text in the schema language. Test equipment: it knows three directives of its
/// own, `@since` and `@until` (first and last API version that has something) and `@scope` (the right a field needs).
struct GraphQLSchema: Sendable {
    /// An argument of a field or a member of an input object.
    struct Input: Sendable {
        let name: String
        let type: GraphQLType
        let standard: GraphQLLiteral?
    }

    struct Field: Sendable {
        let name: String
        let type: GraphQLType
        let arguments: [Input]
        let scope: String?
    }

    enum Definition: Sendable {
        case scalar
        case enumeration([String])
        case input([Input])
        /// An object or interface.
        case object([String: Field], implements: [String])
    }

    private(set) var definitions: [String: Definition] = [:]
    let version: String

    /// - Parameters:
    ///   - text: all types.
    ///   - version: what other versions have is left out.
    init(_ text: String, version: String) throws(GraphQLProblem) {
        self.version = version
        for scalar in ["ID", "Int", "Float", "String", "Boolean"] { definitions[scalar] = .scalar }
        var parser = try GraphQLParser(text)
        while parser.token != .end { try readDefinition(&parser) }
        let results = definitions.values.flatMap { definition -> [String] in
            guard case .object(let fields, _) = definition else { return [] }
            return fields.values.map(\.type.name)
        }
        for name in results where name.hasSuffix("Connection") { addConnection(name) }
    }

    func fields(of type: String) -> [String: Field]? {
        if case .object(let fields, _) = definitions[type] { fields } else { nil }
    }

    /// Whether an object of this type is also one of `condition`.
    func type(_ type: String, is condition: String) -> Bool {
        if type == condition { return true }
        guard case .object(_, let interfaces) = definitions[type] else { return false }
        return interfaces.contains(condition)
    }

    private mutating func readDefinition(_ parser: inout GraphQLParser) throws(GraphQLProblem) {
        let kind = try parser.name()
        let name = try parser.name()
        switch kind {
        case "scalar": definitions[name] = .scalar
        case "enum":
            var values: [String] = []
            try parser.expect("{")
            while !(try parser.skip("}")) { values.append(try parser.name()) }
            definitions[name] = .enumeration(values)
        case "input":
            definitions[name] = .input(try inputs(&parser, from: "{", to: "}"))
        default:
            var interfaces: [String] = []
            if parser.token == .name("implements") {
                try parser.advance()
                interfaces.append(try parser.name())
            }
            definitions[name] = .object(try fields(&parser), implements: interfaces)
        }
    }

    private func fields(_ parser: inout GraphQLParser) throws(GraphQLProblem) -> [String: Field] {
        var result: [String: Field] = [:]
        try parser.expect("{")
        while !(try parser.skip("}")) {
            let name = try parser.name()
            let arguments = parser.token == .mark("(") ? try inputs(&parser, from: "(", to: ")") : []
            try parser.expect(":")
            let type = try parser.type()
            let marks = try parser.directives()
            if isPart(marks) {
                result[name] = Field(
                    name: name, type: type, arguments: arguments, scope: Self.text("scope", marks))
            }
        }
        return result
    }

    private func inputs(
        _ parser: inout GraphQLParser, from opening: String, to closing: String
    ) throws(GraphQLProblem) -> [Input] {
        var result: [Input] = []
        try parser.expect(opening)
        while !(try parser.skip(closing)) {
            let name = try parser.name()
            try parser.expect(":")
            let type = try parser.type()
            let standard = try parser.skip("=") ? try parser.value() : nil
            if isPart(try parser.directives()) { result.append(Input(name: name, type: type, standard: standard)) }
        }
        return result
    }

    private func isPart(_ marks: [GraphQLDirective]) -> Bool {
        // Versions are dates: their order is that of their letters.
        (Self.text("since", marks) ?? "") <= version && version <= (Self.text("until", marks) ?? "9999")
    }

    private static func text(_ directive: String, _ marks: [GraphQLDirective]) -> String? {
        guard case .constant(.string(let text)) = marks.first(where: { $0.name == directive })?.arguments.first?.value
        else { return nil }
        return text
    }

    /// `OrderConnection` holds `Order`s.
    private mutating func addConnection(_ name: String) {
        let node = String(name.dropLast("Connection".count))
        func object(_ fields: [(String, GraphQLType)]) -> Definition {
            let pairs = fields.map { ($0.0, Field(name: $0.0, type: $0.1, arguments: [], scope: nil)) }
            return .object(Dictionary(uniqueKeysWithValues: pairs), implements: [])
        }
        func all(_ type: String) -> GraphQLType { .required(.list(.required(.named(type)))) }
        definitions[name] = object([
            ("nodes", all(node)), ("edges", all(node + "Edge")), ("pageInfo", .required(.named("PageInfo"))),
        ])
        definitions[node + "Edge"] = object([
            ("node", .required(.named(node))), ("cursor", .required(.named("String"))),
        ])
    }
}
