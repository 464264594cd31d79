/// What a shop showed for one listing at one moment.
public struct SiteReading: Sendable, Hashable {
    /// Units by the shop's count; nil where it counts none.
    public var quantity: Quantity?
    /// Whether the shop counts its stock.
    public var isTracked: Bool
    /// Whether customers can see it.
    public var isPublished: Bool

    /// A reading.
    public init(quantity: Quantity?, isTracked: Bool = true, isPublished: Bool = true) {
        self.quantity = quantity
        self.isTracked = isTracked
        self.isPublished = isPublished
    }
}

/// The second look at a listing that seemed to be different.
public enum SecondReading: Sendable, Hashable {
    /// It was not looked at again.
    case none
    /// The shop no longer had it.
    case gone
    /// What the shop showed; whether it is published is known from the first look alone.
    case read(SiteReading)
}

/// Everything that decides a listing's category. A value: what was read and known, nothing of how.
public struct ReconciliationFacts: Sendable, Hashable {
    /// What the listing is in the ERP.
    public enum Mapping: String, Sendable, Hashable, CaseIterable {
        /// Exactly one code.
        case mapped
        /// No code.
        case unmapped
        /// Several codes.
        case ambiguous
        /// No SKU, so no code.
        case blank
        /// The listing came to the shop after its catalogue was read.
        case unknown
    }

    /// What the listing is in the ERP.
    public var mapping: Mapping
    /// Whether another shelf of the shop has the same SKU.
    public var sharesSKU: Bool
    /// The level it should show, in units of the listing; nil where no source states anything.
    public var wanted: Int?
    /// ERP units in one unit of the listing.
    public var unitsPerPack: Int
    /// Whether the newest snapshot no longer names its code.
    public var isMissingInFile: Bool
    /// The level the shop confirmed last.
    public var confirmed: Int?
    /// Confirmed, less the shop's own sales since; nil if unknown.
    public var expectedAtShop: Int?
    /// Whether a push is asked for or under way.
    public var isPending: Bool
    /// How the last run ended for it.
    public var outcome: ShelfOutcome.Name
    /// The first look; nil if the shop did not have it.
    public var first: SiteReading?
    /// The second look.
    public var second: SecondReading
    /// Whether an order that moves its stock is newer than these expectations.
    public var hasNewerOrder: Bool
    /// Whether the shop's orders are known up to the last look. Always true for a shop whose orders nobody collects.
    public var ordersAreComplete: Bool
    /// Whether what ``wanted`` was worked out from is older than it should be.
    public var isStale: Bool

    /// The facts about one listing.
    public init(
        mapping: Mapping, sharesSKU: Bool = false, wanted: Int?, unitsPerPack: Int = 1, isMissingInFile: Bool = false,
        confirmed: Int? = nil, expectedAtShop: Int? = nil, isPending: Bool = false,
        outcome: ShelfOutcome.Name = .unchanged, first: SiteReading?, second: SecondReading = .none,
        hasNewerOrder: Bool = false, ordersAreComplete: Bool = true, isStale: Bool = false
    ) {
        self.mapping = mapping
        self.sharesSKU = sharesSKU
        self.wanted = wanted
        self.unitsPerPack = unitsPerPack
        self.isMissingInFile = isMissingInFile
        self.confirmed = confirmed
        self.expectedAtShop = expectedAtShop
        self.isPending = isPending
        self.outcome = outcome
        self.first = first
        self.second = second
        self.hasNewerOrder = hasNewerOrder
        self.ordersAreComplete = ordersAreComplete
        self.isStale = isStale
    }

    /// What the shop showed last; nil if it does not have the listing.
    public var latest: SiteReading? {
        switch second {
        case .none: first
        case .gone: nil
        case .read(let reading):
            SiteReading(
                quantity: reading.quantity, isTracked: reading.isTracked,
                isPublished: first?.isPublished ?? reading.isPublished)
        }
    }
}
