/// Work for the service's own report queue: a report that is to be taken a step further, or mailed again. Says
/// nothing about which step; whoever handles it does what the table says then.
public struct ReportWork: EventPayload {
    /// The name and version.
    public static let type = EventType("erp-bridge.report", 1, 0)

    /// The batch.
    public var batchID: String
    /// The number of the row of resendings, if it is to be mailed again.
    public var resending: Int?

    private enum CodingKeys: String, CodingKey {
        case resending
        case batchID = "batch_id"
    }

    /// Makes it of its parts.
    public init(batchID: String, resending: Int? = nil) {
        self.batchID = batchID
        self.resending = resending
    }
}
