public import Domain
public import Foundation

/// `order.reported`: a batch was sent to the ERP. A chunk of up to 1,000 orders, self-contained.
public struct OrderReported: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("order.reported", 1, 0)

    /// The most orders of one message.
    public static let maximumOrders = 1_000

    /// One order of the batch.
    public struct Entry: Sendable, Hashable, Codable {
        /// The platform's id of the order.
        public var externalID: String
        /// What was sent about it.
        public var version: OrderVersion
        /// The lines as they were sent, in ERP units, by line id; a cancelled order has none.
        public var quantities: [String: Quantity]
        /// Whether it was sent as cancelled.
        public var isCancellation: Bool

        /// An order of a batch.
        public init(
            externalID: String, version: OrderVersion, quantities: [String: Quantity], isCancellation: Bool = false
        ) {
            self.externalID = externalID
            self.version = version
            self.quantities = quantities
            self.isCancellation = isCancellation
        }

        private enum CodingKeys: String, CodingKey {
            case version, quantities
            case externalID = "external_id"
            case isCancellation = "is_cancellation"
        }
    }

    /// The batch's id, as it stands in the report: `saigon-20261122-1200`.
    public var batchID: String
    /// The shop.
    public var shop: ShopName
    /// When the ERP's mail server took it.
    public var sentAt: Date
    /// From 1 to `parts`.
    public var part: Int
    /// How many there are; a batch without orders has one part, without entries.
    public var parts: Int
    /// The orders.
    public var orders: [Entry]

    /// A chunk.
    public init(batchID: String, shop: ShopName, sentAt: Date, part: Int, parts: Int, orders: [Entry]) {
        self.batchID = batchID
        self.shop = shop
        self.sentAt = sentAt
        self.part = part
        self.parts = parts
        self.orders = orders
    }

    private enum CodingKeys: String, CodingKey {
        case shop, part, parts, orders
        case batchID = "batch_id"
        case sentAt = "sent_at"
    }
}

/// `report.ready`: an order report was sent to the ERP, or could not be; for the people who look after it.
public struct ReportReady: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("report.ready", 1, 0)

    /// The batch's id.
    public var batchID: String
    /// The shop.
    public var shop: ShopName
    /// When it was due.
    public var dueAt: Date
    /// When the ERP's mail server took it.
    public var sentAt: Date
    /// Whether this is a batch that was sent before.
    public var isRepetition: Bool
    /// The stored workbook.
    public var fileID: UUID
    /// Its name.
    public var fileName: String
    /// Up to when the shop's orders were known; nil if they never were collected.
    public var completeUpTo: Date?
    /// Orders on *Lines*.
    public var orders: Int
    /// Lines on *Lines*.
    public var lines: Int
    /// Orders on *Changes*.
    public var changes: Int
    /// Orders on *Held*.
    public var held: Int
    /// The sums of *Lines* by currency.
    public var totals: [String: Amount]

    /// A report.
    public init(
        batchID: String, shop: ShopName, dueAt: Date, sentAt: Date, isRepetition: Bool, fileID: UUID,
        fileName: String, completeUpTo: Date?, orders: Int, lines: Int, changes: Int, held: Int,
        totals: [String: Amount]
    ) {
        self.batchID = batchID
        self.shop = shop
        self.dueAt = dueAt
        self.sentAt = sentAt
        self.isRepetition = isRepetition
        self.fileID = fileID
        self.fileName = fileName
        self.completeUpTo = completeUpTo
        self.orders = orders
        self.lines = lines
        self.changes = changes
        self.held = held
        self.totals = totals
    }

    private enum CodingKeys: String, CodingKey {
        case shop, orders, lines, changes, held, totals
        case batchID = "batch_id"
        case dueAt = "due_at"
        case sentAt = "sent_at"
        case isRepetition = "is_repetition"
        case fileID = "file_id"
        case fileName = "file_name"
        case completeUpTo = "complete_up_to"
    }
}
