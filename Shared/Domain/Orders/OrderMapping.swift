/// What a shop's listings are in the ERP, as far as some order lines need it.
///
/// The listing's id counts before the SKU, so that a SKU that was changed after the sale is found all the same; a blank
/// SKU matches nothing (domain.md section 5).
public struct OrderMapping: Sendable {
    /// One listing.
    public struct Entry: Sendable, Hashable {
        /// How a listing's mapping stands.
        public enum State: String, Sendable, Hashable, Codable, CaseIterable {
            case mapped, unmapped, ambiguous, blank
            /// The shop no longer lists it; its last code still tells what was sold.
            case gone
        }

        /// The listing at the shop.
        public var listing: ListingID
        /// The SKU as the shop shows it.
        public var sku: ShopSKU?
        /// How it stands.
        public var state: State
        /// The ERP's code, where it has or had one.
        public var erpCode: ERPCode?
        /// ERP units in one unit of the listing.
        public var unitsPerPack: Int

        /// A listing's mapping.
        public init(listing: ListingID, sku: ShopSKU?, state: State, erpCode: ERPCode?, unitsPerPack: Int) {
            self.listing = listing
            self.sku = sku
            self.state = state
            self.erpCode = erpCode
            self.unitsPerPack = unitsPerPack
        }
    }

    /// What a line is.
    public enum Resolution: Sendable, Hashable {
        /// This code, so many ERP units in one of the line's.
        case mapped(ERPCode, unitsPerPack: Int)
        /// No code is known for it.
        case unmapped
        /// It has neither a mapped listing nor a SKU.
        case blank
        /// Several codes are possible.
        case ambiguous
    }

    private let byListing: [ListingID: Entry]
    private let bySKU: [ShopSKU: [Entry]]

    /// The listings that the lines may be about.
    public init(_ entries: some Sequence<Entry>) {
        var byListing: [ListingID: Entry] = [:]
        var bySKU: [ShopSKU: [Entry]] = [:]
        for entry in entries {
            byListing[entry.listing] = entry
            if let sku = entry.sku, !sku.isBlank { bySKU[sku, default: []].append(entry) }
        }
        self.byListing = byListing
        self.bySKU = bySKU
    }

    /// What a line is in the ERP.
    public func resolution(of line: OrderLine) -> Resolution {
        let own = line.listing.flatMap { byListing[$0] }
        if let own, own.state == .mapped, let code = own.erpCode {
            return .mapped(code, unitsPerPack: own.unitsPerPack)
        }
        if own?.state == .ambiguous { return .ambiguous }
        guard let sku = line.sku, !sku.isBlank else { return Self.lastCode(own) ?? .blank }
        let namesakes = bySKU[sku] ?? []
        let live = Set(namesakes.filter { $0.state == .mapped }.compactMap(Self.code))
        if live.count == 1, let only = live.first { return only }
        if live.count > 1 || namesakes.contains(where: { $0.state == .ambiguous }) { return .ambiguous }
        if let last = Self.lastCode(own) { return last }
        let past = Set(namesakes.filter { $0.state == .gone }.compactMap(Self.code))
        if past.count > 1 { return .ambiguous }
        return past.first ?? .unmapped
    }

    private static func code(_ entry: Entry) -> Resolution? {
        entry.erpCode.map { .mapped($0, unitsPerPack: entry.unitsPerPack) }
    }

    private static func lastCode(_ entry: Entry?) -> Resolution? {
        guard let entry, entry.state == .gone else { return nil }
        return code(entry)
    }
}
