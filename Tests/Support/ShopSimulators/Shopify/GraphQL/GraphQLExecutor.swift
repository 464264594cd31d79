/// What a field resolves to.
enum GraphQLValue {
    case null
    /// A scalar, or a list of scalars, as JSON.
    case json(String)
    case object(GraphQLObject)
    case list([GraphQLValue])
    case connection(GraphQLPage)

    static func text(_ value: String?) -> GraphQLValue { value.map { .json(JSONObjectWriter.quoted($0)) } ?? .null }
    static func number(_ value: Int?) -> GraphQLValue { value.map { .json(String($0)) } ?? .null }
    static func boolean(_ value: Bool) -> GraphQLValue { .json(value ? "true" : "false") }
    static func texts(_ values: [String]) -> GraphQLValue {
        .json("[\(values.map(JSONObjectWriter.quoted).joined(separator: ","))]")
    }
    static func objects(_ values: [GraphQLObject]) -> GraphQLValue { .list(values.map { .object($0) }) }
}

/// An object of a type of the schema: its fields are resolved when they are asked for.
struct GraphQLObject {
    typealias Resolver = (_ field: BoundField) throws(GraphQLProblem) -> GraphQLValue

    let type: String
    let resolve: Resolver

    init(_ type: String, resolve: @escaping Resolver) { (self.type, self.resolve) = (type, resolve) }

    /// An object whose fields are known beforehand and take no arguments.
    init(_ type: String, _ fields: [String: GraphQLValue]) {
        self.init(type) { field in fields[field.field.name] ?? .null }
    }
}

/// One page of a connection.
struct GraphQLPage {
    let nodes: [GraphQLObject]
    /// One for each node.
    let cursors: [String]
    let hasNext: Bool
    let hasPrevious: Bool
}

/// Carries a checked operation out, and writes the answer in the order in which things were asked for.
struct GraphQLExecutor {
    let schema: GraphQLSchema
    /// Points for what was really found.
    private(set) var cost = 0

    init(_ schema: GraphQLSchema) { self.schema = schema }

    /// The `data` of the answer and what went wrong. A field that may be null is null where it went wrong; where one
    /// may not, all of the answer is.
    mutating func run(
        _ operation: BoundOperation, resolve: (_ field: BoundField) throws(GraphQLProblem) -> GraphQLValue
    ) -> (data: String, problems: [GraphQLProblem]) {
        let type = operation.isMutation ? "Mutation" : "QueryRoot"
        var problems: [GraphQLProblem] = []
        var members: [String] = []
        var isWholeNull = false
        for field in merged(operation.children, for: type) {
            do throws(GraphQLProblem) {
                let text = field.field.name == "__typename" ? "\"\(type)\"" : try write(resolve(field), field)
                cost += ShopifyCost.mutation(on: type)
                members.append("\"\(field.key)\":\(text)")
            } catch {
                var problem = error
                if problem.location == nil { problem.location = field.location }
                problem.path = [field.key]
                problems.append(problem)
                members.append("\"\(field.key)\":null")
                isWholeNull = isWholeNull || field.field.type.isRequired
            }
        }
        return (isWholeNull ? "null" : "{\(members.joined(separator: ","))}", problems)
    }

    private mutating func write(
        _ object: GraphQLObject, _ children: [BoundChild]
    ) throws(GraphQLProblem) -> String {
        var text = "{"
        for field in merged(children, for: object.type) {
            if text.utf8.count > 1 { text += "," }
            text += "\"\(field.key)\":"
            if field.field.name == "__typename" {
                text += "\"\(object.type)\""
            } else {
                text += try write(object.resolve(field), field)
            }
        }
        return text + "}"
    }

    private mutating func write(_ value: GraphQLValue, _ field: BoundField) throws(GraphQLProblem) -> String {
        switch value {
        case .null: return "null"
        case .json(let text): return text
        case .object(let object):
            cost += ShopifyCost.object(object.type)
            return try write(object, field.children)
        case .list(let items):
            var texts: [String] = []
            for item in items { texts.append(try write(item, field)) }
            return "[\(texts.joined(separator: ","))]"
        case .connection(let page):
            cost += ShopifyCost.connection
            return try write(page, field)
        }
    }

    private mutating func write(_ page: GraphQLPage, _ field: BoundField) throws(GraphQLProblem) -> String {
        let edgeType = String(field.field.type.name.dropLast("Connection".count)) + "Edge"
        let edges = zip(page.nodes, page.cursors).map { node, cursor in
            GraphQLObject(edgeType, ["node": .object(node), "cursor": .text(cursor)])
        }
        let info = GraphQLObject(
            "PageInfo",
            [
                "hasNextPage": .boolean(page.hasNext), "hasPreviousPage": .boolean(page.hasPrevious),
                "startCursor": .text(page.cursors.first), "endCursor": .text(page.cursors.last),
            ])
        let connection = GraphQLObject(
            field.field.type.name,
            ["nodes": .objects(page.nodes), "edges": .objects(edges), "pageInfo": .object(info)])
        return try write(connection, field.children)
    }

    /// Fields that were asked for several times under the same name are answered once, with all their selections.
    private func merged(_ children: [BoundChild], for type: String) -> [BoundField] {
        var result: [BoundField] = []
        var places: [String: Int] = [:]
        for child in children where child.conditions.allSatisfy({ schema.type(type, is: $0) }) {
            if let place = places[child.field.key] {
                result[place].children += child.field.children
            } else {
                places[child.field.key] = result.count
                result.append(child.field)
            }
        }
        return result
    }
}
