import Foundation

/// Times as Shopify writes and reads them.
enum ShopifyTime {
    /// `2026-11-30T04:05:06Z`
    static func text(_ date: Date) -> String { ShopItems.time(date) + "Z" }

    /// ISO 8601 with an offset, or a day in UTC.
    static func read(_ text: String) -> Date? {
        if let date = try? Date(text, strategy: .iso8601) { return date }
        if let date = try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) {
            return date
        }
        guard text.wholeMatch(of: /\d{4}-\d{2}-\d{2}/) != nil else { return nil }
        return try? Date(text + "T00:00:00Z", strategy: .iso8601)
    }
}

/// `gid://shopify/Order/5001`
enum ShopifyID {
    static func text(_ type: String, _ id: Int) -> String { "gid://shopify/\(type)/\(id)" }

    static func read(_ text: String) -> (type: String, id: Int)? {
        // Part of an id may stand behind a question mark.
        let parts = text.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "gid:", parts[1].isEmpty, parts[2] == "shopify", !parts[3].isEmpty,
            parts[4].utf8.allSatisfy({ (48...57).contains($0) }), let id = Int(parts[4])
        else { return nil }
        return (String(parts[3]), id)
    }

    /// The number of an id of one type; nil for anything else.
    static func number(_ value: JSONValue?, _ type: String) -> Int? {
        guard let found = value?.string.flatMap(read), found.type == type else { return nil }
        return found.id
    }
}
