import Contracts
import Domain
import Foundation
import Messaging
import PostgreSQL

/// Says what every listing of a shop should show and does: `stock.published`.
///
/// Listings are streamed, so that half a million of them cost no memory; the header goes first, with the number of
/// chunks that follow in the same transaction whatever a catalogue reading adds or removes in between.
struct StatementWriter: Sendable {
    let settings: PublisherSettings

    /// What a statement is about.
    struct Subject: Sendable {
        var statement: StockPublished.Statement
        /// The run's cause, or `request`.
        var cause: String
        var snapshot: UUID?
        /// What was confirmed before is unchanged.
        var runBegan: Date
        var counts: OutcomeCounts?
        /// Only these listings; nil for all.
        var listings: [ListingID]?
    }

    /// The statement at the end of a run.
    func write(_ run: Run, _ counts: OutcomeCounts, in work: UnitOfWork) throws {
        try write(
            Subject(
                statement: StockPublished.Statement(id: run.id, shop: run.shop, takenAt: work.startedAt),
                cause: run.cause == "command" ? "run" : run.cause, snapshot: run.snapshot, runBegan: run.beganAt,
                counts: counts), listed: counts.listed, in: work)
    }

    /// A statement that somebody asked for.
    ///
    /// - Returns: How many listings it holds.
    func write(
        of shop: ShopName, request: UUID?, listings: [ListingID]?, in work: UnitOfWork
    ) throws -> Int {
        let run = try RunStore.newest(of: shop, in: work.transaction)
        let began = run?.beganAt ?? work.startedAt
        let statement = StockPublished.Statement(
            id: request ?? UUID(), shop: shop, takenAt: work.startedAt, request: request)
        var subject = Subject(
            statement: statement, cause: "request", snapshot: run?.snapshot, runBegan: began, listings: listings)
        let listed: Int
        if listings == nil {
            let counts = try RunStore.count(shop, since: began, in: work.transaction)
            subject.counts = counts
            listed = counts.listed
        } else {
            let rows = try work.transaction.query(
                "SELECT count(*) FROM listings WHERE shop = $1 AND listing = ANY($2)",
                [.text(shop.rawValue), .textArray((listings ?? []).map(\.rawValue))])
            listed = try rows.first?.decode(at: 0) ?? 0
        }
        try write(subject, listed: listed, in: work)
        return listed
    }

    private func write(_ subject: Subject, listed: Int, in work: UnitOfWork) throws {
        let shop = subject.statement.shop
        let size = StockPublished.maximumListings
        let parts = (listed + size - 1) / size
        func emit(_ payload: StockPublished) throws {
            try work.emit(
                Event(
                    payload, subject: shop.rawValue, correlation: subject.statement.id.uuidString.lowercased(),
                    occurredAt: work.startedAt))
        }
        let isShadow = try !ShopStore.writableShops(in: work.transaction).contains(shop)
        try emit(
            .header(
                StockPublished.Header(
                    statement: subject.statement, cause: subject.cause, snapshotID: subject.snapshot,
                    sources: try Self.sources(in: work.transaction), counts: subject.counts, chunks: parts,
                    isShadow: isShadow)))
        guard parts > 0 else { return }
        var part = 1
        var listings: [PublishedListing] = []
        func flush() throws {
            try emit(.chunk(StockPublished.Chunk(statement: subject.statement, part: part, listings: listings)))
            (part, listings) = (part + 1, [])
        }
        try PublishedRows.forEach(
            of: shop, warehouses: settings.shops[shop]?.warehouses ?? [], only: subject.listings,
            runBegan: subject.runBegan, isShadow: isShadow, in: work.transaction
        ) { listing in
            // What a catalogue reading added since the count goes with the last part.
            if listings.count == size && part < parts { try flush() }
            listings.append(listing)
        }
        while part <= parts { try flush() }
    }

    private static func sources(in transaction: Transaction) throws -> [StockPublished.Source] {
        try transaction.query("SELECT source, as_of, received_at FROM sources ORDER BY source", []).map { row in
            StockPublished.Source(
                source: SourceName(rawValue: try row.decode(at: 0)), asOf: try row.decode(at: 1),
                receivedAt: try row.decode(at: 2))
        }
    }
}

