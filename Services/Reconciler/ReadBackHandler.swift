import Concurrency
import Contracts
import Domain
import Foundation
import Logging
import Messaging
import PostgreSQL
import ServiceKit
import ShopAccounts
import ShopConnectors

/// Reads one shop back, step by step; each step says in the tables how far it came and sends itself the next one.
struct ReadBackHandler: WorkHandler {
    /// A slice of a reading ends after so long, so that a message is never worked on for longer than its lease.
    static let sliceSeconds: Double = 60
    /// So many listings are stored at a time.
    static let storedAtOnce = 1_000
    /// Stands for the cursor of a catalogue that was read to its end.
    static let end = "end"

    let account: ShopAccount
    let settings: ReconcilerSettings
    let database: ServiceDatabase
    let conductor: Conductor
    let verdicts: Verdicts
    let clock: WallClock
    let logger: Logger

    var leaseSeconds: Int { 300 }

    func perform(_ event: Event<ReadBackWork>, _ context: WorkContext) async -> Outcome {
        let work = event.payload
        do {
            let loaded = try await database.pool.transaction { transaction in
                try RunStore.shop(work.shop, of: work.run, locked: false, in: transaction)
            }
            // The run gave way to a newer one, or the shop is being read anew.
            guard let shop = loaded, shop.runIsOpen, shop.reading == work.reading else { return .done }
            switch (work.step, shop.state) {
            case (.catalogue, .reading): try await readCatalogue(shop, work, context)
            case (.orders, .reading): try await countOrders(shop, work, context)
            case (.compare, .reading): try await compare(shop, work, context)
            case (.again, .rereading): try await readAgain(shop, work, context)
            default: return .done
            }
            return .done
        } catch let error as ConnectorError {
            return await failed(error, work)
        } catch let error as PostgresError {
            return .retry(
                FailureReason(.transient, code: "database", message: "Reading back \(work.shop): \(error)"))
        } catch {
            return .retry(FailureReason(.defect, code: "read_back", message: "Reading back \(work.shop): \(error)"))
        }
    }

    // MARK: The catalogue

    private func readCatalogue(_ shop: RunShop, _ work: ReadBackWork, _ context: WorkContext) async throws {
        let capabilities = try await account.capabilities()
        let catalogue = try account.connector.require(\.catalogue, of: capabilities, for: .readCatalogue)
        let sliceEnd = ContinuousClock.now + .seconds(Self.sliceSeconds)
        var stored = shop.cursor
        if stored == Self.end { return try await goOn(to: .orders, work, context) }
        var cursor = stored.map { CatalogueCursor(rawValue: $0) }
        var waiting: [SeenPage] = []
        var count = 0
        repeat {
            let from = clock.now()
            let page = try await catalogue.page(after: cursor)
            waiting.append(SeenPage(listings: page.listings, from: from, to: clock.now()))
            count += page.listings.count
            cursor = page.next
            let isSliceOver = ContinuousClock.now > sliceEnd
            if count >= Self.storedAtOnce || cursor == nil || isSliceOver {
                guard try await store(waiting, work, from: stored, to: cursor) else { return }
                stored = cursor?.rawValue
                waiting.removeAll(keepingCapacity: true)
                count = 0
            }
            if isSliceOver { break }
        } while cursor != nil
        try await goOn(to: cursor == nil ? .orders : .catalogue, work, context)
    }

    private func goOn(to step: ReadBackWork.Step, _ work: ReadBackWork, _ context: WorkContext) async throws {
        let conductor = conductor
        try await context.complete { unit in
            try conductor.enqueue(step, run: work.run, shop: work.shop, reading: work.reading, in: unit)
        }
    }

    private struct SeenPage: Sendable {
        let listings: [Listing]
        let from: Date
        let to: Date
    }

