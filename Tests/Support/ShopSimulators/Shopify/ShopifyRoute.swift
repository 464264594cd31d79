import Foundation

/// One GraphQL request, as it came over HTTP.
struct ShopifyRequest {
    let version: String
    let query: String
    let operation: String?
    let variables: [String: JSONValue]

    /// The version in `/admin/api/{version}/graphql.json`; nil for another address.
    static func version(_ call: Call) -> String? {
        let segments = call.segments
        guard segments.count == 4, segments.starts(with: ["admin", "api"]), segments[3] == "graphql.json" else {
            return nil
        }
        return segments[2]
    }

    /// Nil for what is no request.
    init?(_ call: Call) {
        guard let asked = Self.version(call), let version = ShopifySchema.version(for: asked),
            let json = try? JSONDecoder().decode(JSONValue.self, from: Data(call.body)),
            let query = json["query"]?.string
        else { return nil }
        (self.version, self.query, operation) = (version, query, json["operationName"]?.string)
        if case .object(let members) = json["variables"] { variables = members } else { variables = [:] }
    }

    func bind() -> Result<BoundOperation, GraphQLBinder.Refused> {
        guard let schema = ShopifySchema.schema(version) else { return .failure(.init(problems: [])) }
        do throws(GraphQLProblem) {
            return GraphQLBinder.bind(
                try GraphQLParser.document(query), operation: operation, variables: variables, schema)
        } catch {
            return .failure(.init(problems: [error]))
        }
    }
}

/// A request that has been read and checked, once for all who look at it.
struct ShopifyPrepared: Sendable {
    let version: String
    let result: Result<BoundOperation, GraphQLBinder.Refused>

    /// The operation, if it may be carried out.
    var operation: BoundOperation? { try? result.get() }
}

// MARK: - What a call is, for faults and counts

extension SimulatedShop {
    /// Reads a call to a Shopify shop; nil for what is no GraphQL request.
    func prepare(_ call: Call) -> ShopifyPrepared? {
        guard configuration.platform == .shopify, let request = ShopifyRequest(call) else { return nil }
        return ShopifyPrepared(version: request.version, result: request.bind())
    }

    /// The items that a call would change, as the journal names them.
    func shopifyChanges(_ call: Call) -> [String] {
        guard let operation = call.shopify?.operation, operation.isMutation else { return [] }
        let ids = operation.children.flatMap { child -> [JSONValue?] in
            let arguments = child.field.arguments
            let rows = arguments["input"]?["quantities"]?.elements ?? []
            return rows.map { $0["inventoryItemId"] } + [arguments["inventoryItemId"]]
        }
        return with { state in ids.compactMap { state.inventoryItem($0?.string)?.key } }
    }

    /// Whether a call asks for a change.
    func isChange(_ call: Call) -> Bool {
        switch configuration.platform {
        case .wooCommerce: call.method != "GET"
        case .shopify: call.shopify?.operation?.isMutation ?? false
        }
    }

    /// What a fault's `method` and `path` are compared with. Everything at Shopify is a POST to one address: queries
    /// count as `GET`, mutations as `POST`, the request of a token as `TOKEN`; behind the path comes `#` and the name
    /// of the first query or mutation.
    func faultTarget(_ call: Call) -> (method: String, path: String) {
        guard configuration.platform == .shopify else { return (call.method, call.path) }
        guard let operation = call.shopify?.operation, let first = operation.children.first else {
            return (call.path == Self.tokenPath ? "TOKEN" : call.method, call.path)
        }
        return (operation.isMutation ? "POST" : "GET", "\(call.path)#\(first.field.field.name)")
    }

    private static let tokenPath = "/admin/oauth/access_token"

    /// Notes the idempotency keys of a call that begins, so that another with the same key that comes before it has
    /// ended is refused.
    func beginShopify(_ call: Call) {
        guard let operation = call.shopify?.operation, operation.isMutation else { return }
        with { state in
            for child in operation.children {
                guard let key = child.field.directives["idempotent"]?["key"]?.string else { continue }
                state.shopify.running[key] = state.shopify.running[key] ?? call.number
            }
        }
    }
}

