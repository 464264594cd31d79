public import Domain
public import Foundation

/// `stock.aggregated`: what a source says about the stock, aggregated per ERP code.
///
/// One topic, one type, two kinds of message told apart by the field `message`: first a header, then chunks of up to
/// ``maximumCodesPerChunk`` codes. One type, because a topic has one schema and one version, and the two only make
/// sense
/// together. Chunks are self-contained and may arrive before their header or in any order; each repeats what decides
/// which statement is newer.
public enum StockAggregated: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("stock.aggregated", 1, 0)

    /// The most codes that one chunk carries, missing ones included.
    public static let maximumCodesPerChunk = 1_000

    /// What the snapshot is, and how many chunks belong to it.
    case header(Header)
    /// A part of its stock.
    case chunk(Chunk)

    /// The snapshot this belongs to.
    public var snapshot: SnapshotIdentity {
        switch self {
        case .header(let header): header.snapshot
        case .chunk(let chunk): chunk.snapshot
        }
    }

    /// Which snapshot it is, and what decides whether it is newer; in every message of it.
    public struct SnapshotIdentity: Sendable, Hashable {
        /// The snapshot's id.
        public var id: UUID
        /// The source it came from.
        public var source: SourceName
        /// Ours, increasing per source.
        public var sequence: Int64
        /// When the ERP extracted it; decides which statement is newer.
        public var asOf: Date

        /// A snapshot's identity.
        public init(id: UUID, source: SourceName, sequence: Int64, asOf: Date) {
            self.id = id
            self.source = source
            self.sequence = sequence
            self.asOf = asOf
        }
    }

    /// What the chunks are of.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// Everything the snapshot states.
        case whole
        /// What differs from the snapshot with the header's `base_sequence`; what no chunk names is restated unchanged.
        case difference
    }

    /// Whether the ERP already took its own open orders off.
    public enum Quantities: String, Sendable, Hashable, Codable {
        /// On hand.
        case gross
        /// Less the ERP's own open orders.
        case net
    }

    /// The first message of a snapshot.
    public struct Header: Sendable, Hashable {
        /// Which snapshot.
        public var snapshot: SnapshotIdentity
        /// When we had the file.
        public var receivedAt: Date
        /// Whole or difference.
        public var kind: Kind
        /// The sequence that a difference builds on; nil for a whole.
        public var baseSequence: Int64?
        /// How many chunks follow; 0 if nothing differs.
        public var chunks: Int
        /// How many codes the snapshot states in all.
        public var codes: Int
        /// How many codes the one before stated and this one does not; the chunks name them.
        public var missing: Int
        /// Gross or net.
        public var quantities: Quantities
        /// The file's name as the source calls it; nil where there is no file.
        public var fileName: String?
        /// The run that brought it in.
        public var runID: UUID

        /// A header.
        public init(
            snapshot: SnapshotIdentity, receivedAt: Date, kind: Kind, baseSequence: Int64?, chunks: Int, codes: Int,
            missing: Int, quantities: Quantities, fileName: String?, runID: UUID
        ) {
            self.snapshot = snapshot
            self.receivedAt = receivedAt
            self.kind = kind
            self.baseSequence = baseSequence
            self.chunks = chunks
            self.codes = codes
            self.missing = missing
            self.quantities = quantities
            self.fileName = fileName
            self.runID = runID
        }
    }

    /// A part of a snapshot's stock.
    public struct Chunk: Sendable, Hashable {
        /// Which snapshot.
        public var snapshot: SnapshotIdentity
        /// From 1 to `parts`.
        public var part: Int
        /// How many there are.
        public var parts: Int
        /// What is stated, each code in one chunk only and with all its warehouses.
        public var skus: [SKU]
        /// Codes that the snapshot before stated and this one does not, and that are kept: their stock stands, but is
        /// not restated. (Where the source says `zero`, they stand in `skus` with 0.)
        public var missing: [ERPCode]

        /// A chunk.
        public init(
            snapshot: SnapshotIdentity, part: Int, parts: Int, skus: [SKU], missing: [ERPCode] = []
        ) {
            self.snapshot = snapshot
            self.part = part
            self.parts = parts
            self.skus = skus
            self.missing = missing
        }
    }

    /// One code's stock in all warehouses that the snapshot states for it.
    public struct SKU: Sendable, Hashable, Codable {
        /// The ERP's code.
        public var sku: ERPCode
        /// Its warehouses.
        public var rows: [Row]

        /// A code's stock.
        public init(sku: ERPCode, rows: [Row]) {
            self.sku = sku
            self.rows = rows
        }

        private enum CodingKeys: String, CodingKey { case sku, rows }

        /// Reads a code's stock; the text as a text, as in ``Row``.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            sku = ERPCode(rawValue: try values.decode(String.self, forKey: .sku))
            rows = try values.decode([Row].self, forKey: .rows)
        }

        /// Writes a code's stock.
        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(sku.rawValue, forKey: .sku)
            try values.encode(rows, forKey: .rows)
        }
    }

    /// One code's stock in one warehouse.
    public struct Row: Sendable, Hashable, Codable {
        /// The warehouse.
        public var warehouse: WarehouseName
        /// ERP units on hand as stated; may be negative.
        public var onHand: Quantity
        /// ERP units the ERP shows as reserved, if it does.
        public var reserved: Quantity?
        /// The line of the file; nil where there is no file or no line (a zero for a missing code).
        public var line: Int?

        /// A row.
        public init(warehouse: WarehouseName, onHand: Quantity, reserved: Quantity? = nil, line: Int? = nil) {
            self.warehouse = warehouse
            self.onHand = onHand
            self.reserved = reserved
            self.line = line
        }

        private enum CodingKeys: String, CodingKey {
            case warehouse, reserved, line
            case onHand = "on_hand"
        }

        /// Reads a row. A snapshot has hundreds of thousands of them: the texts are taken as texts, which saves a
        /// decoder for each.
        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            warehouse = WarehouseName(rawValue: try values.decode(String.self, forKey: .warehouse))
            onHand = try Self.quantity(try values.decode(String.self, forKey: .onHand), .onHand, values)
            reserved = try values.decodeIfPresent(String.self, forKey: .reserved)
                .map { try Self.quantity($0, .reserved, values) }
            line = try values.decodeIfPresent(Int.self, forKey: .line)
        }

        private static func quantity(
            _ text: String, _ key: CodingKeys, _ values: KeyedDecodingContainer<CodingKeys>
        ) throws -> Quantity {
            if let quantity = Quantity(text) { return quantity }
            throw DecodingError.dataCorruptedError(
                forKey: key, in: values, debugDescription: "not an exact decimal with at most six places")
        }

        /// Writes a row, its texts as texts.
        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(warehouse.rawValue, forKey: .warehouse)
            try values.encode(onHand.description, forKey: .onHand)
            try values.encodeIfPresent(reserved?.description, forKey: .reserved)
            try values.encodeIfPresent(line, forKey: .line)
        }
    }
}

