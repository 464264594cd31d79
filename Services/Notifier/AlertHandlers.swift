import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Opens conditions; a condition that is open already is counted and not told again.
struct AlertRaisedHandler: BatchHandler {
    let composer: MailComposer
    let outgoing: Outgoing

    func apply(_ events: [Event<AlertRaised>], in work: UnitOfWork) throws {
        for event in events.sorted(by: { $0.payload.raisedAt < $1.payload.raisedAt }) {
            let alert = event.payload
            guard try AlertTable.open(alert, in: work.transaction) else { continue }
            try outgoing.post(
                composer.opened(alert), about: "alert-\(event.id.uuidString.lowercased())",
                correlation: event.correlation, in: work)
        }
    }
}

/// Closes conditions. Only one that was told is told to be over.
struct AlertClearedHandler: BatchHandler {
    let composer: MailComposer
    let outgoing: Outgoing

    func apply(_ events: [Event<AlertCleared>], in work: UnitOfWork) throws {
        for event in events {
            let alert = event.payload
            guard let closed = try AlertTable.close(alert, in: work.transaction) else { continue }
            try outgoing.post(
                composer.cleared(alert, title: closed.title, openedAt: closed.openedAt),
                about: "cleared-\(event.id.uuidString.lowercased())", correlation: event.correlation, in: work)
        }
    }
}

/// What conditions are open.
enum AlertTable {
    /// Opens a condition, or counts it if it is open.
    ///
    /// - Returns: Whether it was not open before.
    static func open(_ alert: AlertRaised, in transaction: Transaction) throws -> Bool {
        let rows = try transaction.query(
            """
            INSERT INTO alerts AS a (condition, service, shop, source, severity, title, text, what_to_do, opened_at,
                last_raised_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
            ON CONFLICT (condition) DO UPDATE SET
                severity = excluded.severity, title = excluded.title, text = excluded.text,
                what_to_do = excluded.what_to_do, cleared_at = NULL,
                opened_at = CASE WHEN a.cleared_at IS NULL THEN a.opened_at ELSE excluded.opened_at END,
                times = CASE WHEN a.cleared_at IS NULL THEN a.times + 1 ELSE 1 END,
                last_raised_at = excluded.last_raised_at
            WHERE a.last_raised_at < excluded.last_raised_at
                AND (a.cleared_at IS NULL OR a.cleared_at < excluded.last_raised_at)
            RETURNING times
            """,
            [
                .text(alert.condition), .text(alert.service.rawValue),
                .maybe(alert.subject.shop) { .text($0.rawValue) },
                .maybe(alert.subject.source) { .text($0.rawValue) }, .text(alert.severity.rawValue),
                .text(alert.title), .text(alert.text), .text(alert.whatToDo), .timestamp(alert.raisedAt),
            ])
        guard let row = rows.first else { return false }
        return try row.decode("times", as: Int.self) == 1
    }

    /// Closes a condition; nil if it was not open, or was raised again later.
    static func close(
        _ alert: AlertCleared, in transaction: Transaction
    ) throws -> (title: String, openedAt: Date)? {
        let rows = try transaction.query(
            """
            UPDATE alerts SET cleared_at = $2
            WHERE condition = $1 AND cleared_at IS NULL AND last_raised_at <= $2
            RETURNING title, opened_at
            """, [.text(alert.condition), .timestamp(alert.clearedAt)])
        return try rows.first.map { (try $0.decode("title"), try $0.decode("opened_at")) }
    }

    /// When a condition was last raised or cleared.
    static func lastChange(of condition: String, in transaction: Transaction) throws -> Date? {
        let rows = try transaction.query(
            "SELECT greatest(last_raised_at, cleared_at) AS changed FROM alerts WHERE condition = $1",
            [.text(condition)])
        return try rows.first.map { try $0.decode("changed") }
    }
}

/// Tells operators that a snapshot waits for their decision.
struct StockHeldHandler: BatchHandler {
    let composer: MailComposer
    let outgoing: Outgoing

    func apply(_ events: [Event<StockHeld>], in work: UnitOfWork) throws {
        for event in events {
            try outgoing.post(
                composer.held(event.payload), about: "held-\(event.payload.snapshotID.uuidString.lowercased())",
                correlation: event.correlation, in: work)
        }
    }
}
