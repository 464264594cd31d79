import Foundation

extension ShopItems {
    /// A product or variation in the shape of the REST API v3, with the fields that matter to a stock client.
    func text(of item: ShopItem, fields: Set<String>?) -> String {
        let holder = stockHolder(of: item)
        let stock = holder.managesStock ? holder.stock : nil
        let modified = Self.time(item.modifiedAt)
        var writer = JSONObjectWriter(fields: fields)
        writer.add("id", item.id)
        writer.add("name", item.name)
        writer.add("type", item.type)
        writer.add("status", item.status)
        writer.add("parent_id", item.parentID)
        writer.add("sku", shownSKU(of: item))
        writer.add("date_modified", modified)
        writer.add("date_modified_gmt", modified)
        writer.add("description", "")
        writer.add("price", "0")
        writer.add("regular_price", "")
        writer.add("sale_price", "")
        writer.add("purchasable", item.status == "publish")
        writer.add("manage_stock", raw: holder.id != item.id ? "\"parent\"" : item.managesStock ? "true" : "false")
        writer.add("stock_quantity", stock)
        writer.add("backorders", "no")
        writer.add("backorders_allowed", false)
        writer.add("stock_status", (stock ?? 1) > 0 ? "instock" : "outofstock")
        writer.add("attributes", raw: Self.attributes(item))
        if item.parentID == 0 {
            writer.add("variations", raw: "[\(item.variations.map(String.init).joined(separator: ","))]")
        }
        writer.add("meta_data", raw: "[]")
        return writer.finish()
    }

    private static func attributes(_ item: ShopItem) -> String {
        if item.option.isEmpty { return "[]" }
        var attribute = JSONObjectWriter()
        attribute.add("id", 0)
        attribute.add("name", "Option")
        attribute.add("option", item.option)
        return "[\(attribute.finish())]"
    }

    /// `2026-03-02T02:20:41`, in UTC, without saying so.
    static func time(_ date: Date) -> String {
        var seconds = time_t(date.timeIntervalSince1970)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))T"
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}
