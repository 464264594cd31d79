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

/// Reads what a shop sells, keeps it as listings, and asks for their mapping.
struct CatalogueHandler: WorkHandler {
    /// So many listings are stored in one transaction.
    static let storedAtOnce = 1_000

    let accounts: [ShopName: ShopAccount]
    let database: ServiceDatabase
    let remaps: RemapRequests
    let clock: WallClock
    let logger: Logger

    var leaseSeconds: Int { 300 }

    func perform(_ event: Event<Command>, _ context: WorkContext) async -> Outcome {
        let command = event.payload
        guard let name = command.arguments["shop"]?.string else { return await fanOut(event, context) }
        guard let account = accounts[ShopName(rawValue: name)] else {
            return await answer(context, command, .refused, "There is no shop '\(name)' in the configuration.")
        }
        do {
            let count = try await read(account, run: event.id.uuidString.lowercased())
            logger.notice("catalogue read", metadata: ["shop": "\(name)", "listings": "\(count)"])
            return await answer(context, command, .done, "Shop \(name): \(count) listings read.")
        } catch let error as ConnectorError {
            return await failed(error, shop: account, command)
        } catch {
            return .retry(FailureReason(.transient, code: "database", message: "Catalogue of \(name): \(error)"))
        }
    }

    /// Whether a shop that was out answers again.
    func answers(_ dependency: Dependency) async -> Bool {
        guard let account = accounts.values.first(where: { Dependency(ShopAccount.accountName($0.shop)) == dependency })
        else { return true }
        return (try? await account.connector.discover()) != nil
    }

    /// Without a shop, one command for each, so that none waits for another.
    private func fanOut(_ event: Event<Command>, _ context: WorkContext) async -> Outcome {
        let shops = accounts.keys.sorted()
        do {
            try await context.complete { work in
                for shop in shops {
                    work.send(
                        try OutboxMessage.command(
                            .catalogue, arguments: ["shop": .string(shop.rawValue)], to: .stockPublisher,
                            from: .stockPublisher, requestedBy: event.payload.requestedBy, at: work.startedAt))
                }
                try work.answer(
                    event.payload.commandID, .done, CommandMessage("Asked \(shops.count) shops for their catalogues."))
            }
            return .done
        } catch {
            return .retry(FailureReason(.transient, code: "database", message: "\(error)"))
        }
    }

    private func read(_ account: ShopAccount, run: String) async throws -> Int {
        let capabilities = try await account.capabilities()
        let catalogue = try account.connector.require(\.catalogue, of: capabilities, for: .readCatalogue)
        let began = try await ListingStore.now(database.pool)
        var cursor: CatalogueCursor?
        var waiting: [Listing] = []
        var count = 0
        repeat {
            let page = try await catalogue.page(after: cursor)
            waiting += page.listings
            count += page.listings.count
            cursor = page.next
            if waiting.count >= Self.storedAtOnce || cursor == nil {
                let (batch, shop) = (waiting, account.shop)
                try await database.pool.transaction { transaction in
                    try ListingStore.save(batch, of: shop, run: run, in: transaction)
                }
                waiting.removeAll(keepingCapacity: true)
            }
        } while cursor != nil
        let (shop, remaps) = (account.shop, remaps)
        try await database.unitOfWork { work in
            // Before the shop's row, as a remap does.
            try MappingLock.share(in: work.transaction)
            try ListingStore.finish(shop: shop, run: run, began: began, in: work)
            try remaps.request(shops: [shop], cause: "catalogue", id: run, at: work.startedAt, in: work)
        }
        return count
    }

