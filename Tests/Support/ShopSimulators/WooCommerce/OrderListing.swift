import Foundation

/// What `GET /orders` filters by, besides paging.
struct OrderFilter {
    /// Exclusive bounds in seconds since 1970.
    var modifiedAfter: Int?
    var modifiedBefore: Int?
    var placedAfter: Int?
    var placedBefore: Int?
    /// Nil for all but the bin.
    var statuses: Set<String>?
    var include: [Int]?
    var exclude: Set<Int> = []

    static let orders = ["date", "id", "include", "title", "slug", "modified"]

    /// - Parameter utcOffsetSeconds: Without `dates_are_gmt` times are compared with columns in the shop's local time.
    static func read(_ call: Call, utcOffsetSeconds: Int) -> Result<OrderFilter, ListingRequest.Refused> {
        let gmt = call.parameter("dates_are_gmt").map { JSONValue.string($0).wordPressBoolean } ?? false
        func second(_ name: String) throws(ListingRequest.Refused) -> Int? {
            guard let text = call.parameter(name) else { return nil }
            guard let time = LocalTime(text) else { throw .init(.invalid(name, "Invalid date.")) }
            return time.second - (time.saysOffset || gmt ? 0 : utcOffsetSeconds)
        }
        do throws(ListingRequest.Refused) {
            var filter = OrderFilter()
            filter.modifiedAfter = try second("modified_after")
            filter.modifiedBefore = try second("modified_before")
            filter.placedAfter = try second("after")
            filter.placedBefore = try second("before")
            let statuses = call.list("status") ?? ["any"]
            filter.statuses = statuses == ["any"] ? nil : Set(statuses)
            filter.include = call.list("include").map { $0.compactMap { Int($0) } }
            filter.exclude = Set(call.list("exclude")?.compactMap { Int($0) } ?? [])
            return .success(filter)
        } catch {
            return .failure(error)
        }
    }

    /// Whether nothing but times is asked for.
    var isPlain: Bool { statuses == nil && include == nil && exclude.isEmpty }

    func admits(_ order: SimulatedOrder) -> Bool {
        let updated = ShopOrders.second(order.updatedAt)
        let placed = ShopOrders.second(order.placedAt)
        guard modifiedAfter.map({ $0 < updated }) ?? true, modifiedBefore.map({ updated < $0 }) ?? true,
            placedAfter.map({ $0 < placed }) ?? true, placedBefore.map({ placed < $0 }) ?? true,
            include?.contains(order.id) ?? true, !exclude.contains(order.id)
        else { return false }
        guard let statuses else { return !order.facts.isDeleted }
        return statuses.contains(order.status) || (statuses.contains("any") && !order.facts.isDeleted)
    }
}

/// `2026-03-02T02:20:41`, with or without fraction and offset.
struct LocalTime {
    let second: Int
    let saysOffset: Bool

    init?(_ text: String) {
        let characters = Array(text.utf8)
        guard characters.count >= 19, characters[10] == UInt8(ascii: "T") || characters[10] == UInt8(ascii: " ") else {
            return nil
        }
        func number(_ from: Int, _ length: Int) -> Int? {
            let digits = characters[from..<from + length]
            guard digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
            return digits.reduce(0) { $0 * 10 + Int($1) - 48 }
        }
        guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let seconds = number(17, 2), (1...12).contains(month), (1...31).contains(day),
            hour < 24, minute < 60, seconds < 61
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (Int32(year - 1_900), Int32(month - 1), Int32(day))
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (Int32(hour), Int32(minute), Int32(seconds))
        var rest = text.dropFirst(19)
        if rest.hasPrefix(".") { rest = rest.dropFirst().drop { $0.isNumber } }
        guard let offset = Self.offset(String(rest)) else { return nil }
        second = timegm(&parts) - offset
        saysOffset = !rest.isEmpty
    }

    private static func offset(_ text: String) -> Int? {
        if text.isEmpty || text == "Z" { return 0 }
        let digits = text.dropFirst().filter { $0 != ":" }
        guard let sign = text.first, sign == "+" || sign == "-", digits.count == 4, let value = Int(digits) else {
            return nil
        }
        return (value / 100 * 3_600 + value % 100 * 60) * (sign == "-" ? -1 : 1)
    }
}

extension ShopOrders {
    /// The ids of one page and how many there are in all.
    func page(_ filter: OrderFilter, _ request: ListingRequest) -> (ids: [Int], total: Int) {
        let updates = byUpdate.range(after: filter.modifiedAfter, before: filter.modifiedBefore)
        let placements = byPlacement.range(after: filter.placedAfter, before: filter.placedBefore)
        if filter.isPlain && request.orderBy == "modified" && placements.count == byPlacement.keys.count {
            return Self.part(byUpdate.keys[updates], request) { $0.id }
        }
        if filter.isPlain && request.orderBy == "date" && updates.count == byUpdate.keys.count {
            return Self.part(byPlacement.keys[placements], request) { $0.id }
        }
        var candidates: [Int]
        if let include = filter.include {
            candidates = include
        } else if filter.statuses == ["trash"] {
            candidates = Array(deleted)
        } else if updates.count <= placements.count {
            candidates = byUpdate.keys[updates].map(\.id)
        } else {
            candidates = byPlacement.keys[placements].map(\.id)
        }
        if filter.include == nil, filter.statuses?.contains("trash") ?? false, filter.statuses != ["trash"] {
            candidates += deleted
        }
        let orders = candidates.compactMap { self[$0] }.filter(filter.admits)
        let sorted: [SimulatedOrder] =
            switch request.orderBy {
            case "modified": orders.sorted { Self.updateKey($0) < Self.updateKey($1) }
            case "id": orders.sorted { $0.id < $1.id }
            case "include": orders
            default: orders.sorted { Self.placementKey($0) < Self.placementKey($1) }
            }
        return Self.part(sorted[...], request) { $0.id }
    }

    /// A page of what is sorted upwards.
    private static func part<Element>(
        _ sorted: ArraySlice<Element>, _ request: ListingRequest, _ id: (Element) -> Int
    ) -> (ids: [Int], total: Int) {
        let isUpward = request.ascending || request.orderBy == "include"
        let ids =
            isUpward
            ? sorted.dropFirst(request.offset).prefix(request.perPage).map(id)
            : sorted.dropLast(request.offset).suffix(request.perPage).reversed().map(id)
        return (ids, sorted.count)
    }
}
