/// Why an order is kept back from the ERP. It is released by itself once the cause is gone (domain.md, Holding).
public struct OrderHold: Sendable, Hashable, Codable {
    /// The kind of cause.
    public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
        /// A line's SKU has no ERP code.
        case unmappedSKU = "unmapped_sku"
        /// A line has no SKU, and its listing no alias.
        case blankSKU = "blank_sku"
        /// Two ERP codes are possible for a line.
        case ambiguousSKU = "ambiguous_sku"
        /// There is nothing on it.
        case noLines = "no_lines"
        /// Its parts do not add up to the shop's total.
        case totalMismatch = "total_mismatch"
        /// Its currency is none that the shop is configured for.
        case unknownCurrency = "unknown_currency"
        /// The platform thinks it may be fraud.
        case risk
        /// The shop's answer about it cannot be read.
        case unreadable
    }

    /// The kind of cause.
    public var code: Code
    /// A sentence for people, without personal data.
    public var text: String
    /// The lines concerned; empty if it is the order as a whole.
    public var lineIDs: [String]

    /// A hold.
    public init(_ code: Code, _ text: String, lineIDs: [String] = []) {
        self.code = code
        self.text = text
        self.lineIDs = lineIDs
    }

    private enum CodingKeys: String, CodingKey {
        case code, text
        case lineIDs = "line_ids"
    }
}

/// How far a cancellation is. The shop's wish alone takes nothing out of the ERP.
public enum OrderCancellation: String, Sendable, Hashable, Codable, CaseIterable {
    /// The shop says so, but it may have shipped already: a task for a person.
    case requested
    /// The ERP has been asked.
    case pendingERP = "pending_erp"
    /// Final: the units are released.
    case cancelled
    /// Not any more: it has been shipped.
    case refused
}

/// What a line of an order is in the ERP.
public struct OrderLineMapping: Sendable, Hashable, Codable {
    /// The line.
    public var lineID: String
    /// The ERP's code; nil if it has none yet.
    public var erpCode: ERPCode?
    /// ERP units in one unit of the listing.
    public var unitsPerPack: Int
    /// The line's present quantity in ERP units.
    public var erpQuantity: Quantity

    /// A line's mapping.
    public init(lineID: String, erpCode: ERPCode?, unitsPerPack: Int, erpQuantity: Quantity) {
        self.lineID = lineID
        self.erpCode = erpCode
        self.unitsPerPack = unitsPerPack
        self.erpQuantity = erpQuantity
    }

    private enum CodingKeys: String, CodingKey {
        case lineID = "line_id"
        case erpCode = "erp_code"
        case unitsPerPack = "units_per_pack"
        case erpQuantity = "erp_quantity"
    }
}

/// Which of two statements about an order is newer: the highest pair wins (domain.md, Identity).
public struct OrderVersion: Sendable, Hashable, Comparable, Codable {
    /// Counts the different facts of the shop, from 1.
    public var revision: Int
    /// Counts what we added: a hold, a release, a mapping.
    public var stateVersion: Int

    /// A pair.
    public init(revision: Int, stateVersion: Int) {
        self.revision = revision
        self.stateVersion = stateVersion
    }

    /// Orders by revision, then by state version.
    public static func < (left: Self, right: Self) -> Bool {
        (left.revision, left.stateVersion) < (right.revision, right.stateVersion)
    }

    private enum CodingKeys: String, CodingKey {
        case revision
        case stateVersion = "state_version"
    }
}