// MARK: - Answers

extension SimulatedShop {
    /// Authenticates a call and does what it asks.
    func performShopify(_ call: Call, fault: Fault?, late: Bool) -> Answer {
        let steady = Self.steadySeconds()
        var answer = with { state in
            defer { state.shopify.running = state.shopify.running.filter { $0.value != call.number } }
            if call.path == Self.tokenPath { return state.grantToken(call) }
            guard let asked = ShopifyRequest.version(call), ShopifySchema.version(for: asked) != nil else {
                return Self.shopifyError(404, "Not Found")
            }
            guard call.method == "POST" else { return Self.shopifyError(405, "Method Not Allowed") }
            if let refusal = state.refuseShopify(call) { return refusal }
            guard let request = call.shopify else {
                return Self.shopifyError(400, "Required parameter missing or invalid")
            }
            return state.perform(request, call, fault: fault, late: late, steady: steady)
        }
        answer.headers.append(("X-Request-Id", UUID().uuidString.lowercased()))
        if let version = ShopifyRequest.version(call).flatMap(ShopifySchema.version) {
            answer.headers.append(("X-Shopify-API-Version", version))
        }
        return answer
    }

    /// `{"errors":"…"}`: an answer from before GraphQL.
    static func shopifyError(_ status: Int, _ message: String) -> Answer {
        Answer("{\"errors\":\(JSONObjectWriter.quoted(message))}", status: status)
    }

    /// What a fault of a status answers.
    static func shopifyFailure(_ status: Int) -> Answer {
        switch status {
        case 401: shopifyError(401, unauthorized)
        case 402: shopifyError(402, "This shop's plan does not have access to this feature")
        case 403: shopifyError(403, "[API] This action requires merchant approval.")
        case 423: shopifyError(423, "[API] This shop is currently locked.")
        case 429: shopifyError(429, "Exceeded 2 calls per second for api client. Reduce request rates.")
        case 500: shopifyError(500, "Internal Server Error")
        default: .page("Service status \(status)", status: status)
        }
    }

    fileprivate static let unauthorized =
        "[API] Invalid API key or access token (unrecognized login or wrong password)"
}

extension SimulatedShop.State {
    fileprivate mutating func refuseShopify(_ call: Call) -> Answer? {
        let token = call.header("x-shopify-access-token") ?? ""
        let now = clock.sharedNow()
        if !token.isEmpty {
            if token == configuration.shopify.permanentToken { return nil }
            if let end = shopify.tokens[token], end > now { return nil }
        }
        statistics.unauthorized += 1
        return SimulatedShop.shopifyError(401, SimulatedShop.unauthorized)
    }

    /// `POST /admin/oauth/access_token`, as a form or as JSON.
    fileprivate mutating func grantToken(_ call: Call) -> Answer {
        guard call.method == "POST" else { return SimulatedShop.shopifyError(404, "Not Found") }
        let json = try? JSONDecoder().decode(JSONValue.self, from: Data(call.body))
        let form = json == nil ? Call.parse(query: String(decoding: call.body, as: UTF8.self)) : []
        func value(_ name: String) -> String? { json?[name]?.string ?? form.last { $0.name == name }?.value }
        func refusal(_ status: Int, _ code: String, _ why: String) -> Answer {
            Answer("{\"error\":\"\(code)\",\"error_description\":\"\(why)\"}", status: status)
        }
        guard value("grant_type") == "client_credentials" else {
            return refusal(400, "unsupported_grant_type", "The grant type is not supported.")
        }
        guard value("client_id") == configuration.key, value("client_secret") == configuration.secret else {
            statistics.unauthorized += 1
            return refusal(401, "invalid_client", "The client could not be authenticated.")
        }
        let token = "shpat_" + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
        let now = clock.sharedNow()
        shopify.tokens = shopify.tokens.filter { $0.value > now }
        shopify.tokens[token] = now.addingTimeInterval(configuration.shopify.tokenSeconds)
        var writer = JSONObjectWriter()
        writer.add("access_token", token)
        writer.add("scope", configuration.shopify.scopes.joined(separator: ","))
        writer.add("expires_in", Int(configuration.shopify.tokenSeconds))
        return Answer(writer.finish())
    }

