/// A person's decision that a listing of a shop is an article of the ERP; it stands above the rules.
public struct MappingAlias: Sendable, Hashable, Codable {
    /// The shop's SKU, or nil if the alias names a listing by its id (the only way for a listing without a SKU).
    public var shopSKU: ShopSKU?
    /// The listing's id at the platform, or nil if the alias names a SKU.
    public var listing: ListingID?
    /// The ERP's code.
    public var code: ERPCode
    /// ERP units in one unit of the listing; at least 1.
    public var unitsPerPack: Int

    /// An alias for a SKU or for one listing; the one for a listing wins.
    public init(shopSKU: ShopSKU? = nil, listing: ListingID? = nil, code: ERPCode, unitsPerPack: Int = 1) {
        self.shopSKU = shopSKU
        self.listing = listing
        self.code = code
        self.unitsPerPack = unitsPerPack
    }

    private enum CodingKeys: String, CodingKey {
        case listing, code
        case shopSKU = "shop_sku"
        case unitsPerPack = "units_per_pack"
    }
}

/// What a listing is in the ERP.
public enum MappingResult: Sendable, Hashable {
    /// How it was found.
    public enum Way: String, Sendable, Hashable, Codable {
        /// The SKU is the code, letter by letter, and no other code comes near it under the rules.
        case exact
        /// The SKU becomes the code under the shop's rules.
        case rule
        /// A person said so.
        case alias
    }

    /// An article of the ERP, and how many of its units one unit of the listing is.
    case mapped(ERPCode, unitsPerPack: Int, via: Way)
    /// No article fits.
    case unmapped
    /// Several articles fit; a person has to choose. Sorted.
    case ambiguous([ERPCode])
    /// The listing has no SKU, and a blank never matches.
    case blank

    /// The article, if there is exactly one.
    public var code: ERPCode? {
        if case .mapped(let code, _, _) = self { return code }
        return nil
    }

    /// A word for tables and messages: `mapped`, `unmapped`, `ambiguous` or `blank`.
    public var label: String {
        switch self {
        case .mapped: "mapped"
        case .unmapped: "unmapped"
        case .ambiguous: "ambiguous"
        case .blank: "blank"
        }
    }
}

/// The ERP's codes, arranged so that a shop's SKU finds its own under the shop's rules.
///
/// Aliases stand above the rules (domain.md section 5). Two codes that are one under the rules are a question for a
/// person even where one of them is the SKU letter by letter: a shop that drops leading zeros writes `12` for `0012`
/// too, and a wrong article sells what is not there. An alias, or a narrower rule, settles it.
public struct MappingIndex: Sendable {
    private let normalizer: SKUNormalizer
    /// How many codes the index knows.
    public let count: Int
    private let normalized: [String: [ERPCode]]
    private let byListing: [ListingID: Set<Target>]
    private let bySKU: [ShopSKU: Set<Target>]
    private let byNormalizedSKU: [String: Set<Target>]

    private struct Target: Hashable { let code: ERPCode, unitsPerPack: Int }

    /// An index over `codes` for one shop.
    ///
    /// - Parameters:
    ///   - codes: all codes the ERP knows; blank ones and repetitions are left out.
    ///   - rules: the shop's normalisation rules.
    ///   - aliases: the shop's aliases; those with a blank SKU and no listing, or less than one unit a pack, are left
    ///     out. An alias holds even for a code that the ERP does not state at present.
    public init(codes: some Sequence<ERPCode>, rules: [NormalizationRule], aliases: [MappingAlias] = []) {
        let normalizer = SKUNormalizer(rules: rules)
        var seen = Set<ERPCode>()
        var normalized: [String: [ERPCode]] = [:]
        for code in codes where !code.isBlank && seen.insert(code).inserted {
            if let key = normalizer.normalize(code.rawValue) { normalized[key, default: []].append(code) }
        }
        var byListing: [ListingID: Set<Target>] = [:]
        var bySKU: [ShopSKU: Set<Target>] = [:]
        var byNormalizedSKU: [String: Set<Target>] = [:]
        for alias in aliases where alias.unitsPerPack >= 1 && !alias.code.isBlank {
            let target = Target(code: alias.code, unitsPerPack: alias.unitsPerPack)
            if let listing = alias.listing {
                byListing[listing, default: []].insert(target)
            } else if let sku = alias.shopSKU, let key = normalizer.normalize(sku.rawValue) {
                bySKU[sku, default: []].insert(target)
                byNormalizedSKU[key, default: []].insert(target)
            }
        }
        self.normalizer = normalizer
        self.count = seen.count
        self.normalized = normalized
        self.byListing = byListing
        self.bySKU = bySKU
        self.byNormalizedSKU = byNormalizedSKU
    }

