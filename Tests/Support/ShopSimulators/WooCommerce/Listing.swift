/// The parameters that WooCommerce's collections have in common, checked as WordPress checks them.
struct ListingRequest {
    let page: Int
    let perPage: Int
    let offset: Int
    let ascending: Bool
    let orderBy: String
    let fields: Set<String>?

    static let orders = [
        "date", "id", "include", "title", "slug", "price", "popularity", "rating", "menu_order", "modified",
    ]

    /// The parameters of a call, or what WordPress answers to wrong ones.
    static func read(_ call: Call, orders: [String] = Self.orders) -> Result<ListingRequest, Refused> {
        func number(_ name: String, _ fallback: Int, _ range: ClosedRange<Int>, _ rule: String) throws(Refused) -> Int {
            guard let text = call.parameter(name) else { return fallback }
            guard let value = Int(text) else { throw Refused(.invalid(name, "\(name) is not of type integer.")) }
            guard range.contains(value) else { throw Refused(.invalid(name, rule)) }
            return value
        }
        do throws(Refused) {
            let page = try number("page", 1, 1...Int.max, "page must be greater than or equal to 1")
            let perPage = try number(
                "per_page", 10, 1...100, "per_page must be between 1 (inclusive) and 100 (inclusive)")
            let offset = try number("offset", -1, 0...Int.max, "offset must be greater than or equal to 0")
            let order = call.parameter("order") ?? "desc"
            guard ["asc", "desc"].contains(order) else {
                throw Refused(.invalid("order", "order is not one of asc, desc."))
            }
            let orderBy = call.parameter("orderby") ?? "date"
            guard orders.contains(orderBy) else {
                throw Refused(.invalid("orderby", "orderby is not one of \(orders.joined(separator: ", "))."))
            }
            return .success(
                ListingRequest(
                    page: page, perPage: perPage, offset: offset < 0 ? (page - 1) * perPage : offset,
                    ascending: order == "asc", orderBy: orderBy, fields: call.list("_fields").map(Set.init)))
        } catch {
            return .failure(error)
        }
    }

    struct Refused: Error {
        let answer: Answer
        init(_ answer: Answer) { self.answer = answer }
    }

    /// One page of `items`, with the headers that tell how many there are.
    func answer(_ items: [ShopItem], call: Call, _ text: (ShopItem) -> String) -> Answer {
        answer(items.dropFirst(offset).prefix(perPage).map(text), total: items.count, call: call)
    }

    /// The parts of one page, with the headers that tell how many there are.
    func answer(_ part: [String], total: Int, call: Call) -> Answer {
        var answer = Answer("[" + part.joined(separator: ",") + "]")
        let pages = (total + perPage - 1) / perPage
        answer.headers = [("X-WP-Total", String(total)), ("X-WP-TotalPages", String(pages))]
        let links = [("prev", page - 1), ("next", page + 1)].filter { $0.1 >= 1 && $0.1 <= pages }
            .map { "<\(link(call, page: $0.1))>; rel=\"\($0.0)\"" }
        if !links.isEmpty { answer.headers.append(("Link", links.joined(separator: ", "))) }
        return answer
    }

    private func link(_ call: Call, page: Int) -> String {
        let rest = call.query.filter { $0.name != "page" } + [("page", String(page))]
        let query = rest.map { "\(OAuthVerifier.escape($0.name))=\(OAuthVerifier.escape($0.value))" }
        return "\(call.origin)\(call.path)?\(query.joined(separator: "&"))"
    }
}

extension ShopItems {
    /// `GET /products`
    func listProducts(_ call: Call, _ request: ListingRequest) -> Answer {
        var ids = productIDs
        if let skus = call.list("sku"), !skus.isEmpty {
            // With a SKU WooCommerce looks among products and variations alike.
            let wanted = Set(skus + (call.parameter("sku").map { [$0] } ?? []))
            ids = all.values.filter { wanted.contains(shownSKU(of: $0)) }.map(\.id).sorted()
        }
        if let include = call.list("include") { ids = Self.keep(ids, include) }
        if let exclude = call.list("exclude")?.compactMap({ Int($0) }) { ids.removeAll { exclude.contains($0) } }
        var items = ids.compactMap { all[$0] }
        if let status = call.list("status"), status != ["any"] { items.removeAll { !status.contains($0.status) } }
        if let type = call.parameter("type") { items.removeAll { $0.type != type } }
        return request.answer(Self.sorted(items, request), call: call) { text(of: $0, fields: request.fields) }
    }

    /// `GET /products/{parent}/variations`
    func listVariations(of parent: Int, _ call: Call, _ request: ListingRequest) -> Answer {
        var ids = all[parent]?.variations ?? []
        if let include = call.list("include") { ids = Self.keep(ids, include) }
        var items = ids.compactMap { all[$0] }
        if let skus = call.list("sku") { items.removeAll { !skus.contains(shownSKU(of: $0)) } }
        if let status = call.list("status"), status != ["any"] { items.removeAll { !status.contains($0.status) } }
        return request.answer(Self.sorted(items, request), call: call) { text(of: $0, fields: request.fields) }
    }

    private static func keep(_ ids: [Int], _ include: [String]) -> [Int] {
        let wanted = Set(include.compactMap { Int($0) })
        return wanted.isEmpty ? ids : ids.filter(wanted.contains)
    }

    private static func sorted(_ items: [ShopItem], _ request: ListingRequest) -> [ShopItem] {
        let ascending: [ShopItem] =
            switch request.orderBy {
            case "title", "slug": items.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
            case "modified": items.sorted { ($0.modifiedAt, $0.id) < ($1.modifiedAt, $1.id) }
            default: items
            }
        return request.ascending ? ascending : ascending.reversed()
    }

    /// A variation without a SKU of its own shows its parent's.
    func shownSKU(of item: ShopItem) -> String {
        item.sku.isEmpty && item.parentID != 0 ? all[item.parentID]?.sku ?? "" : item.sku
    }
}
