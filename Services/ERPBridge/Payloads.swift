import Contracts
import Foundation

/// Work for this service's own report queue: a report that is to be taken a step further, or mailed again. Says
/// nothing about which step; whoever handles it does what the table says then.
struct ReportWork: EventPayload {
    static let type = EventType("erp-bridge.report", 1, 0)

    var batchID: String
    /// The number of the row of resendings, if it is to be mailed again.
    var resending: Int?

    private enum CodingKeys: String, CodingKey {
        case resending
        case batchID = "batch_id"
    }
}
