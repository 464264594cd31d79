/// A name that is text underneath and a type of its own on top, so that a shop's SKU is never taken for an ERP code.
///
/// Ordered and compared by its Unicode scalars as they stand: nothing is normalised here (``SKUNormalizer`` does that,
/// where the shop's rules say so).
public protocol Identifier: RawRepresentable, Hashable, Sendable, Codable, Comparable, CustomStringConvertible,
    ExpressibleByStringLiteral, CodingKeyRepresentable
where RawValue == String {
    /// Takes the text as it stands.
    init(rawValue: String)
}

extension Identifier {
    /// Takes the text as it stands.
    public init(_ text: some StringProtocol) { self.init(rawValue: String(text)) }

    /// Takes the literal as it stands.
    public init(stringLiteral value: String) { self.init(rawValue: value) }

    /// The text.
    public var description: String { rawValue }

    /// Whether nothing but white space is in it.
    public var isBlank: Bool { rawValue.unicodeScalars.allSatisfy(\.properties.isWhitespace) }

    /// Equal when the scalars are the same, as in PostgreSQL: `String` alone would take two canonically equivalent
    /// spellings for one key where the tables hold two rows.
    public static func == (left: Self, right: Self) -> Bool { left.rawValue.utf8.elementsEqual(right.rawValue.utf8) }

    /// Hashes the UTF-8 text, in line with `==`.
    public func hash(into hasher: inout Hasher) {
        let hashed: Void? = rawValue.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: .init($0)) }
        if hashed == nil { for byte in rawValue.utf8 { hasher.combine(byte) } }
        hasher.combine(0xFF as UInt8)
    }

    /// Orders by Unicode scalar values, as PostgreSQL does under the collation `C`.
    public static func < (left: Self, right: Self) -> Bool {
        left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
    }

    /// Reads a JSON string.
    public init(from decoder: any Decoder) throws {
        self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
    }

    /// Writes a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// The text as a JSON object's key.
    public var codingKey: any CodingKey { IdentifierKey(stringValue: rawValue) }

    /// Reads a JSON object's key.
    public init?(codingKey: some CodingKey) { self.init(rawValue: codingKey.stringValue) }
}

/// A JSON object's key made from an identifier.
private struct IdentifierKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// The ERP's code of an article: what the stock file calls the SKU.
public struct ERPCode: Identifier {
    /// The code as the ERP writes it.
    public let rawValue: String
    /// Takes the code as it stands.
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// The SKU that a shop shows for one of its listings; may be blank, and may differ from the ERP's code.
public struct ShopSKU: Identifier {
    /// The SKU as the shop writes it.
    public let rawValue: String
    /// Takes the SKU as it stands.
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// The name of a shop in the configuration.
public struct ShopName: Identifier {
    /// The name as configured.
    public let rawValue: String
    /// Takes the name as it stands.
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// The name of a warehouse, as the stock file and the configuration write it.
public struct WarehouseName: Identifier {
    /// The name as configured.
    public let rawValue: String
    /// Takes the name as it stands.
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// The name of a source of stock in the configuration: a file feed or an ERP's API.
public struct SourceName: Identifier {
    /// The name as configured.
    public let rawValue: String
    /// Takes the name as it stands.
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// The id of what a shop sells as one thing, at its platform; a variation is written `parent/variation`.
public struct ListingID: Identifier {
    /// The id as text.
    public let rawValue: String
    /// Takes the id as it stands.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A variation of a parent listing.
    public init(parent: String, variation: String) { rawValue = "\(parent)/\(variation)" }

    /// The parent's id if this is a variation, else the id itself.
    public var parent: String { rawValue.split(separator: "/", maxSplits: 1).first.map(String.init) ?? rawValue }

    /// The variation's id below the parent; nil for a simple listing.
    public var variation: String? {
        let parts = rawValue.split(separator: "/", maxSplits: 1)
        return parts.count == 2 ? String(parts[1]) : nil
    }
}
