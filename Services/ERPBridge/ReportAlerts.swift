import Contracts
import Domain
import Messaging
import PostgreSQL

/// Conditions of a shop's reports that a person should know of: raised once, cleared once.
enum ReportAlerts {
    enum Kind: String {
        /// The mail server refused a report for good.
        case refused = "report-refused"
        /// A report cannot be mailed for now.
        case delayed = "report-delayed"
        /// A report went out without all orders up to its due time.
        case incomplete = "report-incomplete"
        /// There is no mailbox to send reports to.
        case noMailbox = "report-no-mailbox"
    }

    static func raise(
        _ kind: Kind, shop: ShopName, severity: AlertRaised.Severity, title: String, text: String, whatToDo: String,
        batch: String, in work: UnitOfWork
    ) throws {
        let condition = "\(kind.rawValue):\(shop)"
        let isNew = try work.transaction.execute(
            "INSERT INTO open_conditions (condition, shop, raised_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            [.text(condition), .text(shop.rawValue), .timestamp(work.startedAt)])
        guard isNew == 1 else { return }
        let alert = AlertRaised(
            condition: condition, service: .erpBridge, subject: AlertSubject(shop: shop), severity: severity,
            title: title, text: text, whatToDo: whatToDo, raisedAt: work.startedAt)
        try work.emit(Event(alert, subject: shop.rawValue, correlation: batch, occurredAt: work.startedAt))
    }

    static func clear(_ kinds: [Kind], shop: ShopName, text: String, batch: String, in work: UnitOfWork) throws {
        let rows = try work.transaction.query(
            "DELETE FROM open_conditions WHERE condition = ANY ($1::text[]) RETURNING condition",
            [.textArray(kinds.map { "\($0.rawValue):\(shop)" })])
        for row in rows {
            let cleared = AlertCleared(
                condition: try row.decode("condition"), service: .erpBridge, subject: AlertSubject(shop: shop),
                text: text, clearedAt: work.startedAt)
            try work.emit(Event(cleared, subject: shop.rawValue, correlation: batch, occurredAt: work.startedAt))
        }
    }
}
