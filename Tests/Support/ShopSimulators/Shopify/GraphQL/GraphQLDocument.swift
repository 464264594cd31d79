/// Where something stands in a query, both from 1.
struct GraphQLLocation: Sendable, Equatable {
    let line: Int
    let column: Int
}

/// What a GraphQL server lists under the top-level `errors`.
struct GraphQLProblem: Error, Sendable {
    let message: String
    var location: GraphQLLocation?
    /// The field of the answer that it is about.
    var path: [String] = []
    /// `extensions.code`
    var code: String?
    /// Further members of `extensions`, as JSON.
    var details: [(name: String, json: String)] = []

    var json: String {
        var writer = JSONObjectWriter()
        writer.add("message", message)
        if let location {
            writer.add("locations", raw: "[{\"line\":\(location.line),\"column\":\(location.column)}]")
        }
        if !path.isEmpty {
            writer.add("path", raw: "[\(path.map(JSONObjectWriter.quoted).joined(separator: ","))]")
        }
        if code != nil || !details.isEmpty {
            var extensions = JSONObjectWriter()
            if let code { extensions.add("code", code) }
            for detail in details { extensions.add(detail.name, raw: detail.json) }
            writer.add("extensions", raw: extensions.finish())
        }
        return writer.finish()
    }
}

/// `[Int!]!`
indirect enum GraphQLType: Sendable, Equatable, CustomStringConvertible {
    case named(String)
    case list(GraphQLType)
    case required(GraphQLType)

    /// Without lists and exclamation marks.
    var name: String {
        switch self {
        case .named(let name): name
        case .list(let type), .required(let type): type.name
        }
    }

    var isRequired: Bool { if case .required = self { true } else { false } }

    /// Without its outer exclamation mark.
    var nullable: GraphQLType { if case .required(let type) = self { type } else { self } }

    var isList: Bool { if case .list = nullable { true } else { false } }

    var description: String {
        switch self {
        case .named(let name): name
        case .list(let type): "[\(type)]"
        case .required(let type): "\(type)!"
        }
    }
}

/// A value as it stands in a query.
indirect enum GraphQLLiteral: Sendable {
    case variable(String)
    /// A number, string, boolean or null.
    case constant(JSONValue)
    case enumeration(String)
    case list([GraphQLLiteral])
    case object([(name: String, value: GraphQLLiteral)])
}

typealias GraphQLArguments = [(name: String, value: GraphQLLiteral)]

/// `@name(argument: value)`
struct GraphQLDirective: Sendable {
    let name: String
    let arguments: GraphQLArguments
    let location: GraphQLLocation
}

/// `alias: name(arguments) @directives { selections }`
struct GraphQLField: Sendable {
    let alias: String?
    let name: String
    let arguments: GraphQLArguments
    let directives: [GraphQLDirective]
    let selections: [GraphQLSelection]
    let location: GraphQLLocation

    /// Its name in the answer.
    var key: String { alias ?? name }
}

/// What stands between braces.
enum GraphQLSelection: Sendable {
    case field(GraphQLField)
    /// `...Name`
    case spread(name: String, directives: [GraphQLDirective], location: GraphQLLocation)
    /// `... on Type { }`
    case inline(condition: String?, directives: [GraphQLDirective], [GraphQLSelection], location: GraphQLLocation)
}

/// `$name: Type = default`
struct GraphQLVariable: Sendable {
    let name: String
    let type: GraphQLType
    let standard: GraphQLLiteral?
    let location: GraphQLLocation
}

struct GraphQLOperation: Sendable {
    let isMutation: Bool
    let name: String?
    let variables: [GraphQLVariable]
    let selections: [GraphQLSelection]
    let location: GraphQLLocation
}

/// `fragment Name on Type { }`
struct GraphQLFragment: Sendable {
    let name: String
    let condition: String
    let selections: [GraphQLSelection]
    let location: GraphQLLocation
}

/// Everything in one `query` text.
struct GraphQLDocument: Sendable {
    var operations: [GraphQLOperation] = []
    var fragments: [String: GraphQLFragment] = [:]
}