/// A shop's listings with everything that is said about them, streamed in the order of their ids.
enum PublishedRows {
    static func forEach(
        of shop: ShopName, warehouses: Set<WarehouseName>, only listings: [ListingID]?, runBegan: Date, isShadow: Bool,
        in transaction: Transaction, _ body: (PublishedListing) throws -> Void
    ) throws {
        try transaction.forEachRow(
            """
            SELECT l.listing, l.shelf, l.sku, l.title, l.mapping, l.erp_code, l.units_per_pack, l.candidates,
                l.stock_managed, l.published, v.breakdown, stated.as_of, stated.is_missing, s.shop IS NOT NULL,
                \(ShelfStore.qualifiedColumns("s"))
            FROM listings l
            LEFT JOIN shelves s ON s.shop = l.shop AND s.shelf = l.shelf
            LEFT JOIN shelf_versions v ON v.shop = s.shop AND v.shelf = s.shelf AND v.version = s.version
            LEFT JOIN LATERAL (
                SELECT min(\(StockStore.statedAt)) AS as_of, coalesce(bool_or(t.missing_from IS NOT NULL), false)
                    AS is_missing
                FROM stock t LEFT JOIN sources src ON src.source = t.source
                WHERE t.sku = l.erp_code AND t.warehouse = ANY($2)
            ) AS stated ON true
            WHERE l.shop = $1 AND ($3::text[] IS NULL OR l.listing = ANY($3::text[]))
            ORDER BY l.listing
            """,
            [
                .text(shop.rawValue), .textArray(warehouses.map(\.rawValue)),
                .maybe(listings) { .textArray($0.map(\.rawValue)) },
            ]
        ) { row in
            let state = try row.decode(at: 13, as: Bool.self) ? try ShelfStore.decode(row, from: 14).state : nil
            try body(try listing(row, state, runBegan: runBegan, isShadow: isShadow))
        }
    }

    private static func listing(
        _ row: Row, _ shelf: ShelfState?, runBegan: Date, isShadow: Bool
    ) throws -> PublishedListing {
        let code = try row.decode(at: 5, as: String?.self)
        let units = try row.decode(at: 6, as: Int?.self)
        let label = try row.decode(at: 4, as: String.self)
        let outcome = ShelfOutcome(
            mapping: MappingColumns.result(label: label, code: code, units: units), shelf: shelf, runBegan: runBegan)
        let breakdown = try row.decode(at: 10, as: String?.self).flatMap { text in
            text == "null" ? nil : try ContractCoding.decode(LevelBreakdown.self, from: Array(text.utf8))
        }
        return PublishedListing(
            listing: ListingID(rawValue: try row.decode(at: 0)), shelf: ListingID(rawValue: try row.decode(at: 1)),
            sku: try row.decode(at: 2, as: String?.self).map(ShopSKU.init(rawValue:)), title: try row.decode(at: 3),
            mapping: label,
            candidates: try (row.decode(at: 7, as: [String]?.self) ?? []).map(ERPCode.init(rawValue:)),
            erpCode: code.map(ERPCode.init(rawValue:)), unitsPerPack: units ?? 1, isManaged: try row.decode(at: 8),
            isPublished: try row.decode(at: 9), wanted: shelf?.wanted, version: shelf?.version ?? 0,
            breakdown: breakdown, asOf: try row.decode(at: 11), isMissingInFile: try row.decode(at: 12),
            sent: shelf?.sent, confirmed: shelf?.confirmedLevel, confirmedVersion: shelf?.confirmedVersion ?? 0,
            confirmedAt: shelf?.confirmedAt, lastPushedAt: shelf?.lastPushedAt, expectedAtShop: shelf?.expectedAtShop,
            isPending: shelf.map { $0.claim != nil || ($0.isDue && !isShadow) } ?? false,
            outcome: outcome.name.rawValue, answer: answer(shelf, outcome))
    }

    /// The shop's words or our reason, where there is one.
    private static func answer(_ shelf: ShelfState?, _ outcome: ShelfOutcome) -> String? {
        switch outcome {
        case .confirmed, .unchanged: nil
        case .deferred(let reason): reason.rawValue
        case .unmapped: nil
        case .rejected(let words): words
        case .failed(let reason): shelf?.held ?? reason
        }
    }
}
