public import Foundation

/// One product in a catalogue file (JSON lines: one product a line).
///
///
/// `{"id":310,"sku":"TEE","name":"Tee","type":"variable","variations":[{"id":311,"sku":"TEE-M","stock":4}]}`
public struct CatalogueProduct: Codable, Sendable {
    /// A variation of a product.
    public struct Variation: Codable, Sendable {
        /// Unique among all products and variations.
        public var id: Int
        /// Blank for none.
        public var sku: String?
        /// What sets it apart, such as a size.
        public var option: String?
        /// Units; nil where they are not tracked here.
        public var stock: Int?
        /// Whether it has stock of its own; left out, whether ``stock`` is given. Without, the parent's counts.
        public var manageStock: Bool?
        /// `publish` unless stated.
        public var status: String?

        /// - Parameters: as the properties of the same names.
        public init(
            id: Int, sku: String?, option: String? = nil, stock: Int? = nil, manageStock: Bool? = nil,
            status: String? = nil
        ) {
            (self.id, self.sku, self.option, self.stock) = (id, sku, option, stock)
            (self.manageStock, self.status) = (manageStock, status)
        }

        private enum CodingKeys: String, CodingKey {
            case id, sku, option, stock, status
            case manageStock = "manage_stock"
        }
    }

    /// Unique among all products and variations.
    public var id: Int
    /// Blank for none.
    public var sku: String?
    /// Plain text.
    public var name: String?
    /// `simple` unless stated; `variable`, `grouped`, `external` or anything an extension invents.
    public var type: String?
    /// `publish` unless stated.
    public var status: String?
    /// Units; nil where they are not tracked.
    public var stock: Int?
    /// Whether stock is tracked; left out, whether ``stock`` is given.
    public var manageStock: Bool?
    /// In any order.
    public var variations: [Variation]?

    /// - Parameters: as the properties of the same names.
    public init(
        id: Int, sku: String?, name: String? = nil, type: String? = nil, status: String? = nil, stock: Int? = nil,
        manageStock: Bool? = nil, variations: [Variation]? = nil
    ) {
        (self.id, self.sku, self.name, self.type) = (id, sku, name, type)
        (self.status, self.stock, self.manageStock, self.variations) = (status, stock, manageStock, variations)
    }

    private enum CodingKeys: String, CodingKey {
        case id, sku, name, type, status, stock, variations
        case manageStock = "manage_stock"
    }
}

/// Reads and writes catalogue files.
public enum CatalogueFile {
    /// A line that is not a product.
    public struct Mistake: Error, CustomStringConvertible {
        /// From 1.
        public let line: Int
        /// What is wrong with it.
        public let problem: String
        /// Which line, and what is wrong with it.
        public var description: String { "Line \(line) of the catalogue: \(problem). Correct it and start again." }
    }

    /// The products of a file; empty lines are skipped.
    public static func read(_ path: String) throws -> [CatalogueProduct] {
        try parse(Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// The products of a file's content; empty lines are skipped.
    public static func parse(_ data: Data) throws -> [CatalogueProduct] {
        let decoder = JSONDecoder()
        var products: [CatalogueProduct] = []
        for (index, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 > 0x20 }) else { continue }
            do {
                products.append(try decoder.decode(CatalogueProduct.self, from: line))
            } catch {
                throw Mistake(line: index + 1, problem: "not a product in JSON (\(error))")
            }
        }
        return products
    }

    /// Products as a file's content.
    public static func text(_ products: [CatalogueProduct]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try products.map { String(decoding: try encoder.encode($0), as: UTF8.self) + "\n" }.joined()
    }
}