    /// What a listing is in the ERP.
    ///
    /// - Parameters:
    ///   - sku: the shop's SKU as the shop writes it; may be blank.
    ///   - listing: the listing's id, for aliases that name one.
    public func result(for sku: ShopSKU, listing: ListingID? = nil) -> MappingResult {
        if let listing, let targets = byListing[listing] { return Self.result(of: targets) }
        guard let key = normalizer.normalize(sku.rawValue) else { return .blank }
        if let targets = bySKU[sku] ?? byNormalizedSKU[key] { return Self.result(of: targets) }
        guard let candidates = normalized[key] else { return .unmapped }
        guard candidates.count == 1, let only = candidates.first else { return .ambiguous(candidates.sorted()) }
        return .mapped(only, unitsPerPack: 1, via: only.rawValue == sku.rawValue ? .exact : .rule)
    }

    private static func result(of targets: Set<Target>) -> MappingResult {
        if targets.count == 1, let only = targets.first {
            return .mapped(only.code, unitsPerPack: only.unitsPerPack, via: .alias)
        }
        return .ambiguous(Set(targets.map(\.code)).sorted())
    }

    /// Codes that look like a SKU, the most similar first; for a person to choose from, never applied by itself.
    ///
    /// - Parameters:
    ///   - sku: the SKU that found no article, or too many.
    ///   - limit: how many at most.
    ///   - examining: how many codes to compare at most; the work is bounded, so of a larger catalogue only those
    ///     codes are compared fully that are nearest in length.
    public func suggestions(for sku: ShopSKU, limit: Int = 5, examining: Int = 20_000) -> [Suggestion] {
        guard let key = normalizer.normalize(sku.rawValue), limit > 0 else { return [] }
        let wanted = Array(key.unicodeScalars.prefix(64))
        var keys = Array(normalized.keys)
        if keys.count > examining {
            keys.sort { left, right in
                let (a, b) = (abs(left.utf8.count - key.utf8.count), abs(right.utf8.count - key.utf8.count))
                return a != b ? a < b : left < right
            }
            keys.removeLast(keys.count - examining)
        }
        var found: [Suggestion] = []
        for candidate in keys {
            let similarity = similarity(wanted, Array(candidate.unicodeScalars.prefix(64)))
            guard similarity >= 0.5 else { continue }
            for code in normalized[candidate] ?? [] { found.append(Suggestion(code: code, similarity: similarity)) }
        }
        found.sort { $0.similarity != $1.similarity ? $0.similarity > $1.similarity : $0.code < $1.code }
        return Array(found.prefix(limit))
    }

    /// A code that looks like a SKU.
    public struct Suggestion: Sendable, Hashable, Codable {
        /// The ERP's code.
        public let code: ERPCode
        /// From 0.5 (half of it has to change) to 1 (the same under the shop's rules).
        public let similarity: Double
    }
}

/// One less the number of insertions, deletions, replacements and swaps of neighbours that turn one text into the
/// other, over the length of the longer.
func similarity(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Double {
    let longer = max(left.count, right.count)
    guard longer > 0 else { return 1 }
    // A difference in length alone already costs that much.
    if abs(left.count - right.count) * 2 > longer { return 0 }
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for i in 0..<left.count {
        var current = [Int](repeating: i + 1, count: right.count + 1)
        for j in 0..<right.count {
            let replaced = last[j] + (left[i] == right[j] ? 0 : 1)
            var best = min(replaced, last[j + 1] + 1, current[j] + 1)
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                best = min(best, beforeLast[j - 1] + 1)
            }
            current[j + 1] = best
        }
        (beforeLast, last) = (last, current)
    }
    return 1 - Double(last[right.count]) / Double(longer)
}
