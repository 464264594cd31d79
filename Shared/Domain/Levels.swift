/// What one warehouse holds of one ERP code, and what is kept back there.
public struct WarehouseStock: Sendable, Hashable {
    /// The warehouse.
    public var warehouse: WarehouseName
    /// ERP units on hand as the source states them; may be negative or fractional.
    public var onHand: Quantity
    /// ERP units the ERP itself shows as reserved, if it says so. Shown by `explain`, never subtracted: our own open
    /// lines already are (domain.md section 2), and subtracting both would count an order twice.
    public var reserved: Quantity?
    /// ERP units that are never sold from this warehouse.
    public var safety: Quantity

    /// A warehouse's stock.
    public init(warehouse: WarehouseName, onHand: Quantity, reserved: Quantity? = nil, safety: Quantity = .zero) {
        self.warehouse = warehouse
        self.onHand = onHand
        self.reserved = reserved
        self.safety = safety
    }

    /// `max(0, on_hand - warehouse_safety)`.
    public var counted: Quantity { (onHand - safety).clampedToZero }
}

/// What a shop's settings and the state of its feeds make of the stock; the same for many SKUs.
public struct LevelPolicy: Sendable, Hashable, Codable {
    /// ERP units kept back from this shop.
    public var buffer: Quantity
    /// Below this many ERP units available, the shop shows 0.
    public var stopSellingAt: Quantity
    /// The part of the available units that the shop is offered.
    public var share: Share
    /// The most that the shop ever shows, in ERP units.
    public var cap: Int

    /// A shop's policy; without arguments everything available is offered.
    public init(
        buffer: Quantity = .zero, stopSellingAt: Quantity = Quantity(1), share: Share = .whole, cap: Int = 99_999
    ) {
        self.buffer = buffer
        self.stopSellingAt = stopSellingAt
        self.share = share
        self.cap = cap
    }

    private enum CodingKeys: String, CodingKey {
        case buffer, share, cap
        case stopSellingAt = "stop_selling_at"
    }
}

/// Everything that decides one shelf's level, in ERP units.
public struct LevelInputs: Sendable, Hashable {
    /// The warehouses that this shelf draws on; one that states nothing about the code is left out.
    public var warehouses: [WarehouseStock]
    /// Units on open order lines not yet reflected in the snapshot.
    public var open: Quantity
    /// Units taken off sale by hand.
    public var holds: Quantity
    /// Units kept back because a shop of the pool has a stale order feed; widens the buffer.
    public var staleReserve: Quantity
    /// The shop's settings.
    public var policy: LevelPolicy
    /// ERP units in one unit of the listing; at least 1.
    public var unitsPerPack: Int

    /// The inputs of one shelf.
    public init(
        warehouses: [WarehouseStock], open: Quantity = .zero, holds: Quantity = .zero, staleReserve: Quantity = .zero,
        policy: LevelPolicy = LevelPolicy(), unitsPerPack: Int = 1
    ) {
        self.warehouses = warehouses
        self.open = open
        self.holds = holds
        self.staleReserve = staleReserve
        self.policy = policy
        self.unitsPerPack = unitsPerPack
    }

    /// The level and every figure on the way to it (domain.md section 2).
    public func breakdown() -> LevelBreakdown {
        let gross = warehouses.reduce(Quantity.zero) { $0 + $1.counted }
        let atp = gross - open - holds - policy.buffer - staleReserve
        let offered = policy.share.flooredUnits(of: atp)
        let stopped = atp < policy.stopSellingAt
        let capped = stopped ? 0 : min(max(offered, 0), max(policy.cap, 0))
        let level = capped / max(unitsPerPack, 1)
        return LevelBreakdown(
            warehouses: warehouses.map(LevelBreakdown.Warehouse.init), gross: gross, open: open, holds: holds,
            buffer: policy.buffer, staleReserve: staleReserve, atp: atp, stopSellingAt: policy.stopSellingAt,
            share: policy.share, cap: policy.cap, unitsPerPack: unitsPerPack, level: level,
            whyZero: level > 0 ? nil : reasonForZero(gross: gross, atp: atp, offered: offered, capped: capped))
    }

    /// The first step of the formula after which nothing was left.
    private func reasonForZero(gross: Quantity, atp: Quantity, offered: Int, capped: Int) -> LevelBreakdown.ZeroReason {
        if warehouses.isEmpty { return .noStatement }
        if gross <= .zero { return warehouses.contains { $0.onHand > .zero } ? .warehouseSafety : .outOfStock }
        if gross - open <= .zero { return .openOrders }
        if gross - open - holds <= .zero { return .holds }
        if gross - open - holds - policy.buffer <= .zero { return .buffer }
        if atp <= .zero { return .staleReserve }
        if atp < policy.stopSellingAt { return .belowStopSelling }
        if offered <= 0 { return .share }
        if capped <= 0 { return .cap }
        return .lessThanOnePack
    }
}