// MARK: - JSON: one flat object each

extension StockAggregated: Codable {
    private enum CodingKeys: String, CodingKey {
        case message, source, sequence, kind, chunks, codes, missing, quantities, part, parts, skus
        case snapshotID = "snapshot_id"
        case asOf = "as_of"
        case receivedAt = "received_at"
        case baseSequence = "base_sequence"
        case missingCount = "missing_count"
        case fileName = "file_name"
        case runID = "run_id"
    }

    private enum Message: String, Codable { case header, chunk }

    /// Reads a header or a chunk.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let snapshot = SnapshotIdentity(
            id: try values.decode(UUID.self, forKey: .snapshotID),
            source: try values.decode(SourceName.self, forKey: .source),
            sequence: try values.decode(Int64.self, forKey: .sequence),
            asOf: try values.decode(Date.self, forKey: .asOf))
        switch try values.decode(Message.self, forKey: .message) {
        case .header:
            self = .header(
                Header(
                    snapshot: snapshot, receivedAt: try values.decode(Date.self, forKey: .receivedAt),
                    kind: try values.decode(Kind.self, forKey: .kind),
                    baseSequence: try values.decodeIfPresent(Int64.self, forKey: .baseSequence),
                    chunks: try values.decode(Int.self, forKey: .chunks),
                    codes: try values.decode(Int.self, forKey: .codes),
                    missing: try values.decode(Int.self, forKey: .missingCount),
                    quantities: try values.decode(Quantities.self, forKey: .quantities),
                    fileName: try values.decodeIfPresent(String.self, forKey: .fileName),
                    runID: try values.decode(UUID.self, forKey: .runID)))
        case .chunk:
            self = .chunk(
                Chunk(
                    snapshot: snapshot, part: try values.decode(Int.self, forKey: .part),
                    parts: try values.decode(Int.self, forKey: .parts),
                    skus: try values.decode([SKU].self, forKey: .skus),
                    missing: try values.decodeIfPresent([ERPCode].self, forKey: .missing) ?? []))
        }
    }

    /// Writes a header or a chunk.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(snapshot.id, forKey: .snapshotID)
        try values.encode(snapshot.source, forKey: .source)
        try values.encode(snapshot.sequence, forKey: .sequence)
        try values.encode(snapshot.asOf, forKey: .asOf)
        switch self {
        case .header(let header):
            try values.encode(Message.header, forKey: .message)
            try values.encode(header.receivedAt, forKey: .receivedAt)
            try values.encode(header.kind, forKey: .kind)
            try values.encodeIfPresent(header.baseSequence, forKey: .baseSequence)
            try values.encode(header.chunks, forKey: .chunks)
            try values.encode(header.codes, forKey: .codes)
            try values.encode(header.missing, forKey: .missingCount)
            try values.encode(header.quantities, forKey: .quantities)
            try values.encodeIfPresent(header.fileName, forKey: .fileName)
            try values.encode(header.runID, forKey: .runID)
        case .chunk(let chunk):
            try values.encode(Message.chunk, forKey: .message)
            try values.encode(chunk.part, forKey: .part)
            try values.encode(chunk.parts, forKey: .parts)
            try values.encode(chunk.skus, forKey: .skus)
            if !chunk.missing.isEmpty { try values.encode(chunk.missing, forKey: .missing) }
        }
    }
}