    /// False if somebody else went on from there: a lease that ran out is no harm.
    private func store(
        _ pages: [SeenPage], _ work: ReadBackWork, from stored: String?, to cursor: CatalogueCursor?
    ) async throws -> Bool {
        try await database.unitOfWork { unit in
            let moved = try unit.transaction.execute(
                """
                UPDATE run_shops SET cursor = $4, read_to = $6, problem = NULL
                WHERE run = $1 AND shop = $2 AND reading = $3 AND state = 'reading' AND cursor IS NOT DISTINCT FROM $5
                """,
                [
                    .uuid(work.run), .text(work.shop.rawValue), .uuid(work.reading),
                    .text(cursor?.rawValue ?? Self.end),
                    .maybe(stored) { .text($0) }, .timestamp(unit.startedAt),
                ])
            guard moved == 1 else { return false }
            let columns = [
                "reading", "listing", "shelf", "sku", "title", "quantity", "is_tracked", "is_published", "read_from",
                "read_to",
            ]
            try unit.transaction.copy(into: "readings", columns: columns) { writer in
                for page in pages {
                    for listing in page.listings {
                        writer.uuid(work.reading)
                        writer.text(listing.id.rawValue)
                        writer.text(listing.stockID.rawValue)
                        writer.text(listing.sku?.rawValue)
                        writer.text(listing.title)
                        writer.value(.maybe(listing.stock) { .integer($0.micro) })
                        writer.boolean(listing.stockManaged)
                        writer.boolean(listing.isPublished)
                        writer.timestamp(page.from)
                        writer.timestamp(page.to)
                        try writer.endRow()
                    }
                }
            }
            return true
        }
    }

    // MARK: Orders and comparing

    private func countOrders(_ shop: RunShop, _ work: ReadBackWork, _ context: WorkContext) async throws {
        let rules = settings.shop(work.shop)
        if rules?.collectsOrders ?? false {
            await OrderAudit(account: account, database: database, logger: logger).run(shop, now: clock.now())
        }
        try await goOn(to: .compare, work, context)
    }

    private func compare(_ shop: RunShop, _ work: ReadBackWork, _ context: WorkContext) async throws {
        guard let statement = shop.statement, let reading = shop.reading else { return }
        let (settings, conductor, verdicts) = (settings, conductor, verdicts)
        let result = try await context.complete { unit -> Comparison.Result? in
            guard let locked = try RunStore.shop(work.shop, of: work.run, in: unit.transaction),
                locked.state == .reading, locked.reading == reading
            else { return nil }
            // What an attempt before a crash, or before the shop was resumed, has left.
            try unit.transaction.execute(
                "DELETE FROM differences WHERE run = $1 AND shop = $2", [.uuid(work.run), .text(work.shop.rawValue)])
            let origin = try StatementStore.origin(of: statement, in: unit.transaction)
            let comparison = Comparison(
                shop: locked, statement: statement, reading: reading,
                staleUpTo: Freshness.staleUpTo(origin?.sources ?? [], settings: settings, now: unit.startedAt))
            let result = try comparison.run(in: unit.transaction)
            try unit.transaction.execute(
                "UPDATE run_shops SET compared = $3, ok_count = $4 WHERE run = $1 AND shop = $2",
                [.uuid(work.run), .text(work.shop.rawValue), .int(result.compared), .int(result.right)])
            guard result.again > 0 else {
                try verdicts.finish(locked, in: unit)
                return result
            }
            guard try RunStore.move(locked, to: .asked, in: unit.transaction) else { return result }
            let listings = try unit.transaction.query(
                """
                SELECT listing FROM differences WHERE run = $1 AND shop = $2 AND second_look = 'wanted'
                ORDER BY listing LIMIT \(Conductor.mostNamedListings + 1)
                """, [.uuid(work.run), .text(work.shop.rawValue)]
            ).map { try $0.decode(at: 0, as: String.self) }
            try conductor.ask(work.shop, run: work.run, about: listings, in: unit)
            return result
        }
        guard let result else { return }
        logger.notice(
            "shop compared",
            metadata: [
                "shop": "\(work.shop)", "run": "\(work.run)", "listings": "\(result.compared)",
                "as expected": "\(result.right)", "read again": "\(result.again)",
            ])
    }

    // MARK: The second look

