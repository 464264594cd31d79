public import Domain
public import Foundation

/// `stock.published`: what every listing of a shop should show and does, as stock-publisher's tables say.
///
/// At the end of every run of a shop, and when somebody asks with `command.stock-publisher.republish`. First a header
/// with the six counts, then chunks of listings, told apart by `message`; chunks may arrive in any order.
public enum StockPublished: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("stock.published", 1, 0)

    /// The most listings of one chunk.
    public static let maximumListings = 500

    /// What it is about, and how many chunks there are.
    case header(Header)
    /// Some listings.
    case chunk(Chunk)

    /// Which statement it belongs to.
    public var statement: Statement {
        switch self {
        case .header(let header): header.statement
        case .chunk(let chunk): chunk.statement
        }
    }

    /// One statement: taken in one transaction, so that its parts fit together.
    public struct Statement: Sendable, Hashable, Codable {
        /// Its id: the run's, or the request's.
        public var id: UUID
        /// The shop.
        public var shop: ShopName
        /// When the tables were read.
        public var takenAt: Date
        /// Who asked for it; nil at the end of a run.
        public var request: UUID?

        /// A statement.
        public init(id: UUID, shop: ShopName, takenAt: Date, request: UUID? = nil) {
            self.id = id
            self.shop = shop
            self.takenAt = takenAt
            self.request = request
        }

        private enum CodingKeys: String, CodingKey {
            case id, shop, request
            case takenAt = "taken_at"
        }
    }

    /// The first message of a statement.
    public struct Header: Sendable, Hashable {
        /// Which statement.
        public var statement: Statement
        /// Why the run began: `snapshot`, `release`, `run`, or `request` for a statement somebody asked for.
        public var cause: String
        /// The snapshot that the run is about, if it is about one.
        public var snapshotID: UUID?
        /// The newest snapshot's `as_of` per source, and when we received it.
        public var sources: [Source]
        /// The six counts; they add up to the shop's listed SKUs. Nil for a request about some listings only.
        public var counts: OutcomeCounts?
        /// How many chunks follow.
        public var chunks: Int
        /// Whether the shop is in shadow.
        public var isShadow: Bool

        /// A header.
        public init(
            statement: Statement, cause: String, snapshotID: UUID?, sources: [Source], counts: OutcomeCounts?,
            chunks: Int, isShadow: Bool
        ) {
            self.statement = statement
            self.cause = cause
            self.snapshotID = snapshotID
            self.sources = sources
            self.counts = counts
            self.chunks = chunks
            self.isShadow = isShadow
        }
    }

    /// The newest snapshot of a source.
    public struct Source: Sendable, Hashable, Codable {
        /// The source.
        public var source: SourceName
        /// When the ERP extracted it.
        public var asOf: Date
        /// When we had it.
        public var receivedAt: Date

        /// A source's newest snapshot.
        public init(source: SourceName, asOf: Date, receivedAt: Date) {
            self.source = source
            self.asOf = asOf
            self.receivedAt = receivedAt
        }

        private enum CodingKeys: String, CodingKey {
            case source
            case asOf = "as_of"
            case receivedAt = "received_at"
        }
    }

    /// A part of a statement.
    public struct Chunk: Sendable, Hashable {
        /// Which statement.
        public var statement: Statement
        /// From 1 to the header's `chunks`.
        public var part: Int
        /// The listings.
        public var listings: [PublishedListing]

        /// A chunk.
        public init(statement: Statement, part: Int, listings: [PublishedListing]) {
            self.statement = statement
            self.part = part
            self.listings = listings
        }
    }
}

/// What one listing of a shop should show and does.
public struct PublishedListing: Sendable, Hashable, Codable {
    /// The listing.
    public var listing: ListingID
    /// Where the shop keeps its stock; several listings of one stock are one shelf.
    public var shelf: ListingID
    /// The SKU as the shop shows it.
    public var sku: ShopSKU?
    /// The shop's name of it.
    public var title: String
    /// `mapped`, `unmapped`, `ambiguous` or `blank`.
    public var mapping: String
    /// The codes that are possible, where it is ambiguous.
    public var candidates: [ERPCode]
    /// The ERP's code, where it is mapped.
    public var erpCode: ERPCode?
    /// ERP units in one unit of the listing.
    public var unitsPerPack: Int
    /// Whether the shop tracked its stock when the catalogue was read.
    public var isManaged: Bool
    /// Whether customers could see it then.
    public var isPublished: Bool
    /// The level it should show; nil where no source states anything.
    public var wanted: Int?
    /// The version of ``wanted``.
    public var version: Int64
    /// How ``wanted`` came about.
    public var breakdown: LevelBreakdown?
    /// The `as_of` of the oldest statement that ``wanted`` draws on.
    public var asOf: Date?
    /// Whether the newest snapshot no longer names its code.
    public var isMissingInFile: Bool
    /// The level last sent.
    public var sent: Int?
    /// The level the shop confirmed last.
    public var confirmed: Int?
    /// The version that was confirmed last.
    public var confirmedVersion: Int64
    /// When that was.
    public var confirmedAt: Date?
    /// When a write was confirmed last.
    public var lastPushedAt: Date?
    /// What the shop should have: confirmed, less its own sales since; nil if unknown.
    public var expectedAtShop: Int?
    /// Whether a push is asked for or in flight.
    public var isPending: Bool
    /// One of the six: `confirmed`, `unchanged`, `deferred`, `unmapped`, `rejected`, `failed`.
    public var outcome: String
    /// The shop's answer or our reason, where there is one.
    public var answer: String?