    private func failed(_ error: ConnectorError, shop account: ShopAccount, _ command: Command) async -> Outcome {
        let sentence = "\(error)"
        let shop = account.shop
        logger.warning("catalogue not read", metadata: ["shop": "\(shop)", "problem": "\(sentence)"])
        _ = try? await database.pool.query(
            "UPDATE shops SET catalogue_problem = $2 WHERE shop = $1", [.text(shop.rawValue), .text(sentence)])
        switch error {
        case .unauthorized, .forbidden:
            await account.alerts.refusedCredentials(sentence)
            return .later(milliseconds: 60_000)
        case .notPaced: return .later(milliseconds: 10_000)
        default:
            let reason = FailureReason(
                error.disposition == .transient ? .transient : .permanent, code: "shop.\(error.label)",
                message: sentence)
            if error.countsAsOutage { return .outage(Dependency(ShopAccount.accountName(shop)), reason) }
            return error.disposition == .transient ? .retry(reason) : .park(reason)
        }
    }

    private func answer(
        _ context: WorkContext, _ command: Command, _ state: CommandState, _ sentence: String
    ) async -> Outcome {
        do {
            try await context.complete { work in
                try work.answer(command.commandID, state, CommandMessage(sentence))
            }
            return .done
        } catch {
            return .retry(FailureReason(.transient, code: "database", message: "\(error)"))
        }
    }
}

/// What the shops sell.
enum ListingStore {
    /// The database's time: readings of one shop may overlap in two replicas, whose clocks differ.
    static func now(_ pool: PostgresPool) async throws -> Date {
        let rows = try await pool.query("SELECT clock_timestamp() AS now", [])
        guard let row = rows.first else { throw PostgresError.unexpectedReply("no row") }
        return try row.decode("now")
    }

    static func save(_ listings: [Listing], of shop: ShopName, run: String, in transaction: Transaction) throws {
        guard !listings.isEmpty else { return }
        try transaction.execute(
            """
            INSERT INTO listings AS l (shop, listing, shelf, sku, title, stock_managed, published, observed,
                observed_at, catalogue_run)
            SELECT $1, listing, shelf, sku, title, managed, published, observed, clock_timestamp(), $9
            FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::boolean[],
                        $8::text[]::numeric[])
                AS r (listing, shelf, sku, title, managed, published, observed)
            ORDER BY listing
            ON CONFLICT (shop, listing) DO UPDATE
            SET shelf = excluded.shelf, sku = excluded.sku, title = excluded.title,
                stock_managed = excluded.stock_managed, published = excluded.published, observed = excluded.observed,
                observed_at = excluded.observed_at, catalogue_run = excluded.catalogue_run
            """,
            [
                .text(shop.rawValue), .textArray(listings.map(\.id.rawValue)),
                .textArray(listings.map(\.stockID.rawValue)), .nullableTextArray(listings.map { $0.sku?.rawValue }),
                .textArray(listings.map { String($0.title.prefix(500)) }), .booleanArray(listings.map(\.stockManaged)),
                .booleanArray(listings.map(\.isPublished)),
                .nullableTextArray(listings.map { $0.stock?.description }), .text(run),
            ])
    }

    /// Forgets what the shop no longer sells and notes that the catalogue is complete.
    ///
    /// - Parameter began: When this reading began. What another reading saw since then stays, whoever ends first.
    static func finish(shop: ShopName, run: String, began: Date, in work: UnitOfWork) throws {
        let gone = try work.transaction.query(
            "DELETE FROM listings WHERE shop = $1 AND observed_at < $2 RETURNING listing, sku",
            [.text(shop.rawValue), .timestamp(began)])
        try MappingAnnouncer.announceGone(
            try gone.map { row in
                (
                    id: ListingID(rawValue: try row.decode(at: 0)),
                    sku: try row.decode(at: 1, as: String?.self).map(ShopSKU.init(rawValue:))
                )
            }, of: shop, in: work)
        try work.transaction.execute(
            """
            UPDATE shops SET catalogue_run = $2, catalogue_read_at = $3, catalogue_problem = NULL WHERE shop = $1
            """, [.text(shop.rawValue), .text(run), .timestamp(work.startedAt)])
    }
}