    private func readAgain(_ shop: RunShop, _ work: ReadBackWork, _ context: WorkContext) async throws {
        let capabilities = try await account.capabilities()
        let stock = try account.connector.require(\.stockReading, of: capabilities, for: .readStock)
        let sliceEnd = ContinuousClock.now + .seconds(Self.sliceSeconds)
        while ContinuousClock.now < sliceEnd {
            let wanted = try await SecondLook.next(work, atMost: max(1, stock.maximumBatch), in: database.pool)
            guard !wanted.isEmpty else {
                let verdicts = verdicts
                try await context.complete { unit in
                    guard let locked = try RunStore.shop(work.shop, of: work.run, in: unit.transaction),
                        locked.state == .rereading, locked.reading == work.reading
                    else { return }
                    try verdicts.settleOrFinish(locked, in: unit)
                }
                return
            }
            let from = clock.now()
            var seen: Set<ListingID> = []
            let shelves = wanted.map { ListingID(rawValue: $0.shelf) }.filter { seen.insert($0).inserted }
            let found = try await stock.read(shelves)
            try await SecondLook.save(wanted, found, work, from: from, to: clock.now(), in: database)
        }
        try await goOn(to: .again, work, context)
    }

    // MARK: Trouble

    private func failed(_ error: ConnectorError, _ work: ReadBackWork) async -> Outcome {
        let sentence = "\(error)"
        logger.warning("shop not read back", metadata: ["shop": "\(work.shop)", "problem": "\(sentence)"])
        _ = try? await database.pool.query(
            "UPDATE run_shops SET problem = $3 WHERE run = $1 AND shop = $2",
            [.uuid(work.run), .text(work.shop.rawValue), .text(sentence)])
        switch error {
        case .unauthorized, .forbidden:
            await account.alerts.refusedCredentials(sentence)
            return .later(milliseconds: 60_000)
        case .notPaced: return .later(milliseconds: 10_000)
        default:
            let reason = FailureReason(
                error.disposition == .transient ? .transient : .permanent, code: "shop.\(error.label)",
                message: sentence)
            if error.countsAsOutage { return .outage(Dependency(ShopAccount.accountName(work.shop)), reason) }
            return error.disposition == .transient ? .retry(reason) : .park(reason)
        }
    }
}

/// The SQL of the second look.
enum SecondLook {
    /// A listing to be read once more.
    struct Wanted: Sendable {
        let listing: String
        let shelf: String
    }

    static func next(_ work: ReadBackWork, atMost: Int, in pool: PostgresPool) async throws -> [Wanted] {
        try await pool.query(
            """
            SELECT listing, shelf FROM differences WHERE run = $1 AND shop = $2 AND second_look = 'wanted'
            ORDER BY listing LIMIT $3
            """, [.uuid(work.run), .text(work.shop.rawValue), .int(atMost)]
        ).map { Wanted(listing: try $0.decode(at: 0), shelf: try $0.decode(at: 1)) }
    }

    static func save(
        _ wanted: [Wanted], _ found: [ListingID: ShopConnectors.ObservedStock], _ work: ReadBackWork, from: Date,
        to: Date, in database: ServiceDatabase
    ) async throws {
        let stocks = wanted.map { found[ListingID(rawValue: $0.shelf)] }
        try await database.pool.transaction { transaction in
            try transaction.execute(
                """
                UPDATE differences d SET second_look = CASE WHEN s.found THEN 'read' ELSE 'gone' END,
                    second_quantity = s.quantity, second_tracked = s.tracked, read_from = $7, read_to = $8,
                    observed = s.quantity
                FROM unnest($3::text[], $4::boolean[], $5::bigint[], $6::boolean[])
                    AS s (listing, found, quantity, tracked)
                WHERE d.run = $1 AND d.shop = $2 AND d.listing = s.listing AND d.second_look = 'wanted'
                """,
                [
                    .uuid(work.run), .text(work.shop.rawValue), .textArray(wanted.map(\.listing)),
                    .booleanArray(stocks.map { $0 != nil }),
                    .nullableIntegerArray(stocks.map { $0?.quantity?.micro }),
                    .booleanArray(stocks.map { $0?.managed ?? false }), .timestamp(from), .timestamp(to),
                ])
        }
    }
}