    /// A listing.
    public init(
        listing: ListingID, shelf: ListingID, sku: ShopSKU?, title: String, mapping: String,
        candidates: [ERPCode] = [], erpCode: ERPCode?, unitsPerPack: Int = 1, isManaged: Bool = true,
        isPublished: Bool = true, wanted: Int?, version: Int64 = 0, breakdown: LevelBreakdown? = nil,
        asOf: Date? = nil, isMissingInFile: Bool = false, sent: Int? = nil, confirmed: Int? = nil,
        confirmedVersion: Int64 = 0, confirmedAt: Date? = nil, lastPushedAt: Date? = nil, expectedAtShop: Int? = nil,
        isPending: Bool = false, outcome: String, answer: String? = nil
    ) {
        self.listing = listing
        self.shelf = shelf
        self.sku = sku
        self.title = title
        self.mapping = mapping
        self.candidates = candidates
        self.erpCode = erpCode
        self.unitsPerPack = unitsPerPack
        self.isManaged = isManaged
        self.isPublished = isPublished
        self.wanted = wanted
        self.version = version
        self.breakdown = breakdown
        self.asOf = asOf
        self.isMissingInFile = isMissingInFile
        self.sent = sent
        self.confirmed = confirmed
        self.confirmedVersion = confirmedVersion
        self.confirmedAt = confirmedAt
        self.lastPushedAt = lastPushedAt
        self.expectedAtShop = expectedAtShop
        self.isPending = isPending
        self.outcome = outcome
        self.answer = answer
    }

    private enum CodingKeys: String, CodingKey {
        case listing, shelf, sku, title, mapping, candidates, wanted, version, breakdown, sent, confirmed, outcome
        case answer
        case erpCode = "erp_code"
        case unitsPerPack = "units_per_pack"
        case isManaged = "is_managed"
        case isPublished = "is_published"
        case asOf = "as_of"
        case isMissingInFile = "is_missing_in_file"
        case confirmedVersion = "confirmed_version"
        case confirmedAt = "confirmed_at"
        case lastPushedAt = "last_pushed_at"
        case expectedAtShop = "expected_at_shop"
        case isPending = "is_pending"
    }
}

// MARK: - JSON: one flat object each

extension StockPublished: Codable {
    private enum CodingKeys: String, CodingKey {
        case message, statement, cause, sources, counts, chunks, part, listings
        case snapshotID = "snapshot_id"
        case isShadow = "is_shadow"
    }

    private enum Message: String, Codable { case header, chunk }

    /// Reads a header or a chunk.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let statement = try values.decode(Statement.self, forKey: .statement)
        switch try values.decode(Message.self, forKey: .message) {
        case .header:
            self = .header(
                Header(
                    statement: statement, cause: try values.decode(String.self, forKey: .cause),
                    snapshotID: try values.decodeIfPresent(UUID.self, forKey: .snapshotID),
                    sources: try values.decode([Source].self, forKey: .sources),
                    counts: try values.decodeIfPresent(OutcomeCounts.self, forKey: .counts),
                    chunks: try values.decode(Int.self, forKey: .chunks),
                    isShadow: try values.decode(Bool.self, forKey: .isShadow)))
        case .chunk:
            self = .chunk(
                Chunk(
                    statement: statement, part: try values.decode(Int.self, forKey: .part),
                    listings: try values.decode([PublishedListing].self, forKey: .listings)))
        }
    }

    /// Writes a header or a chunk.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(statement, forKey: .statement)
        switch self {
        case .header(let header):
            try values.encode(Message.header, forKey: .message)
            try values.encode(header.cause, forKey: .cause)
            if let id = header.snapshotID { try values.encode(id, forKey: .snapshotID) }
            try values.encode(header.sources, forKey: .sources)
            try values.encodeIfPresent(header.counts, forKey: .counts)
            try values.encode(header.chunks, forKey: .chunks)
            try values.encode(header.isShadow, forKey: .isShadow)
        case .chunk(let chunk):
            try values.encode(Message.chunk, forKey: .message)
            try values.encode(chunk.part, forKey: .part)
            try values.encode(chunk.listings, forKey: .listings)
        }
    }
}
