import Foundation

/// Where an object stands in a list: by what the list is sorted by, then by id.
struct ShopifyKey: Comparable {
    var number = 0.0
    var text = ""
    let id: Int

    static func < (left: ShopifyKey, right: ShopifyKey) -> Bool {
        (left.number, left.text, left.id) < (right.number, right.text, right.id)
    }

    /// A cursor says after which place to go on, not after which object: an object that moves is seen again or missed.
    func cursor(_ sortKey: String) -> String {
        var writer = JSONObjectWriter()
        writer.add("last_id", id)
        writer.add("last_value", text.isEmpty ? "\(number)" : text)
        writer.add("is_text", !text.isEmpty)
        writer.add("sort", sortKey)
        return Data(writer.finish().utf8).base64EncodedString()
    }

    static func read(_ cursor: String, _ sortKey: String) throws(GraphQLProblem) -> ShopifyKey {
        guard let data = Data(base64Encoded: cursor), let json = try? JSONDecoder().decode(JSONValue.self, from: data),
            let id = json["last_id"]?.integer, let value = json["last_value"]?.string, json["sort"]?.string == sortKey
        else { throw GraphQLProblem(message: "Invalid cursor for current pagination sort.", code: "BAD_REQUEST") }
        let isText = json["is_text"] == .boolean(true)
        return ShopifyKey(number: isText ? 0 : Double(value) ?? 0, text: isText ? value : "", id: id)
    }
}

extension GraphQLPage {
    /// Cuts the page that `first`, `after`, `last`, `before` and `reverse` ask for out of a list.
    ///
    /// - Parameter list: sorted, first to last.
    init<Element>(
        _ list: [Element], _ field: BoundField, sortKey: String = "ID",
        key: (Element) -> ShopifyKey, node: (Element) -> GraphQLObject
    ) throws(GraphQLProblem) {
        let arguments = field.arguments
        let size = try Self.size(arguments)
        let isReversed = arguments["reverse"] == .boolean(true)
        var rest = (isReversed ? list.reversed() : list)[...]
        let count = rest.count
        if let cursor = arguments["after"]?.string {
            let limit = try ShopifyKey.read(cursor, sortKey)
            rest = rest.drop { isReversed ? key($0) >= limit : key($0) <= limit }
        }
        let dropped = count - rest.count
        if let cursor = arguments["before"]?.string {
            let limit = try ShopifyKey.read(cursor, sortKey)
            rest = rest.prefix { isReversed ? key($0) > limit : key($0) < limit }
        }
        let isFirst = arguments["first"]?.integer != nil
        let page = isFirst ? rest.prefix(size) : rest.suffix(size)
        nodes = page.map(node)
        cursors = page.map { key($0).cursor(sortKey) }
        hasNext = isFirst ? rest.count > size : arguments["before"]?.string != nil
        hasPrevious = isFirst ? dropped > 0 : rest.count > size
    }

    private static func size(_ arguments: [String: JSONValue]) throws(GraphQLProblem) -> Int {
        let first = arguments["first"]?.integer
        guard let size = first ?? arguments["last"]?.integer else {
            throw GraphQLProblem(
                message: "you must provide one of first or last", code: "BAD_REQUEST")
        }
        guard size >= 0 else {
            throw GraphQLProblem(message: "\(first == nil ? "last" : "first") cannot be negative", code: "BAD_REQUEST")
        }
        guard size <= 250 else {
            throw GraphQLProblem(
                message: "The input page size of \(size) is greater than the maximum allowed of 250.",
                code: "MAX_INPUT_SIZE_EXCEEDED")
        }
        return size
    }
}
