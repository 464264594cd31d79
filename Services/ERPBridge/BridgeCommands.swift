import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Carries out what schedules and operators ask for, and answers.
struct BridgeCommands: BatchHandler {
    let settings: BridgeSettings
    let progress: ReportProgress

    func apply(_ events: [Event<Command>], in work: UnitOfWork) throws {
        for event in events {
            do {
                let answer = try carryOut(event.payload, in: work)
                try work.answer(event.payload.commandID, .done, answer)
            } catch let refusal as Refusal {
                try work.answer(event.payload.commandID, .refused, BridgeAnswer(message: refusal.sentence))
            }
        }
        try progress.advance(in: work)
    }

    /// A rule forbids the command; nothing was changed.
    private struct Refusal: Error { let sentence: String }

    private func carryOut(_ command: Command, in work: UnitOfWork) throws -> BridgeAnswer {
        switch command.verb {
        case .run: try run(command, in: work)
        case .resend: try resend(command, in: work)
        case .resendOrder: try resendOrder(command, in: work)
        default: throw Refusal(sentence: "erp-bridge does not carry out '\(command.verb.rawValue)'.")
        }
    }

    private func chosen(_ arguments: [String: JSONValue]) throws -> [BridgeSettings.Shop] {
        guard let name = arguments["shop"]?.string else { return settings.shopsInOrder }
        guard let shop = settings.shops[ShopName(rawValue: name)] else {
            let known = settings.shopsInOrder.map(\.name.rawValue).joined(separator: ", ")
            throw Refusal(sentence: "There is no shop '\(name.prefix(80))' in the configuration; there are \(known).")
        }
        return [shop]
    }

    private func run(_ command: Command, in work: UnitOfWork) throws -> BridgeAnswer {
        let shops = try chosen(command.arguments)
        var due = work.startedAt
        if let text = command.arguments["due"]?.string {
            guard let moment = UTCTimestamp.parse(text) else {
                throw Refusal(sentence: "'\(text.prefix(40))' is no time such as 2026-11-22T05:00:00Z.")
            }
            due = moment
        }
        guard due <= work.startedAt.addingTimeInterval(60) else {
            throw Refusal(sentence: "A report cannot be due in the future; leave the time out for one of now.")
        }
        if command.arguments["dry_run"]?.boolean == true {
            return BridgeAnswer(
                message: "This would be in the reports now; nothing was changed.",
                reports: try shops.map { try preview($0, in: work.transaction) })
        }
        let reports = try shops.map { shop in
            let (batch, isNew) = try ReportRequests(settings: settings).request(
                shop, due: due, by: command.requestedBy, in: work)
            return BridgeAnswer.Report(shop: shop.name.rawValue, batch: batch, isNew: isNew)
        }
        let new = reports.filter { $0.isNew == true }.count
        return BridgeAnswer(
            message: "\(new) reports are being made, \(reports.count - new) of that time are there already.",
            reports: reports)
    }

    private func preview(_ shop: BridgeSettings.Shop, in transaction: Transaction) throws -> BridgeAnswer.Report {
        let rows = try transaction.query(
            """
            SELECT place, count(*) AS orders FROM (
                SELECT \(ReportBuilder.place) AS place FROM orders o WHERE o.shop = $1 AND o.open) p
            WHERE place IS NOT NULL GROUP BY place
            """, [.text(shop.name.rawValue)])
        var counts: [String: Int] = [:]
        for row in rows { counts[try row.decode("place")] = try row.decode("orders", as: Int.self) }
        let feed = try transaction.query(
            "SELECT complete_up_to FROM feeds WHERE shop = $1", [.text(shop.name.rawValue)]
        ).first
        return BridgeAnswer.Report(
            shop: shop.name.rawValue, lines: counts["lines"] ?? 0, changes: counts["changes"] ?? 0,
            held: counts["held"] ?? 0, cancelledUnsent: counts["counted"] ?? 0,
            completeUpTo: try feed?.decode("complete_up_to"))
    }

