import Foundation

/// Reads the GraphQL query language (section 2 of the specification): operations, variables, fragments, directives.
struct GraphQLParser {
    private var tokenizer: GraphQLTokenizer
    private(set) var token = GraphQLTokenizer.Token.end
    private(set) var location = GraphQLLocation(line: 1, column: 1)

    init(_ text: String) throws(GraphQLProblem) {
        tokenizer = GraphQLTokenizer(text)
        try advance()
    }

    static func document(_ text: String) throws(GraphQLProblem) -> GraphQLDocument {
        var parser = try GraphQLParser(text)
        var document = GraphQLDocument()
        while parser.token != .end {
            if parser.token == .name("fragment") {
                let fragment = try parser.fragment()
                document.fragments[fragment.name] = fragment
            } else {
                document.operations.append(try parser.operation())
            }
        }
        guard !document.operations.isEmpty else {
            throw GraphQLProblem(message: "Unexpected end of document", location: parser.location)
        }
        return document
    }

    // MARK: - Tokens

    mutating func advance() throws(GraphQLProblem) { (token, location) = try tokenizer.next() }

    /// Goes on behind `mark` if it comes next.
    mutating func skip(_ mark: String) throws(GraphQLProblem) -> Bool {
        guard token == .mark(mark) else { return false }
        try advance()
        return true
    }

    mutating func expect(_ mark: String) throws(GraphQLProblem) {
        guard try skip(mark) else { throw unexpected("\"\(mark)\"") }
    }

    mutating func name() throws(GraphQLProblem) -> String {
        guard case .name(let name) = token else { throw unexpected("NAME") }
        try advance()
        return name
    }

    func unexpected(_ wanted: String) -> GraphQLProblem {
        let found =
            switch token {
            case .mark(let mark): "\"\(mark)\""
            case .name(let name): "NAME (\"\(name)\")"
            case .number(let value): "NUMBER (\(value))"
            case .string: "STRING"
            case .end: "end of document"
            }
        return GraphQLProblem(message: "Expected \(wanted), actual: \(found)", location: location)
    }

    // MARK: - Definitions

    private mutating func operation() throws(GraphQLProblem) -> GraphQLOperation {
        let start = location
        if token == .mark("{") {
            return GraphQLOperation(
                isMutation: false, name: nil, variables: [], selections: try selections(), location: start)
        }
        let kind = try name()
        guard kind == "query" || kind == "mutation" else {
            throw GraphQLProblem(message: "Expected a query or mutation, actual: \(kind)", location: start)
        }
        var called: String?
        if case .name = token { called = try name() }
        var variables: [GraphQLVariable] = []
        if try skip("(") {
            while !(try skip(")")) { variables.append(try variable()) }
        }
        _ = try directives()
        return GraphQLOperation(
            isMutation: kind == "mutation", name: called, variables: variables, selections: try selections(),
            location: start)
    }

    private mutating func variable() throws(GraphQLProblem) -> GraphQLVariable {
        let start = location
        try expect("$")
        let name = try name()
        try expect(":")
        let type = try type()
        let standard = try skip("=") ? try value() : nil
        return GraphQLVariable(name: name, type: type, standard: standard, location: start)
    }

    private mutating func fragment() throws(GraphQLProblem) -> GraphQLFragment {
        let start = location
        try advance()
        let called = try name()
        guard token == .name("on") else { throw unexpected("ON") }
        try advance()
        let condition = try name()
        _ = try directives()
        return GraphQLFragment(name: called, condition: condition, selections: try selections(), location: start)
    }

    mutating func type() throws(GraphQLProblem) -> GraphQLType {
        var result: GraphQLType
        if try skip("[") {
            result = .list(try type())
            try expect("]")
        } else {
            result = .named(try name())
        }
        if try skip("!") { result = .required(result) }
        return result
    }

    // MARK: - Selections

    private mutating func selections() throws(GraphQLProblem) -> [GraphQLSelection] {
        try expect("{")
        var result: [GraphQLSelection] = []
        while !(try skip("}")) { result.append(try selection()) }
        return result
    }

    private mutating func selection() throws(GraphQLProblem) -> GraphQLSelection {
        let start = location
        guard try skip("...") else { return .field(try field()) }
        if case .name(let called) = token, called != "on" {
            try advance()
            return .spread(name: called, directives: try directives(), location: start)
        }
        var condition: String?
        if token == .name("on") {
            try advance()
            condition = try name()
        }
        let marks = try directives()
        return .inline(condition: condition, directives: marks, try selections(), location: start)
    }

    private mutating func field() throws(GraphQLProblem) -> GraphQLField {
        let start = location
        var called = try name()
        var alias: String?
        if try skip(":") {
            alias = called
            called = try name()
        }
        let arguments = try arguments()
        let marks = try directives()
        return GraphQLField(
            alias: alias, name: called, arguments: arguments, directives: marks,
            selections: token == .mark("{") ? try selections() : [], location: start)
    }

    private mutating func arguments() throws(GraphQLProblem) -> GraphQLArguments {
        guard try skip("(") else { return [] }
        var result: GraphQLArguments = []
        while !(try skip(")")) {
            let called = try name()
            try expect(":")
            result.append((called, try value()))
        }
        return result
    }

    mutating func directives() throws(GraphQLProblem) -> [GraphQLDirective] {
        var result: [GraphQLDirective] = []
        while token == .mark("@") {
            let start = location
            try advance()
            let called = try name()
            result.append(GraphQLDirective(name: called, arguments: try arguments(), location: start))
        }
        return result
    }

    // MARK: - Values

    mutating func value() throws(GraphQLProblem) -> GraphQLLiteral {
        switch token {
        case .mark("$"):
            try advance()
            return .variable(try name())
        case .mark("["):
            try advance()
            var items: [GraphQLLiteral] = []
            while !(try skip("]")) { items.append(try value()) }
            return .list(items)
        case .mark("{"):
            try advance()
            var members: GraphQLArguments = []
            while !(try skip("}")) {
                let called = try name()
                try expect(":")
                members.append((called, try value()))
            }
            return .object(members)
        case .number(let number):
            try advance()
            return .constant(.number(number))
        case .string(let text):
            try advance()
            return .constant(.string(text))
        case .name(let word):
            try advance()
            return switch word {
            case "true": .constant(.boolean(true))
            case "false": .constant(.boolean(false))
            case "null": .constant(.null)
            default: .enumeration(word)
            }
        case .mark, .end:
            throw unexpected("a value")
        }
    }
}
