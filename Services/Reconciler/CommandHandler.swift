import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Carries out what an operator or the schedule asks, and answers.
struct CommandHandler: BatchHandler {
    let settings: ReconcilerSettings
    let conductor: Conductor

    func apply(_ events: [Event<Command>], in work: UnitOfWork) throws {
        for event in events {
            let (state, sentence) = try carryOut(event.payload, in: work)
            try work.answer(event.payload.commandID, state, CommandMessage(sentence))
        }
    }

    private func carryOut(_ command: Command, in work: UnitOfWork) throws -> (CommandState, String) {
        switch command.verb {
        case .run: try run(command, in: work)
        case .mail: try mail(command, in: work)
        default: (.refused, "reconciler does not carry out '\(command.verb.rawValue)'.")
        }
    }

    private func run(_ command: Command, in work: UnitOfWork) throws -> (CommandState, String) {
        var shops = settings.shops.map(\.name)
        if let name = command.arguments["shop"]?.string {
            guard let shop = settings.shop(ShopName(rawValue: name)) else {
                let known = shops.map(\.rawValue).joined(separator: ", ")
                return (.refused, "There is no shop '\(name)' in the configuration; there are \(known).")
            }
            shops = [shop.name]
        }
        let now = work.startedAt
        let longest = settings.shops.map(\.runDeadlineSeconds).max() ?? 1_800
        let opening = RunStore.Opening(
            day: settings.day(of: now), cause: "command \(command.commandID.uuidString.lowercased())", openedAt: now,
            statementAt: now, deadlineAt: now.addingTimeInterval(longest), commandID: command.commandID)
        let (run, isNew) = try RunStore.open(opening, shops: shops, in: work.transaction)
        if isNew { for shop in shops { try conductor.ask(shop, run: run, in: work) } }
        return (
            .done,
            "Reconciliation \(run.uuidString.lowercased()) of \(shops.map(\.rawValue).joined(separator: ", ")) has "
                + "begun; its mail goes out when the shops are read back."
        )
    }

    /// The set time has come: the day's mail goes out with what there is, unless it went before.
    private func mail(_ command: Command, in work: UnitOfWork) throws -> (CommandState, String) {
        let due = command.arguments["due"]?.string.flatMap { try? Date.ISO8601FormatStyle().parse($0) }
        let day = settings.day(of: due ?? work.startedAt)
        try work.transaction.execute("INSERT INTO days (day) VALUES ($1) ON CONFLICT DO NOTHING", [.text(day)])
        let mails = try work.transaction.query("SELECT mails FROM days WHERE day = $1 FOR UPDATE", [.text(day)])
        if let row = mails.first, try row.decode(at: 0, as: Int.self) > 0 {
            return (.done, "The reconciliation of \(day) was mailed before.")
        }
        try work.transaction.execute("SELECT pg_advisory_xact_lock(hashtext('reconciliation run'))", [])
        let newest = try work.transaction.query(
            """
            SELECT id FROM runs WHERE day = $1 AND cause NOT LIKE 'command %' AND state <> 'superseded'
            ORDER BY statement_at DESC, id LIMIT 1
            """, [.text(day)])
        let run: UUID
        if let row = newest.first {
            run = try row.decode(at: 0)
        } else {
            // No stock file of the day: nothing was pushed, and the mail says so.
            let opening = RunStore.Opening(
                day: day, cause: "mail", openedAt: work.startedAt, statementAt: work.startedAt,
                deadlineAt: work.startedAt)
            run = try RunStore.open(opening, shops: settings.shops.map(\.name), in: work.transaction).id
            try RunStore.supersede(by: run, in: work.transaction)
        }
        try work.transaction.execute(
            "UPDATE runs SET report_due = coalesce(report_due, 'time') WHERE id = $1", [.uuid(run)])
        return (.done, "The mail of \(day) goes out with what there is.")
    }
}
