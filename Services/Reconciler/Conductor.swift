import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL
import ServiceKit

/// Moves runs on: every step is a message or a timer, leaves its mark in a row, and may come twice.
struct Conductor: Sendable {
    /// A fresh statement that has not come after so long is done without.
    static let answerSeconds: Double = 120
    /// Beyond this many listings the whole shop is stated again: the request would be larger than the answer is worth.
    static let mostNamedListings = 5_000

    let settings: ReconcilerSettings

    // MARK: Statements

    /// A statement is complete: somebody asked for it, or a run of the shop has ended.
    func arrived(_ statement: CompleteStatement, in work: UnitOfWork) throws {
        if let request = statement.request {
            guard let shop = try RunStore.shop(awaiting: request, in: work.transaction), shop.runIsOpen else { return }
            switch shop.state {
            case .waiting: try begin(shop, with: statement, in: work)
            case .asked:
                try work.transaction.execute(
                    "UPDATE run_shops SET fresh_statement = $3 WHERE run = $1 AND shop = $2",
                    [.uuid(shop.run), .text(shop.shop.rawValue), .integer(statement.number)])
                try readAgain(shop, in: work)
            case .reading, .rereading, .settling, .done, .skipped: return
            }
        } else if statement.cause == "snapshot", let snapshot = statement.snapshot {
            guard let run = try openSnapshotRun(snapshot, statement, in: work),
                let shop = try RunStore.shop(statement.shop, of: run, in: work.transaction),
                shop.runIsOpen, shop.state == .waiting
            else { return }
            try begin(shop, with: statement, in: work)
        } else {
            try resume(statement, in: work)
        }
    }

    /// The run of a snapshot; nil if a newer one has taken its place.
    private func openSnapshotRun(_ snapshot: UUID, _ statement: CompleteStatement, in work: UnitOfWork) throws -> UUID?
    {
        let now = work.startedAt
        let cause = "snapshot \(snapshot.uuidString.lowercased())"
        // One at a time, or two replicas would open two runs that do not see each other.
        try work.transaction.execute("SELECT pg_advisory_xact_lock(hashtext('reconciliation run'))", [])
        let existing = try work.transaction.query("SELECT id FROM runs WHERE cause = $1", [.text(cause)])
        if let row = existing.first { return try row.decode(at: 0) }
        guard try !RunStore.hasNewer(than: statement.takenAt, in: work.transaction) else { return nil }
        let opening = RunStore.Opening(
            day: settings.day(of: now), cause: cause, openedAt: now, statementAt: statement.takenAt,
            deadlineAt: settings.deadline(openedAt: now))
        let (run, isNew) = try RunStore.open(opening, shops: settings.shops.map(\.name), in: work.transaction)
        if isNew { try RunStore.supersede(by: run, in: work.transaction) }
        return run
    }

    /// The shop was pushed once more in the day, as after it was let out of shadow. What was begun with older numbers
    /// begins anew; what is reported stays, unless the shop could not be compared then.
    private func resume(_ statement: CompleteStatement, in work: UnitOfWork) throws {
        guard !statement.isShadow else { return }
        let rows = try work.transaction.query(
            """
            SELECT r.id FROM runs r JOIN run_shops s ON s.run = r.id
            WHERE r.day = $1 AND r.cause LIKE 'snapshot %' AND s.shop = $2
            AND (r.state = 'open' OR r.state = 'closed' AND s.state = 'skipped')
            ORDER BY r.statement_at DESC LIMIT 1
            """, [.text(settings.day(of: work.startedAt)), .text(statement.shop.rawValue)])
        guard let row = rows.first else { return }
        let run = try row.decode(at: 0, as: UUID.self)
        try work.transaction.execute(
            "UPDATE runs SET state = 'open', closed_at = NULL WHERE id = $1", [.uuid(run)])
        guard let shop = try RunStore.shop(statement.shop, of: run, in: work.transaction) else { return }
        try begin(shop, with: statement, in: work)
    }

    // MARK: Steps

    private func begin(_ shop: RunShop, with statement: CompleteStatement, in work: UnitOfWork) throws {
        guard !statement.isShadow else { return try skip(shop, in: work) }
        let reading = UUID()
        if let voided = shop.reading {
            try work.transaction.execute("DELETE FROM readings WHERE reading = $1", [.uuid(voided)])
        }
        try work.transaction.execute(
            """
            UPDATE run_shops SET state = 'reading', problem = NULL, wait_until = NULL, request = NULL, statement = $3,
                fresh_statement = NULL, cursor = NULL, reading = $4, read_from = $5, read_to = NULL
            WHERE run = $1 AND shop = $2
            """,
            [
                .uuid(shop.run), .text(shop.shop.rawValue), .integer(statement.number), .uuid(reading),
                .timestamp(work.startedAt),
            ])
        try enqueue(.catalogue, run: shop.run, shop: shop.shop, reading: reading, in: work)
    }

    private func skip(_ shop: RunShop, in work: UnitOfWork) throws {
        try work.transaction.execute(
            """
            UPDATE run_shops SET state = 'skipped', wait_until = NULL, done_at = $4, problem = $3
            WHERE run = $1 AND shop = $2
            """,
            [
                .uuid(shop.run), .text(shop.shop.rawValue),
                .text("In shadow: levels are worked out and nothing is written, so there is nothing to compare yet."),
                .timestamp(work.startedAt),
            ])
    }

    /// Asks stock-publisher for a statement: about the whole shop, or about some listings of it.
    func ask(
        _ shop: ShopName, run: UUID, about listings: [String]? = nil, in work: UnitOfWork
    ) throws {
        let request = UUID()
        try work.transaction.execute(
            "UPDATE run_shops SET request = $3, wait_until = $4 WHERE run = $1 AND shop = $2",
            [
                .uuid(run), .text(shop.rawValue), .uuid(request),
                .timestamp(work.startedAt.addingTimeInterval(Self.answerSeconds)),
            ])
        var arguments: [String: JSONValue] = [
            "shop": .string(shop.rawValue), "what": .string("stock"),
            "request": .string(request.uuidString.lowercased()),
        ]
        if let listings, listings.count <= Self.mostNamedListings {
            arguments["listings"] = .array(listings.map { .string($0) })
        }
        work.send(
            try OutboxMessage.command(
                .republish, arguments: arguments, to: .stockPublisher, from: .reconciler,
                requestedBy: "reconciliation \(run.uuidString.lowercased())", at: work.startedAt))
    }

    /// The statement has come, or is done without: what differs is read once more.
    func readAgain(_ shop: RunShop, in work: UnitOfWork) throws {
        guard let reading = shop.reading, try RunStore.move(shop, to: .rereading, in: work.transaction) else { return }
        try enqueue(.again, run: shop.run, shop: shop.shop, reading: reading, in: work)
    }

    func enqueue(
        _ step: ReadBackWork.Step, run: UUID, shop: ShopName, reading: UUID, in work: UnitOfWork
    ) throws {
        let event = Event(
            ReadBackWork(run: run, shop: shop, reading: reading, step: step), subject: shop.rawValue,
            correlation: run.uuidString.lowercased(), occurredAt: work.startedAt)
        try work.enqueue(event, queue: ServiceCatalogue.readBackQueue(of: shop))
    }
}