    private func resend(_ command: Command, in work: UnitOfWork) throws -> BridgeAnswer {
        let batch = command.arguments["batch"]?.string ?? ""
        guard let report = try ReportRow.lock(batch, in: work.transaction) else {
            throw Refusal(sentence: "There is no report '\(batch.prefix(100))'; 'stockbridge report list' shows them.")
        }
        guard !settings.mailbox.isEmpty else {
            throw Refusal(sentence: "The configuration names no mailbox of the ERP (erp.mailbox); nothing was sent.")
        }
        switch report.state {
        case "sent": break
        case "failed" where report.fileID != nil, "stored":
            try work.transaction.execute("UPDATE reports SET state = 'built' WHERE id = $1", [.text(batch)])
            try ReportProgress.ask(batch, in: work)
            return BridgeAnswer(message: "Report \(batch), which never went out, is being sent.")
        default:
            throw Refusal(sentence: "Report \(batch) is not finished (\(report.state)); it goes out by itself.")
        }
        let rows = try work.transaction.query(
            "SELECT coalesce(max(number), 0) + 1 FROM resendings WHERE batch_id = $1", [.text(batch)])
        let number: Int = try rows.first?.decode(at: 0) ?? 1
        try work.transaction.execute(
            """
            INSERT INTO resendings (batch_id, number, message_id, requested_by, requested_at)
            VALUES ($1, $2, $3, $4, $5)
            """,
            [
                .text(batch), .int(number),
                .text(BatchName.messageID(batch: batch, repetition: number, sender: settings.sender)),
                .text(command.requestedBy), .timestamp(work.startedAt),
            ])
        try work.enqueue(
            Event(
                ReportWork(batchID: batch, resending: number), subject: batch, correlation: batch,
                occurredAt: work.startedAt), queue: ServiceCatalogue.reportQueue)
        return BridgeAnswer(message: "Report \(batch) is being mailed again, under its own batch id.")
    }

    private func resendOrder(_ command: Command, in work: UnitOfWork) throws -> BridgeAnswer {
        let text = command.arguments["order"]?.string ?? ""
        let reason = command.arguments["reason"]?.string ?? ""
        guard let order = OrderReference(text), !reason.isEmpty else {
            throw Refusal(sentence: "Say which order as shop:id, and why; nothing was changed.")
        }
        let key: [PostgresValue] = [.text(order.shop.rawValue), .text(order.externalID)]
        let rows = try work.transaction.query(
            """
            SELECT statement, carried, open FROM orders WHERE shop = $1 AND external_id = $2 FOR UPDATE
            """, key)
        guard let row = rows.first else {
            throw Refusal(sentence: "erp-bridge knows no order '\(text.prefix(100))'; nothing was changed.")
        }
        guard try row.decode("carried", as: Int?.self) != nil else {
            throw Refusal(sentence: "Order \(order) was never sent; it goes with a report by itself.")
        }
        let isOpen: Bool = try row.decode("open")
        if !isOpen {
            try work.transaction.execute(
                """
                INSERT INTO statements (shop, external_id, statement, revision, state_version, payload, updated_at,
                    learnt_at, repeated_by, repeat_reason)
                SELECT s.shop, s.external_id, s.statement + 1, s.revision, s.state_version, s.payload, s.updated_at, $3,
                    $4, $5
                FROM statements s JOIN orders o USING (shop, external_id, statement)
                WHERE s.shop = $1 AND s.external_id = $2
                """,
                key + [.timestamp(work.startedAt), .text(command.requestedBy), .text(String(reason.prefix(1_000)))])
        }
        try work.transaction.execute(
            """
            UPDATE orders SET repeats = true, statement = statement + CASE WHEN open THEN 0 ELSE 1 END, open = true
            WHERE shop = $1 AND external_id = $2
            """, key)
        return BridgeAnswer(message: "Order \(order) stands in the next report of shop \(order.shop).")
    }
}

/// What an operator is shown.
struct BridgeAnswer: Codable, Sendable, Equatable {
    struct Report: Codable, Sendable, Equatable {
        var shop: String
        var batch: String?
        var isNew: Bool?
        var lines: Int?
        var changes: Int?
        var held: Int?
        var cancelledUnsent: Int?
        var completeUpTo: Date?

        private enum CodingKeys: String, CodingKey {
            case shop, batch, lines, changes, held
            case isNew = "is_new"
            case cancelledUnsent = "cancelled_unsent"
            case completeUpTo = "complete_up_to"
        }
    }

    var message: String
    var reports: [Report]?
}
