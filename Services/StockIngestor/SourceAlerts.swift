import Contracts
import Domain
import Messaging
import PostgreSQL

/// Conditions of a source that a person should know of: raised once, cleared once.
struct SourceAlerts: Sendable {
    let source: SourceName

    /// Emits an alert unless its condition is open already.
    ///
    /// - Returns: Whether it was emitted.
    @discardableResult
    func raise(
        _ kind: AlertKind, file: String? = nil, title: String, text: String, whatToDo: String, correlation: String,
        in work: UnitOfWork
    ) throws -> Bool {
        let condition = kind.condition(of: source, file: file)
        let isNew = try work.transaction.execute(
            """
            INSERT INTO open_conditions (condition, source, kind, raised_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT DO NOTHING
            """,
            [.text(condition), .text(source.rawValue), .text(kind.rawValue), .timestamp(work.startedAt)])
        guard isNew == 1 else { return false }
        let alert = AlertRaised(
            condition: condition, service: .stockIngestor, subject: AlertSubject(source: source),
            severity: kind == .file ? .warning : .critical, title: title, text: text, whatToDo: whatToDo,
            raisedAt: work.startedAt)
        try work.emit(
            Event(alert, subject: source.rawValue, correlation: correlation, occurredAt: work.startedAt))
        return true
    }

    /// Ends what is open of these kinds.
    func clear(_ kinds: [AlertKind], text: String, correlation: String, in work: UnitOfWork) throws {
        let rows = try work.transaction.query(
            "DELETE FROM open_conditions WHERE source = $1 AND kind = ANY($2) RETURNING condition",
            [.text(source.rawValue), .textArray(kinds.map(\.rawValue))])
        for row in rows {
            let cleared = AlertCleared(
                condition: try row.decode("condition"), service: .stockIngestor,
                subject: AlertSubject(source: source), text: text, clearedAt: work.startedAt)
            try work.emit(
                Event(cleared, subject: source.rawValue, correlation: correlation, occurredAt: work.startedAt))
        }
    }
}
