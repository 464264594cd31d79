/// Points that a query costs: an object 1, a connection 2 and its page's size times what one of its objects costs, a
/// mutation 10, everything else nothing.
enum ShopifyCost {
    static let connection = 2
    /// The most that one query may cost, whatever the plan.
    static let limit = 1_000

    /// Types that only group others.
    private static func isFree(_ type: String) -> Bool {
        type == "PageInfo" || type.hasSuffix("Edge") || type.hasSuffix("Connection")
    }

    static func object(_ type: String) -> Int { isFree(type) || type.hasSuffix("Payload") ? 0 : 1 }

    static func mutation(on type: String) -> Int { type == "Mutation" ? 10 : 0 }

    /// What a field costs at most.
    static func requested(
        _ field: GraphQLSchema.Field, on type: String, _ arguments: [String: JSONValue], _ children: [BoundChild]
    ) -> Int {
        let inner = children.reduce(0) { $0 + $1.field.cost }
        let name = field.type.name
        if name.hasSuffix("Connection") {
            let size = arguments["first"]?.integer ?? arguments["last"]?.integer ?? 0
            return connection + size * inner
        }
        // A mutation's cost covers its payload.
        if type == "Mutation" { return mutation(on: type) }
        if children.isEmpty { return 0 }
        let count = arguments["ids"]?.elements?.count ?? 1
        return count * (object(name) + inner)
    }
}

/// A shop's bucket of points. Time comes in, in seconds on any steady clock.
struct ShopifyPoints: Sendable {
    var maximum: Double
    var restoreRate: Double
    private var available: Double
    private var updatedAt: Double?

    init(maximum: Double, restoreRate: Double) {
        (self.maximum, self.restoreRate, available) = (maximum, restoreRate, maximum)
    }

    /// Takes the points of a query out, or nothing if there are not enough.
    mutating func take(_ points: Int, at now: Double) -> Bool {
        available = min(maximum, available + max(0, now - (updatedAt ?? now)) * restoreRate)
        updatedAt = now
        guard available >= Double(points) else { return false }
        available -= Double(points)
        return true
    }

    mutating func refund(_ points: Int) { available = min(maximum, available + Double(max(0, points))) }

    /// `throttleStatus`
    var json: String {
        "{\"maximumAvailable\":\(maximum),\"currentlyAvailable\":\(Int(available)),\"restoreRate\":\(restoreRate)}"
    }
}
