import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import Settings
import Transfer

/// Conditions of a source that a person should know of: raised once, cleared once.
struct SourceAlerts: Sendable {
    /// What is wrong.
    enum Kind: String, Sendable, CaseIterable {
        case late, file, location
        case hostKey = "host-key"
        case login, unreachable, settings
    }

    /// What speaks against the place where files lie; over once it can be looked into.
    static let ofPlace: [Kind] = [.location, .hostKey, .login, .unreachable, .settings]
    /// What speaks against the files; over once one was good.
    static let ofFiles: [Kind] = [.late, .file]

    let source: SourceName

    /// The name of a condition. A bad file is one of its own, so that a second one is told of too.
    func condition(_ kind: Kind, file: String? = nil) -> String {
        "stock-\(kind.rawValue):\(source.rawValue)" + (file.map { ":" + String($0.prefix(100)) } ?? "")
    }

    /// Emits an alert unless its condition is open already.
    ///
    /// - Returns: Whether it was emitted.
    @discardableResult
    func raise(
        _ kind: Kind, file: String? = nil, title: String, text: String, whatToDo: String, correlation: String,
        in work: UnitOfWork
    ) throws -> Bool {
        let condition = condition(kind, file: file)
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
    func clear(_ kinds: [Kind], text: String, correlation: String, in work: UnitOfWork) throws {
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

/// Why a source could not be looked into, in the terms of its alert.
struct LookTrouble: Sendable, Equatable {
    /// What passes by itself is told of only when it happens so often in a row.
    static let passingTroubleLooks = 3

    let kind: SourceAlerts.Kind
    let title: String
    let text: String
    let whatToDo: String
    /// Whether it may pass by itself.
    let isPassing: Bool

    init(_ error: any Error, source: SourceName) {
        let what: String
        switch error {
        case let error as TransferError:
            (kind, what, whatToDo) = Self.describe(error)
            isPassing = error.isTransient
        case is SecretError:
            (kind, what, whatToDo) = (.settings, "has no usable password", "Correct the secret or its reference.")
            isPassing = false
        default:
            (kind, what, whatToDo) = (.location, "cannot be fetched", "Look at the service's disk and log.")
            isPassing = true
        }
        title = "Source \(source) \(what)"
        text =
            "The stock of source \(source) cannot be fetched: \(error) The last good numbers stay live, and it is "
            + "looked again as often as configured."
    }

    /// Whether to tell people after so many failures in a row.
    func isToBeTold(afterFailures failures: Int) -> Bool { !isPassing || failures >= Self.passingTroubleLooks }

    private static func describe(_ error: TransferError) -> (SourceAlerts.Kind, String, String) {
        switch error {
        case .hostKeyChanged, .hostKeyUnknown:
            (
                .hostKey, "shows another host key",
                "Ask the server's operator whether the key was changed; only then enter the new one in `host_key`."
            )
        case .authenticationFailed:
            (.login, "does not let us in", "Check the account and its password or key.")
        case .unresolvable, .unreachable, .timedOut, .connectionLost, .failed, .refused:
            (.unreachable, "cannot be reached", "Check the server and the network; nothing else is needed.")
        case .tlsRejected:
            (.hostKey, "shows a certificate that is not trusted", "Check the certificate and `ca_file`.")
        default:
            (.location, "cannot be read", "Check the directory and the account's rights.")
        }
    }
}