    /// Carries a request out that may be carried out.
    fileprivate mutating func perform(
        _ request: ShopifyPrepared, _ call: Call, fault: Fault?, late: Bool, steady: Double
    ) -> Answer {
        statistics.graphQLCalls += 1
        let operation: BoundOperation
        switch request.result {
        case .success(let bound): operation = bound
        case .failure(let refused): return Self.answer(data: nil, refused.problems, extensions: "")
        }
        let requested = operation.cost
        if requested > ShopifyCost.limit {
            let problem = GraphQLProblem(
                message: "Query cost is \(requested), which exceeds the single query max cost limit "
                    + "(\(ShopifyCost.limit)).", code: "MAX_COST_EXCEEDED",
                details: [("cost", "\(requested)"), ("maxCost", "\(ShopifyCost.limit)")])
            return Self.answer(data: nil, [problem], extensions: "")
        }
        guard shopify.points.take(requested, at: steady) else {
            statistics.throttled += 1
            let problem = GraphQLProblem(
                message: "Throttled", code: "THROTTLED",
                details: [("documentation", "\"https://shopify.dev/api/usage/rate-limits\"")])
            var answer = Self.answer(data: nil, [problem], extensions: cost(requested, actual: nil))
            answer.status = shopify.throttledStatus
            return answer
        }
        let author = Author(
            request: call.number, client: call.client, source: late ? .late : .api, time: clock.now())
        return carryOut(operation, request.version, fault: fault, by: author)
    }

    private mutating func carryOut(
        _ operation: BoundOperation, _ version: String, fault: Fault?, by author: Author
    ) -> Answer {
        guard let schema = ShopifySchema.schema(version) else { return SimulatedShop.shopifyError(404, "Not Found") }
        var executor = GraphQLExecutor(schema)
        var warnings: [String] = []
        var listed: [Int] = []
        let data: String
        let problems: [GraphQLProblem]
        if operation.isMutation {
            (data, problems) = executor.run(operation) { (field) throws(GraphQLProblem) in
                try Self.checkScope(field, ShopifyView(self, now: author.time))
                let payload = try mutate(field, version, fault: fault, by: author)
                return try payload(ShopifyView(self, now: author.time))
            }
        } else {
            let view = ShopifyView(self, now: author.time)
            (data, problems) = executor.run(operation) { (field) throws(GraphQLProblem) in
                try Self.checkScope(field, view)
                return try view.query(field, &warnings)
            }
            listed = view.listed
        }
        editWhileListing(listed)
        shopify.points.refund(operation.cost - executor.cost)
        let search = warnings.isEmpty ? "" : "\"search\":[\(warnings.joined(separator: ","))],"
        return Self.answer(
            data: data, problems, extensions: search + cost(operation.cost, actual: executor.cost))
    }

    private static func checkScope(_ field: BoundField, _ view: ShopifyView) throws(GraphQLProblem) {
        guard let scope = field.field.scope, !view.allows(scope) else { return }
        throw ShopifyView.denied(field.field.name, scope)
    }

    private func cost(_ requested: Int, actual: Int?) -> String {
        "\"cost\":{\"requestedQueryCost\":\(requested),\"actualQueryCost\":\(actual.map(String.init) ?? "null"),"
            + "\"throttleStatus\":\(shopify.points.json)}"
    }

    private static func answer(data: String?, _ problems: [GraphQLProblem], extensions: String) -> Answer {
        var writer = JSONObjectWriter()
        if let data { writer.add("data", raw: data) }
        if !problems.isEmpty { writer.add("errors", raw: "[\(problems.map(\.json).joined(separator: ","))]") }
        if !extensions.isEmpty { writer.add("extensions", raw: "{\(extensions)}") }
        return Answer(writer.finish())
    }
}
