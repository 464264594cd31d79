import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit
import Settings

/// What a person decides about snapshots: accept, reject, send again.
struct OperatorDecisions: BatchHandler {
    let sources: [SourceName: StockbridgeConfiguration.Source]

    init(_ configuration: StockbridgeConfiguration) {
        sources = Dictionary(uniqueKeysWithValues: configuration.sources.map { ($0.name, $0) })
    }

    func apply(_ events: [Event<Command>], in work: UnitOfWork) throws {
        for event in events {
            do {
                let answer = try carryOut(event.payload, correlation: event.id.uuidString.lowercased(), in: work)
                try work.answer(event.payload.commandID, .done, answer)
            } catch let refusal as Refusal {
                try work.answer(event.payload.commandID, .refused, CommandMessage(refusal.sentence))
            }
        }
    }

    /// A rule forbids the command; nothing was changed.
    private struct Refusal: Error { let sentence: String }

    private struct Answer: Encodable, Sendable {
        let message: String
        var snapshot: String?
        var state: String?
        var sequence: Int64?
        var codes: Int?
    }

    private func carryOut(_ command: Command, correlation: String, in work: UnitOfWork) throws -> Answer {
        switch command.verb {
        case .accept: return try accept(command, correlation, in: work)
        case .reject: return try reject(command, in: work)
        case .republish: return try republish(command, in: work)
        default: throw Refusal(sentence: "stock-ingestor does not carry out '\(command.verb.rawValue)' here.")
        }
    }

    private struct Held {
        let id: UUID
        let source: StockbridgeConfiguration.Source
        let row: SourceRow
        let asOf: Date
        let file: String
        let reason: String
    }

    /// The held snapshot a command names, under its source's lock.
    private func held(_ command: Command, in transaction: Transaction) throws -> Held {
        guard let id = command.arguments["snapshot"]?.string.flatMap(UUID.init(uuidString:)) else {
            throw Refusal(sentence: "Say which snapshot by its id, as 'stockbridge stock list' shows it.")
        }
        guard let reason = command.arguments["reason"]?.string, !reason.allSatisfy(\.isWhitespace) else {
            throw Refusal(sentence: "A decision needs a reason; nothing was changed.")
        }
        let names = try transaction.query("SELECT source FROM snapshots WHERE id = $1", [.uuid(id)])
        guard let name = try names.first?.decode("source", as: String.self) else {
            throw Refusal(sentence: "There is no snapshot \(id.uuidString.lowercased()).")
        }
        guard let source = sources[SourceName(rawValue: name)] else {
            throw Refusal(sentence: "The configuration has no source '\(name)' any more; nothing was changed.")
        }
        let row = try SourceRow.lock(source.name, in: transaction)
        // Read again under the lock: another decision may have come first.
        let found = try transaction.query(
            "SELECT state, as_of, file_name FROM snapshots WHERE id = $1", [.uuid(id)])[0]
        let state = try found.decode("state", as: String.self)
        guard state == "held" else {
            throw Refusal(
                sentence: "Snapshot \(id.uuidString.lowercased()) is \(state), not held; nothing was changed.")
        }
        return Held(
            id: id, source: source, row: row, asOf: Moment.toMicroseconds(try found.decode("as_of")),
            file: try found.decode("file_name"), reason: reason)
    }

    private func accept(_ command: Command, _ correlation: String, in work: UnitOfWork) throws -> Answer {
        let held = try held(command, in: work.transaction)
        if let live = held.row.live, SnapshotOrder(asOf: held.asOf, comparedTo: live.asOf) == .older {
            throw Refusal(
                sentence: "\(held.file) is as of \(UTCTimestamp.format(held.asOf)), older than the live numbers of "
                    + "\(UTCTimestamp.format(live.asOf)), so it cannot go live; reject it.")
        }
        try BulkWork.prepare(work.transaction)
        let applied = try SnapshotApplication(
            source: held.source.name, quantities: held.source.quantities,
            zeroAfterFiles: SourceFormat(held.source).zeroAfterFiles
        ).apply(held.id, over: held.row, in: work)
        let message =
            "\(held.file) is live as of \(UTCTimestamp.format(held.asOf)), accepted by "
            + "\(command.requestedBy): \(applied.changedCodes) SKUs changed."
        try decide(held, command, message, in: work)
        try SourceAlerts(source: held.source.name).clear(
            AlertKind.ofFiles, text: message, correlation: correlation, in: work)
        return Answer(
            message: message, snapshot: held.id.uuidString.lowercased(), state: "live", sequence: applied.sequence,
            codes: applied.changedCodes)
    }

    private func reject(_ command: Command, in work: UnitOfWork) throws -> Answer {
        let held = try held(command, in: work.transaction)
        let message =
            "\(held.file) is rejected by \(command.requestedBy). The live numbers were not changed; the file "
            + "and its rows are kept."
        try work.transaction.execute("UPDATE snapshots SET state = 'rejected' WHERE id = $1", [.uuid(held.id)])
        try decide(held, command, message, in: work)
        return Answer(message: message, snapshot: held.id.uuidString.lowercased(), state: "rejected")
    }

    private func decide(_ held: Held, _ command: Command, _ message: String, in work: UnitOfWork) throws {
        try work.transaction.execute(
            """
            UPDATE snapshots SET decided_by = $2, decided_at = $3, decision_reason = $4, message = $5 WHERE id = $1
            """,
            [
                .uuid(held.id), .text(command.requestedBy), .timestamp(work.startedAt), .text(held.reason),
                .text(message),
            ])
    }

    private func republish(_ command: Command, in work: UnitOfWork) throws -> Answer {
        let chosen: [StockbridgeConfiguration.Source]
        if let name = command.arguments["source"]?.string {
            guard let source = sources[SourceName(rawValue: name)] else {
                throw Refusal(sentence: "There is no source '\(name)' in the configuration; nothing was sent.")
            }
            chosen = [source]
        } else {
            chosen = sources.values.sorted { $0.name < $1.name }
        }
        try BulkWork.prepare(work.transaction)
        var sentences: [String] = []
        var codes = 0
        for source in chosen {
            let row = try SourceRow.lock(source.name, in: work.transaction)
            guard let live = row.live else {
                sentences.append("Source \(source.name) has no live stock.")
                continue
            }
            let sent = try StockAggregatedSender(
                source: source.name, quantities: source.quantities,
                zeroAfterFiles: SourceFormat(source).zeroAfterFiles
            ).sendAll(of: live, in: work)
            codes += sent
            sentences.append("Source \(source.name): \(sent) SKUs are being sent again.")
        }
        return Answer(message: sentences.joined(separator: " "), codes: codes)
    }
}
