/// What became of a listing in a reconciliation (domain.md section 4).
///
/// In the order of precedence: where several apply, the first counts. The raw values are those of tables and messages.
public enum ReconciliationCategory: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// Two shelves of the shop have the same SKU.
    case duplicateSKU = "duplicate_sku"
    /// Two ERP codes are possible.
    case ambiguousAlias = "ambiguous_alias"
    /// No ERP code is known, or the listing itself is not.
    case unmapped
    /// The shop no longer has the listing.
    case missingOnSite = "missing_on_site"
    /// No stock file states the code, or the newest one no longer does.
    case missingInFile = "missing_in_file"
    /// Customers cannot see it.
    case disabled
    /// The shop does not count its stock.
    case notTracked = "not_tracked"
    /// The number is moving: a newer order, a push under way, or an expectation that nobody can state now.
    case inFlight = "in_flight"
    /// The last push was refused or failed.
    case pushFailed = "push_failed"
    /// Somebody changed the number in the shop.
    case editedOnSite = "edited_on_site"
    /// The parts of a kit do not add up. Not produced as long as there are no kits.
    case kitMismatch = "kit_mismatch"
    /// Packs taken for units, or a fraction.
    case unitOrRounding = "unit_or_rounding"
    /// The shop shows more than it should: it may sell what is not there.
    case tooHigh = "too_high"
    /// The shop shows less than it should: lost sales.
    case tooLow = "too_low"
    /// The number is as expected, but what it was worked out from is old.
    case staleFile = "stale_file"
    /// The price differs. Not produced as long as prices are not pushed.
    case priceMismatch = "price_mismatch"
    /// As it should be.
    case ok

    /// Its place in the order of precedence, from 0.
    public var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// By precedence.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    /// Whether it counts as a difference in mails: all but what is right and what is on its way.
    public var isDifference: Bool { self != .ok && self != .inFlight }

    /// Whether a second look at the shop can change it. What the mapping or the files decide is not read again.
    public var dependsOnReading: Bool {
        switch self {
        case .missingOnSite, .disabled, .notTracked, .inFlight, .pushFailed, .editedOnSite, .unitOrRounding, .tooHigh,
            .tooLow:
            true
        case .duplicateSKU, .ambiguousAlias, .unmapped, .missingInFile, .kitMismatch, .staleFile, .priceMismatch, .ok:
            false
        }
    }

    /// Whether pushing the wanted level again is a safe repair (domain.md section 4).
    public var isSafelyRepaired: Bool { self == .tooHigh || self == .tooLow || self == .editedOnSite }

    /// How urgent it is for the mail: the smaller, the earlier. Overselling first, then what nobody can buy.
    public var urgency: Int {
        switch self {
        case .tooHigh: 0
        case .editedOnSite: 1
        case .pushFailed: 2
        case .missingOnSite: 3
        case .disabled: 4
        case .tooLow: 5
        case .unitOrRounding: 6
        case .notTracked: 7
        case .duplicateSKU: 8
        case .ambiguousAlias: 9
        case .unmapped: 10
        case .missingInFile: 11
        case .kitMismatch, .priceMismatch: 12
        case .staleFile: 13
        case .inFlight, .ok: 14
        }
    }

    /// What a person can do about it, as a sentence.
    public var suggestedAction: String {
        switch self {
        case .duplicateSKU: "Give one of the listings another SKU, or map each by its listing id."
        case .ambiguousAlias: "Choose the ERP code with 'stockbridge mapping set'."
        case .unmapped: "Map it with 'stockbridge mapping set', or give it the ERP's code as SKU in the shop."
        case .missingOnSite: "Restore it in the shop, or read the catalogue again if it was deleted on purpose."
        case .missingInFile: "Ask whether the ERP dropped the article; its last number stays live."
        case .disabled: "Publish it in the shop, or leave it if it is hidden on purpose."
        case .notTracked: "Turn on stock management for it in the shop; the next push does so too."
        case .inFlight: "None: it settles by itself."
        case .pushFailed: "Read the shop's answer, correct the cause, and push the shop again."
        case .editedOnSite: "Find out who changes stock in the shop; push the shop again to set it right."
        case .kitMismatch: "Check the parts of the kit."
        case .unitOrRounding: "Check the units per pack in the mapping, and whether the shop takes fractions."
        case .tooHigh: "Push the shop again: it may sell what is not there."
        case .tooLow: "Push the shop again: it sells less than there is."
        case .staleFile: "Find out why no newer stock file came."
        case .priceMismatch: "Correct the price in the shop."
        case .ok: "None."
        }
    }
}