/// How a level came about, figure by figure; kept with the shelf so that `explain` can print it.
public struct LevelBreakdown: Sendable, Hashable, Codable {
    /// One warehouse's part.
    public struct Warehouse: Sendable, Hashable, Codable {
        /// The warehouse.
        public var warehouse: WarehouseName
        /// ERP units on hand as stated.
        public var onHand: Quantity
        /// ERP units the ERP shows as reserved; not subtracted.
        public var reserved: Quantity?
        /// ERP units kept back in this warehouse.
        public var safety: Quantity
        /// What counts: `max(0, on_hand - safety)`.
        public var counted: Quantity

        init(_ stock: WarehouseStock) {
            warehouse = stock.warehouse
            onHand = stock.onHand
            reserved = stock.reserved
            safety = stock.safety
            counted = stock.counted
        }

        private enum CodingKeys: String, CodingKey {
            case warehouse, reserved, safety, counted
            case onHand = "on_hand"
        }
    }

    /// Why a level is 0: the first step after which nothing was left.
    public enum ZeroReason: String, Sendable, Hashable, Codable, CaseIterable {
        /// No source states anything about the code in the shelf's warehouses.
        case noStatement = "no_statement"
        /// Nothing on hand, or less than nothing.
        case outOfStock = "out_of_stock"
        /// All of it is the warehouses' safety stock.
        case warehouseSafety = "warehouse_safety"
        /// All of it stands on open order lines.
        case openOrders = "open_orders"
        /// The rest is on hold.
        case holds
        /// The rest is the shop's buffer.
        case buffer
        /// The rest is kept back while a shop's order feed is stale.
        case staleReserve = "stale_reserve"
        /// Fewer units than the shop's `stop_selling_at`.
        case belowStopSelling = "below_stop_selling"
        /// The shop's share of it is less than one unit.
        case share
        /// The shop's cap is 0.
        case cap
        /// Less than one pack.
        case lessThanOnePack = "less_than_one_pack"
    }

    /// The warehouses that were added up.
    public var warehouses: [Warehouse]
    /// The sum of what counts.
    public var gross: Quantity
    /// Units on open order lines.
    public var open: Quantity
    /// Units on hold.
    public var holds: Quantity
    /// The shop's buffer.
    public var buffer: Quantity
    /// Units kept back while a feed is stale.
    public var staleReserve: Quantity
    /// What can be promised: gross less open, holds, buffer and reserve; may be negative.
    public var atp: Quantity
    /// Below this the shop shows 0.
    public var stopSellingAt: Quantity
    /// The part the shop is offered.
    public var share: Share
    /// The most it shows, in ERP units.
    public var cap: Int
    /// ERP units in one unit of the listing.
    public var unitsPerPack: Int
    /// The level, in units of the listing.
    public var level: Int
    /// Why the level is 0; nil when it is not.
    public var whyZero: ZeroReason?

    /// Open orders take more than there is, safety stock included: somebody was promised what nobody has.
    public var isOversold: Bool { open > warehouses.reduce(Quantity.zero) { $0 + $1.onHand.clampedToZero } }

    /// The level to ask for with ``ShelfState/want(_:cause:reservedFor:)``: nil where no source has said anything. What
    /// nobody stated is unknown, not zero, and a shop is not emptied because a feed is new or silent.
    public var wanted: Int? { whyZero == .noStatement ? nil : level }

    private enum CodingKeys: String, CodingKey {
        case warehouses, gross, open, holds, buffer, atp, share, cap, level
        case staleReserve = "stale_reserve"
        case stopSellingAt = "stop_selling_at"
        case unitsPerPack = "units_per_pack"
        case whyZero = "why_zero"
    }
}

/// One component of a kit.
public struct KitComponent: Sendable, Hashable {
    /// What can be promised of it, in ERP units.
    public var atp: Quantity
    /// How many ERP units of it one kit needs; at least 1.
    public var required: Quantity

    /// A component of which one kit needs `required`.
    public init(atp: Quantity, required: Quantity) {
        self.atp = atp
        self.required = required
    }
}

/// How many kits can be promised: the minimum over the components of `floor(atp / required)`, 0 without components.
public func promisableKits(_ components: [KitComponent]) -> Int {
    components.map { $0.atp.wholePacks(of: $0.required) }.min() ?? 0
}

extension LevelBreakdown.ZeroReason {
    /// The reason as the end of a sentence that begins "The level is 0 because".
    public var sentence: String {
        switch self {
        case .noStatement: "no stock source has said anything about this code in the shop's warehouses"
        case .outOfStock: "nothing is on hand in the shop's warehouses"
        case .warehouseSafety: "all that is on hand is the warehouses' safety stock"
        case .openOrders: "all that is on hand stands on open orders"
        case .holds: "the rest is on hold"
        case .buffer: "the rest is the shop's buffer"
        case .staleReserve: "the rest is kept back while a shop's order feed is stale"
        case .belowStopSelling: "fewer units are left than the shop's stop_selling_at"
        case .share: "the shop's share of it is less than one unit"
        case .cap: "the shop's cap is 0"
        case .lessThanOnePack: "it is less than one pack of this listing"
        }
    }
}
