public import Domain
public import Foundation

/// `stock.held`: a snapshot stopped at the gate; the last good numbers stay live until somebody decides.
public struct StockHeld: EventPayload, Hashable {
    /// The name and version.
    public static let type = EventType("stock.held", 1, 0)

    /// One limit that the snapshot broke.
    public struct Reason: Sendable, Hashable, Codable {
        /// The gate's rule, as it is called in the configuration, for instance `max_to_zero`.
        public var rule: String
        /// What was found, as a sentence with its figures.
        public var text: String

        /// A reason.
        public init(rule: String, text: String) {
            self.rule = rule
            self.text = text
        }
    }

    /// The snapshot, for `stockbridge stock accept` and `reject`.
    public var snapshotID: UUID
    /// The source it came from.
    public var source: SourceName
    /// Ours, increasing per source.
    public var sequence: Int64
    /// When the ERP extracted it.
    public var asOf: Date
    /// When we had the file.
    public var receivedAt: Date
    /// The file's name as the source calls it.
    public var fileName: String?
    /// Why, most important first.
    public var reasons: [Reason]
    /// Rows read.
    public var rowsRead: Int
    /// Rows set aside.
    public var rowsSetAside: Int
    /// Codes it states.
    public var codes: Int
    /// Codes that would go to zero.
    public var codesToZero: Int

    /// A held snapshot.
    public init(
        snapshotID: UUID, source: SourceName, sequence: Int64, asOf: Date, receivedAt: Date, fileName: String?,
        reasons: [Reason], rowsRead: Int, rowsSetAside: Int, codes: Int, codesToZero: Int
    ) {
        self.snapshotID = snapshotID
        self.source = source
        self.sequence = sequence
        self.asOf = asOf
        self.receivedAt = receivedAt
        self.fileName = fileName
        self.reasons = reasons
        self.rowsRead = rowsRead
        self.rowsSetAside = rowsSetAside
        self.codes = codes
        self.codesToZero = codesToZero
    }

    private enum CodingKeys: String, CodingKey {
        case source, sequence, reasons, codes
        case snapshotID = "snapshot_id"
        case asOf = "as_of"
        case receivedAt = "received_at"
        case fileName = "file_name"
        case rowsRead = "rows_read"
        case rowsSetAside = "rows_set_aside"
        case codesToZero = "codes_to_zero"
    }
}
