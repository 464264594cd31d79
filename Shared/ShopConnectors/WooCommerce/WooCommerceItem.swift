internal import Domain
internal import Foundation

/// A product or variation as WooCommerce's REST API v3 writes it; only what we ask for. Extensions of a shop are known
/// to change the types of fields, so those that may be missing are read leniently, and those that decide are not.
struct WooCommerceItem: Decodable {
    let id: Int
    let name: String?
    let type: String?
    let status: String?
    let sku: String?
    let stockManagement: StockManagement
    let stockQuantity: Quantity?
    let modifiedAt: Date?
    let variations: [Int]
    let options: [String]
    let error: WooCommerceProblem?

    /// The fields to ask for when products are listed: answers with all fields are fifty times larger.
    static let productFields = "id,name,type,status,sku,manage_stock,stock_quantity,date_modified_gmt,variations"
    /// The same for variations.
    static let variationFields = "id,name,status,sku,manage_stock,stock_quantity,date_modified_gmt,attributes"

    enum StockManagement: Equatable { case own, none, parent }

    private enum CodingKeys: String, CodingKey {
        case id, name, type, status, sku, variations, attributes, error
        case manageStock = "manage_stock"
        case stockQuantity = "stock_quantity"
        case modifiedAt = "date_modified_gmt"
    }

    private struct Attribute: Decodable { let option: String? }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(Int.self, forKey: .id)
        error = try container.decodeIfPresent(WooCommerceProblem.self, forKey: .error)
        name = (try? container.decodeIfPresent(String.self, forKey: .name)).map(Self.withoutZero)
        type = try? container.decodeIfPresent(String.self, forKey: .type)
        status = try? container.decodeIfPresent(String.self, forKey: .status)
        sku = try Self.text(container, .sku)
        stockManagement = try Self.management(container)
        stockQuantity = Self.quantity(container)
        modifiedAt = (try? container.decodeIfPresent(String.self, forKey: .modifiedAt)).flatMap(WooCommerceDate.parse)
        variations = (try? container.decodeIfPresent([Int].self, forKey: .variations)) ?? []
        let attributes = (try? container.decodeIfPresent([Attribute].self, forKey: .attributes)) ?? []
        options = attributes.compactMap { $0.option.map(Self.withoutZero) }.filter { !$0.isEmpty }
    }

    /// No table can keep a zero byte.
    private static func withoutZero(_ text: String) -> String { text.replacing("\u{0}", with: "\u{FFFD}") }

    /// Text that an extension may have turned into a number.
    private static func text(_ container: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys) throws -> String? {
        guard container.contains(key), try !container.decodeNil(forKey: key) else { return nil }
        if let text = try? container.decode(String.self, forKey: key) { return withoutZero(text) }
        return String(try container.decode(Int.self, forKey: key))
    }

    private static func management(_ container: KeyedDecodingContainer<CodingKeys>) throws -> StockManagement {
        guard container.contains(.manageStock), try !container.decodeNil(forKey: .manageStock) else { return .none }
        if let flag = try? container.decode(Bool.self, forKey: .manageStock) { return flag ? .own : .none }
        switch try container.decode(String.self, forKey: .manageStock) {
        case "parent": return .parent
        case "yes", "1", "true": return .own
        default: return .none
        }
    }

    /// A number, a number in quotes, or null; never through floating point. Anything else counts as unknown: one
    /// product that an extension has spoilt must not hide the rest of the catalogue.
    private static func quantity(_ container: KeyedDecodingContainer<CodingKeys>) -> Quantity? {
        if let number = try? container.decodeIfPresent(Decimal.self, forKey: .stockQuantity) {
            return Quantity("\(number)")
        }
        return (try? container.decodeIfPresent(String.self, forKey: .stockQuantity)).flatMap { Quantity($0) }
    }
}

/// A refusal in WooCommerce's words: a whole answer, or the `error` of one item in a batch.
struct WooCommerceProblem: Decodable {
    let code: String?
    let message: String?

    private enum CodingKeys: String, CodingKey { case code, message }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let number = (try? container.decodeIfPresent(Int.self, forKey: .code)).map(String.init)
        code = (try? container.decodeIfPresent(String.self, forKey: .code)) ?? number
        message = try? container.decodeIfPresent(String.self, forKey: .message)
    }
}

/// The answer to a batch.
struct WooCommerceBatchAnswer: Decodable {
    let update: [WooCommerceItem]

    private enum CodingKeys: String, CodingKey { case update }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        update = try container.decodeIfPresent([WooCommerceItem].self, forKey: .update) ?? []
    }
}

/// WooCommerce's times: `2026-03-02T02:20:41`, in UTC where the field's name ends in `_gmt`, without saying so.
enum WooCommerceDate {
    static func parse(_ text: String) -> Date? {
        let parts = text.prefix(19).split { !$0.isASCII || !$0.isNumber }.compactMap { Int($0) }
        guard parts.count == 6, (1...9_999).contains(parts[0]), (1...12).contains(parts[1]),
            (1...31).contains(parts[2]), parts[3] < 24, parts[4] < 60, parts[5] <= 60
        else { return nil }
        let seconds = (parts[3] * 60 + parts[4]) * 60 + parts[5]
        return Date(timeIntervalSince1970: Double(days(parts[0], parts[1], parts[2]) * 86_400 + seconds))
    }

    /// Days from 1970-01-01 in the Gregorian calendar, counting years from March so that the leap day comes last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
